//! Points: what a purse lets happen, held against points counted one by one.

use creditbank_domain::points::{Account, Entry, Honour, Purse, Reason, RedemptionState};
use creditbank_domain::rules::{Place, Wording};
use creditbank_domain::text::Label;
use creditbank_domain::{LeafIndex, Refusal};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

const DAY: Date = date(2026, 3, 1);

fn books() -> Label {
    Label::parse("图书").unwrap()
}

fn earned(outcome: u64, points: u32, expires_on: Option<Date>) -> Entry {
    Entry {
        on: DAY,
        points,
        reason: Reason::Earned {
            rule: "hours".into(),
            outcome: LeafIndex(outcome),
            expires_on,
        },
    }
}

/// A purse with one lot for each pair of points and last day; outcomes are numbered from 0.
fn purse(lots: &[(u32, Option<Date>)]) -> Purse {
    let entries: Vec<_> = (0..)
        .zip(lots)
        .map(|(at, lot)| earned(at, lot.0, lot.1))
        .collect();
    Purse::fold(&entries).unwrap()
}

/// Applies what an operation made.
fn then(purse: &mut Purse, entry: Entry) {
    purse.apply(&entry).unwrap();
    assert_eq!(sum(purse), 0);
}

fn sum(purse: &Purse) -> i64 {
    Account::ALL
        .iter()
        .map(|account| purse.balance(*account))
        .sum()
}

#[test]
fn an_entry_moves_points_between_two_accounts() {
    use Account::{Available, ClawedBack, Expired, Issued, Redeemed, Reserved};
    let redemption = [7; 16];
    let table = [
        (earned(0, 1, None).reason, Issued, Available),
        (
            Reason::Reserved {
                redemption,
                purpose: books(),
            },
            Available,
            Reserved,
        ),
        (Reason::Confirmed { redemption }, Reserved, Redeemed),
        (Reason::Cancelled { redemption }, Reserved, Available),
        (Reason::Expired, Available, Expired),
        (
            Reason::ClawedBack {
                outcome: LeafIndex(0),
            },
            Available,
            ClawedBack,
        ),
    ];
    for (reason, debit, credit) in table {
        let entry = Entry {
            on: DAY,
            points: 3,
            reason,
        };
        let posting = entry.posting();
        assert_eq!(
            (posting.debit, posting.credit, posting.points),
            (debit, credit, 3)
        );
    }
}

#[test]
fn what_expires_first_is_used_first_then_what_is_older() {
    let (soon, late) = (Some(date(2026, 6, 30)), Some(date(2026, 12, 31)));
    let mut it = purse(&[(5, None), (4, late), (3, soon), (2, late)]);
    let entry = it.reserve([1; 16], books(), 8, DAY).unwrap();
    then(&mut it, entry);
    assert_eq!(it.remaining(), [(1, late), (5, None)]);
    assert_eq!((it.available(DAY), it.balance(Account::Reserved)), (6, 8));
}

#[test]
fn a_cancelled_redemption_returns_each_point_to_its_own_last_day() {
    let (soon, late) = (Some(date(2026, 6, 30)), Some(date(2026, 12, 31)));
    let mut it = purse(&[(3, soon), (4, late)]);
    let before = it.remaining();
    let entry = it.reserve([1; 16], books(), 5, DAY).unwrap();
    then(&mut it, entry);
    assert_eq!(
        it.expire(date(2026, 7, 1)),
        None,
        "what is set aside does not expire"
    );
    let entry = it.cancel([1; 16], date(2026, 7, 1)).unwrap();
    then(&mut it, entry);
    assert_eq!(it.remaining(), before);
    assert_eq!(
        it.redemption([1; 16]).unwrap().state,
        RedemptionState::Cancelled
    );
    assert_eq!(it.available(date(2026, 7, 1)), 4);
    let entry = it.expire(date(2026, 7, 1)).unwrap();
    assert_eq!(entry.points, 3);
    then(&mut it, entry);
    assert_eq!(
        (it.remaining(), it.balance(Account::Expired)),
        (vec![(4, late)], 3)
    );
}

