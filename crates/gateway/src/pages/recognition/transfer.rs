//! Transfers to and from other regions: the list, and one with its state in words, its steps, its ticket; withdrawing the
//! consent until the outcome is released, asking it back until it is recognised.
//!
//! A transfer is found by the learner's own paper, the consent or the request in the archive: so nobody sees another's.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use creditbank_client::recognition::named as record_at;
use creditbank_client::transfer::recall;
use creditbank_wire::v1::{self, transfer_step::Step};
use serde::Deserialize;

use super::notice::{Facts, Notice};
use super::state::Mark;
use super::ticket::Ticket;
use super::trouble::{Trouble, back, unknown_is_not_found};
use super::{Back, agent, barrier, leaf, natural_key, state, subject, uses};
use crate::app::App;
use crate::ask::transfers::{Paper, PaperKind};
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::qr::Qr;
use crate::session::{Learner, Session};
use crate::show;
use crate::words::Lang;

/// Transfers of a page: each is asked for by itself.
const TRANSFERS_PAGE: usize = 20;

pub(super) fn routes() -> Router<Arc<App>> {
    const PAGE: &str = "/recognition/transfers/{leaf}";
    Router::new()
        .route("/recognition/transfers", get(list))
        .route(PAGE, get(show_transfer))
        .route(
            &format!("{PAGE}/withdraw"),
            get(to_transfer).post(withdraw_consent),
        )
        .route(&format!("{PAGE}/recall"), get(to_transfer).post(ask_back))
}

/// The page of a transfer.
pub(super) fn transfer_path(leaf: u64) -> String {
    format!("/recognition/transfers/{leaf}")
}

async fn to_transfer(Path(text): Path<String>) -> Result<Redirect, Failure> {
    Ok(Redirect::to(&transfer_path(leaf(&text)?)))
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    trouble: String,
    /// Only papers older than this leaf.
    before: Option<u64>,
}

#[derive(Template)]
#[template(path = "transfers.html")]
struct ListPage {
    f: Frame,
    trouble: Option<Trouble>,
    barrier: &'static str,
    has_recipients: bool,
    rows: Vec<TransferRow>,
    next: Option<u64>,
}

struct TransferRow {
    leaf: u64,
    is_outgoing: bool,
    what: String,
    bank: String,
    day: String,
    state: &'static str,
    class: &'static str,
}

async fn list(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Query(query): Query<ListQuery>,
) -> Result<Response, Failure> {
    let papers = app.papers(session.subject()).await?;
    let older = |it: &&Paper| query.before.is_none_or(|before| it.leaf < before);
    let mut papers = papers.iter().filter(older);
    let mut rows = Vec::new();
    for paper in papers.by_ref().take(TRANSFERS_PAGE) {
        rows.push(row(&app, f.view.lang, paper).await?);
    }
    let more = papers.next().is_some();
    page(&ListPage {
        trouble: Trouble::of(&f, &query.trouble),
        barrier: barrier(&app, &f),
        has_recipients: !app.options.recipients.is_empty(),
        next: rows.last().map(|it| it.leaf).filter(|_| more),
        rows,
        f: f.at("recognition"),
    })
}

async fn row(app: &App, lang: Lang, paper: &Paper) -> Result<TransferRow, Failure> {
    let (id, _) = app.transfer_of(paper).await?;
    let view = app.transfer(id).await?;
    let (state, _, mark) = stands(paper, view.as_ref());
    Ok(TransferRow {
        leaf: paper.leaf,
        is_outgoing: is_outgoing(paper),
        what: paper.outcome.clone(),
        bank: other_bank(app, lang, paper),
        day: show::day(paper.at_ms),
        class: mark.class(),
        state,
    })
}

fn is_outgoing(paper: &Paper) -> bool {
    matches!(paper.kind, PaperKind::Consent { .. })
}

/// Name of the other bank, or the origin of its log.
fn other_bank(app: &App, lang: Lang, paper: &Paper) -> String {
    let origin = match &paper.kind {
        PaperKind::Consent { consent, .. } => &consent.recipient,
        PaperKind::Request(request) => &request.origin,
    };
    let known = app
        .options
        .recipients
        .iter()
        .find(|it| it.origin == *origin);
    let name = known.map(|it| lang.pick(&it.name_zh, &it.name_en));
    name.unwrap_or(origin).clone()
}

/// Where a transfer stands. Before the other bank has asked, its paper says it.
fn stands(paper: &Paper, view: Option<&v1::TransferView>) -> (&'static str, &'static str, Mark) {
    match (view, paper.revoked, is_outgoing(paper)) {
        (Some(view), ..) => state::transfer(&view.state),
        (None, true, _) => (
            "recognition-transfer-withdrawn",
            "recognition-transfer-withdrawn-means",
            Mark::Calm,
        ),
        (None, false, true) => (
            "recognition-transfer-consented",
            "recognition-transfer-consented-means",
            Mark::Calm,
        ),
        (None, false, false) => (
            "recognition-transfer-sent",
            "recognition-transfer-sent-means",
            Mark::Calm,
        ),
    }
}

