//! Two banks close their months: each states alone, differences are found and named, and a closed month stays as it is.
//!
//! The transfers are written into the databases of stopped banks, because no two sound banks come to differ. So these
//! scenarios do not end with `check_log`, which would find that no entry tells of them.

use std::process::Output;

use creditbank_domain::record::RecordRef;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::{
    Purpose, Reason, Recognition, Release, Side, Step, Taken, Transfer, TransferId,
};
use creditbank_domain::{Category, Credit, LeafIndex};
use creditbank_ledger::reconcile::row;
use creditbank_store::{ShelfKey, Store, StoreOptions, Views};
use serde_json::Value;

use crate::bank::{Bank, told};
use crate::peers::Pair;

/// The peer is the first institution that either bank admits.
const PEER: InstitutionNumber = InstitutionNumber(1);
/// 2026-01-03T00:00 in China, and a month later.
const JANUARY_MS: u64 = 1_767_369_600_000;
const FEBRUARY_MS: u64 = JANUARY_MS + 31 * 86_400_000;

/// One transfer from Shanghai to Jiangsu, as both know it, with steps that nothing is missing from.
#[derive(Clone)]
struct Story {
    number: u64,
    steps: Vec<Taken>,
}

impl Story {
    fn settled(number: u64) -> Self {
        let record = RecordRef {
            leaf_index: LeafIndex(number),
            leaf_hash: [number.to_be_bytes()[7]; 32],
        };
        let (origin, receiver) = (number * 10, number * 10);
        let steps = [
            (receiver + 1, Step::Requested { consent: record }),
            (
                origin + 1,
                Step::Reserved {
                    outcome: record,
                    purpose: Purpose::Degree,
                },
            ),
            (
                origin + 2,
                Step::Released(Release {
                    commitment: record.leaf_hash,
                    category: Category::DegreeCourse,
                    source: Credit::from_hundredths(400),
                    agreement: "sh-js".into(),
                    agreement_version: "R23".into(),
                }),
            ),
            (receiver + 2, Step::Received),
            (receiver + 3, Step::Recognised(recognition(300, "R23"))),
            (
                origin + 3,
                Step::Acknowledged {
                    heard: receiver + 3,
                },
            ),
        ];
        let mut story = Self {
            number,
            steps: Vec::new(),
        };
        for (sequence, step) in steps {
            story = story.then(JANUARY_MS, sequence, step);
        }
        story
    }

    fn then(mut self, from_ms: u64, sequence: u64, step: Step) -> Self {
        let at_ms = from_ms + self.number * 1000 + self.steps.len() as u64;
        self.steps.push(Taken {
            sequence,
            at_ms,
            step,
        });
        self
    }

    /// The origin wants the recognition reversed.
    fn asked_back(self, reason: Reason) -> Self {
        let sequence = self.number * 10 + 4;
        self.then(JANUARY_MS, sequence, Step::ReversalRequested(reason))
    }

    /// It was reversed, a month later.
    fn reversed(self) -> Self {
        let (reversal, heard) = (self.number * 10 + 4, self.number * 10 + 5);
        let step = Step::Reversed(Reason::DecisionReversed);
        let noted = Step::Acknowledged { heard: reversal };
        self.then(FEBRUARY_MS, reversal, step)
            .then(FEBRUARY_MS, heard, noted)
    }

    fn recognised(mut self, recognition: Recognition) -> Self {
        self.steps[4].step = Step::Recognised(recognition);
        self
    }

    /// Only so many steps have arrived.
    fn first(mut self, steps: usize) -> Self {
        self.steps.truncate(steps);
        self
    }

    fn at(&self, side: Side) -> Transfer {
        let mut id = [0; 16];
        id[0] = self.number.to_be_bytes()[7].wrapping_mul(37);
        id[15] = self.number.to_be_bytes()[7];
        let mut transfer = Transfer::new(TransferId(id), side);
        transfer.steps.clone_from(&self.steps);
        transfer
    }
}

fn recognition(credited: u32, agreement_version: &str) -> Recognition {
    Recognition {
        rule: "english".into(),
        rule_set: [7; 32],
        agreement_version: agreement_version.into(),
        credited: Credit::from_hundredths(credited),
        spent: Credit::from_hundredths(300),
        decided_at_ms: JANUARY_MS,
    }
}

/// What Shanghai and Jiangsu have: one that agrees, and one of every class.
fn differing() -> [Vec<Story>; 2] {
    let story = Story::settled;
    let late = story(7).asked_back(Reason::RecognisedLate);
    let revoked = story(8).asked_back(Reason::OutcomeNotInForce);
    let sh = vec![
        story(1),
        story(2),
        story(4),
        story(5),
        story(6).first(4),
        late.clone(),
        revoked.clone(),
    ];
    let js = vec![
        story(1),
        story(3),
        story(4).recognised(recognition(299, "R23")),
        story(5).recognised(recognition(300, "R24")),
        story(6).first(5),
        late,
        revoked,
    ];
    [sh, js]
}

/// Both have everything, and what was asked back is reversed.
fn mended() -> Vec<Story> {
    let story = Story::settled;
    let late = story(7).asked_back(Reason::RecognisedLate).reversed();
    let revoked = story(8).asked_back(Reason::OutcomeNotInForce).reversed();
    let rest = [1, 2, 3, 4, 5, 6].map(story);
    rest.into_iter().chain([late, revoked]).collect()
}

