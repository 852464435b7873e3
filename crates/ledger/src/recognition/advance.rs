//! The bank's own steps: acceptance, notice, decision, closing, reversal.

use std::sync::Arc;

use creditbank_domain::application::State;
use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::recognition::Ruling;
use creditbank_domain::record::RecordKind;
use creditbank_domain::rules::evaluate;
use creditbank_domain::{Fault, LeafIndex, Refusal};
use creditbank_merkle::leaf_hash;
use creditbank_store::StoreError;
use creditbank_wire::convert::recognition::ruling_message;
use creditbank_wire::v1;
use creditbank_wire::v1::payload::Content;

use super::file::CaseFile;
use super::holdings::{Holdings, Scope};
use super::process::Process;
use crate::archive::Archive;
use crate::bank::Bank;
use crate::clock::day_of;
use crate::head::Head;
use crate::queue::{Decided, Decision};
use crate::statement::envelope;

/// A step that the bank takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// 受理
    Accept,
    /// 退回
    Return,
    /// 公示
    Notice,
    /// 公示不予认定
    NoticeDecline,
    /// 决定
    Decide,
    /// 不予认定
    Decline,
    /// 办结
    Close,
    /// 撤销认定
    Reverse,
}

impl Bank {
    /// Takes the bank's next step of an application.
    pub(crate) async fn advance(
        &self,
        learner: LearnerCode,
        application: LeafIndex,
        action: Action,
        reason: &str,
    ) -> Result<Decided, Vec<Fault>> {
        let _one_at_a_time = self.deciding.lock().await;
        let head = self.head();
        let file = CaseFile::read(self, &head, application)
            .map_err(failed)?
            .map_err(|refusal| vec![refusal.at("application")])?;
        if file.learner != learner {
            return Err(vec![Refusal::ApplicationUnknown.at("application")]);
        }
        let (kind, content) = self
            .content(&head, &file, action, reason)
            .map_err(failed)?
            .map_err(|refusal| vec![refusal.at("application")])?;
        let leaf = head.leaf(application).map_err(failed)?;
        let mut envelope = envelope(kind);
        envelope.refs = vec![v1::RecordRef {
            leaf_index: application.0,
            leaf_hash: leaf_hash(&leaf).0.to_vec().into(),
        }];
        if kind.needs_rule_set() {
            envelope.rule_set_hash = file.rule_set.to_vec().into();
        }
        let decided = self
            .record(&format!("{:016}", learner.as_u64()), envelope, content)
            .await?;
        match decided.rows.first() {
            Some(Decision::Refused(faults)) => Err(faults.clone()),
            _ => Ok(decided),
        }
    }

    /// Decides an application that no rule used asks a panel for; leaves every other where it is.
    pub(crate) async fn decide_automatically(
        &self,
        application: LeafIndex,
    ) -> Result<(), Vec<Fault>> {
        let head = self.head();
        let Ok(file) = CaseFile::read(self, &head, application).map_err(failed)? else {
            return Ok(());
        };
        let process = Process::of(self, &head, &file).map_err(failed)?;
        let is_open = process.is_ok_and(|process| {
            process.proceeding.state() == State::Submitted && process.terms().is_automatic()
        });
        if !is_open {
            return Ok(());
        }
        let reason = "不须评审 no panel is needed";
        let decided = self
            .advance(file.learner, application, Action::Decide, reason)
            .await;
        match decided {
            Ok(_) => Ok(()),
            // Somebody has decided, withdrawn or revoked meanwhile: the application waits for an operator.
            Err(faults) if faults.iter().all(|it| is_settled(it.refusal)) => Ok(()),
            Err(faults) => Err(faults),
        }
    }

    fn content(
        &self,
        head: &Arc<Head>,
        file: &CaseFile,
        action: Action,
        reason: &str,
    ) -> Result<Result<(RecordKind, Content), Refusal>, StoreError> {
        let step = || v1::Step {
            reason: reason.to_owned(),
        };
        Ok(Ok(match action {
            Action::Accept => (RecordKind::Acceptance, Content::Acceptance(step())),
            Action::Return => (RecordKind::Return, Content::Return(step())),
            Action::Close => (RecordKind::Closing, Content::Closing(step())),
            Action::Reverse => (RecordKind::Reversal, Content::Reversal(step())),
            Action::Notice | Action::NoticeDecline | Action::Decide | Action::Decline => {
                let ruling = match self.rule(head, file)? {
                    Ok(ruling) => ruling,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let declines = matches!(action, Action::NoticeDecline | Action::Decline);
                if let Some(refusal) = out_of_step(file, &ruling, action) {
                    return Ok(Err(refusal));
                }
                let ruling = if declines { ruling.declined() } else { ruling };
                let message = ruling_message(&ruling, reason);
                match action {
                    Action::Notice | Action::NoticeDecline => {
                        (RecordKind::Notice, Content::Notice(message))
                    }
                    _ => (RecordKind::Decision, Content::Decision(message)),
                }
            }
        }))
    }

    /// Evaluates an application on what the learner holds now.
    fn rule(
        &self,
        head: &Arc<Head>,
        file: &CaseFile,
    ) -> Result<Result<Ruling, Refusal>, StoreError> {
        let set = match self.rule_set(head, &file.rule_set)? {
            Ok(set) => set,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let archive = match Archive::open(self, Arc::clone(head), file.learner, None)? {
            Ok(archive) => archive,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let scope = Scope {
            set: &set,
            programme: &file.form.programme,
            uses: &file.form.uses,
        };
        let holdings = match Holdings::read(&archive, Some(file.application), &scope)? {
            Ok(holdings) => holdings,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let case = holdings.case(&file.form.programme, day_of(file.submitted_at_ms));
        let decision = evaluate(&set, &case, &file.form.uses);
        let (held, prior) = holdings.leaves();
        let uses = file.form.uses.clone();
        Ok(Ok(Ruling::of(decision, held, prior, uses)))
    }
}

/// What was noticed is decided as long as it holds, and noticed again only when it does not. What a panel declined
/// holds whatever the rules say.
fn out_of_step(file: &CaseFile, ruling: &Ruling, action: Action) -> Option<Refusal> {
    let is_noticed = file.row.kind == RecordKind::Notice as u8;
    let noticed = file.noticed().filter(|_| is_noticed)?;
    let by_rules = noticed.is_granted() || noticed.grants_nothing();
    let is_outdated = by_rules && noticed.lines != ruling.lines;
    let state = State::Noticed.code();
    match action {
        Action::Decide if is_outdated => Some(Refusal::NoticeOutdated),
        Action::Notice | Action::NoticeDecline if !is_outdated => {
            Some(Refusal::StepNotAllowed { state })
        }
        _ => None,
    }
}

fn is_settled(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::ApplicationClosed | Refusal::StepNotAllowed { .. } | Refusal::LearnerErased
    )
}

fn failed(error: StoreError) -> Vec<Fault> {
    tracing::error!(%error, "an application could not be read");
    vec![Refusal::StorageFailed.at("")]
}
