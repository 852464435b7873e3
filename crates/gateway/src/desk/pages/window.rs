//! What is done for people who came to a window: a code on paper, a relative who may act (`allowed.rs`), and an account tied
//! to their archive.
//!
//! A printed code is the answer to its form: it has no address, and is told once.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;
use serde::Deserialize;

use super::{Place, allowed};
use crate::clock;
use crate::desk::app::DeskApp;
use crate::desk::names;
use crate::desk::staff::{Desk, Signed, Staff};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::qr::Qr;
use crate::show;

/// A printed code lives for one of these numbers of days.
const DAYS: [u64; 3] = [30, 90, 180];
const DAY_MS: u64 = 86_400_000;
/// Clocks of this machine and the ledger may differ by so much before a longest printed code is refused.
const CLOCK_MS: u64 = 60_000;

pub(super) fn routes() -> Router<Arc<DeskApp>> {
    Router::new()
        .route("/window", get(window))
        .route("/window/find", post(find))
        .route("/window/paper", post(paper))
        .route("/window/link", post(link))
        .route("/window/unlink", post(unlink))
        .merge(allowed::routes())
}

#[derive(Template)]
#[template(path = "desk/window.html")]
struct WindowPage {
    f: Frame,
    d: Desk,
    purposes: Vec<(i32, &'static str)>,
    days: [u64; 3],
    documents: Vec<(i32, &'static str)>,
    /// The learner code that was just found, and whether its archive was just opened.
    found: Option<(String, bool)>,
    /// Learner codes that were found: of whoever is served, and of who is to act.
    learner: String,
    delegate: String,
    /// Whether the next document is that of who is to act.
    is_relative: bool,
    done: String,
}

impl WindowPage {
    fn of(Staff { f, d }: Staff) -> Self {
        use v1::DeskPurpose as P;
        let lang = f.view.lang;
        let purposes = [P::CheckIn, P::Totals, P::Records];
        Self {
            purposes: purposes
                .map(|it| (it as i32, names::purpose(lang, it)))
                .to_vec(),
            days: DAYS,
            documents: names::documents(lang),
            found: None,
            learner: String::new(),
            delegate: String::new(),
            is_relative: false,
            done: String::new(),
            f,
            d,
        }
    }
}

#[derive(Deserialize)]
struct WindowQuery {
    #[serde(default)]
    done: String,
}

async fn window(staff: Staff, Query(query): Query<WindowQuery>) -> Result<Response, Failure> {
    let mut it = WindowPage::of(staff.at(Place::Window));
    it.done = match &*query.done {
        "link" => it.f.t("desk-link-done"),
        "unlink" => it.f.t("desk-unlink-done"),
        "relative" => it.f.t("desk-relative-done"),
        _ => String::new(),
    };
    page(&it)
}

#[derive(Deserialize)]
struct FindForm {
    document: i32,
    number: String,
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    name: String,
    /// `relative` for who is to act, else whoever is served.
    #[serde(default)]
    who: String,
    /// What was found before.
    #[serde(default)]
    learner: String,
    #[serde(default)]
    delegate: String,
}

/// The learner code of whoever shows this document. It is the answer to the form, and in no address.
async fn find(
    State(app): State<Arc<DeskApp>>,
    Signed { staff, form }: Signed<FindForm>,
) -> Result<Response, Failure> {
    let mut it = WindowPage::of(staff.at(Place::Window));
    let ask = v1::EnrolLearnerRequest {
        identity: Some(v1::Identity {
            kind: form.document,
            number: form.number.trim().to_owned(),
            issuer: form.issuer.trim().to_owned(),
        }),
        name: form.name.trim().to_owned(),
    };
    let resolved = app.enrol(ask).await?;
    let code = show::learner_code(&resolved.learner);
    it.is_relative = form.who == "relative";
    (it.learner, it.delegate) = match it.is_relative {
        true => (form.learner, code.clone()),
        false => (code.clone(), form.delegate),
    };
    it.found = Some((code, resolved.created));
    page(&it)
}

#[derive(Deserialize)]
struct PaperForm {
    learner: String,
    purpose: i32,
    days: u64,
}

#[derive(Template)]
#[template(path = "desk/paper.html")]
struct PaperPage {
    f: Frame,
    d: Desk,
    purpose: &'static str,
    qr: Qr,
    secret: String,
    until: String,
}

async fn paper(
    State(app): State<Arc<DeskApp>>,
    Signed { staff, form }: Signed<PaperForm>,
) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Window);
    if !DAYS.contains(&form.days) {
        return Err(Failure::Unreadable);
    }
    let purpose = v1::DeskPurpose::try_from(form.purpose).map_err(|_| Failure::Unreadable)?;
    let expires_at_ms = clock::now_ms() + form.days * DAY_MS - CLOCK_MS;
    let ask = v1::CreateGrantRequest {
        learner: learner(&form.learner, "learner")?,
        expires_at_ms,
        content: Some(v1::create_grant_request::Content::PrintedCode(
            v1::PrintedCode {
                purpose: purpose as i32,
                categories: Vec::new(),
            },
        )),
    };
    let made = app.grant(ask).await?;
    page(&PaperPage {
        purpose: names::purpose(f.view.lang, purpose),
        qr: Qr::of(&made.secret).ok_or(Failure::Unreadable)?,
        until: show::day(made.grant.map_or(expires_at_ms, |it| it.expires_at_ms)),
        secret: made.secret,
        f,
        d,
    })
}

#[derive(Deserialize)]
struct LinkForm {
    learner: String,
    issuer: String,
    subject: String,
}

async fn link(
    State(app): State<Arc<DeskApp>>,
    Signed { form, .. }: Signed<LinkForm>,
) -> Result<Redirect, Failure> {
    let ask = v1::LinkSubjectRequest {
        learner: learner(&form.learner, "learner")?,
        subject: subject(&form.issuer, &form.subject),
    };
    app.link(ask).await?;
    Ok(Redirect::to("/window?done=link"))
}

#[derive(Deserialize)]
struct UnlinkForm {
    issuer: String,
    subject: String,
}

async fn unlink(
    State(app): State<Arc<DeskApp>>,
    Signed { form, .. }: Signed<UnlinkForm>,
) -> Result<Redirect, Failure> {
    let ask = v1::UnlinkSubjectRequest {
        subject: subject(&form.issuer, &form.subject),
    };
    app.unlink(ask).await?;
    Ok(Redirect::to("/window?done=unlink"))
}

fn subject(issuer: &str, subject: &str) -> Option<v1::Subject> {
    Some(v1::Subject {
        issuer: issuer.trim().to_owned(),
        subject: subject.trim().to_owned(),
    })
}

/// A learner code in the one spelling of the wire.
pub(super) fn learner(text: &str, field: &'static str) -> Result<String, Failure> {
    let code = LearnerCode::parse(text).map_err(|refusal| Failure::Refused { refusal, field })?;
    Ok(format!("{:016}", code.as_u64()))
}