/// Writes transfers into the database of a stopped bank.
fn write(bank: &Bank, side: Side, stories: &[Story]) {
    let store = Store::open(&bank.dir().join("db"), &StoreOptions::default());
    let store = store.expect("a stopped bank's database");
    let mut views = Views::default();
    for story in stories {
        let transfer = story.at(side);
        let key = ShelfKey::Transfer(PEER, transfer.id.0);
        views.shelf.insert(key, Some(row(&transfer)));
    }
    store.write_views(&views).expect("written");
    store.close().expect("closed");
}

/// Two banks with other transfers than they had.
fn with(pair: &mut Pair, [sh, js]: &[Vec<Story>; 2]) {
    pair.sh.stop();
    pair.js.stop();
    write(&pair.sh, Side::Origin, sh);
    write(&pair.js, Side::Receiver, js);
    pair.sh.start();
    pair.js.start();
}

fn run(bank: &Bank, arguments: &[&str]) -> Output {
    let (key, public) = (bank.dir().join("operator.key"), bank.dir().join("bank.pub"));
    let [key, public] = [&key, &public].map(|path| path.to_str().expect("UTF-8"));
    let server = format!("http://{}", bank.grpc());
    let named = ["--key", key, "--bank", public, "--server", &server];
    bank.run(&[&["reconcile"], arguments, &named].concat())
}

/// The report of a period and the exit code.
#[track_caller]
fn close(bank: &Bank, peer: &str, period: &str) -> (Value, Option<i32>) {
    let arguments = ["--peer", peer, "--period", period, "--format", "json"];
    let output = run(bank, &arguments);
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {}", told(&output)));
    (report, output.status.code())
}

/// Standing and class of every difference.
fn classes(report: &Value) -> Vec<String> {
    let differences = report["differences"].as_array().expect("a list");
    let text = |it: &Value, field: &str| it[field].as_str().expect("a code").to_owned();
    let mut classes: Vec<_> = differences
        .iter()
        .map(|it| format!("{} {}", text(it, "standing"), text(it, "class")))
        .collect();
    classes.sort();
    classes
}

const OPENED: [&str; 7] = [
    "opened amount",
    "opened origin-only",
    "opened receiver-only",
    "opened revoked",
    "opened state",
    "opened two-receivers",
    "opened version",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_difference_is_named_at_both_banks_and_cleared_by_a_late_match() {
    let mut pair = Pair::new();
    with(&mut pair, &differing());
    let (sh, code) = close(&pair.sh, "jiangsu", "2026-01");
    assert_eq!(
        (classes(&sh), code),
        (OPENED.map(str::to_owned).to_vec(), Some(1))
    );
    assert_eq!(
        (&sh["agreed"], &sh["is_complete"]),
        (&false.into(), &true.into())
    );
    let (js, code) = close(&pair.js, "shanghai", "2026-01");
    assert_eq!((classes(&js), code), (classes(&sh), Some(1)));
    assert_eq!(js["suspense"], sh["suspense"]);
    assert_eq!(
        (&js["own_hash"], &js["their_hash"]),
        (&sh["their_hash"], &sh["own_hash"])
    );
    // 2: 4 released; 3: 3 credited; 4: 0.01; 5: 3; 6: 4; 7 and 8: 3 each.
    assert_eq!(sh["suspense"], "20.01");

    // By February everything has come, and what was asked back is reversed.
    let mended = mended();
    with(&mut pair, &[mended.clone(), mended]);
    for (bank, peer) in [(&pair.sh, "jiangsu"), (&pair.js, "shanghai")] {
        let (report, code) = close(bank, peer, "2026-02");
        let cleared = OPENED.map(|it| it.replace("opened", "cleared"));
        assert_eq!(
            (classes(&report), code),
            (cleared.to_vec(), Some(0)),
            "{peer}"
        );
        assert_eq!(
            (&report["agreed"], &report["suspense"]),
            (&true.into(), &"0".into())
        );
    }
    // January is what it was when it was closed.
    let (again, code) = close(&pair.sh, "jiangsu", "2026-01");
    assert_eq!((again, code), (sh, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn months_are_closed_in_order_and_told_in_three_forms() {
    let mut pair = Pair::new();
    let refused = run(&pair.sh, &["--peer", "jiangsu", "--period", "2126-01"]);
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    assert!(told(&refused).contains("not over"), "{}", told(&refused));
    let (report, code) = close(&pair.sh, "jiangsu", "2026-01");
    assert_eq!((&report["agreed"], code), (&true.into(), Some(0)));
    // Jiangsu has not closed January yet, so it cannot state February; March is not the next.
    for period in ["2026-02", "2026-03"] {
        let refused = run(&pair.sh, &["--peer", "jiangsu", "--period", period]);
        assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
        assert!(
            told(&refused).contains("period before"),
            "{}",
            told(&refused)
        );
    }
    close(&pair.js, "shanghai", "2026-01");
    let arguments = ["--peer", "jiangsu", "--period", "2026-02"];
    let table = run(&pair.sh, &arguments);
    assert_eq!(table.status.code(), Some(0), "{}", told(&table));
    assert!(told(&table).contains("两份对账单相符"), "{}", told(&table));
    let csv = run(
        &pair.sh,
        &[&arguments[..], &["--show", "--format", "csv"]].concat(),
    );
    let csv = String::from_utf8(csv.stdout).expect("text");
    assert!(
        csv.starts_with("section,period,origin,receiver,name"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 1 + 2 * 11, "{csv}");
    let listed = run(&pair.sh, &["--list", "--format", "json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let periods: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["period"])
        .collect();
    assert_eq!(periods, ["2026-01", "2026-02"]);
    // Statements and closings are entries that anybody can fold.
    pair.sh.check_log();
    pair.js.check_log();
}
