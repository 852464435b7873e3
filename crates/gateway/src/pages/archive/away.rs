//! What a learner takes away: a record as Open Badge, records as CLR. Everything as JSON is
//! told under `/v1`.
//!
//! File names say what a file is and never whose.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use creditbank_wire::v1;
use serde::Deserialize;

use super::Asked;
use super::record::{leaf_index, unknown_is_nothing};
use crate::app::App;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::session::Learner;

/// Records of one CLR; more are split.
const CLR_RECORDS_MAX: usize = 100;
const CREDENTIAL: &str = "application/vc+ld+json";

/// A file to keep. `name` is ours, never a text from outside.
pub(crate) fn attachment(name: &str, kind: &'static str, body: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition = HeaderValue::from_str(&disposition);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-store"),
        ),
        (
            header::CONTENT_DISPOSITION,
            disposition.unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    (headers, body).into_response()
}

#[derive(Template)]
#[template(path = "archive-take-away.html")]
struct TakeAwayPage {
    f: Frame,
    records: u64,
    /// Numbers of the parts of the whole archive, from 1.
    parts: Vec<u64>,
}

pub(super) async fn take_away(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
) -> Result<Response, Failure> {
    may_take(&f)?;
    let totals = app.totals(session.subject()).await?;
    let records: u64 = totals.categories.iter().map(|it| it.records).sum();
    page(&TakeAwayPage {
        f: f.at("archive"),
        records,
        parts: (1..=clr_parts(usize::try_from(records).unwrap_or(usize::MAX)) as u64).collect(),
    })
}

/// Whoever may only look sees neither name nor learner code in full; what is taken away has them.
pub(crate) fn may_take(f: &Frame) -> Result<(), Failure> {
    f.may_act().then_some(()).ok_or(Failure::NotYours)
}

/// How many CLRs so many records make.
fn clr_parts(records: usize) -> usize {
    records.div_ceil(CLR_RECORDS_MAX)
}

/// One record as an Open Badge.
pub(super) async fn badge(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Path(leaf): Path<String>,
) -> Result<Response, Failure> {
    may_take(&f)?;
    let leaf = leaf_index(&leaf)?;
    let form = v1::CredentialForm::OpenBadge;
    let made = app.credential_of(session.subject(), form, vec![leaf]).await;
    let credential = made.map_err(unknown_is_nothing)?;
    let name = format!("credential-{leaf}.json");
    Ok(attachment(&name, CREDENTIAL, credential))
}

#[derive(Deserialize)]
struct ClrQuery {
    #[serde(default)]
    leaf: Vec<u64>,
    /// Of the whole archive, from 1.
    #[serde(default)]
    part: Option<usize>,
}

/// Chosen records, or a part of the whole archive, as one CLR.
pub(super) async fn clr(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    may_take(&f)?;
    let query = query.unwrap_or_default();
    let query: ClrQuery = serde_html_form::from_str(&query).map_err(|_| Failure::Unreadable)?;
    let learner = session.subject();
    let (leaves, name) = match query.part {
        Some(part) => {
            let leaves = part_of(in_force(&app, learner).await?, part)?;
            (leaves, format!("learning-record-part-{part}.json"))
        }
        None => (chosen(query.leaf)?, "learning-record.json".to_owned()),
    };
    let form = v1::CredentialForm::Clr;
    let made = app.credential_of(learner, form, leaves).await;
    let credential = made.map_err(unknown_is_nothing)?;
    Ok(attachment(&name, CREDENTIAL, credential))
}

/// Leaves of the outcomes in force, ascending.
async fn in_force(app: &App, learner: &str) -> Result<Vec<u64>, Failure> {
    let asked = Asked {
        state: "active".to_owned(),
        ..Asked::default()
    };
    let mut leaves = Vec::new();
    let note = |record: v1::ArchiveRecord| {
        leaves.push(record.leaf_index);
        false
    };
    app.each_record(asked.request(learner, "", 0), note).await?;
    leaves.sort_unstable();
    Ok(leaves)
}

fn part_of(leaves: Vec<u64>, part: usize) -> Result<Vec<u64>, Failure> {
    let found = leaves.chunks(CLR_RECORDS_MAX).nth(part.wrapping_sub(1));
    found.map(<[u64]>::to_vec).ok_or(Failure::NotFound)
}

fn chosen(mut leaves: Vec<u64>) -> Result<Vec<u64>, Failure> {
    leaves.sort_unstable();
    leaves.dedup();
    match leaves.len() {
        1..=CLR_RECORDS_MAX => Ok(leaves),
        _ => Err(Failure::Refused {
            refusal: creditbank_domain::Refusal::TooMany {
                max: CLR_RECORDS_MAX as u32,
            },
            field: "leaf",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{chosen, clr_parts, part_of};

    #[test]
    fn a_whole_archive_is_split_without_loss() {
        assert_eq!([0, 1, 100, 101, 5000].map(clr_parts), [0, 1, 1, 2, 50]);
        let leaves: Vec<u64> = (0..250).collect();
        let parts = (1..=3).map(|it| part_of(leaves.clone(), it).expect("a part"));
        assert_eq!(parts.flatten().collect::<Vec<_>>(), leaves);
        assert!(part_of(leaves.clone(), 0).is_err());
        assert!(part_of(leaves, 4).is_err());
    }

    #[test]
    fn chosen_records_are_ascending_and_bounded() {
        assert_eq!(chosen(vec![5, 3, 5]).expect("two"), [3, 5]);
        assert!(chosen(Vec::new()).is_err());
        assert!(chosen((0..101).collect()).is_err());
    }
}
