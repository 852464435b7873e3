//! What a difference is, what it holds in suspense, and who has to do what: the table of `domain-facts.md` §7.

use super::{Direction, Granted, Item, Period};
use crate::Credit;
use crate::transfer::{Reason, Side, State, TransferId};

/// After the cut: what only one bank has is held as doubtful for so long, then it is in suspense (T+2).
pub const SUSPENSE_AFTER_MS: u64 = 2 * 86_400_000;

/// Declares a closed list with its numbers and codes from one table.
macro_rules! codes {
    ($(#[$list:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal $code:literal,)* }) => {
        $(#[$list])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$doc])* $variant = $number,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Reads the number of the format.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

codes! {
    /// What kind of difference it is.
    Class {
        /// Released at the origin, and the receiver has nothing of it (单边：仅转出方).
        OriginOnly = 1 "origin-only",
        /// The receiver has it, and the origin has released nothing (单边：仅转入方).
        ReceiverOnly = 2 "receiver-only",
        /// Credits differ, by the amount or by rounding (金额不符).
        Amount = 3 "amount",
        /// Rule, rule set or version of the agreement differ (版本不符).
        Version = 4 "version",
        /// Where it stands differs (状态不符).
        State = 5 "state",
        /// The same outcome for the same purpose in two places (重复使用).
        TwoReceivers = 6 "two-receivers",
        /// The outcome was revoked after its recognition was settled (结算后撤销).
        Revoked = 7 "revoked",
        /// Another outcome, category or purpose: the two do not speak of the same thing (成果不符).
        Outcome = 8 "outcome",
    }
}

codes! {
    /// What the rules say is to be done.
    Action {
        /// The origin sends its steps again; what was taken in already changes nothing.
        Resend = 1 "resend",
        /// As before; meanwhile the amount is in suspense.
        ResendAndSuspend = 2 "resend-and-suspend",
        /// The receiver freezes the credit and shows the origin's signed release.
        FreezeAndProve = 3 "freeze-and-prove",
        /// The receiver has no signed release: it reverses.
        ReverseUnsigned = 4 "reverse-unsigned",
        /// The release is signed: the origin restores what it signed.
        RestoreRelease = 5 "restore-release",
        /// Both compute again from the rule set named; what the published rule gives is right.
        Recompute = 6 "recompute",
        /// Decided by what was not in force: the receiver decides again.
        Redecide = 7 "redecide",
        /// The later signed step holds: whoever lacks it takes it in.
        TakeLaterStep = 8 "take-later-step",
        /// Steps are missing in between: they are sent again first.
        FillSequence = 9 "fill-sequence",
        /// The earliest reservation holds: the receiver of this one reverses.
        ReverseLaterReservation = 10 "reverse-later-reservation",
        /// The receiver reverses, tells the learner, and hears an appeal.
        ReverseAndNotify = 11 "reverse-and-notify",
        /// The origin's signed release says what the outcome is.
        HoldToRelease = 12 "hold-to-release",
    }
}

codes! {
    /// How old a difference is.
    Stage {
        /// Held as doubtful: it may be on its way.
        Doubtful = 1 "doubtful",
        /// Its amount is in suspense until it is cleared.
        Suspense = 2 "suspense",
    }
}

codes! {
    /// Who has to act.
    Actor {
        /// The origin.
        Origin = 1 "origin",
        /// The receiver.
        Receiver = 2 "receiver",
        /// Both.
        Both = 3 "both",
    }
}

impl Actor {
    const fn of(side: Side) -> Self {
        match side {
            Side::Origin => Self::Origin,
            Side::Receiver => Self::Receiver,
        }
    }
}

/// What else is known of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The place of the bank that asks in the pair.
    pub place: usize,
    /// Which period.
    pub period: Period,
    /// When it is looked at.
    pub now_ms: u64,
    /// Whether the receiver has shown the origin's signed release, where it alone has the item: none if nobody looked.
    pub is_release_shown: Option<bool>,
    /// Another transfer that has the outcome for the same purpose.
    pub rival: Option<Rival>,
    /// Whether the outcome is no longer in force.
    pub is_revoked: bool,
}

impl Facts {
    /// Nothing but who looks at what, and when.
    #[must_use]
    pub const fn new(place: usize, period: Period, now_ms: u64) -> Self {
        Self {
            place,
            period,
            now_ms,
            is_release_shown: None,
            rival: None,
            is_revoked: false,
        }
    }
}

/// Another transfer of the same outcome for the same purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rival {
    /// When it was reserved.
    pub reserved_at_ms: u64,
    /// Which.
    pub id: TransferId,
}

/// A difference and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which transfer.
    pub id: TransferId,
    /// Which of the pair is its origin.
    pub direction: Direction,
    /// What kind.
    pub class: Class,
    /// Whether its amount is in suspense yet.
    pub stage: Stage,
    /// The amount in question.
    pub amount: Credit,
    /// What is to be done.
    pub action: Action,
    /// By whom.
    pub actor: Actor,
}

impl Difference {
    /// What is in suspense.
    #[must_use]
    pub const fn suspense(&self) -> Credit {
        match self.stage {
            Stage::Doubtful => Credit::ZERO,
            Stage::Suspense => self.amount,
        }
    }
}

/// What the difference between the two sides of an item is; none where there is none. Items that are equal may still be
/// one: that an outcome was used twice or revoked, both banks know alike.
#[must_use]
pub fn classify(own: Option<&Item>, theirs: Option<&Item>, facts: &Facts) -> Option<Difference> {
    match (own, theirs) {
        (None, None) => None,
        (Some(item), None) => Some(one_sided(item, facts.place, facts)),
        (None, Some(item)) => Some(one_sided(item, 1 - facts.place, facts)),
        (Some(own), Some(theirs)) if own == theirs => agreed(own, facts),
        (Some(own), Some(theirs)) => Some(two_sided(own, theirs, facts)),
    }
}

/// Only the bank at `holder` has it.
fn one_sided(item: &Item, holder: usize, facts: &Facts) -> Difference {
    let is_due = facts.now_ms >= facts.period.cut_ms().saturating_add(SUSPENSE_AFTER_MS);
    match (item.direction.side(holder), is_due, facts.is_release_shown) {
        (Side::Origin, false, _) => Difference {
            stage: Stage::Doubtful,
            ..of(
                item,
                Class::OriginOnly,
                item.source,
                Action::Resend,
                Actor::Origin,
            )
        },
        (Side::Origin, true, _) => {
            let action = Action::ResendAndSuspend;
            of(item, Class::OriginOnly, item.source, action, Actor::Origin)
        }
        (Side::Receiver, _, shown) => {
            let (action, actor) = match shown {
                None => (Action::FreezeAndProve, Actor::Receiver),
                Some(false) => (Action::ReverseUnsigned, Actor::Receiver),
                Some(true) => (Action::RestoreRelease, Actor::Origin),
            };
            let credited = item.granted.as_ref().map(|granted| granted.credited);
            let amount = credited.unwrap_or(item.source);
            of(item, Class::ReceiverOnly, amount, action, actor)
        }
    }
}

/// Both have it, and both say the same.
fn agreed(item: &Item, facts: &Facts) -> Option<Difference> {
    if item.state != State::Recognised {
        return None;
    }
    let credited = item.granted.as_ref().map_or(Credit::ZERO, |it| it.credited);
    let is_later = facts.rival.is_some_and(|rival| {
        rival
            < Rival {
                reserved_at_ms: item.reserved_at_ms,
                id: item.id,
            }
    });
    let (class, action) = match item.reversal_asked {
        Some(Reason::RecognisedLate) => (Class::TwoReceivers, Action::ReverseLaterReservation),
        _ if is_later => (Class::TwoReceivers, Action::ReverseLaterReservation),
        Some(Reason::OutcomeNotInForce) => (Class::Revoked, Action::ReverseAndNotify),
        _ if facts.is_revoked => (Class::Revoked, Action::ReverseAndNotify),
        _ => return None,
    };
    Some(of(item, class, credited, action, Actor::Receiver))
}

/// Both have it, and say different things.
fn two_sided(own: &Item, theirs: &Item, facts: &Facts) -> Difference {
    let outcome = |it: &Item| (it.direction, it.commitment, it.category, it.purpose);
    if outcome(own) != outcome(theirs) {
        let amount = own.source.max(theirs.source);
        return of(
            own,
            Class::Outcome,
            amount,
            Action::HoldToRelease,
            Actor::Both,
        );
    }
    let amount = amount_between(own, theirs);
    if amount > Credit::ZERO {
        return of(own, Class::Amount, amount, Action::Recompute, Actor::Both);
    }
    if versions_differ(own, theirs) {
        let credited = |it: &Granted| it.credited;
        let amount = own.granted.as_ref().map_or(own.source, credited);
        return of(
            own,
            Class::Version,
            amount,
            Action::Redecide,
            Actor::Receiver,
        );
    }
    let (action, actor) = who_lacks(own, theirs, facts.place);
    of(own, Class::State, own.source, action, actor)
}

/// The largest difference of an amount that both sides name. What only one has decided is no difference of amounts.
fn amount_between(own: &Item, theirs: &Item) -> Credit {
    let between = |one: Credit, other: Credit| {
        let hundredths = one.hundredths().abs_diff(other.hundredths());
        Credit::from_hundredths(hundredths)
    };
    let source = between(own.source, theirs.source);
    match (&own.granted, &theirs.granted) {
        (Some(own), Some(theirs)) => source
            .max(between(own.credited, theirs.credited))
            .max(between(own.spent, theirs.spent)),
        _ => source,
    }
}

fn versions_differ(own: &Item, theirs: &Item) -> bool {
    let agreement = |it: &Item| (it.agreement.clone(), it.agreement_version.clone());
    let rules = match (&own.granted, &theirs.granted) {
        (Some(own), Some(theirs)) => {
            (&own.rule, own.rule_set, &own.agreement_version)
                != (&theirs.rule, theirs.rule_set, &theirs.agreement_version)
        }
        _ => false,
    };
    rules || agreement(own) != agreement(theirs)
}

/// Who has to take in the other's later steps: the bank that has fewer. Where each has what the other lacks, steps are
/// missing in the sequences of both; equal sequences under different states were not taken in right.
fn who_lacks(own: &Item, theirs: &Item, place: usize) -> (Action, Actor) {
    let (own_side, their_side) = (own.direction.side(place), own.direction.side(1 - place));
    let is_behind = |one: &Item, other: &Item| (0..2).any(|side| one.last[side] < other.last[side]);
    match (is_behind(own, theirs), is_behind(theirs, own)) {
        (true, false) => (Action::TakeLaterStep, Actor::of(own_side)),
        (false, true) => (Action::TakeLaterStep, Actor::of(their_side)),
        _ => (Action::FillSequence, Actor::Both),
    }
}

fn of(item: &Item, class: Class, amount: Credit, action: Action, actor: Actor) -> Difference {
    Difference {
        id: item.id,
        direction: item.direction,
        class,
        stage: Stage::Suspense,
        amount,
        action,
        actor,
    }
}
