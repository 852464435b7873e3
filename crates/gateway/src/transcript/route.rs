//! Where a transcript is asked for: `/archive/transcript.pdf`.
//!
//! GET prints it with links to the public page that verifies files, each with a seal of its set. POST with `with_share` also makes a share a set of records,
//! whose link its QR code holds: only the learner does that, and knows it, because whoever has the paper may then look.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use creditbank_client::ClientError;
use creditbank_wire::v1;
use jiff::civil::Date;
use serde::Deserialize;
use tokio::sync::{OnceCell, Semaphore};

use super::fonts::{Fonts, FontsError};
use super::gather::{Choice, gather};
use super::sheet::{Languages, RECORDS_MAX, Transcript};
use super::typeset::{Unprintable, render};
use crate::app::App;
use crate::failure::{Failure, Told};
use crate::form::Checked;
use crate::frame::Frame;
use crate::pages::archive::may_take;
use crate::session::Learner;
use crate::{clock, show};

/// Transcripts that are set at once.
const PRESSES: usize = 2;
/// How long a request waits for its turn, and for its transcript.
const TURN_TIME_MAX: Duration = Duration::from_secs(5);
const PRINT_TIME_MAX: Duration = Duration::from_secs(12);
/// The most shares, one a set, that one transcript makes.
const SHARES_MAX: usize = 20;
/// How long a share of a transcript works: a year, less what clocks may differ.
const SHARE_MS: u64 = (365 * 24 - 1) * 3600 * 1000;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/archive/transcript.pdf", get(print).post(print_shared))
        .layer(Extension(Arc::new(Press::new())))
}

/// What prints: fonts that are read once, and a bound on how much is printed at once.
struct Press {
    fonts: OnceCell<Arc<Fonts>>,
    turns: Arc<Semaphore>,
}

impl Press {
    fn new() -> Self {
        Self {
            fonts: OnceCell::new(),
            turns: Arc::new(Semaphore::new(PRESSES)),
        }
    }

    async fn print(&self, app: &App, transcript: Transcript) -> Result<Vec<u8>, Unprinted> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(TURN_TIME_MAX, turn).await;
        let Ok(Ok(turn)) = turn else {
            let retry_s = TURN_TIME_MAX.as_secs();
            return Err(Failure::TooMany { retry_s }.into());
        };
        let fonts = Arc::clone(self.fonts(app).await?);
        // The turn is given back by the thread: one that nobody waits for any longer still counts.
        let set = tokio::task::spawn_blocking(move || {
            let made = render(&transcript, &fonts);
            drop(turn);
            made
        });
        match tokio::time::timeout(PRINT_TIME_MAX, set).await {
            Ok(Ok(made)) => Ok(made?),
            Ok(Err(_)) => Err(Unprintable::Page { line: 0 }.into()),
            Err(_) => Err(Unprinted::Late),
        }
    }

    async fn fonts(&self, app: &App) -> Result<&Arc<Fonts>, Unprinted> {
        let folder = app.options.fonts.clone();
        let read = async || {
            let read = tokio::task::spawn_blocking(move || Fonts::read(&folder)).await;
            match read {
                Ok(fonts) => Ok(Arc::new(fonts?)),
                Err(_) => Err(Unprinted::Late),
            }
        };
        self.fonts.get_or_try_init(read).await
    }
}

#[derive(Debug, Deserialize)]
struct Wish {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    leaf: Vec<u64>,
    #[serde(default)]
    category: Vec<i32>,
    #[serde(default)]
    with_share: String,
}

impl Wish {
    fn choice(self, f: &Frame) -> Result<Choice, Failure> {
        let languages = match &*self.lang {
            "" => f.view.lang.pick(Languages::Zh, Languages::En),
            lang => Languages::parse(lang).ok_or(Failure::Unreadable)?,
        };
        let is_category = |it: &i32| v1::Category::try_from(*it).is_ok_and(|_| *it != 0);
        if self.leaf.len() > RECORDS_MAX || !self.category.iter().all(is_category) {
            return Err(Failure::Unreadable);
        }
        Ok(Choice {
            languages,
            leaves: self.leaf.into_iter().collect::<BTreeSet<_>>(),
            categories: self.category,
        })
    }
}

