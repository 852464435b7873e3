//! Consenting to a transfer: choose one outcome, say where it goes and what for, read the notice, tick and agree.
//!
//! The consent binds the digest of the notice that was shown. If anything of it has changed between showing and agreeing,
//! the new notice is shown first.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use creditbank_client::Bank;
use creditbank_client::recognition::named as record_at;
use creditbank_domain::text::Code;
use creditbank_domain::{LearnerCode, Refusal};
use creditbank_wire::v1;
use serde::Deserialize;

use super::notice::{Facts, Notice};
use super::transfer::transfer_path;
use super::trouble::{Trouble, back, unknown_is_not_found};
use super::{agent, barrier, form_token, leaf, natural_key, state, subject};
use crate::app::App;
use crate::ask::transfers::PaperKind;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::options::Recipient;
use crate::session::{self, Learner, Session};
use crate::show;
use crate::words::Lang;

/// Outcomes of a page.
const OUTCOMES_PAGE: u32 = 20;

pub(super) fn routes() -> Router<Arc<App>> {
    const PAGE: &str = "/recognition/transfers/new/{outcome}";
    Router::new()
        .route("/recognition/transfers/new", get(choose))
        .route(PAGE, get(fill).post(consent))
        .route(&format!("{PAGE}/notice"), get(to_form).post(read_notice))
}

fn form_path(outcome: u64) -> String {
    format!("/recognition/transfers/new/{outcome}")
}

async fn to_form(Path(text): Path<String>) -> Result<Redirect, Failure> {
    Ok(Redirect::to(&form_path(leaf(&text)?)))
}

#[derive(Deserialize)]
struct ChooseQuery {
    #[serde(default)]
    page: String,
}

#[derive(Template)]
#[template(path = "transfer-choose.html")]
struct ChoosePage {
    f: Frame,
    outcomes: Vec<Held>,
    next: String,
}

/// An outcome that could go.
struct Held {
    leaf: u64,
    name: String,
    category: i32,
    completed_on: String,
    is_used: bool,
}

impl Held {
    /// Of a record in force that shows an outcome of this bank.
    fn of(record: &v1::ArchiveRecord) -> Option<Self> {
        use v1::RecordKind as K;
        let is_own = matches!(record.kind(), K::Outcome | K::Amendment);
        if !is_own || record.state() != v1::RecordState::Active {
            return None;
        }
        let outcome = show::outcome(&record.payload)?;
        Some(Self {
            leaf: record.leaf_index,
            category: (outcome.category() as i32),
            completed_on: outcome.completed_on.clone(),
            name: outcome.achievement.map(|it| it.name).unwrap_or_default(),
            is_used: !record.used_by.is_empty(),
        })
    }

    fn category(&self, f: &Frame) -> String {
        show::category(f.view.lang, self.category)
    }
}

async fn choose(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Query(query): Query<ChooseQuery>,
) -> Result<Response, Failure> {
    let request = v1::ListRecordsRequest {
        learner: session.subject().to_owned(),
        page_size: OUTCOMES_PAGE,
        page_token: query.page,
        states: vec![v1::RecordState::Active.into()],
        ..Default::default()
    };
    let found = app.records(request).await?;
    page(&ChoosePage {
        f: f.at("recognition"),
        outcomes: found.records.iter().filter_map(Held::of).collect(),
        next: found.next_page_token,
    })
}

/// Where an outcome is to go, as it was written; on the second page with what was shown and agreed to.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct ConsentForm {
    recipient: String,
    recipient_learner: String,
    purpose: String,
    programme: String,
    /// Language of the notice that was shown.
    lang: String,
    /// Its digest, hexadecimal.
    notice: String,
    agree: String,
    token: String,
}

/// The same, read.
#[derive(Debug)]
struct Asked<'a> {
    recipient: &'a Recipient,
    learner: String,
    purpose: v1::TransferPurpose,
    programme: String,
}

impl ConsentForm {
    fn read<'a>(&self, recipients: &'a [Recipient]) -> Result<Asked<'a>, Failure> {
        let wrong = |field| move |refusal| Failure::Refused { refusal, field };
        let recipient = recipients.iter().find(|it| it.origin == self.recipient);
        let recipient = recipient
            .ok_or(Refusal::Missing)
            .map_err(wrong("recipient"))?;
        let learner = LearnerCode::parse(&self.recipient_learner);
        let learner = learner.map_err(wrong("recipient_learner"))?;
        let programme = Code::parse(self.programme.trim()).map_err(wrong("programme"))?;
        use v1::TransferPurpose as P;
        let purpose = match self.purpose.as_str() {
            "degree" => P::Degree,
            "non-degree" => P::NonDegree,
            "vocational" => P::Vocational,
            _ => return Err(wrong("purpose")(Refusal::Missing)),
        };
        Ok(Asked {
            recipient,
            learner: format!("{:016}", learner.as_u64()),
            purpose,
            programme: programme.to_string(),
        })
    }
}

