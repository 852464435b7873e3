//! One record: what it says, what became of it, and what proves it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use creditbank_client::receipt::receipt_text;
use creditbank_wire::Message as _;
use creditbank_wire::v1;

use super::away::attachment;
use super::correction::{Request, is_open_about};
use super::details::{self, Fact};
use super::proof::{Proof, prove};
use super::row::{Origin, Row};
use crate::app::App;
use crate::ask::institutions::Names;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::session::Learner;
use crate::show;

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    f: Frame,
    row: Row,
    origin: Option<Origin>,
    facts: Vec<Fact>,
    /// The name on the evidence, where it is another than the institution's.
    printed_name: String,
    evidence: Vec<(String, String, String)>,
    deposited: String,
    history: Vec<Event>,
    /// Leaves of the applications that it counts for.
    used_by: Vec<u64>,
    /// What replaced it.
    replaced_by: Option<u64>,
    proof: Proof,
    /// Where it stands in the log, in words; empty where it is not proved.
    place: String,
    requests: Vec<Request>,
    may_correct: bool,
}

/// Something that was said of a record.
struct Event {
    leaf_index: u64,
    word: String,
    on: String,
    reason: String,
    /// Whether it has a page of its own that is not this one.
    is_elsewhere: bool,
}

/// A record of this archive that shows an outcome; there is no other.
pub(super) async fn outcome_record(
    app: &App,
    learner: &str,
    leaf_index: u64,
) -> Result<(v1::GetRecordResponse, v1::ArchiveRecord, v1::Outcome), Failure> {
    let found = app.record(learner, leaf_index).await;
    let mut found = found.map_err(unknown_is_nothing)?;
    let record = found.record.take().ok_or(Failure::NotFound)?;
    let outcome = show::outcome(&record.payload).ok_or(Failure::NotFound)?;
    Ok((found, record, outcome))
}

/// The leaf that an address names.
pub(crate) fn leaf_index(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| Failure::NotFound)
}

/// A record that there is not and one of another archive have one answer.
pub(crate) fn unknown_is_nothing(error: creditbank_client::ClientError) -> Failure {
    match error.code() {
        Some("RECORD_UNKNOWN") => Failure::NotFound,
        _ => error.into(),
    }
}

pub(super) async fn record(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Path(leaf): Path<String>,
) -> Result<Response, Failure> {
    let leaf = leaf_index(&leaf)?;
    let learner = session.subject();
    let (found, record, outcome) = outcome_record(&app, learner, leaf).await?;
    let (proof, requests) = tokio::join!(prove(&app, &record), app.requests(learner));
    let issuers = found.history.iter().map(|it| it.issuer.as_str());
    let names = app
        .institution_names(issuers.chain([record.issuer.as_str()]))
        .await;
    let row = Row::of(&f, &names, &record).ok_or(Failure::NotFound)?;
    let requests = requests?;
    let about: Vec<_> = requests.iter().filter(|it| is_about(it, leaf)).collect();
    let is_open = about.iter().any(|it| is_open_about(it, leaf));
    let is_own_bank = Origin::of(&record.payload).is_none();
    let printed = &outcome.institution_name;
    let printed = Some(printed).filter(|it| **it != row.institution);
    page(&RecordPage {
        origin: Origin::of(&record.payload),
        facts: details::facts(&f, &outcome),
        printed_name: printed.cloned().unwrap_or_default(),
        evidence: details::evidence(&f, &outcome),
        deposited: show::moment(record.deposited_at_ms),
        history: history(&f, leaf, &found.history),
        used_by: record.used_by.clone(),
        replaced_by: replaced_by(leaf, &found.history),
        place: place(&f, leaf, &proof),
        proof,
        requests: about.iter().map(|it| Request::of(&f, it)).collect(),
        may_correct: f.may_act() && row.state.is_active() && !is_open && is_own_bank,
        row,
        f: f.at("archive"),
    })
}

