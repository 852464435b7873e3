//! Banks of several regions that know each other: each pinned in the others' settings, registered, running.

use std::time::{Duration, Instant};

use creditbank_client::transfer::{notice_digest, transfer};
use creditbank_domain::LearnerCode;
use creditbank_domain::record::RecordRef;
use creditbank_domain::transfer::{Purpose, TransferId};
use creditbank_wire::v1;

use crate::bank::{BOUND, Bank, told};
use crate::institution::{Institution, admission, digits, keys};

/// Between two questions whether something has happened.
const PAUSE: Duration = Duration::from_millis(50);
/// Where the published rules of the four regions lie.
const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/rules/delta");

/// One region: its bank, a college that deposits, a window that acts for learners.
pub(crate) struct Region {
    pub(crate) id: &'static str,
    pub(crate) bank: Bank,
    pub(crate) college: Institution,
    pub(crate) window: Institution,
}

/// What a region is called, the province and a district of it.
const REGIONS: [(&str, &str, &str); 4] = [
    ("shanghai", "31", "310110"),
    ("jiangsu", "32", "320106"),
    ("zhejiang", "33", "330106"),
    ("anhui", "34", "340104"),
];

/// The origin of a region's log.
pub(crate) fn origin(id: &str) -> String {
    format!("{id}.test/log")
}

/// The first `count` regions; each knows all others, and has published the rules of the Delta.
pub(crate) async fn regions(count: usize) -> Vec<Region> {
    regions_with(count, |_| {}).await
}