#[test]
fn the_last_day_of_a_lot_counts() {
    let last = date(2026, 6, 30);
    let it = purse(&[(3, Some(last))]);
    assert_eq!(
        (it.available(last), it.available(last.tomorrow().unwrap())),
        (3, 0)
    );
    assert_eq!(it.expire(last), None);
    assert!(it.reserve([1; 16], books(), 3, last).is_ok());
    let refused = it.reserve([1; 16], books(), 3, last.tomorrow().unwrap());
    assert_eq!(refused, Err(Refusal::PointsTooFew { available: 0 }));
}

#[test]
fn a_claw_back_takes_from_the_outcome_then_from_the_others_then_is_owed() {
    let mut it = purse(&[(5, None), (6, None)]);
    let entry = it.reserve([1; 16], books(), 4, DAY).unwrap();
    then(&mut it, entry);
    let entry = it.confirm([1; 16], DAY).unwrap();
    then(&mut it, entry);
    // Of the first outcome 1 is left, the other 4 come out of the second.
    let entry = it.claw_back(LeafIndex(0), DAY).unwrap();
    assert_eq!(entry.points, 5);
    then(&mut it, entry);
    assert_eq!(
        (it.remaining(), it.owed(), it.lifetime()),
        (vec![(2, None)], 0, 6)
    );
    assert_eq!(it.claw_back(LeafIndex(0), DAY), None, "once");
    let entry = it.claw_back(LeafIndex(1), DAY).unwrap();
    then(&mut it, entry);
    assert_eq!(
        (it.available(DAY), it.owed(), it.balance(Account::Available)),
        (0, 4, -4)
    );
    assert_eq!((it.lifetime(), it.balance(Account::ClawedBack)), (0, 11));
    assert_eq!(it.earned_by(LeafIndex(1)), None);
    assert!(
        it.has_earned(LeafIndex(1)),
        "nothing earns again what was clawed back"
    );
}

#[test]
fn what_has_expired_is_not_taken_back() {
    let mut it = purse(&[(5, Some(DAY)), (6, None)]);
    let entry = it.expire(DAY.tomorrow().unwrap()).unwrap();
    then(&mut it, entry);
    assert_eq!(it.claw_back(LeafIndex(0), DAY), None);
    assert_eq!(it.available(DAY), 6);
}

#[test]
fn nothing_is_redeemed_while_something_is_owed() {
    let mut it = purse(&[(5, None), (3, None)]);
    let entry = it.reserve([1; 16], books(), 8, DAY).unwrap();
    then(&mut it, entry);
    let entry = it.claw_back(LeafIndex(0), DAY).unwrap();
    then(&mut it, entry);
    let owed = Err(Refusal::PointsOwed { owed: 5 });
    assert_eq!(it.reserve([2; 16], books(), 1, DAY), owed);
    assert_eq!(it.confirm([1; 16], DAY), owed);
    then(&mut it, earned(7, 2, None));
    assert_eq!(
        (it.owed(), it.available(DAY)),
        (3, 0),
        "what is earned clears it first"
    );
    let entry = it.cancel([1; 16], DAY).unwrap();
    then(&mut it, entry);
    assert_eq!(
        (it.owed(), it.available(DAY)),
        (0, 5),
        "what is given back clears it too"
    );
}

#[test]
fn a_refused_operation_says_why() {
    let mut it = purse(&[(5, None)]);
    let too_few = Err(Refusal::PointsTooFew { available: 5 });
    assert_eq!(it.reserve([1; 16], books(), 6, DAY), too_few);
    assert_eq!(it.reserve([1; 16], books(), 0, DAY), too_few);
    let unknown = Err(Refusal::NotFound { what: "redemption" });
    assert_eq!(it.confirm([1; 16], DAY), unknown);
    assert_eq!(it.cancel([1; 16], DAY), unknown);
    let entry = it.reserve([1; 16], books(), 5, DAY).unwrap();
    then(&mut it, entry);
    assert_eq!(
        it.reserve([1; 16], books(), 1, DAY),
        Err(Refusal::RedemptionExists)
    );
    let entry = it.confirm([1; 16], DAY).unwrap();
    then(&mut it, entry);
    assert_eq!(it.confirm([1; 16], DAY), Err(Refusal::RedemptionClosed));
    assert_eq!(it.cancel([1; 16], DAY), Err(Refusal::RedemptionClosed));
    assert_eq!(it.claw_back(LeafIndex(9), DAY), None);
}

