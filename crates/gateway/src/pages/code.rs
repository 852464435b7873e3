//! The learner code (申学码) on a phone, and on paper.
//!
//! A page asks for a code when it is opened and again while it is looked at, so nobody has to hurry. What the desk will see
//! stands beside the code. Of a printed code the secret is told once: it travels to its sheet in a sealed cookie of this
//! session, so that the sheet can be loaded again and printed, and is kept nowhere else.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_extra::extract::cookie::{Cookie, SameSite};
use creditbank_domain::outcome::Category;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::pace::Pace;
use crate::qr::Qr;
use crate::session::{self, Learner, Session};
use crate::show;

/// Fresh codes of a session: so many at once, then one each ten seconds.
const CODES_BURST: u64 = 5;
const CODES_EVERY_MS: u64 = 10_000;
/// A printed code lives for one of these numbers of days.
const DAYS: [u64; 3] = [30, 90, 180];
const DAY_MS: u64 = 86_400_000;
/// Clocks of gateway and ledger may differ by so much before a longest printed code is refused.
const CLOCK_MS: u64 = 60_000;
/// The sheet of a printed code, for a quarter of an hour.
const SHEET_COOKIE: &str = "sheet";
const SHEET_PATH: &str = "/code/print";
const SHEET_MS: u64 = 15 * 60_000;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/code", get(choose))
        .route("/code/show", get(shown))
        .route("/code/fresh", post(fresh))
        .route("/code/print", get(print_form).post(print))
        .route("/code/print/sheet", get(sheet))
}

/// How often one session may ask for a fresh code.
pub(crate) fn pace() -> Pace {
    Pace::new(CODES_BURST, CODES_EVERY_MS)
}

/// What a code is to show, as forms and addresses have it.
#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    category: Vec<i32>,
}

/// What a code shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    purpose: i32,
    /// Of records: which are shown, ascending; empty for all.
    categories: Vec<i32>,
}

impl Asked {
    /// Reads a purpose, and categories where there is a choice of them.
    fn read(self) -> Option<Shown> {
        let purpose = match &*self.purpose {
            "check-in" => v1::DeskPurpose::CheckIn,
            "totals" => v1::DeskPurpose::Totals,
            "records" => v1::DeskPurpose::Records,
            _ => return None,
        };
        let mut categories = match purpose {
            v1::DeskPurpose::Records => self.category,
            _ => Vec::new(),
        };
        categories.sort_unstable();
        categories.dedup();
        let all = Category::ALL.map(number);
        if categories.iter().any(|it| !all.contains(it)) {
            return None;
        }
        if categories.len() == all.len() {
            categories.clear();
        }
        Some(Shown {
            purpose: purpose as i32,
            categories,
        })
    }
}

impl Shown {
    fn purpose(&self) -> v1::DeskPurpose {
        v1::DeskPurpose::try_from(self.purpose).unwrap_or_default()
    }

    fn slug(&self) -> &'static str {
        match self.purpose() {
            v1::DeskPurpose::Totals => "totals",
            v1::DeskPurpose::Records => "records",
            _ => "check-in",
        }
    }

    fn name(&self, f: &Frame) -> String {
        match self.purpose() {
            v1::DeskPurpose::Totals => f.t("code-totals"),
            v1::DeskPurpose::Records => f.t("code-records"),
            _ => f.t("code-check-in"),
        }
    }

    /// What the desk will see, a sentence a line.
    fn sees(&self, f: &Frame) -> Vec<String> {
        let first = match self.purpose() {
            v1::DeskPurpose::Totals => f.t("code-sees-totals"),
            v1::DeskPurpose::Records if self.categories.is_empty() => f.t("code-sees-records"),
            v1::DeskPurpose::Records => {
                let names = self.categories.iter();
                let names = names.map(|it| show::category(f.view.lang, *it));
                let names = names.collect::<Vec<_>>().join(f.view.lang.pick("、", ", "));
                f.t1("code-sees-categories", "names", &names)
            }
            _ => f.t("code-sees-check-in"),
        };
        vec![first, f.t("code-sees-name"), f.t("code-sees-looks")]
    }
}

