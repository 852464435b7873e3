//! The words for what the bank says by numbers and codes: states, steps, purposes, accounts. Each gives the key of a
//! message; a test goes through all values.

use creditbank_domain::transfer::State as TransferState;
use creditbank_wire::v1;
use v1::points_movement::Reason;
use v1::transfer_step::Step;

/// How a state is marked beside its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Good,
    Bad,
    Calm,
}

impl Mark {
    /// The class of its tag.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "tag good",
            Self::Bad => "tag bad",
            Self::Calm => "tag calm",
        }
    }
}

/// Where an application stands: a word, what it means for the learner, its mark.
pub(super) fn application(state: v1::ApplicationState) -> (&'static str, &'static str, Mark) {
    use v1::ApplicationState as S;
    match state {
        S::Unspecified => (
            "recognition-state-unknown",
            "recognition-state-unknown-means",
            Mark::Calm,
        ),
        S::Submitted => (
            "recognition-state-submitted",
            "recognition-state-submitted-means",
            Mark::Calm,
        ),
        S::Accepted => (
            "recognition-state-accepted",
            "recognition-state-accepted-means",
            Mark::Calm,
        ),
        S::Returned => (
            "recognition-state-returned",
            "recognition-state-returned-means",
            Mark::Bad,
        ),
        S::Noticed => (
            "recognition-state-noticed",
            "recognition-state-noticed-means",
            Mark::Calm,
        ),
        S::Decided => (
            "recognition-state-decided",
            "recognition-state-decided-means",
            Mark::Good,
        ),
        S::Appealed => (
            "recognition-state-appealed",
            "recognition-state-appealed-means",
            Mark::Calm,
        ),
        S::Closed => (
            "recognition-state-closed",
            "recognition-state-closed-means",
            Mark::Good,
        ),
        S::Reversed => (
            "recognition-state-reversed",
            "recognition-state-reversed-means",
            Mark::Bad,
        ),
        S::Withdrawn => (
            "recognition-state-withdrawn",
            "recognition-state-withdrawn-means",
            Mark::Calm,
        ),
    }
}

/// Whether nothing is awaited any more.
pub(super) fn is_over(state: v1::ApplicationState) -> bool {
    use v1::ApplicationState as S;
    matches!(state, S::Returned | S::Closed | S::Reversed | S::Withdrawn)
}

/// Whether the learner may withdraw: nothing is decided yet.
pub(super) fn may_withdraw(state: v1::ApplicationState) -> bool {
    use v1::ApplicationState as S;
    matches!(state, S::Submitted | S::Accepted | S::Noticed)
}

/// Codes of what is due next.
#[cfg(test)]
const DUE: [&str; 6] = [
    "accept",
    "review",
    "notice",
    "decide",
    "resolve-appeal",
    "close",
];

/// Whose turn it is, and for what.
pub(super) fn due(code: &str) -> &'static str {
    match code {
        "accept" => "recognition-due-accept",
        "review" => "recognition-due-review",
        "notice" => "recognition-due-notice",
        "decide" => "recognition-due-decide",
        "resolve-appeal" => "recognition-due-appeal",
        "close" => "recognition-due-close",
        _ => "recognition-due-other",
    }
}

/// A step of an application; `approve` is a reviewer's vote.
pub(super) fn step(kind: v1::RecordKind, approve: bool) -> &'static str {
    use v1::RecordKind as K;
    match kind {
        K::Application => "recognition-step-application",
        K::Acceptance => "recognition-step-acceptance",
        K::Return => "recognition-step-return",
        K::Review if approve => "recognition-step-approved",
        K::Review => "recognition-step-rejected",
        K::Notice => "recognition-step-notice",
        K::Objection => "recognition-step-objection",
        K::Decision => "recognition-step-decision",
        K::Appeal => "recognition-step-appeal",
        K::Closing => "recognition-step-closing",
        K::Reversal => "recognition-step-reversal",
        K::Withdrawal => "recognition-step-withdrawal",
        _ => "recognition-step-other",
    }
}

/// Where a transfer stands, by its code.
pub(super) fn transfer(code: &str) -> (&'static str, &'static str, Mark) {
    let state = TransferState::ALL.into_iter().find(|it| it.code() == code);
    match state {
        None => (
            "recognition-state-unknown",
            "recognition-state-unknown-means",
            Mark::Calm,
        ),
        Some(state) => transfer_state(state),
    }
}