async fn print(
    State(app): State<Arc<App>>,
    Extension(press): Extension<Arc<Press>>,
    Learner(session): Learner,
    f: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Unprinted> {
    may_take(&f)?;
    let wish = serde_html_form::from_str::<Wish>(query.as_deref().unwrap_or_default());
    let choice = wish.map_err(|_| Failure::Unreadable)?.choice(&f)?;
    let transcript = gather(&app, session.subject(), &choice, today()?).await?;
    Ok(pdf(press.print(&app, transcript).await?, "inline"))
}

async fn print_shared(
    State(app): State<Arc<App>>,
    Extension(press): Extension<Arc<Press>>,
    checked: Checked<Wish>,
) -> Result<Response, Unprinted> {
    let (session, f) = (checked.session, checked.frame);
    may_take(&f)?;
    let with_share = checked.form.with_share == "1";
    if with_share && !f.is_own() {
        return Err(Failure::NotYours.into());
    }
    let choice = checked.form.choice(&f)?;
    let learner = session.subject();
    let mut transcript = gather(&app, learner, &choice, today()?).await?;
    if !with_share {
        return Ok(pdf(press.print(&app, transcript).await?, "attachment"));
    }
    let mut shares = Shares::default();
    let printed = match shares.open(&app, learner, &mut transcript).await {
        Ok(()) => press.print(&app, transcript).await,
        Err(failure) => Err(failure),
    };
    if printed.is_err() {
        shares.close(&app, learner).await;
    }
    Ok(pdf(printed?, "attachment"))
}

/// The shares that a transcript makes.
#[derive(Default)]
struct Shares(Vec<[u8; 16]>);

impl Shares {
    /// Makes a share for each set and puts its link there. What was made is remembered, also when a later one fails.
    async fn open(
        &mut self,
        app: &App,
        learner: &str,
        transcript: &mut Transcript,
    ) -> Result<(), Unprinted> {
        let sets = transcript
            .groups
            .iter()
            .map(|it| it.sets.len())
            .sum::<usize>();
        if sets > SHARES_MAX {
            return Err(Unprinted::TooManyShares);
        }
        let expires_at_ms = clock::now_ms() + SHARE_MS;
        for group in &mut transcript.groups {
            for set in &mut group.sets {
                let mut leaves: Vec<u64> = set.records.iter().map(|it| it.leaf_index).collect();
                leaves.sort_unstable();
                let share = v1::Share {
                    recipient: "持证人 Transcript holder".to_owned(),
                    purpose: format!("学习成果证明 Transcript: {}", group.category.zh),
                    leaf_indexes: leaves,
                    with_name: true,
                };
                let made = app.create_grant(v1::CreateGrantRequest {
                    learner: learner.to_owned(),
                    expires_at_ms,
                    content: Some(v1::create_grant_request::Content::Share(share)),
                });
                let made = made.await?;
                let id = |it: v1::Grant| <[u8; 16]>::try_from(&it.grant_id[..]).ok();
                self.0.extend(made.grant.and_then(id));
                set.link = format!("{}/s/{}", app.options.base_url, made.secret);
            }
        }
        transcript.shared_until = Some(date(expires_at_ms)?);
        Ok(())
    }

    /// Ends them: nobody was told their links.
    async fn close(&self, app: &App, learner: &str) {
        for grant_id in &self.0 {
            let closed = app.withdraw_grant(learner, *grant_id).await;
            if let Err(error) = closed {
                tracing::warn!(%error, "a share of a transcript that was not printed stays open");
            }
        }
    }
}

fn today() -> Result<Date, Failure> {
    date(clock::now_ms())
}

fn date(ms: u64) -> Result<Date, Failure> {
    show::day(ms).parse().map_err(|_| Failure::Unreadable)
}

/// What is told nobody else: kept by no cache, with a name that names no one.
fn pdf(bytes: Vec<u8>, disposition: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    let mut response = (headers, bytes).into_response();
    let disposition = match disposition {
        "inline" => "inline; filename=\"transcript.pdf\"",
        _ => "attachment; filename=\"transcript.pdf\"",
    };
    response.headers_mut().insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static(disposition),
    );
    response
}

/// Why there is no transcript.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unprinted {
    /// As for any page.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The page cannot be set.
    #[error(transparent)]
    Unprintable(#[from] Unprintable),
    /// There are no fonts.
    #[error(transparent)]
    Fonts(#[from] FontsError),
    /// It took too long.
    #[error("setting a transcript took too long")]
    Late,
    /// More records than one transcript has room for.
    #[error("too many records")]
    TooManyRecords,
    /// More sets than one transcript makes shares for.
    #[error("too many sets")]
    TooManyShares,
}

impl From<ClientError> for Unprinted {
    fn from(error: ClientError) -> Self {
        Self::Failure(error.into())
    }
}

impl Unprinted {
    fn told(&self) -> Told {
        let (status, code, zh, en) = match self {
            Self::Failure(failure) => return failure.told(),
            Self::Unprintable(Unprintable::Glyph) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "GLYPH_MISSING",
                "字库缺少您姓名中的字，暂时无法打印。请到服务窗口办理。",
                "The fonts here lack a character of your name, so it cannot be printed. Please ask at a service window.",
            ),
            Self::TooManyRecords => (
                StatusCode::BAD_REQUEST,
                "TRANSCRIPT_TOO_LONG",
                "一份证明最多列 2000 条记录，请按类别分开打印。",
                "A transcript lists at most 2,000 records; please print the categories apart.",
            ),
            Self::TooManyShares => (
                StatusCode::BAD_REQUEST,
                "TRANSCRIPT_TOO_MANY_SETS",
                "带验证链接的证明最多分 20 组，每组至多 50 条。请按类别分开打印，或打印不带链接的证明。",
                "A transcript with links has at most 20 sets of up to 50 records; please print the categories apart, or without links.",
            ),
            Self::Unprintable(_) | Self::Fonts(_) | Self::Late => {
                tracing::error!(error = %self, "a transcript was not printed");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "TRANSCRIPT_UNAVAILABLE",
                    "暂时无法打印，请稍后再试。您的记录不受影响。",
                    "The transcript cannot be printed now; please try again later. Your records are safe.",
                )
            }
        };
        Told {
            status,
            code: code.to_owned(),
            zh: zh.to_owned(),
            en: en.to_owned(),
            field: String::new(),
            retry_s: None,
        }
    }
}

impl IntoResponse for Unprinted {
    /// As a [`Failure`] does it.
    fn into_response(self) -> Response {
        if let Self::Failure(failure) = self {
            return failure.into_response();
        }
        let told = self.told();
        let mut response = told.status.into_response();
        response.extensions_mut().insert(told);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::Wish;

    #[test]
    fn a_wish_names_records_and_categories_as_often_as_it_likes() {
        let wish: Wish = serde_html_form::from_str("lang=both&leaf=7&leaf=3&category=6").unwrap();
        assert_eq!(
            (&*wish.lang, &*wish.leaf, &*wish.category),
            ("both", &[7, 3][..], &[6][..])
        );
        let empty: Wish = serde_html_form::from_str("").unwrap();
        assert!(empty.leaf.is_empty() && empty.with_share.is_empty());
        assert!(serde_html_form::from_str::<Wish>("leaf=-1").is_err());
    }
}