fn number(category: Category) -> i32 {
    i32::try_from(category.number()).unwrap_or(0)
}

/// Number and name of each category.
fn categories(f: &Frame) -> Vec<(i32, String)> {
    let all = Category::ALL.map(number);
    all.map(|it| (it, show::category(f.view.lang, it))).to_vec()
}

#[derive(Template)]
#[template(path = "code.html")]
struct ChoosePage {
    f: Frame,
    categories: Vec<(i32, String)>,
}

async fn choose(_: Learner, f: Frame) -> Result<Response, Failure> {
    page(&ChoosePage {
        categories: categories(&f),
        f: f.at("code"),
    })
}

#[derive(Template)]
#[template(path = "code-show.html")]
struct ShownPage {
    f: Frame,
    shown: Shown,
    name: String,
    sees: Vec<String>,
    code: FreshCode,
    until: String,
}

/// A fresh code, as the page draws it and as its script fetches it.
#[derive(Debug, Serialize)]
struct FreshCode {
    #[serde(flatten)]
    qr: Qr,
    code: String,
    expires_at_ms: u64,
    /// By the clock of this machine, because that of the phone may be wrong.
    left_ms: u64,
}

async fn shown(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let asked = serde_html_form::from_str::<Asked>(&query.unwrap_or_default()).ok();
    let Some(shown) = asked.and_then(Asked::read) else {
        return Ok(Redirect::to("/code").into_response());
    };
    let code = issue(&app, &session, &f, &shown).await?;
    page(&ShownPage {
        name: shown.name(&f),
        sees: shown.sees(&f),
        until: show::second(code.expires_at_ms),
        f: f.at("code"),
        shown,
        code,
    })
}

/// The same for the page's script.
async fn fresh(State(app): State<Arc<App>>, checked: Checked<Asked>) -> Result<Response, Failure> {
    let shown = checked.form.read().ok_or(Failure::Unreadable)?;
    let code = issue(&app, &checked.session, &checked.frame, &shown).await?;
    let headers = [(axum::http::header::CACHE_CONTROL, "private, no-store")];
    Ok((headers, Json(code)).into_response())
}

async fn issue(
    app: &App,
    session: &Session,
    f: &Frame,
    shown: &Shown,
) -> Result<FreshCode, Failure> {
    if !f.may_act() {
        return Err(Failure::NotYours);
    }
    let taken = app.codes.take(&session.id, clock::now_ms());
    taken.map_err(|retry_s| Failure::TooMany { retry_s })?;
    let request = v1::IssueCodeRequest {
        learner: session.subject().to_owned(),
        purpose: shown.purpose,
        categories: shown.categories.clone(),
    };
    let issued = app.fresh_code(request).await?;
    Ok(FreshCode {
        qr: Qr::of(&issued.code).ok_or(Failure::Unreadable)?,
        code: issued.code,
        expires_at_ms: issued.expires_at_ms,
        left_ms: issued.expires_at_ms.saturating_sub(clock::now_ms()),
    })
}

#[derive(Template)]
#[template(path = "code-print.html")]
struct PrintPage {
    f: Frame,
    categories: Vec<(i32, String)>,
    days: [u64; 3],
}

async fn print_form(_: Learner, f: Frame) -> Result<Response, Failure> {
    if !f.may_act() {
        return Err(Failure::NotYours);
    }
    page(&PrintPage {
        categories: categories(&f),
        days: DAYS,
        f: f.at("code"),
    })
}

#[derive(Deserialize)]
struct PrintForm {
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    category: Vec<i32>,
    days: u64,
}

