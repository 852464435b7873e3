//! Past decisions decided again by a set that is still to come: which of them would come out otherwise.

use creditbank_domain::recognition::Ruling;
use creditbank_domain::record::RecordKind;
use creditbank_domain::rules::{Compiled, Line, evaluate};
use creditbank_domain::{Digest32, LeafIndex, Refusal};
use creditbank_store::{Go, StoreError};

use super::evidence::{Evidence, Lost};
use super::file::CaseFile;
use crate::bank::Bank;
use crate::head::Head;

/// How many decisions came out how.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Compared {
    /// Decisions that stand and were decided again.
    pub(crate) compared: u64,
    /// Of them, those that would come out otherwise.
    pub(crate) different: u64,
    /// Left out: a panel declined them, which is no matter of rules.
    pub(crate) declined: u64,
    /// Left out: their learner was erased, or what they rest on cannot be read.
    pub(crate) gone: u64,
}

/// A decision that would come out otherwise.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) application: LeafIndex,
    /// The set that it was decided under.
    pub(crate) rule_set: Digest32,
    pub(crate) recorded: Ruling,
    pub(crate) again: Ruling,
}

impl Difference {
    /// Lines that were granted and would not be, or not so.
    pub(crate) fn lost(&self) -> impl Iterator<Item = &Line> {
        without(&self.recorded.lines, &self.again.lines)
    }

    /// Lines that would be granted and were not, or not so.
    pub(crate) fn gained(&self) -> impl Iterator<Item = &Line> {
        without(&self.again.lines, &self.recorded.lines)
    }
}

/// Decides again, by `set`, every standing decision under a rule set that is `wanted`, oldest application first: each by
/// itself, on the outcomes and the earlier decisions that it looked at. `visit` is told how far it is.
pub(crate) fn compare(
    bank: &Bank,
    head: &Head,
    wanted: impl Fn(&Digest32) -> bool,
    set: &Compiled,
    mut visit: impl FnMut(Compared, Option<Difference>) -> Go,
) -> Result<(), StoreError> {
    let mut decided = Vec::new();
    head.snapshot.applications(LeafIndex(0), |index, row| {
        let kind = RecordKind::from_number(u32::from(row.kind));
        if matches!(
            kind,
            Some(RecordKind::Decision | RecordKind::Appeal | RecordKind::Closing)
        ) {
            decided.push(index);
        }
        Go::Continue(())
    })?;
    let mut evidence = Evidence::new(
        bank.store(),
        &head.snapshot,
        &head.registry,
        bank.key_encryption(),
    );
    let mut compared = Compared::default();
    for index in decided {
        let difference = match CaseFile::read(bank, head, index)? {
            Ok(file) if wanted(&file.rule_set) => again(&mut evidence, &file, set, &mut compared)?,
            Ok(_) => continue,
            Err(Refusal::LearnerErased) => {
                compared.gone += 1;
                None
            }
            Err(_) => continue,
        };
        if visit(compared, difference).is_break() {
            break;
        }
    }
    Ok(())
}

/// One decision decided again; none where it comes out the same, or is left out.
fn again(
    evidence: &mut Evidence<'_>,
    file: &CaseFile,
    set: &Compiled,
    compared: &mut Compared,
) -> Result<Option<Difference>, StoreError> {
    let Some(recorded) = file.decision() else {
        return Ok(None);
    };
    // What the rules themselves refused may be granted by others.
    if !recorded.is_granted() && !recorded.grants_nothing() {
        compared.declined += 1;
        return Ok(None);
    }
    let holdings = match evidence.holdings(recorded)? {
        Ok(holdings) => holdings,
        Err(Lost::Erased | Lost::Unreadable(_)) => {
            compared.gone += 1;
            return Ok(None);
        }
    };
    let case = holdings.case(&recorded.programme, recorded.applied_on);
    let decision = evaluate(set, &case, &recorded.uses);
    let (held, prior) = (recorded.held.clone(), recorded.prior.clone());
    let difference = Difference {
        application: file.application,
        rule_set: file.rule_set,
        recorded: recorded.clone(),
        again: Ruling::of(decision, held, prior, recorded.uses.clone()),
    };
    compared.compared += 1;
    let is_same = difference.lost().next().is_none() && difference.gained().next().is_none();
    compared.different += u64::from(!is_same);
    Ok((!is_same).then_some(difference))
}

/// Lines of one ruling that another has not, as far as a learner is concerned: outcomes, target, credits and grade. Which
/// limits count a line is the set's own affair.
fn without<'a>(lines: &'a [Line], others: &'a [Line]) -> impl Iterator<Item = &'a Line> {
    let is_same = |one: &Line, other: &Line| {
        (&one.outcomes, &one.to, one.credits, one.grade)
            == (&other.outcomes, &other.to, other.credits, other.grade)
    };
    let mut left: Vec<&Line> = others.iter().collect();
    lines.iter().filter(move |line| {
        let found = left.iter().position(|other| is_same(line, other));
        found.map(|at| left.swap_remove(at)).is_none()
    })
}