#[test]
fn an_entry_that_the_purse_would_not_make_is_refused() {
    let mut it = purse(&[(5, Some(DAY))]);
    let entry = it.reserve([1; 16], books(), 2, DAY).unwrap();
    then(&mut it, entry);
    let next = DAY.tomorrow().unwrap();
    let redemption = [1; 16];
    let table = [
        (DAY, 1, Reason::Confirmed { redemption }),
        (DAY, 3, Reason::Cancelled { redemption }),
        (DAY, 3, Reason::Expired),
        (next, 2, Reason::Expired),
        (
            DAY,
            4,
            Reason::ClawedBack {
                outcome: LeafIndex(0),
            },
        ),
        (
            DAY,
            5,
            Reason::ClawedBack {
                outcome: LeafIndex(1),
            },
        ),
        (DAY, 5, earned(0, 5, None).reason),
        (DAY, 0, earned(1, 0, None).reason),
    ];
    let before = it.clone();
    for (on, points, reason) in table {
        let entry = Entry { on, points, reason };
        assert_eq!(
            it.apply(&entry),
            Err(Refusal::Inconsistent { with: "points" }),
            "{entry:?}"
        );
        assert_eq!(it, before);
    }
}

#[test]
fn honours_go_by_what_was_ever_earned() {
    let honour = |id: &str, min_points| Honour {
        id: id.into(),
        title: Wording::default(),
        min_points,
        clause: String::new(),
        place: Place::default(),
    };
    let honours = [
        honour("gold", 100),
        honour("bronze", 10),
        honour("silver", 50),
    ];
    let table = [
        (0, None, Some("bronze")),
        (9, None, Some("bronze")),
        (10, Some("bronze"), Some("silver")),
        (99, Some("silver"), Some("gold")),
        (100, Some("gold"), None),
    ];
    for (points, reached, next) in table {
        let id = |it: Option<&Honour>| it.map(|it| it.id.clone());
        assert_eq!(
            id(Honour::reached(&honours, points)).as_deref(),
            reached,
            "{points}"
        );
        assert_eq!(
            id(Honour::next(&honours, points)).as_deref(),
            next,
            "{points}"
        );
    }
}

/// One point of the model: every point is a thing with a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Free,
    Reserved(u8),
    /// Redeemed, or spent on what was owed.
    Gone,
    Expired,
}

/// Points counted one by one: `(last day, outcome, place)`, in the order in which they were earned.
#[derive(Clone, Debug, Default)]
struct Model {
    points: Vec<(Option<Date>, u64, At)>,
    clawed_back: Vec<u64>,
    owed: usize,
}

impl Model {
    /// Positions of free points in the order in which they are used up.
    fn free(&self, keep: impl Fn(Option<Date>) -> bool) -> Vec<usize> {
        let is_free = |at: &usize| self.points[*at].2 == At::Free && keep(self.points[*at].0);
        let mut free: Vec<_> = (0..self.points.len()).filter(is_free).collect();
        free.sort_by_key(|at| {
            (
                self.points[*at].0.unwrap_or(Date::MAX),
                self.points[*at].1,
                *at,
            )
        });
        free
    }

    fn release(&mut self, at: usize) {
        self.points[at].2 = if self.owed > 0 { At::Gone } else { At::Free };
        self.owed = self.owed.saturating_sub(1);
    }

