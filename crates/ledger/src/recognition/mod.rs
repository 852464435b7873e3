//! Recognition and conversion in the ledger: deposits under standards, applications and their steps, decisions of the
//! bank, what follows from a revocation, and the recomputation of everything that was decided.
//!
//! What a decision is lies in `domain`; here it is given its inputs from log and vault, and put into the log.

mod advance;
mod compare;
mod evidence;
mod file;
pub(crate) mod follow;
mod holdings;
mod process;
pub mod recompute;
mod sets;
mod standing;
mod used;

use creditbank_domain::catalogue::Proposal;
use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::recognition::{Application, Ruling};
use creditbank_domain::record::{RecordKind, RecordRef};
use creditbank_domain::registry::{Institution, InstitutionNumber, Registry};
use creditbank_domain::rules::{Compiled, ProgrammeKind, evaluate};
use creditbank_domain::standard::Standard;
use creditbank_domain::transfer::Purpose;
use creditbank_domain::transfer::book::Bound;
use creditbank_domain::{Digest32, Fault, LeafIndex, Outcome, Refusal};
use creditbank_merkle::leaf_hash;
use creditbank_store::StoreError;
use creditbank_wire::convert::outcome::fault_in_message;
use jiff::civil::Date;

pub(crate) use self::advance::Action;
pub(crate) use self::compare::{Compared, Difference, compare};
pub(crate) use self::evidence::{Evidence, Lost};
pub(crate) use self::file::{CaseFile, Filed};
pub(crate) use self::holdings::{
    Holdings, Scope, depositor as depositor_in, message_at, outcome_in, ruling, standing, target,
};
pub(crate) use self::process::{Process, depositor};
pub(crate) use self::sets::{Sets, documents};
pub(crate) use self::used::used;
use crate::admission::Seen;
use crate::archive::Archive;
use crate::bank::Bank;
use crate::clock;
use crate::head::leaf;

/// In what an outcome falls short of the standard that its project was admitted under; fields from the outcome on. A
/// project that is suspended while a batch is on its way still takes that batch.
pub(crate) fn breaches(
    bank: &Bank,
    registry: &Registry,
    issuer: &Institution,
    outcome: &Outcome,
    today: Date,
) -> Result<Vec<Fault>, StoreError> {
    let project = registry.catalogue().admit(
        &issuer.profile.id,
        outcome.project.as_ref(),
        outcome.category(),
        outcome.completed_on,
    );
    let proposal = match project {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(project)) => &project.proposal,
        Err(refusal) => return Ok(vec![refusal.at("project")]),
    };
    let head = bank.head();
    let set = bank
        .sets()
        .get(&head.snapshot, registry, &proposal.rule_set)?;
    let set = match set {
        Ok(set) => set,
        Err(refusal) => return Ok(vec![refusal.at("project")]),
    };
    let Some(standard) = named_standard(&set, proposal) else {
        return Ok(vec![Refusal::StandardUnknown.at("project")]);
    };
    let faults = standard.check(outcome, today).into_iter();
    Ok(faults
        .map(|fault| fault_in_message(fault, outcome))
        .collect())
}

/// A proposal must name a standard that its rule set has, for outcomes of its category.
pub(crate) fn check_proposal(
    bank: &Bank,
    registry: &Registry,
    proposal: &Proposal,
) -> Result<Result<(), Fault>, StoreError> {
    let head = bank.head();
    let set = match bank
        .sets()
        .get(&head.snapshot, registry, &proposal.rule_set)?
    {
        Ok(set) => set,
        Err(refusal) => return Ok(Err(refusal.at("statement.rule_set_hash"))),
    };
    Ok(match named_standard(&set, proposal) {
        None => Err(Refusal::StandardUnknown.at("statement.standard")),
        Some(standard) if !standard.categories.contains(&proposal.category) => {
            Err(Refusal::CategoryNotOfStandard.at("statement.category"))
        }
        Some(_) => Ok(()),
    })
}

/// The standard that a project was proposed under.
fn named_standard<'a>(set: &'a Compiled, proposal: &Proposal) -> Option<&'a Standard> {
    let mut standards = set.set().standards.iter();
    standards.find(|standard| {
        standard.id == proposal.standard && standard.version == proposal.standard_version
    })
}

/// What credit of a programme is for, among banks.
pub(crate) fn purpose(set: &Compiled, programme: &str) -> Option<Purpose> {
    let mut programmes = set.set().programmes.iter();
    let programme = programmes.find(|it| it.id == programme)?;
    Some(match programme.kind {
        ProgrammeKind::Degree => Purpose::Degree,
        ProgrammeKind::NonDegree => Purpose::NonDegree,
    })
}

