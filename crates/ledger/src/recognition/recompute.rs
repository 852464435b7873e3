//! Recomputing decisions: every one of them is evaluated again from the published rule sets and the records it names, and
//! held against the decisions that stood when it was made.

use creditbank_domain::LeafIndex;
use creditbank_domain::recognition::Ruling;
use creditbank_domain::registry::Registry;
use creditbank_domain::rules::evaluate;
use creditbank_store::{Go, Snapshot, Store, StoreError};
use creditbank_wire::convert::record;
use creditbank_wire::v1;
use creditbank_wire::v1::RecordKind::{Decision, Merge, Notice, Reversal};

use super::evidence::{Evidence, Lost};
use super::holdings::{message_at, target};
use super::sets::Sets;
use super::standing::{Event, Standing};
use crate::vault::KeyEncryptionKey;

/// What recomputing found.
#[derive(Debug, Default, serde::Serialize)]
pub struct Recomputed {
    /// Decisions and notices evaluated again.
    pub decisions: u64,
    /// Lines that came out equal.
    pub lines: u64,
    /// Decisions that cannot be evaluated any more: they are gone with their learner.
    pub gone: u64,
    /// Those that differ, by leaf, and in what.
    pub differences: Vec<(u64, String)>,
}

/// Evaluates every decision of the ledger again.
pub fn recompute(
    store: &Store,
    snapshot: &Snapshot,
    registry: &Registry,
    key: &KeyEncryptionKey,
    mut progress: impl FnMut(u64),
) -> Result<Recomputed, StoreError> {
    let mut found = Vec::new();
    // The log says which decisions there are; the vault only what they say.
    snapshot.chunks(LeafIndex(0), |chunk| {
        for (index, _, envelope) in chunk.created() {
            let kind = record::canonical::<v1::Envelope>(envelope).map(|it| it.kind());
            if let Ok(kind @ (Decision | Notice | Reversal | Merge)) = kind {
                found.push((index, kind));
            }
        }
        Go::Continue(())
    })?;
    let mut evidence = Evidence::new(store, snapshot, registry, key);
    let (sets, mut standing) = (Sets::new(), Standing::default());
    let mut report = Recomputed::default();
    for (index, kind) in found {
        let learner = evidence.learner(index)?;
        let application = || target(snapshot, index);
        let event = match kind {
            Merge => evidence.merged(index)?.map(|code| Event::Merged { code }),
            Reversal => Some(Event::Reversed {
                application: application()?,
            }),
            _ => {
                let application = application()?;
                let stood = standing.of(learner, application);
                let (again, grants) = again(&mut evidence, &sets, index, &stood)?;
                report.add(index, again);
                progress(report.decisions);
                (kind == Decision).then_some(Event::Decided {
                    application,
                    grants,
                })
            }
        };
        if let Some(event) = event {
            standing.apply(index, learner, event);
        }
    }
    Ok(report)
}

impl Recomputed {
    fn add(&mut self, index: LeafIndex, again: Again) {
        self.decisions += 1;
        match again {
            Again::Equal(lines) => self.lines += lines,
            Again::Gone => self.gone += 1,
            Again::Differs(what) => self.differences.push((index.0, what)),
        }
    }
}

enum Again {
    Equal(u64),
    Gone,
    Differs(String),
}

impl From<Lost> for Again {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Erased => Self::Gone,
            Lost::Unreadable(index) => Self::Differs(format!("leaf {index} cannot be read")),
        }
    }
}

/// Evaluates one decision or notice again, and says whether it grants anything. `stood` are the decisions that stood for
/// its learner then: it must have looked at them all.
fn again(
    evidence: &mut Evidence<'_>,
    sets: &Sets,
    index: LeafIndex,
    stood: &[LeafIndex],
) -> Result<(Again, bool), StoreError> {
    let recorded = match evidence.ruling(index)? {
        Ok(recorded) => recorded,
        Err(lost) => return Ok((lost.into(), false)),
    };
    let grants = recorded.is_granted();
    if recorded.prior != stood {
        let (looked, stood) = (recorded.prior.len(), stood.len());
        let what =
            format!("it looked at {looked} earlier decisions, not at the {stood} that stood");
        return Ok((Again::Differs(what), grants));
    }
    Ok((evaluated_again(evidence, sets, index, &recorded)?, grants))
}

fn evaluated_again(
    evidence: &mut Evidence<'_>,
    sets: &Sets,
    index: LeafIndex,
    recorded: &Ruling,
) -> Result<Again, StoreError> {
    let message = message_at(evidence.snapshot, index)?;
    let Ok(hash) = record::digest(&message.rule_set_hash) else {
        return Ok(Again::Differs("it names no rule set".into()));
    };
    let set = match sets.get(evidence.snapshot, evidence.registry, &hash)? {
        Ok(set) => set,
        Err(refusal) => return Ok(Again::Differs(format!("its rule set: {refusal}"))),
    };
    let holdings = match evidence.holdings(recorded)? {
        Ok(holdings) => holdings,
        Err(lost) => return Ok(lost.into()),
    };
    let case = holdings.case(&recorded.programme, recorded.applied_on);
    let decision = evaluate(&set, &case, &recorded.uses);
    let (held, prior) = (recorded.held.clone(), recorded.prior.clone());
    let again = Ruling::of(decision, held, prior, recorded.uses.clone());
    // What a panel declined grants nothing, whatever the rules would.
    let again = match recorded.is_granted() {
        true => again,
        false => again.declined(),
    };
    Ok(match again == *recorded {
        true => Again::Equal(recorded.lines.len() as u64),
        false => Again::Differs(difference(recorded, &again)),
    })
}

/// Where two rulings part, without anything personal.
fn difference(recorded: &Ruling, again: &Ruling) -> String {
    let sum = |ruling: &Ruling| -> u64 {
        let credits = ruling.lines.iter().map(|line| line.credits.hundredths());
        credits.map(u64::from).sum()
    };
    if recorded.lines != again.lines {
        return format!(
            "{} lines of together {} hundredths were recorded, {} of {} come out",
            recorded.lines.len(),
            sum(recorded),
            again.lines.len(),
            sum(again)
        );
    }
    format!(
        "{} uses were refused, {} are now",
        recorded.refused.len(),
        again.refused.len()
    )
}