    fn remaining(&self) -> Vec<(u32, Option<Date>)> {
        let free = self.free(|_| true);
        let lots = free.chunk_by(|a, b| self.points[*a].1 == self.points[*b].1);
        lots.map(|lot| (lot.len() as u32, self.points[lot[0]].0))
            .collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Earn(u64, u32, Option<i32>),
    Reserve(u8, u32),
    Confirm(u8),
    Cancel(u8),
    Expire,
    ClawBack(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..8_u64, 1..6_u32, prop::option::of(0..40_i32))
            .prop_map(|(outcome, points, days)| Step::Earn(outcome, points, days)),
        3 => (0..6_u8, 0..9_u32).prop_map(|(id, points)| Step::Reserve(id, points)),
        2 => (0..6_u8).prop_map(Step::Confirm),
        2 => (0..6_u8).prop_map(Step::Cancel),
        1 => Just(Step::Expire),
        2 => (0..8_u64).prop_map(Step::ClawBack),
    ]
}

/// Takes a step in both; whether it was refused must agree.
fn take(purse: &mut Purse, model: &mut Model, step: &Step, on: Date) -> Option<Entry> {
    let entry = match step {
        Step::Earn(outcome, points, days) => {
            let expires_on = days.map(|days| on + days.days());
            let entry = Entry {
                on,
                ..earned(*outcome, *points, expires_on)
            };
            (!purse.has_earned(LeafIndex(*outcome))).then_some(entry)
        }
        Step::Reserve(id, points) => purse.reserve([*id; 16], books(), *points, on).ok(),
        Step::Confirm(id) => purse.confirm([*id; 16], on).ok(),
        Step::Cancel(id) => purse.cancel([*id; 16], on).ok(),
        Step::Expire => purse.expire(on),
        Step::ClawBack(outcome) => purse.claw_back(LeafIndex(*outcome), on),
    };
    let entry = entry?;
    purse.apply(&entry).unwrap();
    let reserved = |model: &Model, id: u8| -> Vec<usize> {
        let mut at: Vec<_> = (0..model.points.len())
            .filter(|at| model.points[*at].2 == At::Reserved(id))
            .collect();
        at.sort_by_key(|at| {
            (
                model.points[*at].0.unwrap_or(Date::MAX),
                model.points[*at].1,
                *at,
            )
        });
        at
    };
    match *step {
        Step::Earn(outcome, points, days) => {
            let order = model
                .points
                .iter()
                .map(|it| it.1 / 100)
                .max()
                .map_or(0, |last| last + 1);
            for _ in 0..points {
                let last = days.map(|days| on + days.days());
                model.points.push((last, order * 100 + outcome, At::Free));
                model.release(model.points.len() - 1);
            }
        }
        Step::Reserve(id, points) => {
            let valid = model.free(|last| last.is_none_or(|last| on <= last));
            for at in &valid[..points as usize] {
                model.points[*at].2 = At::Reserved(id);
            }
        }
        Step::Confirm(id) => {
            for at in reserved(model, id) {
                model.points[at].2 = At::Gone;
            }
        }
        Step::Cancel(id) => {
            for at in reserved(model, id) {
                model.release(at);
            }
        }
        Step::Expire => {
            for at in model.free(|last| last.is_some_and(|last| last < on)) {
                model.points[at].2 = At::Expired;
            }
        }
        Step::ClawBack(outcome) => {
            model.clawed_back.push(outcome);
            let of_it = |it: &&(Option<Date>, u64, At)| it.1 % 100 == outcome;
            let all = model.points.iter().filter(of_it);
            let due = all.filter(|it| it.2 != At::Expired).count();
            let mut free = model.free(|_| true);
            free.sort_by_key(|at| model.points[*at].1 % 100 != outcome);
            for at in free.iter().take(due) {
                model.points[*at].2 = At::Gone;
            }
            model.owed += due.saturating_sub(free.len());
        }
    }
    Some(entry)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_sequence_of_operations_keeps_the_books(steps in prop::collection::vec((step(), 0..6_i32), 0..60)) {
        let (mut purse, mut model, mut entries) = (Purse::default(), Model::default(), vec![]);
        let mut on = DAY;
        for (step, days) in &steps {
            on += days.days();
            let before = purse.clone();
            match take(&mut purse, &mut model, step, on) {
                Some(entry) => {
                    entries.push(entry.clone());
                    let mut other = before.clone();
                    let wrong = Entry { points: entry.points + 100, ..entry };
                    if !matches!(wrong.reason, Reason::Earned { .. }) {
                        prop_assert!(other.apply(&wrong).is_err());
                        prop_assert_eq!(&other, &before);
                    }
                }
                None => prop_assert_eq!(&purse, &before),
            }
            prop_assert_eq!(sum(&purse), 0);
            prop_assert_eq!(purse.owed(), model.owed as u64, "{:?}", step);
            prop_assert_eq!(purse.remaining(), model.remaining(), "{:?}", step);
            let lots: u32 = purse.remaining().iter().map(|(left, _)| left).sum();
            prop_assert!(purse.available(on) <= u64::from(lots));
            prop_assert!(purse.owed() == 0 || lots == 0);
            prop_assert_eq!(purse.balance(Account::Available), i64::from(lots) - purse.owed().cast_signed());
            let reserved = model.points.iter().filter(|it| matches!(it.2, At::Reserved(_))).count();
            prop_assert_eq!(purse.balance(Account::Reserved), reserved as i64);
        }
        prop_assert_eq!(Purse::fold(&entries), Ok(purse));
    }
}