#[derive(Template)]
#[template(path = "transfer-form.html")]
struct FormPage {
    f: Frame,
    trouble: Option<Trouble>,
    barrier: &'static str,
    held: Held,
    recipients: Vec<RecipientRow>,
    form: ConsentForm,
    field: &'static str,
}

struct RecipientRow {
    origin: String,
    name: String,
}

/// An outcome of the learner that can go.
async fn own(app: &App, session: &Session, text: &str) -> Result<Held, Failure> {
    let found = app.record(session.subject(), leaf(text)?).await;
    let found = found.map_err(unknown_is_not_found)?;
    let held = found.record.as_ref().and_then(Held::of);
    held.ok_or(Failure::NotFound)
}

#[derive(Deserialize)]
struct FillQuery {
    #[serde(default)]
    trouble: String,
}

async fn fill(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Path(text): Path<String>,
    Query(query): Query<FillQuery>,
) -> Result<Response, Failure> {
    let held = own(&app, &session, &text).await?;
    let trouble = Trouble::of(&f, &query.trouble);
    form_page(&app, f, held, ConsentForm::default(), (trouble, ""))
}

fn form_page(
    app: &App,
    f: Frame,
    held: Held,
    form: ConsentForm,
    (trouble, field): (Option<Trouble>, &'static str),
) -> Result<Response, Failure> {
    let row = |it: &Recipient| RecipientRow {
        origin: it.origin.clone(),
        name: f.pick(&it.name_zh, &it.name_en).to_owned(),
    };
    page(&FormPage {
        recipients: app.options.recipients.iter().map(row).collect(),
        barrier: in_person_barrier(app, &f),
        f: f.at("recognition"),
        trouble,
        held,
        form,
        field,
    })
}

#[derive(Template)]
#[template(path = "transfer-notice.html")]
struct NoticePage {
    f: Frame,
    /// Nothing was ticked, or the notice has changed meanwhile.
    problem: &'static str,
    held: Held,
    recipient: String,
    recipient_learner: String,
    purpose: &'static str,
    notice: Notice,
    form: ConsentForm,
}

async fn read_notice(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
    checked: Checked<ConsentForm>,
) -> Result<Response, Failure> {
    let held = own(&app, &checked.session, &text).await?;
    in_person(&app, &checked.frame)?;
    notice_page(&app, checked.frame, held, checked.form, "")
}

/// The notice, in the language of the page; or the form again, with what is wrong in it.
fn notice_page(
    app: &App,
    f: Frame,
    held: Held,
    form: ConsentForm,
    problem: &'static str,
) -> Result<Response, Failure> {
    let asked = match form.read(&app.options.recipients) {
        Ok(asked) => asked,
        Err(failure) => {
            let field = match &failure {
                Failure::Refused { field, .. } => field,
                _ => "",
            };
            let trouble = Trouble::of_failure(&f, failure)?;
            return form_page(app, f, held, form, (Some(trouble), field));
        }
    };
    let lang = f.view.lang;
    let notice = notice(app, &held, &asked, lang);
    let is_again = form_token(&form.token).is_ok();
    page(&NoticePage {
        recipient: f
            .pick(&asked.recipient.name_zh, &asked.recipient.name_en)
            .to_owned(),
        recipient_learner: show::learner_code(&asked.learner),
        purpose: state::purpose(asked.purpose),
        form: ConsentForm {
            lang: lang.pick("zh", "en").to_owned(),
            notice: show::hex(&notice.digest()),
            token: if is_again {
                form.token
            } else {
                session::random_text()
            },
            agree: String::new(),
            ..form
        },
        f: f.at("recognition"),
        problem,
        held,
        notice,
    })
}

fn notice(app: &App, held: &Held, asked: &Asked<'_>, lang: Lang) -> Notice {
    let known = app.known();
    Notice::of(&Facts {
        lang,
        bank: lang.pick(&known.issuer.name_zh, &known.issuer.name_en),
        recipient: asked.recipient,
        purpose: asked.purpose,
        programme: &asked.programme,
        category: show::category(lang, held.category),
        outcome: &held.name,
    })
}

async fn consent(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
    checked: Checked<ConsentForm>,
) -> Result<Response, Failure> {
    let held = own(&app, &checked.session, &text).await?;
    in_person(&app, &checked.frame)?;
    let form = checked.form.clone();
    let Ok(asked) = form.read(&app.options.recipients) else {
        return notice_page(&app, checked.frame, held, checked.form, "");
    };
    let lang = if form.lang == "en" {
        Lang::En
    } else {
        Lang::Zh
    };
    let notice = notice(&app, &held, &asked, lang);
    let digest = notice.digest();
    if show::hex(&digest) != form.notice {
        let problem = "recognition-notice-changed";
        return notice_page(&app, checked.frame, held, checked.form, problem);
    }
    if form.agree != "yes" {
        let problem = "recognition-notice-not-ticked";
        return notice_page(&app, checked.frame, held, checked.form, problem);
    }
    let page = form_path(held.leaf);
    let consent = v1::Consent {
        outcome: None,
        category: held.category,
        recipient: asked.recipient.origin.clone(),
        recipient_learner: asked.learner,
        purpose: asked.purpose.into(),
        programme: asked.programme,
        notice_sha256: digest.to_vec().into(),
    };
    match consented(&app, &checked, held.leaf, consent).await {
        Ok(leaf) => Ok(Redirect::to(&transfer_path(leaf)).into_response()),
        Err(failure) => back(failure, &page),
    }
}

/// The agent, where it is the learner who asks: a separate consent (Personal Information Protection Law, article 23) is
/// given in person, whatever else somebody may do on the learner's behalf.
fn in_person<'a>(app: &'a App, f: &Frame) -> Result<&'a Bank, Failure> {
    if f.is_own() {
        agent(app, f)
    } else {
        Err(Failure::NotYours)
    }
}

