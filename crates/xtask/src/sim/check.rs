//! What always holds, and what holds at the end. Each check names the promise that it found broken.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_domain::transfer::book::{Bound, Place};
use creditbank_domain::transfer::{Side, State, Step, Transfer};

use super::bank::Bank;
use super::code::Code;
use super::knowledge::DAY;
use super::rows::{Fact, Given, Kept, Name, Rows};
use super::statement::{Statement, month};
use super::world::{HOUR, NAMES, World};

/// A promise that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    /// The promise.
    pub(super) invariant: &'static str,
    /// How it was broken.
    pub(super) what: String,
}

impl Violation {
    /// A broken promise.
    pub(super) fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self {
            invariant,
            what: what.into(),
        }
    }
}

/// Fails with what was found, unless it holds.
fn hold(
    holds: bool,
    invariant: &'static str,
    what: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds {
        return Ok(());
    }
    Err(Violation::new(invariant, what()))
}

/// What holds of a bank after it has written leaves.
pub(super) fn bank(world: &World, node: usize, before: u64) -> Result<(), Violation> {
    let bank = &world.banks[node];
    for leaf in &bank.log.leaves()[before as usize..] {
        written(bank, &leaf.fact)?;
    }
    sequences(world, bank)?;
    times(&bank.rows)?;
    bindings(world.code, &bank.rows)?;
    amounts(&bank.rows)?;
    for (peer, other) in world.peers_of(node) {
        heard(world, bank, peer, other)?;
        heard(world, &world.banks[other], bank.name, node)?;
        periods(world, bank, peer, &world.banks[other])?;
    }
    Ok(())
}

/// The rows are what the log gives.
pub(super) fn folds(code: &Code, bank: &Bank) -> Result<(), Violation> {
    let folded = bank.folded(code)?;
    // A bank that is down has rows of leaves that it lost.
    let is_same = folded == bank.rows || !bank.is_up();
    hold(is_same, "rows are what the log gives", || {
        format!("{}", bank.name.0)
    })
}

/// What holds once nothing goes wrong any more and every term has ended.
pub(super) fn end(world: &World) -> Result<(), Violation> {
    for (node, own) in NAMES.into_iter().enumerate() {
        let bank = &world.banks[node];
        hold(bank.is_up(), "every bank runs again", || {
            format!("{}: {:?}", own.0, bank.phase)
        })?;
        bindings(world.code, &bank.rows)?;
        folds(world.code, bank)?;
        suspects(world, bank)?;
        for (peer, other) in NAMES.into_iter().zip(&world.banks) {
            if peer != own && !world.is_split(own, peer) {
                drained(world, bank, other)?;
            }
        }
        standing(world, bank)?;
    }
    Ok(())
}

/// Nothing leaves without a consent and an outcome in force, nor before the receiver has cosigned it.
fn written(bank: &Bank, fact: &Fact) -> Result<(), Violation> {
    let Fact::Took(entry) = fact else {
        return Ok(());
    };
    let (Step::Released(_), Some((outcome, _))) = (
        &entry.taken.step,
        bank.rows.transfers[&entry.place].reserved(),
    ) else {
        return Ok(());
    };
    let transfer = &bank.rows.transfers[&entry.place];
    let leaf = outcome.leaf_index;
    let consent = transfer.consent();
    let given = consent.and_then(|consent| bank.rows.consents.get(&consent.leaf_index));
    let is_given = given.is_some_and(|given: &Given| !given.is_withdrawn);
    let is_in_force = |kept: &Kept| {
        let is_there = !bank.rows.erased.contains(&kept.outcome.learner);
        !kept.is_revoked && !kept.is_disputed && is_there
    };
    let is_in_force = bank.rows.outcomes.get(&leaf).is_some_and(is_in_force);
    let cosigned = bank.cosigned_by.get(&entry.place.0);
    let is_cosigned = cosigned.is_some_and(|size| *size > leaf.0);
    hold(
        is_given && is_in_force && is_cosigned,
        "what is released is consented to, in force and cosigned",
        || format!("{} {:?}", bank.name.0, entry.place),
    )
}

/// Steps have no gaps; no correct bank takes one that the other refuses.
fn sequences(world: &World, bank: &Bank) -> Result<(), Violation> {
    for (peer, sent) in &bank.rows.sent {
        let is_gapless = (1..).zip(sent).all(|(at, it)| it.taken.sequence == at);
        let is_in_time = sent.is_sorted_by_key(|it| it.taken.at_ms);
        hold(is_gapless && is_in_time, "sequences have no gaps", || {
            format!("{} to {}", bank.name.0, peer.0)
        })?;
    }
    let refused = bank.rows.refused.iter();
    let mut refused = refused.filter(|(place, _)| !world.is_split(bank.name, place.0));
    let refused = refused.next();
    hold(
        refused.is_none(),
        "what a bank takes, its peer can take in",
        || format!("{}: {refused:?}", bank.name.0),
    )
}

