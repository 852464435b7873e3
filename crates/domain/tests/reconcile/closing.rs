//! Which periods a bank has stated and closed, from its log.

use creditbank_domain::reconcile::{Closed, Pair, PeriodStatement, link};
use creditbank_domain::record::{Algorithm, KeyPurpose, PublicKey, Statement};
use creditbank_domain::registry::Registry;
use creditbank_domain::{Digest32, LeafIndex, Refusal};

use crate::fixture::*;

/// The log of sh.
struct Log {
    registry: Registry,
    size: u64,
}

impl Log {
    fn new() -> Self {
        let mut log = Self {
            registry: Registry::default(),
            size: 0,
        };
        let keys = vec![PublicKey {
            algorithm: Algorithm::Ed25519,
            bytes: [3; 32],
            purpose: KeyPurpose::Sign,
        }];
        let origin = ORIGINS[SH].to_owned();
        log.offer(Statement::LogOpened { origin, keys })
            .expect("a log");
        log
    }

    fn offer(&mut self, statement: Statement) -> Result<(), Refusal> {
        let index = LeafIndex(self.size);
        self.registry.check(index, &statement)?;
        self.registry.apply(index, &statement);
        self.size += 1;
        Ok(())
    }

    fn state(&mut self, statement: &PeriodStatement) -> Result<(), Refusal> {
        self.offer(Statement::PeriodStated(Box::new(statement.clone())))
    }

    fn close(&mut self, statement: &PeriodStatement, theirs: Digest32) -> Result<(), Refusal> {
        self.offer(Statement::PeriodClosed(Box::new(closed(statement, theirs))))
    }
}

fn closed(statement: &PeriodStatement, theirs: Digest32) -> Closed {
    Closed {
        peer: ORIGINS[JS].into(),
        period: statement.period,
        own: statement.hash(),
        theirs,
        their_leaf: record(5),
        differences: 0,
        suspense: 0,
    }
}

/// An empty statement of sh with js.
fn statement(of: &str, previous: Digest32) -> PeriodStatement {
    World::default().state(SH, JS, of, previous).statement
}

#[test]
fn a_period_is_stated_once_closed_once_and_in_order() {
    let mut log = Log::new();
    let november = statement(NOVEMBER, [0; 32]);
    let hash = november.hash();
    assert_eq!(log.close(&november, hash), Err(Refusal::PeriodBeforeOpen));
    assert_eq!(log.state(&november), Ok(()));
    assert_eq!(log.state(&november), Err(Refusal::PeriodClosed));

    let december = statement(DECEMBER, link([hash, hash]));
    // November is not closed.
    assert_eq!(log.state(&december), Err(Refusal::PeriodBeforeOpen));
    assert_eq!(log.close(&november, hash), Ok(()));
    assert_eq!(log.close(&november, hash), Err(Refusal::PeriodClosed));
    assert_eq!(log.state(&november), Err(Refusal::PeriodClosed));

    // A month that is left out, and one that names another past.
    let january = statement("2027-01", link([hash, hash]));
    assert_eq!(log.state(&january), Err(Refusal::PeriodBeforeOpen));
    let forgetful = statement(DECEMBER, [0; 32]);
    let expected = Err(Refusal::Inconsistent { with: "previous" });
    assert_eq!(log.state(&forgetful), expected);
    assert_eq!(log.state(&december), Ok(()));
    assert_eq!(log.registry.periods().with(ORIGINS[JS]).len(), 2);
}

#[test]
fn a_period_that_was_closed_with_a_difference_does_not_spoil_the_next() {
    let mut log = Log::new();
    let november = statement(NOVEMBER, [0; 32]);
    let theirs = [9; 32];
    log.state(&november).expect("a statement");
    log.close(&november, theirs).expect("closed");
    let stated = log.registry.periods().find(ORIGINS[JS], period(NOVEMBER));
    let (closed, at) = stated.and_then(|it| it.closed.clone()).expect("closed");
    assert!(!closed.is_agreed());
    assert_eq!(at, LeafIndex(2));
    // js comes first in the pair, and names the same two hashes in the same order.
    let december = statement(DECEMBER, link([theirs, november.hash()]));
    assert_eq!(log.state(&december), Ok(()));
}

#[test]
fn nobody_closes_what_was_not_stated_so() {
    let mut log = Log::new();
    let november = statement(NOVEMBER, [0; 32]);
    log.state(&november).expect("a statement");
    let mut other = closed(&november, [9; 32]);
    other.own = [8; 32];
    let refused = log.offer(Statement::PeriodClosed(Box::new(other)));
    assert_eq!(refused, Err(Refusal::Inconsistent { with: "own" }));
    let mut wrong = statement(NOVEMBER, [0; 32]);
    wrong.items = 1;
    wrong.pair = Pair::of(ORIGINS[SH], ORIGINS[AH]).expect("a pair");
    let refused = log.state(&wrong);
    assert_eq!(refused, Err(Refusal::Inconsistent { with: "items" }));
    // Another pair's statement does not belong into this log.
    wrong.pair = Pair::of(ORIGINS[JS], ORIGINS[AH]).expect("a pair");
    assert_eq!(log.state(&wrong), Err(Refusal::OriginForeign));
}

#[test]
fn pairs_are_closed_each_for_itself() {
    let mut log = Log::new();
    log.state(&statement(NOVEMBER, [0; 32])).expect("with js");
    let with_ah = World::default().state(SH, AH, DECEMBER, [0; 32]).statement;
    assert_eq!(log.state(&with_ah), Ok(()));
    let peers: Vec<_> = log.registry.periods().peers().collect();
    assert_eq!(peers, [ORIGINS[AH], ORIGINS[JS]]);
}
