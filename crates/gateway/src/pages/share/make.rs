//! Making a share: to whom, what for, how long; then its link, shown once.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use creditbank_wire::v1;
use serde::Deserialize;

use super::choose::{SHARE_RECORDS_MAX, too_many};
use super::{own, term};
use crate::app::App;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::pages::archive::{Asked, Row};
use crate::qr::Qr;
use crate::session::Learner;
use crate::show;

#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    leaf: Vec<u64>,
}

#[derive(Template)]
#[template(path = "share-terms.html")]
struct TermsPage {
    f: Frame,
    rows: Vec<Row>,
    count: u64,
}

/// What is shared, and the form that asks the rest.
pub(super) async fn terms(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let learner = own(&session)?;
    let query = query.unwrap_or_default();
    let chosen: Chosen = serde_html_form::from_str(&query).map_err(|_| Failure::Unreadable)?;
    let leaves = ascending(chosen.leaf)?;
    page(&TermsPage {
        rows: rows(&app, &f, learner, &leaves).await?,
        count: leaves.len() as u64,
        f: f.at("sharing"),
    })
}

fn ascending(leaves: Vec<u64>) -> Result<BTreeSet<u64>, Failure> {
    let leaves: BTreeSet<u64> = leaves.into_iter().collect();
    match leaves.len() {
        1..=SHARE_RECORDS_MAX => Ok(leaves),
        _ => Err(too_many(SHARE_RECORDS_MAX)),
    }
}

/// The chosen records as lines, newest first; each must be of this archive.
async fn rows(
    app: &App,
    f: &Frame,
    learner: &str,
    leaves: &BTreeSet<u64>,
) -> Result<Vec<Row>, Failure> {
    let mut found = Vec::with_capacity(leaves.len());
    let note = |record: v1::ArchiveRecord| {
        if leaves.contains(&record.leaf_index) {
            found.push(record);
        }
        found.len() == leaves.len()
    };
    let ask = Asked::default().request(learner, "", 0);
    app.each_record(ask, note).await?;
    let names = app
        .institution_names(found.iter().map(|it| it.issuer.as_str()))
        .await;
    let rows: Vec<_> = found
        .iter()
        .filter_map(|it| Row::of(f, &names, it))
        .collect();
    if rows.len() < leaves.len() {
        return Err(Failure::NotFound);
    }
    Ok(rows)
}

#[derive(Deserialize)]
pub(super) struct ShareForm {
    #[serde(default)]
    leaf: Vec<u64>,
    recipient: String,
    purpose: String,
    term: String,
    /// Set where the name is shown.
    #[serde(default)]
    with_name: String,
}

#[derive(Template)]
#[template(path = "share-made.html")]
struct MadePage {
    f: Frame,
    link: String,
    qr: Option<Qr>,
    recipient: String,
    expires: String,
    records: u64,
}

/// Makes the share. Its page is the answer itself, because the link is told once and kept nowhere.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    checked: Checked<ShareForm>,
) -> Result<Response, Failure> {
    let learner = own(&checked.session)?.to_owned();
    let form = checked.form;
    let leaves = ascending(form.leaf)?;
    let records = leaves.len() as u64;
    let share = v1::Share {
        recipient: form.recipient.trim().to_owned(),
        purpose: form.purpose.trim().to_owned(),
        leaf_indexes: leaves.into_iter().collect(),
        with_name: !form.with_name.is_empty(),
    };
    let recipient = share.recipient.clone();
    let ask = v1::CreateGrantRequest {
        learner,
        expires_at_ms: term::expires_at_ms(&term::SHARE, &form.term)?,
        content: Some(v1::create_grant_request::Content::Share(share)),
    };
    let made = app.create_grant(ask).await?;
    let link = format!("{}/s/{}", app.options.base_url, made.secret);
    let expires_at_ms = made.grant.map(|it| it.expires_at_ms).unwrap_or_default();
    page(&MadePage {
        qr: Qr::of(&link),
        link,
        recipient,
        records,
        expires: show::moment(expires_at_ms),
        f: checked.frame.at("sharing"),
    })
}

#[cfg(test)]
mod tests {
    use super::ascending;

    #[test]
    fn a_share_has_one_to_two_hundred_records() {
        let leaves = ascending(vec![9, 3, 9]).expect("two");
        assert_eq!(leaves.into_iter().collect::<Vec<_>>(), [3, 9]);
        assert!(ascending(Vec::new()).is_err());
        assert!(ascending((0..200).collect()).is_ok());
        assert!(ascending((0..201).collect()).is_err());
    }
}