/// No bank has answered a step before it was taken, though clocks differ.
fn times(rows: &Rows) -> Result<(), Violation> {
    for (place, transfer) in &rows.transfers {
        let mut heard_ms = 0;
        for taken in &transfer.steps {
            if taken.step.taker() != transfer.side {
                heard_ms = taken.at_ms.max(heard_ms);
                continue;
            }
            hold(
                taken.at_ms >= heard_ms,
                "no step is answered before it is taken",
                || format!("{place:?}: {taken:?} after {heard_ms}"),
            )?;
        }
    }
    Ok(())
}

/// A bank has heard what its peer has durably sent, word by word.
fn heard(world: &World, bank: &Bank, peer: Name, other: usize) -> Result<(), Violation> {
    let other = &world.banks[other];
    // What a bank with a lost disk has sent is not known until it runs again.
    if world.is_split(bank.name, peer) || other.newest.is_some() || bank.newest.is_some() {
        return Ok(());
    }
    let heard = bank.rows.heard.get(&peer).map_or(&[][..], Vec::as_slice);
    let sent = other.rows.sent.get(&bank.name);
    let sent = sent.into_iter().flatten();
    let mut sent = sent.take_while(|it| it.leaf < other.log.durable());
    let is_prefix = heard.iter().all(|(id, taken)| {
        sent.next()
            .is_some_and(|sent| sent.id == *id && sent.taken == *taken)
    });
    hold(
        is_prefix,
        "what is heard was sent, in the same order",
        || format!("{} of {}", bank.name.0, peer.0),
    )
}

/// An outcome is bound once for a purpose, by the transfer that the steps say, and used once.
fn bindings(code: &Code, rows: &Rows) -> Result<(), Violation> {
    let mut bound: BTreeMap<Bound, Place> = BTreeMap::new();
    let mut uses: BTreeMap<Bound, Vec<Place>> = BTreeMap::new();
    for spent in &rows.spent {
        uses.entry(*spent).or_default();
    }
    let mut settled: BTreeMap<Bound, Vec<(u64, u64)>> = BTreeMap::new();
    for (place, transfer) in of_side(rows, Side::Origin) {
        let Some((outcome, purpose)) = transfer.reserved() else {
            continue;
        };
        let what = (outcome.leaf_index, purpose);
        if transfer.binds() {
            let other = bound.insert(what, *place);
            hold(
                other.is_none(),
                "an outcome is bound once for a purpose",
                || format!("{what:?} by {other:?} and {place:?}"),
            )?;
        }
        let is = |is| (code.settled_at)(transfer, is);
        if let Some(from) = is(|step| matches!(step, Step::Recognised(_))) {
            let to = is(|step| matches!(step, Step::Reversed(_))).unwrap_or(u64::MAX);
            let others = settled.entry(what).or_default();
            let overlaps = others
                .iter()
                .any(|other| from.max(other.0) < to.min(other.1));
            hold(!overlaps, "an outcome is settled once at any time", || {
                format!("{what:?}: {others:?} and {from} to {to}, {place:?}")
            })?;
            others.push((from, to));
        }
        if transfer.state() != State::Recognised {
            continue;
        }
        if transfer.is_acknowledged() {
            let others = uses.entry(what).or_default();
            others.push(*place);
            let count = others.len() + usize::from(rows.spent.contains(&what));
            hold(count == 1, "an outcome is used once for a purpose", || {
                format!("{what:?} by {others:?}")
            })?;
        }
        let settled = (code.settled_at)(transfer, |step| matches!(step, Step::Recognised(_)));
        hold(
            settled.is_none() || transfer.binds(),
            "what is settled is bound",
            || format!("{what:?} by {place:?}"),
        )?;
    }
    hold(
        bound == rows.bindings,
        "bindings are what the steps say",
        || format!("{bound:?}, but the rows say {:?}", rows.bindings),
    )
}

/// No more is granted than the source has.
fn amounts(rows: &Rows) -> Result<(), Violation> {
    for (place, transfer) in &rows.transfers {
        if let Some(recognition) = transfer.recognised() {
            let is_within =
                recognition.spent <= transfer.source() && recognition.credited <= recognition.spent;
            hold(is_within, "no credit comes from nowhere", || {
                format!("{place:?}: {recognition:?} of {}", transfer.source())
            })?;
        }
    }
    Ok(())
}