/// Whether the consent can be withdrawn: it holds, and nothing was released.
fn may_withdraw(paper: &Paper, view: Option<&v1::TransferView>) -> bool {
    let before = view.is_none_or(|it| state::is_before_release(&it.state));
    is_outgoing(paper) && !paper.revoked && before
}

#[derive(Template)]
#[template(path = "transfer.html")]
struct TransferPage {
    f: Frame,
    trouble: Option<Trouble>,
    barrier: &'static str,
    leaf: u64,
    is_outgoing: bool,
    what: String,
    bank: String,
    day: String,
    purpose: &'static str,
    programme: String,
    recipient_learner: String,
    state: &'static str,
    means: &'static str,
    class: &'static str,
    reason: String,
    /// What the other bank has recognised.
    credits: String,
    /// Leaf of the outcome that came in.
    record: Option<u64>,
    steps: Vec<StepRow>,
    ticket: String,
    code: Option<Qr>,
    notice: Option<Notice>,
    may_withdraw: bool,
    /// The consent was signed elsewhere, and is withdrawn there.
    is_of_another_agent: bool,
    may_recall: bool,
}

struct StepRow {
    at: String,
    is_ours: bool,
    words: &'static str,
}

async fn own(app: &App, session: &Session, text: &str) -> Result<Paper, Failure> {
    let paper = app.paper(session.subject(), leaf(text)?).await;
    paper
        .map_err(unknown_is_not_found)?
        .ok_or(Failure::NotFound)
}

async fn show_transfer(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Path(text): Path<String>,
    Query(query): Query<Back>,
) -> Result<Response, Failure> {
    let paper = own(&app, &session, &text).await?;
    let (id, consent) = app.transfer_of(&paper).await?;
    let view = app.transfer(id).await?;
    let view = view.as_ref();
    let may_withdraw = may_withdraw(&paper, view);
    // A ticket is of use until the other bank has asked with it.
    let ticket = consent.filter(|_| may_withdraw && view.is_none());
    let ticket = ticket.map(|consent| Ticket {
        origin: app.bank.origin().to_owned(),
        consent,
        id,
    });
    let ticket = ticket.map(|it| it.to_string()).unwrap_or_default();
    let lang = f.view.lang;
    let (state, means, mark) = stands(&paper, view);
    let reason = view.map(|it| lang.pick(&it.reason_zh, &it.reason_en));
    let agent = app.agent.as_ref().and_then(|it| it.keys());
    let is_ours = agent.is_some_and(|it| it.institution().as_str() == paper.issuer);
    let consented = match &paper.kind {
        PaperKind::Consent { consent, .. } => consent.clone(),
        PaperKind::Request(_) => v1::Consent::default(),
    };
    page(&TransferPage {
        trouble: Trouble::of(&f, &query.trouble),
        barrier: barrier(&app, &f),
        leaf: paper.leaf,
        is_outgoing: is_outgoing(&paper),
        bank: other_bank(&app, lang, &paper),
        day: show::day(paper.at_ms),
        purpose: state::purpose(consented.purpose()),
        class: mark.class(),
        reason: reason.cloned().unwrap_or_default(),
        credits: view
            .and_then(credited)
            .map(show::hundredths)
            .unwrap_or_default(),
        record: view.and_then(|it| it.record),
        steps: view.map(steps).unwrap_or_default(),
        code: Qr::of(&ticket).filter(|_| !ticket.is_empty()),
        notice: shown_notice(&app, &paper),
        is_of_another_agent: app.agent.is_some() && !is_ours,
        may_recall: is_outgoing(&paper) && view.is_some_and(|it| state::may_recall(&it.state)),
        programme: consented.programme,
        recipient_learner: show::learner_code(&consented.recipient_learner),
        what: paper.outcome,
        f: f.at("recognition"),
        may_withdraw,
        ticket,
        state,
        means,
    })
}

/// Credit that the receiver has recognised.
fn credited(view: &v1::TransferView) -> Option<u64> {
    let steps = view.steps.iter();
    let mut steps = steps.filter_map(|it| it.step.as_ref()?.step.as_ref());
    steps.find_map(|step| match step {
        Step::Recognised(it) => Some(u64::from(it.credits_hundredths)),
        _ => None,
    })
}

fn steps(view: &v1::TransferView) -> Vec<StepRow> {
    let row = |it: &v1::TransferStepView| StepRow {
        at: show::moment(it.at_ms),
        is_ours: it.by() == view.side(),
        words: state::transfer_step(it.step.as_ref().and_then(|it| it.step.as_ref())),
    };
    view.steps.iter().map(row).collect()
}

