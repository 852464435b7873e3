//! The book of transfers: how a step, of this bank or heard of another, changes what a bank knows. A pure function of the
//! rows that it reads ([`Shelf`]), so the ledger and the simulation run the same one.

use super::{Purpose, Side, Step, Taken, Transfer, TransferId};
use crate::registry::InstitutionNumber;
use crate::{LeafIndex, Refusal};

/// A transfer's place: the peer bank and the transfer.
pub type Place = (InstitutionNumber, TransferId);

/// How far the two sequences of a pair of banks are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// Steps that this bank has taken towards the other.
    pub sent: u64,
    /// Steps of the other that this bank has taken in.
    pub heard: u64,
}

/// An outcome and what it is bound for.
pub type Bound = (LeafIndex, Purpose);

/// What an outcome is bound to afterwards; none where nothing binds it any more.
pub type Rebound = (Bound, Option<Place>);

/// The rows that a change reads.
pub trait Shelf {
    /// Why a row could not be read.
    type Error;

    /// How far a pair is.
    fn pair(&self, peer: InstitutionNumber) -> Result<Pair, Self::Error>;

    /// A transfer.
    fn transfer(&self, place: Place) -> Result<Option<Transfer>, Self::Error>;

    /// The transfer that binds an outcome for a purpose.
    fn binding(&self, bound: Bound) -> Result<Option<Place>, Self::Error>;
}

/// What a step changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The peer and the transfer.
    pub place: Place,
    /// The pair afterwards.
    pub pair: Pair,
    /// The transfer afterwards; none where the step was refused.
    pub transfer: Option<Transfer>,
    /// What it binds, or no longer binds.
    pub binding: Option<Rebound>,
    /// Why a step that was heard changes nothing but the pair: its bank could not take it.
    pub refused: Option<Refusal>,
}

/// A step that is to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The peer and the transfer.
    pub place: Place,
    /// What this bank is in it.
    pub side: Side,
    /// The step with its place in its taker's sequence.
    pub taken: Taken,
}

/// Takes a step of this bank. The sequence must be the next one; an outcome is bound once for a purpose.
pub fn take<S: Shelf>(shelf: &S, entry: &Entry) -> Result<Result<Change, Refusal>, S::Error> {
    let pair = shelf.pair(entry.place.0)?;
    let expected = pair.sent + 1;
    if entry.taken.sequence != expected {
        return Ok(Err(Refusal::SequenceGap { expected }));
    }
    if entry.taken.step.taker() != entry.side {
        return Ok(Err(Refusal::KindNotAllowed));
    }
    let pair = Pair {
        sent: expected,
        ..pair
    };
    match advance(shelf, entry, pair)? {
        Ok(change) => Ok(Ok(change)),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// Takes in a step of the peer. The sequence must be the next one; a step that the peer could not take is noted, and
/// changes nothing else, so that one wrong step does not hold up those behind it.
pub fn hear<S: Shelf>(shelf: &S, entry: &Entry) -> Result<Result<Change, Refusal>, S::Error> {
    let pair = shelf.pair(entry.place.0)?;
    let expected = pair.heard + 1;
    if entry.taken.sequence != expected {
        return Ok(Err(Refusal::SequenceGap { expected }));
    }
    let pair = Pair {
        heard: expected,
        ..pair
    };
    let wrong_side = entry.taken.step.taker() == entry.side;
    let advanced = match wrong_side {
        true => Err(Refusal::KindNotAllowed),
        false => advance(shelf, entry, pair)?,
    };
    Ok(Ok(advanced.unwrap_or_else(|refusal| Change {
        place: entry.place,
        pair,
        transfer: None,
        binding: None,
        refused: Some(refusal),
    })))
}

fn advance<S: Shelf>(
    shelf: &S,
    entry: &Entry,
    pair: Pair,
) -> Result<Result<Change, Refusal>, S::Error> {
    let known = shelf.transfer(entry.place)?;
    let mut transfer = match known {
        Some(transfer) if transfer.side != entry.side => return Ok(Err(Refusal::TransferUnknown)),
        Some(transfer) => transfer,
        None => Transfer::new(entry.place.1, entry.side),
    };
    if let Err(refusal) = transfer.apply(entry.taken.clone()) {
        return Ok(Err(refusal));
    }
    let binding = match binding(shelf, &transfer, entry.place)? {
        Ok(binding) => binding,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(Ok(Change {
        place: entry.place,
        pair,
        transfer: Some(transfer),
        binding,
        refused: None,
    }))
}

/// What the origin binds after a step. The earliest reservation holds: another is refused, whatever bank it is for.
fn binding<S: Shelf>(
    shelf: &S,
    transfer: &Transfer,
    place: Place,
) -> Result<Result<Option<Rebound>, Refusal>, S::Error> {
    let reserved = transfer
        .reserved()
        .filter(|_| transfer.side == Side::Origin);
    let Some((outcome, purpose)) = reserved else {
        return Ok(Ok(None));
    };
    let bound = (outcome.leaf_index, purpose);
    let holder = shelf.binding(bound)?;
    let is_last = |is: fn(&Step) -> bool| transfer.steps.last().is_some_and(|it| is(&it.step));
    Ok(match (transfer.binds(), holder) {
        (true, None) => Ok(Some((bound, Some(place)))),
        (true, Some(holder)) if holder == place => Ok(None),
        // A recognition that crossed a recall is heard, though another has the outcome by now.
        (true, Some(_)) if !is_last(binds_anew) => Ok(None),
        (true, Some(_)) => Err(Refusal::OutcomeBound),
        (false, Some(holder)) if holder == place => Ok(Some((bound, None))),
        (false, _) => Ok(None),
    })
}

/// Steps by which the origin binds an outcome.
const fn binds_anew(step: &Step) -> bool {
    matches!(step, Step::Reserved { .. } | Step::Acknowledged { .. })
}