fn transfer_state(state: TransferState) -> (&'static str, &'static str, Mark) {
    use TransferState as S;
    match state {
        S::Requested => (
            "recognition-transfer-requested",
            "recognition-transfer-requested-means",
            Mark::Calm,
        ),
        S::Refused => (
            "recognition-transfer-refused",
            "recognition-transfer-refused-means",
            Mark::Bad,
        ),
        S::Reserved => (
            "recognition-transfer-reserved",
            "recognition-transfer-reserved-means",
            Mark::Calm,
        ),
        S::Released => (
            "recognition-transfer-released",
            "recognition-transfer-released-means",
            Mark::Calm,
        ),
        S::UnderReview => (
            "recognition-transfer-review",
            "recognition-transfer-review-means",
            Mark::Calm,
        ),
        S::Recalling => (
            "recognition-transfer-recalling",
            "recognition-transfer-recalling-means",
            Mark::Calm,
        ),
        S::Rejected => (
            "recognition-transfer-rejected",
            "recognition-transfer-rejected-means",
            Mark::Bad,
        ),
        S::Recognised => (
            "recognition-transfer-recognised",
            "recognition-transfer-recognised-means",
            Mark::Good,
        ),
        S::Declined => (
            "recognition-transfer-declined",
            "recognition-transfer-declined-means",
            Mark::Bad,
        ),
        S::Recalled => (
            "recognition-transfer-recalled",
            "recognition-transfer-recalled-means",
            Mark::Calm,
        ),
        S::Reversed => (
            "recognition-transfer-reversed",
            "recognition-transfer-reversed-means",
            Mark::Bad,
        ),
    }
}

/// Whether a transfer came to nothing, so that a new consent may be given.
pub(super) fn has_ended(code: &str) -> bool {
    use TransferState as S;
    let ended = [
        S::Refused,
        S::Rejected,
        S::Declined,
        S::Recalled,
        S::Reversed,
    ];
    ended.iter().any(|it| it.code() == code)
}

/// Whether the consent can still be withdrawn: nothing was released.
pub(super) fn is_before_release(code: &str) -> bool {
    use TransferState as S;
    [S::Requested, S::Reserved]
        .iter()
        .any(|it| it.code() == code)
}

/// Whether a released outcome can be asked back.
pub(super) fn may_recall(code: &str) -> bool {
    use TransferState as S;
    [S::Released, S::UnderReview]
        .iter()
        .any(|it| it.code() == code)
}

/// A step of a transfer.
pub(super) fn transfer_step(step: Option<&Step>) -> &'static str {
    match step {
        None => "recognition-hop-other",
        Some(Step::Requested(_)) => "recognition-hop-requested",
        Some(Step::Refused(_)) => "recognition-hop-refused",
        Some(Step::Reserved(_)) => "recognition-hop-reserved",
        Some(Step::Released(_)) => "recognition-hop-released",
        Some(Step::Received(_)) => "recognition-hop-received",
        Some(Step::Rejected(_)) => "recognition-hop-rejected",
        Some(Step::Recognised(_)) => "recognition-hop-recognised",
        Some(Step::Declined(_)) => "recognition-hop-declined",
        Some(Step::Recalled(_)) => "recognition-hop-recalled",
        Some(Step::Returned(_)) => "recognition-hop-returned",
        Some(Step::Acknowledged(_)) => "recognition-hop-acknowledged",
        Some(Step::ReversalRequested(_)) => "recognition-hop-reversal-requested",
        Some(Step::Reversed(_)) => "recognition-hop-reversed",
    }
}

/// What an outcome is to be used for.
pub(super) fn purpose(purpose: v1::TransferPurpose) -> &'static str {
    use v1::TransferPurpose as P;
    match purpose {
        P::Unspecified => "recognition-purpose-unknown",
        P::Degree => "recognition-purpose-degree",
        P::NonDegree => "recognition-purpose-non-degree",
        P::Vocational => "recognition-purpose-vocational",
    }
}

/// An account of points; nothing for the one that points come from.
pub(super) fn account(account: v1::PointsAccount) -> Option<&'static str> {
    use v1::PointsAccount as A;
    match account {
        A::Unspecified | A::Issued => None,
        A::Available => Some("recognition-account-available"),
        A::Reserved => Some("recognition-account-reserved"),
        A::Redeemed => Some("recognition-account-redeemed"),
        A::Expired => Some("recognition-account-expired"),
        A::ClawedBack => Some("recognition-account-clawed-back"),
    }
}