/// The same, with settings changed before the first start.
pub(crate) async fn regions_with(count: usize, change: impl Fn(&Bank)) -> Vec<Region> {
    let mut banks: Vec<(&'static str, &str, Bank)> = REGIONS[..count]
        .iter()
        .map(|(id, province, district)| {
            let arguments = ["--region", province, "--test-regions"];
            let mut bank = Bank::made_as(&origin(id), &arguments);
            bank.settle();
            change(&bank);
            (*id, *district, bank)
        })
        .collect();
    for (id, _, bank) in &mut banks {
        let [grpc, http] = bank.settle();
        let card = run(
            bank,
            &[
                "peer",
                "card",
                "{dir}",
                "--id",
                id,
                "--grpc",
                &format!("http://{grpc}"),
                "--http",
                &format!("http://{http}"),
            ],
        );
        std::fs::write(bank.beside().join("card"), card).expect("room for a card");
    }
    let cards: Vec<_> = banks
        .iter()
        .map(|(_, _, bank)| bank.beside().join("card").display().to_string())
        .collect();
    for (number, (_, _, bank)) in banks.iter_mut().enumerate() {
        for (_, card) in cards.iter().enumerate().filter(|(at, _)| *at != number) {
            run(bank, &["peer", "add", "{dir}", card]);
        }
        bank.start();
    }
    let mut regions = Vec::new();
    for (number, (id, district, bank)) in banks.into_iter().enumerate() {
        for (_, card) in cards.iter().enumerate().filter(|(at, _)| *at != number) {
            as_operator(&bank, &["peer", "admit", "--card", card]);
        }
        as_operator(&bank, &["rules", "publish", RULES]);
        regions.push(region(id, district, bank).await);
    }
    regions
}

async fn region(id: &'static str, district: &str, bank: Bank) -> Region {
    let admit = async |name: String, role, categories: &[v1::Category]| {
        let keys = keys(&name);
        let mut request = admission(&keys, role, categories);
        let profile = request.profile.as_mut().expect("a profile");
        profile.region = district.to_owned();
        let mut registry = bank.operator().await.registry();
        let admitted = registry.create_institution(request).await;
        admitted.expect("the operator admits institutions");
        Institution::known(&bank, keys.into()).await
    };
    let courses = [v1::Category::DegreeCourse];
    let college = admit(format!("{id}-ou"), v1::Role::Institution, &courses).await;
    let window = admit(format!("{id}-window"), v1::Role::LearnerAgent, &[]).await;
    Region {
        id,
        bank,
        college,
        window,
    }
}

impl Region {
    /// Connects anew after the bank was started again.
    pub(crate) async fn reconnect(&mut self) {
        self.college.reconnect(&self.bank).await;
        self.window.reconnect(&self.bank).await;
    }

    /// A course of four credits that the rules of the Delta know in every region, deposited by the college.
    pub(crate) async fn deposit(&self, key: &str, learner: LearnerCode) -> RecordRef {
        let record = self
            .college
            .maker
            .outcome(key.as_bytes(), learner, course());
        self.college.deposit(&self.bank, vec![record]).await[0]
    }

    /// The learner's consent to give an outcome to another region, and the transfer that it allows.
    pub(crate) async fn consent(
        &self,
        learner: LearnerCode,
        outcome: RecordRef,
        to: &Region,
        known_there_as: LearnerCode,
    ) -> (RecordRef, TransferId) {
        let consent = v1::Consent {
            outcome: Some(v1::RecordRef {
                leaf_index: outcome.leaf_index.0,
                leaf_hash: outcome.leaf_hash.to_vec().into(),
            }),
            category: v1::Category::DegreeCourse.into(),
            recipient: origin(to.id),
            recipient_learner: digits(known_there_as),
            purpose: Purpose::Degree as i32,
            programme: programme(to.id).into(),
            notice_sha256: notice_digest("告知书".as_bytes()).to_vec().into(),
        };
        let key = format!("consent {outcome:?} {}", to.id);
        let record = self.window.maker.consent(key.as_bytes(), learner, consent);
        self.consented(record).await
    }

    /// Deposits a consent; where it lies, and the transfer that it allows.
    pub(crate) async fn consented(&self, record: v1::SignedRecord) -> (RecordRef, TransferId) {
        let salt = record.salt[..].try_into().expect("32 bytes");
        let at = self.window.deposit(&self.bank, vec![record]).await[0];
        (at, TransferId::of(&origin(self.id), &at, &salt))
    }

    /// Asks, at this region, for the outcome that a consent at another is about.
    pub(crate) async fn request(
        &self,
        learner: LearnerCode,
        from: &Region,
        (consent, id): (RecordRef, TransferId),
    ) {
        let key = format!("request {consent:?}");
        let record = self.window.maker.transfer_request(
            key.as_bytes(),
            learner,
            &origin(from.id),
            &consent,
            id,
        );
        self.window.deposit(&self.bank, vec![record]).await;
    }

    /// Waits until a transfer is in a state here, acknowledged or not.
    pub(crate) async fn reaches(
        &self,
        id: TransferId,
        state: &str,
        acknowledged: bool,
    ) -> v1::TransferView {
        let mut last = String::new();
        until(
            &format!("{} at {}", state, self.id),
            &mut last,
            async |last| {
                let view = transfer(&self.window.line, id).await.ok()?;
                *last = format!("{} {} {}", view.state, view.acknowledged, view.reason);
                (view.state == state && view.acknowledged == acknowledged).then_some(view)
            },
        )
        .await
    }

    /// Applies for the recognition of an outcome that has come from another region.
    pub(crate) async fn apply(&self, learner: LearnerCode, outcome: u64) -> u64 {
        let set = self.set().await;
        let form = v1::Application {
            programme: programme(self.id).into(),
            uses: vec![v1::Use {
                rule: "js-sh-course".into(),
                outcomes: vec![outcome],
                courses: Vec::new(),
            }],
            note: String::new(),
        };
        let key = format!("application {outcome}");
        let hash = set[..].try_into().expect("32 bytes");
        let maker = &self.window.maker;
        let record = maker.application(key.as_bytes(), learner, &hash, form);
        let at = self.window.deposit(&self.bank, vec![record]).await[0];
        at.leaf_index.0
    }

    async fn set(&self) -> Vec<u8> {
        let request = v1::GetRuleSetRequest {
            set_id: "delta".into(),
            ..Default::default()
        };
        let found = self.window.line.rules().get_rule_set(request).await;
        found.expect("it is published").into_inner().hash.to_vec()
    }
}

/// The programme of a region that the rules of the Delta recognise outcomes for.
pub(crate) fn programme(id: &str) -> &'static str {
    match id {
        "jiangsu" => "marketing-js",
        _ => "marketing-sh",
    }
}

fn course() -> v1::Outcome {
    let mut outcome = crate::institution::course("消费者行为学");
    outcome.credits_hundredths = Some(400);
    outcome.completed_on = "2024-01-20".into();
    if let Some(v1::outcome::Detail::DegreeCourse(it)) = &mut outcome.detail {
        it.stage = 21;
    }
    outcome
}

/// Asks again until there is an answer; says what was last seen where there is none in time.
#[expect(clippy::disallowed_methods, reason = "a test that waits, with a bound")]
pub(crate) async fn until<T>(
    what: &str,
    last: &mut String,
    mut ask: impl AsyncFnMut(&mut String) -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask(last).await {
            return answer;
        }
        assert!(started.elapsed() < BOUND, "{what} does not happen: {last}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Runs a command that must succeed; gives what it printed.
#[track_caller]
pub(crate) fn run(bank: &Bank, arguments: &[&str]) -> String {
    let output = bank.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", told(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// The same, in the name of the operator.
#[track_caller]
pub(crate) fn as_operator(bank: &Bank, arguments: &[&str]) -> String {
    let server = format!("http://{}", bank.grpc());
    let (key, public) = (
        bank.dir().join("operator.key").display().to_string(),
        bank.dir().join("bank.pub").display().to_string(),
    );
    let flags = ["--server", &server, "--key", &key, "--bank", &public];
    run(bank, &[arguments, &flags].concat())
}