/// An application must name a rule set and a programme that take applications today, and something of it must be
/// granted.
pub(crate) fn check_application(
    bank: &Bank,
    learner: LearnerCode,
    rule_set: Digest32,
    application: &Application,
) -> Result<Result<(), Fault>, StoreError> {
    let head = bank.head();
    let today = clock::today();
    let catalogue = head.registry.catalogue();
    let Some(published) = catalogue.set(&rule_set) else {
        return Ok(Err(Refusal::RuleSetUnknown.at("envelope.rule_set_hash")));
    };
    let in_force = catalogue.in_force(&published.id, today);
    if in_force.is_none_or(|newest| newest.hash != rule_set) {
        return Ok(Err(Refusal::RuleSetNotInForce.at("envelope.rule_set_hash")));
    }
    let set = match bank.rule_set(&head, &rule_set)? {
        Ok(set) => set,
        Err(refusal) => return Ok(Err(refusal.at("envelope.rule_set_hash"))),
    };
    let programme = set
        .set()
        .programmes
        .iter()
        .find(|programme| programme.id == application.programme);
    if programme.is_none_or(|programme| !programme.effective.contains(today)) {
        return Ok(Err(
            Refusal::ProgrammeUnknown.at("payload.application.programme")
        ));
    }
    let archive = match Archive::open(bank, head, learner, None)? {
        Ok(archive) => archive,
        Err(refusal) => return Ok(Err(refusal.at("payload.learner"))),
    };
    let scope = Scope {
        set: &set,
        programme: &application.programme,
        uses: &application.uses,
    };
    let holdings = match Holdings::read(&archive, None, &scope)? {
        Ok(holdings) => holdings,
        Err(refusal) => return Ok(Err(refusal.at("payload.learner"))),
    };
    let case = holdings.case(&application.programme, today);
    match evaluate(&set, &case, &application.uses).lines.is_empty() {
        true => Ok(Err(Refusal::NothingGranted.at("payload.application.uses"))),
        false => Ok(Ok(())),
    }
}

/// A step of an application as it comes in.
pub(crate) struct Step {
    pub(crate) kind: RecordKind,
    pub(crate) issuer: InstitutionNumber,
    pub(crate) learner: LearnerCode,
    pub(crate) target: RecordRef,
    /// For a review.
    pub(crate) approve: bool,
    /// For a notice or a decision.
    pub(crate) ruling: Option<creditbank_domain::recognition::Ruling>,
}

/// Holds a step against its application; what it was held against comes back for the sequencer.
pub(crate) fn admit_step(bank: &Bank, step: Step) -> Result<Result<Seen, Fault>, StoreError> {
    let head = bank.head();
    let index = step.target.leaf_index;
    let refused = |refusal: Refusal| Ok(Err(refusal.at("envelope.refs[0]")));
    if !head.contains(index) {
        return refused(Refusal::TargetMissing);
    }
    if leaf_hash(&leaf(&head.snapshot.chunk(index)?, index)?).0 != step.target.leaf_hash {
        return refused(Refusal::TargetHashMismatch);
    }
    let file = match CaseFile::read(bank, &head, index)? {
        Ok(file) => file,
        Err(refusal) => return refused(refusal),
    };
    if file.learner != step.learner {
        return refused(Refusal::TargetLearnerDiffers);
    }
    let process = match Process::of(bank, &head, &file)? {
        Ok(process) => process,
        Err(refusal) => return refused(refusal),
    };
    let archive = match (&step.ruling, bank.archive_codes(step.learner)?) {
        (None, _) => Vec::new(),
        (Some(_), Ok(codes)) => codes.iter().map(|code| code.as_u64()).collect(),
        (Some(_), Err(refusal)) => return Ok(Err(refusal.at("payload.learner"))),
    };
    let unbound = match &step.ruling {
        None => Vec::new(),
        Some(ruling) => match bank.rule_set(&head, &file.rule_set)? {
            Ok(set) => used_for(&set, ruling),
            Err(refusal) => return refused(refusal),
        },
    };
    let filed = Filed {
        leaf: LeafIndex(head.row.size),
        kind: step.kind,
        actor: step.issuer,
        at_ms: 0,
        approve: step.approve,
        reason: String::new(),
        ruling: step.ruling,
    };
    let allowed = process.allow(&head.registry, step.kind, &filed, clock::today());
    Ok(allowed
        .map(|()| Seen {
            steps: file.row.steps,
            size: head.row.size,
            archive,
            unbound,
        })
        .map_err(|refusal| refusal.at("envelope.kind")))
}

/// The outcomes that a ruling uses, each for the purpose of its programme.
fn used_for(set: &Compiled, ruling: &Ruling) -> Vec<Bound> {
    let Some(purpose) = purpose(set, &ruling.programme) else {
        return Vec::new();
    };
    let outcomes = ruling.lines.iter().flat_map(|line| &line.outcomes);
    outcomes.map(|outcome| (*outcome, purpose)).collect()
}