/// What the learner was shown before consenting, where it can still be written word for word: the consent has its digest.
fn shown_notice(app: &App, paper: &Paper) -> Option<Notice> {
    let PaperKind::Consent { consent, .. } = &paper.kind else {
        return None;
    };
    let mut recipients = app.options.recipients.iter();
    let recipient = recipients.find(|it| it.origin == consent.recipient)?;
    let known = app.known();
    [Lang::Zh, Lang::En].into_iter().find_map(|lang| {
        let notice = Notice::of(&Facts {
            lang,
            bank: lang.pick(&known.issuer.name_zh, &known.issuer.name_en),
            recipient,
            purpose: consent.purpose(),
            programme: &consent.programme,
            category: show::category(lang, consent.category),
            outcome: &paper.outcome,
        });
        (notice.digest()[..] == consent.notice_sha256[..]).then_some(notice)
    })
}

#[derive(Deserialize)]
struct ReasonForm {
    #[serde(default)]
    reason: String,
}

async fn withdraw_consent(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
    checked: Checked<ReasonForm>,
) -> Result<Response, Failure> {
    let paper = own(&app, &checked.session, &text).await?;
    let page = transfer_path(paper.leaf);
    match withdrawn(&app, &checked, &paper).await {
        Ok(()) => Ok(Redirect::to(&page).into_response()),
        Err(failure) => back(failure, &page),
    }
}

/// No reason is needed; a record has one all the same.
async fn withdrawn(app: &App, checked: &Checked<ReasonForm>, paper: &Paper) -> Result<(), Failure> {
    if !is_outgoing(paper) {
        return Err(Failure::NotFound);
    }
    let agent = agent(app, &checked.frame)?;
    let learner = subject(&checked.session)?;
    let written = uses::text(&checked.form.reason, "reason", false)?;
    let reason = match written.as_str() {
        "" => checked.frame.t("recognition-consent-withdrawn-reason"),
        _ => written,
    };
    let target = record_at(&app.bank, paper.leaf).await?;
    let key = natural_key(&[b"consent withdrawn", &paper.leaf.to_be_bytes()]);
    app.deposit(agent, |maker| {
        maker.revocation(&key, learner, target, &reason)
    })
    .await?;
    Ok(())
}

#[derive(Deserialize)]
struct Nothing {}

async fn ask_back(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
    checked: Checked<Nothing>,
) -> Result<Response, Failure> {
    let Nothing {} = checked.form;
    if !checked.frame.may_act() {
        return Err(Failure::NotYours);
    }
    let paper = own(&app, &checked.session, &text).await?;
    if !is_outgoing(&paper) {
        return Err(Failure::NotFound);
    }
    let page = transfer_path(paper.leaf);
    let (id, _) = app.transfer_of(&paper).await?;
    match recall(&app.bank, id).await {
        Ok(_) => Ok(Redirect::to(&page).into_response()),
        Err(error) => back(error, &page),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(kind: PaperKind, revoked: bool) -> Paper {
        Paper {
            leaf: 7,
            at_ms: 0,
            revoked,
            issuer: String::new(),
            kind,
            outcome: String::new(),
        }
    }

    fn consent() -> PaperKind {
        PaperKind::Consent {
            consent: v1::Consent::default(),
            salt: Vec::new(),
        }
    }

    #[test]
    fn a_consent_is_withdrawn_until_the_outcome_is_released() {
        for (state, revoked, may) in [
            (None, false, true),
            (None, true, false),
            (Some("requested"), false, true),
            (Some("reserved"), false, true),
            (Some("released"), false, false),
            (Some("under-review"), false, false),
            (Some("recognised"), false, false),
            (Some("refused"), false, false),
        ] {
            let view = state.map(|state| v1::TransferView {
                state: state.to_owned(),
                ..Default::default()
            });
            let paper = paper(consent(), revoked);
            assert_eq!(may_withdraw(&paper, view.as_ref()), may, "{state:?}");
        }
        let request = paper(PaperKind::Request(v1::TransferRequest::default()), false);
        assert!(!may_withdraw(&request, None));
    }

    #[test]
    fn before_the_other_bank_knows_the_paper_says_where_it_stands() {
        let request = PaperKind::Request(v1::TransferRequest::default());
        for (kind, revoked, word) in [
            (consent(), false, "recognition-transfer-consented"),
            (consent(), true, "recognition-transfer-withdrawn"),
            (request, false, "recognition-transfer-sent"),
        ] {
            let (state, means, _) = stands(&paper(kind, revoked), None);
            assert_eq!(state, word);
            for lang in [Lang::Zh, Lang::En] {
                assert_ne!(crate::words::text(lang, state, &[]), state);
                assert_ne!(crate::words::text(lang, means, &[]), means);
            }
        }
    }
}