/// Where a redemption stands.
pub(super) fn redemption(state: v1::RedemptionState) -> &'static str {
    use v1::RedemptionState as S;
    match state {
        S::Unspecified => "recognition-state-unknown",
        S::Reserved => "recognition-redemption-reserved",
        S::Confirmed => "recognition-redemption-confirmed",
        S::Cancelled => "recognition-redemption-cancelled",
    }
}

/// Why points moved, and the sign of the movement in the learner's own account.
pub(super) fn movement(reason: Option<&Reason>) -> (&'static str, &'static str) {
    match reason {
        None => ("recognition-moved-other", ""),
        Some(Reason::Earned(_)) => ("recognition-moved-earned", "+"),
        Some(Reason::Reserved(_)) => ("recognition-moved-reserved", "−"),
        Some(Reason::Confirmed(_)) => ("recognition-moved-confirmed", ""),
        Some(Reason::Cancelled(_)) => ("recognition-moved-cancelled", "+"),
        Some(Reason::Expired(_)) => ("recognition-moved-expired", "−"),
        Some(Reason::ClawedBack(_)) => ("recognition-moved-clawed-back", "−"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Lang, text};

    fn said(key: &str) {
        for lang in [Lang::Zh, Lang::En] {
            let words = text(lang, key, &[]);
            assert!(words != key && !words.is_empty(), "{key} has no words");
        }
    }

    #[test]
    fn every_state_of_an_application_has_words() {
        let all = (0..).map_while(|it| v1::ApplicationState::try_from(it).ok());
        let all: Vec<_> = all.collect();
        assert_eq!(all.len(), 10);
        for state in all {
            let (word, means, _) = application(state);
            said(word);
            said(means);
            assert!(!(is_over(state) && may_withdraw(state)));
        }
        for code in DUE.into_iter().chain(["other"]) {
            said(due(code));
            assert_eq!(due(code) == "recognition-due-other", code == "other");
        }
    }

    #[test]
    fn every_step_that_an_application_can_have_has_words_of_its_own() {
        let kinds = (0..64).filter_map(|it| v1::RecordKind::try_from(it).ok());
        let mut own = 0;
        for kind in kinds {
            for approve in [false, true] {
                said(step(kind, approve));
            }
            own += usize::from(step(kind, false) != "recognition-step-other");
        }
        assert_eq!(own, 11);
    }

    #[test]
    fn every_state_and_step_of_a_transfer_has_words() {
        for state in TransferState::ALL {
            let (word, means, _) = transfer(state.code());
            assert_ne!(word, "recognition-state-unknown");
            said(word);
            said(means);
            let code = state.code();
            let exclusive = [has_ended(code), is_before_release(code), may_recall(code)];
            assert!(exclusive.iter().filter(|it| **it).count() <= 1, "{code}");
        }
        said(transfer("").0);
        let steps = [
            Step::Requested(v1::RecordRef::default()),
            Step::Refused(1),
            Step::Reserved(v1::TransferReserved::default()),
            Step::Released(v1::TransferReleased::default()),
            Step::Received(true),
            Step::Rejected(1),
            Step::Recognised(v1::TransferRecognised::default()),
            Step::Declined(1),
            Step::Recalled(1),
            Step::Returned(true),
            Step::Acknowledged(1),
            Step::ReversalRequested(1),
            Step::Reversed(1),
        ];
        let mut keys: Vec<_> = steps.iter().map(|it| transfer_step(Some(it))).collect();
        keys.push(transfer_step(None));
        keys.iter().for_each(|key| said(key));
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 14);
    }

    #[test]
    fn everything_about_points_and_purposes_has_words() {
        let purposes = (0..).map_while(|it| v1::TransferPurpose::try_from(it).ok());
        let accounts = (0..).map_while(|it| v1::PointsAccount::try_from(it).ok());
        let states = (0..).map_while(|it| v1::RedemptionState::try_from(it).ok());
        let keys = purposes
            .map(purpose)
            .chain(accounts.filter_map(account))
            .chain(states.map(redemption));
        let keys: Vec<_> = keys.collect();
        assert_eq!(keys.len(), 4 + 5 + 4);
        keys.into_iter().for_each(said);
        for reason in [
            Reason::Earned(v1::PointsEarned::default()),
            Reason::Reserved(v1::PointsReserved::default()),
            Reason::Confirmed(Vec::new().into()),
            Reason::Cancelled(Vec::new().into()),
            Reason::Expired(true),
            Reason::ClawedBack(1),
        ] {
            said(movement(Some(&reason)).0);
        }
        said(movement(None).0);
    }
}