fn place(f: &Frame, leaf: u64, proof: &Proof) -> String {
    match proof {
        Proof::Holds { tree_size, .. } => f.t2(
            "archive-proof-place",
            ("leaf", &leaf.to_string()),
            ("size", &tree_size.to_string()),
        ),
        Proof::Fails { .. } | Proof::Absent => String::new(),
    }
}

fn is_about(request: &v1::LearnerRequest, leaf: u64) -> bool {
    use v1::learner_request::Content;
    matches!(&request.content, Some(Content::Correction(it)) if it.leaf_index == leaf)
}

/// The later record that says what this one should have said.
fn replaced_by(leaf: u64, history: &[v1::ArchiveRecord]) -> Option<u64> {
    let later = history.iter().filter(|it| it.leaf_index > leaf);
    let amended = later.filter(|it| it.kind == v1::RecordKind::Amendment as i32);
    amended.map(|it| it.leaf_index).last()
}

fn history(f: &Frame, leaf: u64, history: &[v1::ArchiveRecord]) -> Vec<Event> {
    let event = |it: &v1::ArchiveRecord| Event {
        leaf_index: it.leaf_index,
        word: kind_word(f, it.kind),
        on: show::moment(it.deposited_at_ms),
        reason: reason(&it.payload),
        is_elsewhere: it.leaf_index != leaf && show::outcome(&it.payload).is_some(),
    };
    history.iter().map(event).collect()
}

fn kind_word(f: &Frame, kind: i32) -> String {
    match v1::RecordKind::try_from(kind).unwrap_or_default() {
        v1::RecordKind::Outcome => f.t("archive-event-deposited"),
        v1::RecordKind::Amendment => f.t("archive-event-amended"),
        v1::RecordKind::Revocation => f.t("archive-event-revoked"),
        v1::RecordKind::Confirmation => f.t("archive-event-confirmed"),
        v1::RecordKind::Transferred => f.t("archive-event-transferred"),
        _ => f.t("archive-event-other"),
    }
}

/// Why something was said; empty where no reason belongs to it.
fn reason(payload: &[u8]) -> String {
    use v1::payload::Content;
    match v1::Payload::decode(payload).ok().and_then(|it| it.content) {
        Some(Content::Amendment(it)) => it.reason,
        Some(Content::Revocation(it)) => it.reason,
        Some(Content::Confirmation(it)) => it.reason,
        _ => String::new(),
    }
}

/// The receipt as a file: it proves the record without asking anybody.
pub(super) async fn receipt(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    Path(leaf): Path<String>,
) -> Result<Response, Failure> {
    let leaf = leaf_index(&leaf)?;
    outcome_record(&app, session.subject(), leaf).await?;
    let receipt = app.proof(leaf).await?;
    let broken = creditbank_client::ClientError::Contract("a hash of a receipt is none");
    let text = receipt_text(&receipt).map_err(|_| broken)?;
    Ok(attachment(
        &format!("receipt-{leaf}.txt"),
        "text/plain; charset=utf-8",
        text,
    ))
}

/// Lines of a record for a page that shows records to somebody else.
pub(crate) fn public_facts(
    f: &Frame,
    names: &Names,
    record: &v1::ArchiveRecord,
) -> Option<(Row, Vec<Fact>)> {
    let outcome = show::outcome(&record.payload)?;
    let row = Row::of(f, names, record)?;
    Some((row, details::facts(f, &outcome)))
}

#[cfg(test)]
mod tests {
    use creditbank_wire::v1;

    use super::replaced_by;

    #[test]
    fn a_record_is_replaced_by_the_last_amendment_after_it() {
        let record = |leaf_index, kind: v1::RecordKind| v1::ArchiveRecord {
            leaf_index,
            kind: kind as i32,
            ..Default::default()
        };
        let history = [
            record(3, v1::RecordKind::Outcome),
            record(5, v1::RecordKind::Amendment),
            record(8, v1::RecordKind::Amendment),
            record(9, v1::RecordKind::Revocation),
        ];
        assert_eq!(replaced_by(3, &history), Some(8));
        assert_eq!(replaced_by(5, &history), Some(8));
        assert_eq!(replaced_by(8, &history), None);
    }
}