/// A closed period stays as it is, adds up, and is the same at both banks.
fn periods(world: &World, bank: &Bank, peer: Name, other: &Bank) -> Result<(), Violation> {
    if world.is_split(bank.name, peer) || bank.newest.is_some() {
        return Ok(());
    }
    for ((_, period), closed) in bank.rows.closed.range((peer, 0)..=(peer, u64::MAX)) {
        let cut = (period + 1) * DAY;
        let now = Statement::of(world.code, &bank.rows, bank.name, peer, cut);
        let told = || format!("{} and {} in period {period}", bank.name.0, peer.0);
        hold(now == *closed, "a closed period stays as it is", || {
            format!("{}: {closed:?}, now {now:?}", told())
        })?;
        let is_complete = closed
            .directions
            .iter()
            .all(super::statement::Direction::is_complete);
        hold(
            is_complete,
            "released = pending + recognised + declined + recalled",
            told,
        )?;
        let theirs = other.rows.closed.get(&(bank.name, *period));
        let is_equal = other.newest.is_some() || theirs.is_none_or(|theirs| theirs == closed);
        hold(is_equal, "both banks state the same", || {
            format!("{}: {closed:?}, {theirs:?}", told())
        })?;
    }
    Ok(())
}

/// A bank that showed one of its peers two histories is stopped by it, and nobody else is.
fn suspects(world: &World, bank: &Bank) -> Result<(), Violation> {
    let found: BTreeSet<Name> = NAMES
        .into_iter()
        .zip(&world.banks)
        .filter(|(_, peer)| {
            let (size, root) = bank.seen(peer.name);
            size <= peer.log.durable() && peer.log.root_at(size) != Some(root)
        })
        .map(|(name, _)| name)
        .collect();
    let is_just = bank
        .stopped
        .iter()
        .all(|peer| world.is_split(bank.name, *peer));
    hold(
        found.is_subset(&bank.stopped) && is_just,
        "a fork that was shown is found, and no other",
        || format!("{}: {found:?}, but {:?}", bank.name.0, bank.stopped),
    )
}

/// Two banks have heard everything, agree on every cut, have closed every period, and nothing is left to do.
fn drained(world: &World, bank: &Bank, other: &Bank) -> Result<(), Violation> {
    let (own, peer) = (bank.name, other.name);
    let sent = other.rows.pair_with(own).sent;
    let heard = bank.rows.pair_with(peer).heard;
    hold(sent == heard, "everything is heard in the end", || {
        format!("{} has heard {heard} of {sent} of {}", own.0, peer.0)
    })?;
    // A period that has just ended, by the slowest of clocks, is not closed yet.
    let over = world.now.saturating_sub(8 * HOUR) / DAY;
    for period in 0..over {
        let cut = (period + 1) * DAY;
        let ours = Statement::of(world.code, &bank.rows, own, peer, cut);
        let theirs = Statement::of(world.code, &other.rows, peer, own, cut);
        hold(ours == theirs, "both banks agree in the end", || {
            format!("{} {} {period}: {ours:?}, {theirs:?}", own.0, peer.0)
        })?;
        let signed = month(&bank.rows, own, peer, cut);
        let is_one = signed.is_ok() && signed == month(&other.rows, peer, own, cut);
        hold(is_one, "both banks sign one statement in the end", || {
            format!("{} {} {period}: {signed:?}", own.0, peer.0)
        })?;
        let is_closed = bank.rows.closed.contains_key(&(peer, period));
        hold(is_closed, "every period is closed in the end", || {
            format!("{} with {}: {period}", own.0, peer.0)
        })?;
    }
    for (place, transfer) in bank.rows.transfers.iter().filter(|(it, _)| it.0 == peer) {
        let duty = bank.duty(world.code, world.now, *place, transfer);
        let is_asked = |step: &Step| matches!(step, Step::ReversalRequested(_));
        let is_stuck = transfer.state() == State::Recognised && transfer.when(is_asked).is_some();
        hold(
            transfer.is_settled() && duty.is_none() && !is_stuck,
            "no transfer is stuck",
            || format!("{} {place:?}: {:?}, {duty:?}", own.0, transfer.state()),
        )?;
    }
    Ok(())
}

/// Of all that receivers have recognised of a bank's outcomes, one recognition stands for a purpose.
fn standing(world: &World, bank: &Bank) -> Result<(), Violation> {
    let mut standing: BTreeMap<Bound, Name> = BTreeMap::new();
    for (peer, other) in NAMES.into_iter().zip(&world.banks) {
        if world.is_split(bank.name, peer) {
            continue;
        }
        for (place, transfer) in of_side(&other.rows, Side::Receiver) {
            let (true, State::Recognised, Some((outcome, purpose))) =
                (place.0 == bank.name, transfer.state(), transfer.reserved())
            else {
                continue;
            };
            let what = (outcome.leaf_index, purpose);
            let is_spent = bank.rows.spent.contains(&what);
            let before = standing.insert(what, peer);
            hold(
                before.is_none() && !is_spent,
                "one recognition stands in the end",
                || format!("{what:?} of {}: {before:?} and {peer:?}", bank.name.0),
            )?;
        }
    }
    Ok(())
}

fn of_side(rows: &Rows, side: Side) -> impl Iterator<Item = (&Place, &Transfer)> {
    let transfers = rows.transfers.iter();
    transfers.filter(move |(_, transfer)| transfer.side == side)
}
