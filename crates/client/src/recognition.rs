//! Recognition (认定): applications of learners' agents, and the steps that agents, reviewers and institutions take.
//!
//! Each is a sealed record like an outcome. An application names the rule set that it is made under; every later step
//! names the application, by place and by hash: see [`named`].

use creditbank_domain::record::{RecordKind, RecordRef};
use creditbank_domain::{Digest32, LeafIndex, LearnerCode};
use creditbank_merkle::leaf_hash;
use creditbank_wire::v1::{self, payload::Content};

use crate::connection::{Bank, Line};
use crate::failure::ClientError;
use crate::record::RecordMaker;

/// The record at a leaf, as another record names it. The log is public, so this needs no caller. A bank that gave a
/// wrong leaf would only make a record that it has to refuse itself.
///
/// # Errors
/// If there is no such leaf, or the bank could not be reached.
pub async fn named(bank: &Bank, leaf_index: u64) -> Result<RecordRef, ClientError> {
    let request = v1::GetReceiptRequest { leaf_index };
    let send = |line: Line, request| async move { line.log().get_receipt(request).await };
    let receipt = bank.call(request, send).await?;
    Ok(RecordRef {
        leaf_index: LeafIndex(leaf_index),
        leaf_hash: leaf_hash(&receipt.leaf).0,
    })
}

impl RecordMaker {
    /// A learner applies for recognition under a published rule set (认定申请). Uses, outcomes and courses are put into
    /// the order of the wire.
    #[must_use]
    pub fn application(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        rule_set: &Digest32,
        mut form: v1::Application,
    ) -> v1::SignedRecord {
        for it in &mut form.uses {
            it.outcomes.sort_unstable();
            it.courses.sort_unstable();
        }
        form.uses.sort_unstable_by(|one, next| {
            let key = |it: &v1::Use| (it.rule.clone(), it.outcomes.clone(), it.courses.clone());
            key(one).cmp(&key(next))
        });
        let content = Content::Application(form);
        let kind = RecordKind::Application;
        self.make(natural_key, kind, learner, content, None, Some(rule_set))
    }

    /// A reviewer's vote on `application` (评审意见).
    #[must_use]
    pub fn review(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        application: RecordRef,
        approve: bool,
        reason: &str,
    ) -> v1::SignedRecord {
        let reason = reason.to_owned();
        let content = Content::Review(v1::Review { approve, reason });
        let target = Some(application);
        self.make(
            natural_key,
            RecordKind::Review,
            learner,
            content,
            target,
            None,
        )
    }

    /// An institution objects to `application` while it is noticed (异议).
    #[must_use]
    pub fn objection(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        application: RecordRef,
        reason: &str,
    ) -> v1::SignedRecord {
        let content = Content::Objection(step(reason));
        let (kind, target) = (RecordKind::Objection, Some(application));
        self.make(natural_key, kind, learner, content, target, None)
    }

    /// The learner appeals against the decision of `application` (申诉).
    #[must_use]
    pub fn appeal(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        application: RecordRef,
        reason: &str,
    ) -> v1::SignedRecord {
        let content = Content::Appeal(step(reason));
        let target = Some(application);
        self.make(
            natural_key,
            RecordKind::Appeal,
            learner,
            content,
            target,
            None,
        )
    }

    /// The learner withdraws `application` (撤回).
    #[must_use]
    pub fn withdrawal(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        application: RecordRef,
        reason: &str,
    ) -> v1::SignedRecord {
        let content = Content::Withdrawal(step(reason));
        let (kind, target) = (RecordKind::Withdrawal, Some(application));
        self.make(natural_key, kind, learner, content, target, None)
    }
}

fn step(reason: &str) -> v1::Step {
    v1::Step {
        reason: reason.to_owned(),
    }
}