/// A printed code as it travels to its sheet.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sheet {
    /// Of whose it is: after signing out nobody finds it.
    session: String,
    secret: String,
    shown: Shown,
    expires_at_ms: u64,
    until_ms: u64,
}

async fn print(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    checked: Checked<PrintForm>,
) -> Result<Response, Failure> {
    if !checked.frame.may_act() {
        return Err(Failure::NotYours);
    }
    let PrintForm {
        purpose,
        category,
        days,
    } = checked.form;
    let shown = Asked { purpose, category }.read();
    let shown = shown.filter(|_| DAYS.contains(&days));
    let shown = shown.ok_or(Failure::Unreadable)?;
    let now_ms = clock::now_ms();
    let expires_at_ms = now_ms + days * DAY_MS - CLOCK_MS;
    let request = v1::CreateGrantRequest {
        learner: checked.session.subject().to_owned(),
        expires_at_ms,
        content: Some(v1::create_grant_request::Content::PrintedCode(
            v1::PrintedCode {
                purpose: shown.purpose,
                categories: shown.categories.clone(),
            },
        )),
    };
    let made = app.create_grant(request).await?;
    let sheet = Sheet {
        session: checked.session.id,
        secret: made.secret,
        expires_at_ms: made.grant.map_or(expires_at_ms, |it| it.expires_at_ms),
        until_ms: now_ms + SHEET_MS,
        shown,
    };
    let value = serde_json::to_string(&sheet).expect("plain data");
    let cookie = Cookie::build((SHEET_COOKIE, value))
        .path(SHEET_PATH)
        .http_only(true)
        .secure(app.is_secure())
        .same_site(SameSite::Strict);
    let jar = session::jar(&app, &headers).add(cookie);
    Ok((jar, Redirect::to("/code/print/sheet")).into_response())
}

#[derive(Template)]
#[template(path = "code-sheet.html")]
struct SheetPage {
    f: Frame,
    name: String,
    sees: Vec<String>,
    qr: Qr,
    secret: String,
    until: String,
}

async fn sheet(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    headers: HeaderMap,
    f: Frame,
) -> Result<Response, Failure> {
    let jar = session::jar(&app, &headers);
    let cookie = jar.get(SHEET_COOKIE);
    let kept = cookie.and_then(|it| serde_json::from_str::<Sheet>(it.value()).ok());
    let kept = kept.filter(|it| it.session == session.id && clock::now_ms() < it.until_ms);
    let Some(kept) = kept else {
        return Ok(Redirect::to(SHEET_PATH).into_response());
    };
    page(&SheetPage {
        name: kept.shown.name(&f),
        sees: kept.shown.sees(&f),
        qr: Qr::of(&kept.secret).ok_or(Failure::Unreadable)?,
        until: show::day(kept.expires_at_ms),
        secret: kept.secret,
        f: f.at("code"),
    })
}

#[cfg(test)]
mod tests {
    use super::{Asked, Shown};

    fn read(query: &str) -> Option<Shown> {
        serde_html_form::from_str::<Asked>(query).ok()?.read()
    }

    #[test]
    fn only_records_have_categories_and_all_of_them_is_no_choice() {
        let shown = |purpose, categories: &[i32]| {
            Some(Shown {
                purpose,
                categories: categories.to_vec(),
            })
        };
        let all = (1..=9).map(|it| format!("&category={it}"));
        let all = format!("purpose=records{}", all.collect::<String>());
        for (query, expected) in [
            ("purpose=check-in", shown(1, &[])),
            ("purpose=totals&category=3", shown(2, &[])),
            (
                "purpose=records&category=6&category=5&category=6",
                shown(3, &[5, 6]),
            ),
            ("purpose=records", shown(3, &[])),
            (&all, shown(3, &[])),
            ("purpose=records&category=0", None),
            ("purpose=records&category=10", None),
            ("purpose=records&category=x", None),
            ("purpose=other", None),
            ("", None),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
    }
}