/// Why no consent can be given here now, as `barrier`.
fn in_person_barrier(app: &App, f: &Frame) -> &'static str {
    if f.acting().is_some() {
        "recognition-in-person"
    } else {
        barrier(app, f)
    }
}

/// Puts the consent into the log, or finds that the same was given and is under way.
async fn consented(
    app: &App,
    checked: &Checked<ConsentForm>,
    outcome: u64,
    mut consent: v1::Consent,
) -> Result<u64, Failure> {
    let agent = in_person(app, &checked.frame)?;
    let learner = subject(&checked.session)?;
    let token = form_token(&checked.form.token)?;
    let target = record_at(&app.bank, outcome).await?;
    consent.outcome = Some(v1::RecordRef {
        leaf_index: outcome,
        leaf_hash: target.leaf_hash.to_vec().into(),
    });
    if let Some(leaf) = under_way(app, checked.session.subject(), &consent).await? {
        return Ok(leaf);
    }
    let named = checked.session.subject().as_bytes();
    let key = natural_key(&[b"consent form", named, token]);
    let placed = app
        .deposit(agent, |maker| maker.consent(&key, learner, consent))
        .await?;
    Ok(placed.leaf_index)
}

/// A consent to the same that holds, and whose transfer has not come to nothing.
async fn under_way(
    app: &App,
    learner: &str,
    consent: &v1::Consent,
) -> Result<Option<u64>, Failure> {
    for paper in app.papers(learner).await? {
        let is_same = match &paper.kind {
            PaperKind::Consent { consent: it, .. } => is_same(it, consent),
            PaperKind::Request(_) => false,
        };
        if !is_same || paper.revoked {
            continue;
        }
        let (id, _) = app.transfer_of(&paper).await?;
        let view = app.transfer(id).await?;
        if view.is_none_or(|it| !state::has_ended(&it.state)) {
            return Ok(Some(paper.leaf));
        }
    }
    Ok(None)
}

/// Whether two consents allow the same; the notice may have been shown in another language.
fn is_same(one: &v1::Consent, other: &v1::Consent) -> bool {
    let plain = |it: &v1::Consent| v1::Consent {
        notice_sha256: Vec::new().into(),
        ..it.clone()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipients() -> Vec<Recipient> {
        vec![Recipient {
            origin: "js.creditbank.example/log".to_owned(),
            name_zh: "江苏".to_owned(),
            name_en: "Jiangsu".to_owned(),
            contact: "025".to_owned(),
        }]
    }

    #[test]
    fn a_form_is_read_and_what_is_wrong_names_its_field() {
        let code = "1863633449929057";
        let good = ConsentForm {
            recipient: "js.creditbank.example/log".to_owned(),
            recipient_learner: show::learner_code(code),
            purpose: "degree".to_owned(),
            programme: " marketing-js ".to_owned(),
            ..Default::default()
        };
        let recipients = recipients();
        let asked = good.read(&recipients).expect("it is right");
        assert_eq!(asked.learner, code);
        assert_eq!(asked.programme, "marketing-js");
        for (field, form) in [
            (
                "recipient",
                ConsentForm {
                    recipient: "evil.example/log".to_owned(),
                    ..good.clone()
                },
            ),
            (
                "recipient_learner",
                ConsentForm {
                    recipient_learner: "1".to_owned(),
                    ..good.clone()
                },
            ),
            (
                "purpose",
                ConsentForm {
                    purpose: String::new(),
                    ..good.clone()
                },
            ),
            (
                "programme",
                ConsentForm {
                    programme: " ".to_owned(),
                    ..good.clone()
                },
            ),
        ] {
            match form.read(&recipients) {
                Err(Failure::Refused { field: found, .. }) => assert_eq!(found, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_language_of_the_notice_does_not_make_another_consent() {
        let one = v1::Consent {
            programme: "p".to_owned(),
            notice_sha256: vec![1; 32].into(),
            ..Default::default()
        };
        let mut other = one.clone();
        other.notice_sha256 = vec![2; 32].into();
        assert!(is_same(&one, &other));
        other.programme.push('q');
        assert!(!is_same(&one, &other));
    }
}