/// A redemption of all three points of a purse.
fn reserve_three(purse: &mut Purse) {
    let entry = purse.reserve([1; 16], books(), 3, DAY).unwrap();
    then(purse, entry);
}

#[test]
fn an_absorbed_purse_keeps_its_lots_redemptions_and_outcomes() {
    let soon = Some(DAY + 10.days());
    let mut one = purse(&[(5, None)]);
    let mut other = Purse::fold(&[earned(9, 7, soon)]).unwrap();
    reserve_three(&mut other);
    one.absorb(other);
    assert_eq!(sum(&one), 0);
    assert_eq!(one.available(DAY), 9);
    assert_eq!(one.remaining(), [(4, soon), (5, None)]);
    assert_eq!(
        one.earners().collect::<Vec<_>>(),
        [LeafIndex(0), LeafIndex(9)]
    );
    let entry = one.cancel([1; 16], DAY).unwrap();
    then(&mut one, entry);
    assert_eq!(one.remaining(), [(7, soon), (5, None)]);
}

#[test]
fn what_one_purse_owes_the_other_clears() {
    let owing = || {
        let mut owing = purse(&[(3, None)]);
        reserve_three(&mut owing);
        let entry = owing.claw_back(LeafIndex(0), DAY).unwrap();
        then(&mut owing, entry);
        assert_eq!(owing.owed(), 3);
        owing
    };
    let rich = || Purse::fold(&[earned(9, 7, None)]).unwrap();
    for (mut one, other) in [(owing(), rich()), (rich(), owing())] {
        one.absorb(other);
        assert_eq!((one.owed(), one.available(DAY), sum(&one)), (0, 4, 0));
    }
    let mut both = owing();
    both.absorb(Purse::fold(&[earned(9, 2, None)]).unwrap());
    assert_eq!(
        (both.owed(), both.available(DAY), both.remaining()),
        (1, 0, vec![])
    );
}

#[test]
fn of_two_redemptions_with_one_id_the_open_one_counts_and_two_open_ones_are_one() {
    let open = || {
        let mut open = purse(&[(3, None)]);
        reserve_three(&mut open);
        open
    };
    let closed = || {
        let mut closed = open();
        let entry = closed.confirm([1; 16], DAY).unwrap();
        then(&mut closed, entry);
        closed
    };
    let table = [
        (open(), closed(), 3),
        (closed(), open(), 3),
        (open(), open(), 6),
    ];
    for (mut one, other, points) in table {
        one.absorb(other);
        let found: Vec<_> = one
            .open_redemptions()
            .map(|(id, it)| (id, it.points))
            .collect();
        assert_eq!(found, [([1; 16], points)]);
        let entry = one.cancel([1; 16], DAY).unwrap();
        then(&mut one, entry);
        assert_eq!(
            (one.balance(Account::Reserved), one.available(DAY)),
            (0, u64::from(points))
        );
    }
}
