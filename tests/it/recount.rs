//! Figures counted again by a program that shares nothing with the bank: Python is told what was done, one line an event,
//! and counts; the bank's figures and its yearbooks must be the same, cell by cell.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use creditbank_client::recognition::named;
use creditbank_domain::LearnerCode;
use creditbank_domain::record::RecordRef;
use creditbank_wire::v1;
use serde_json::{Value, json};

use crate::backup::{back_up, target};
use crate::bank::{BOUND, Bank, told};
use crate::chance::Chance;
use crate::institution::{Institution, admission, attended, course, digits, keys};
use crate::python::python;
use crate::recognition::{placed, rules, used};
use crate::standards::{self, project, registered};
use crate::statistics::{self, enrol};

const CATEGORIES: [v1::Category; 2] = [v1::Category::DegreeCourse, v1::Category::ElderCourse];
/// Institutions and the districts that they are of; one is of a district that was dissolved in 2011, one of none.
const SCHOOLS: [(&str, &str); 4] = [
    ("east", "310101"),
    ("west", "310101"),
    ("old", "310103"),
    ("none", ""),
];
const LEARNERS: u16 = 60;

/// A bank, and everything that was done to it.
struct Story {
    bank: Bank,
    schools: Vec<Institution>,
    window: Institution,
    learners: Vec<LearnerCode>,
    /// Records that hold: number, school, learner, place, category.
    records: Vec<(usize, usize, usize, RecordRef, v1::Category)>,
    /// Those of them that applications claim.
    claimed: BTreeSet<usize>,
    events: Vec<Value>,
    chance: Chance,
    set: creditbank_domain::Digest32,
}

impl Story {
    async fn new() -> Self {
        let bank = Bank::new();
        let mut schools = Vec::new();
        for (id, region) in SCHOOLS {
            let keys = std::sync::Arc::new(keys(id));
            let mut request = admission(&keys, v1::Role::Institution, &CATEGORIES);
            if let Some(profile) = &mut request.profile {
                profile.region = region.to_owned();
            }
            let mut registry = bank.operator().await.registry();
            registry.create_institution(request).await.expect(id);
            let school = Institution::known(&bank, keys).await;
            standards::admit(&bank, &school, &CATEGORIES).await;
            schools.push(school);
        }
        let window = registered(&bank, "window", v1::Role::LearnerAgent).await;
        let set = standards::publish(&bank, &rules("1", 0, 15, "")).await;
        Self {
            bank,
            schools,
            window,
            learners: Vec::new(),
            records: Vec::new(),
            claimed: BTreeSet::new(),
            events: Vec::new(),
            chance: Chance::from_seed(11),
            set: set.try_into().expect("a hash"),
        }
    }

    fn below(&mut self, bound: u64) -> usize {
        usize::try_from(self.chance.below(bound)).expect("small")
    }

    async fn enrolments(&mut self) {
        for order in 0..LEARNERS {
            let at = usize::from(order);
            // The last digit before the check digit says the sex; one in nine has a number that says nothing.
            let (born, sex) = (1936 + 9 * (order % 9), ["female", "male"][at % 2]);
            let is_known = order % 9 != 4;
            let code = match is_known {
                true => enrol(&self.schools[0], born, order).await,
                false => self.schools[0].enrol(&format!("student/{order}")).await,
            };
            self.learners.push(code);
            self.events.push(match is_known {
                true => json!({"enrol": at, "born": born, "sex": sex}),
                false => json!({"enrol": at}),
            });
        }
    }

    /// Any outcome, and what there is to say of it.
    fn outcome(&mut self, years: std::ops::Range<u64>) -> (v1::Outcome, Value, v1::Category) {
        let year = years.start + self.chance.below(years.end - years.start);
        let on = format!("{year}-{:02}-{:02}", 1 + self.below(12), 1 + self.below(28));
        let category = CATEGORIES[self.below(2)];
        // A class for elders has hours.
        let least = usize::from(category == v1::Category::ElderCourse);
        let hours = [0, 150, 3200, 4850][least + self.below(4 - least as u64)];
        let mut outcome = course("课程");
        let mut detail = match category {
            v1::Category::ElderCourse => Some(attended()),
            _ => outcome.detail.take(),
        };
        match &mut detail {
            Some(v1::outcome::Detail::ElderCourse(it)) => it.year = year as u32,
            Some(v1::outcome::Detail::DegreeCourse(it)) => it.year = year as u32,
            _ => {}
        }
        outcome.detail = detail;
        outcome.completed_on.clone_from(&on);
        outcome.hours_hundredths = (hours > 0).then_some(hours);
        let mut said =
            json!({"category": category as i32, "on": on, "hours": hours, "passed": true});
        match category {
            v1::Category::ElderCourse => {
                outcome.credits_hundredths = None;
                outcome.grade = None;
                outcome.project = project(category);
                said["credits"] = json!(0);
            }
            _ => {
                let score = [4000, 6000, 8550, 9900, 10_000][self.below(5)];
                let scheme = v1::grade::Scheme::PercentageHundredths(score);
                outcome.grade = Some(v1::Grade {
                    scheme: Some(scheme),
                });
                let credits = if score < 6000 { 0 } else { 250 };
                outcome.credits_hundredths = (credits > 0).then_some(credits);
                said["credits"] = json!(credits);
                said["passed"] = json!(score >= 6000);
            }
        }
        (outcome, said, category)
    }

    /// Deposits an outcome, in the place of another where that is amended.
    async fn deposit(&mut self, learner: usize, school: usize, amends: Option<usize>) {
        let number = self.events.len();
        let (outcome, mut said, category) = self.outcome(2022..2025);
        let (at, code) = (&self.schools[school], self.learners[learner]);
        let key = number.to_be_bytes();
        let record = match amends {
            None => at.maker.outcome(&key, code, outcome),
            Some(amended) => {
                let (before, _, _, place, _) = self.records.remove(amended);
                said["amends"] = json!(before);
                at.maker.amendment(&key, code, place, outcome, "登记有误")
            }
        };
        let place = at.deposit(&self.bank, vec![record]).await[0];
        let (id, district) = SCHOOLS[school];
        said["record"] = json!(number);
        said["learner"] = json!(learner);
        said["institution"] = json!(format!("{id} 学院"));
        said["district"] = json!(district.parse::<u32>().unwrap_or(0));
        self.events.push(said);
        self.records
            .push((number, school, learner, place, category));
    }

    async fn deposits(&mut self, count: usize) {
        for _ in 0..count {
            let most = 1 + self.below(u64::from(LEARNERS));
            let learner = self.below(most as u64);
            let most = 1 + self.below(SCHOOLS.len() as u64);
            let school = self.below(most as u64);
            self.deposit(learner, school, None).await;
        }
    }

    /// A record that no application claims.
    fn unclaimed(&mut self) -> usize {
        loop {
            let at = self.below(self.records.len() as u64);
            if !self.claimed.contains(&self.records[at].0) {
                return at;
            }
        }
    }

    async fn amend(&mut self) {
        let at = self.unclaimed();
        let (_, school, learner, ..) = self.records[at];
        self.deposit(learner, school, Some(at)).await;
    }

    async fn revoke(&mut self, at: usize) {
        let (number, school, learner, place, _) = self.records.remove(at);
        let key = format!("revoke/{number}");
        let school = &self.schools[school];
        let code = self.learners[learner];
        let record = school
            .maker
            .revocation(key.as_bytes(), code, place, "登记有误");
        school.deposit(&self.bank, vec![record]).await;
        self.events.push(json!({"revoke": number}));
    }

    async fn merge(&mut self, kept: usize, gone: usize) {
        let request = v1::MergeLearnersRequest {
            learner: digits(self.learners[kept]),
            merged_learner: digits(self.learners[gone]),
            reason: "重复开户".into(),
        };
        let mut desk = self.bank.operator().await.learner();
        desk.merge_learners(request).await.unwrap();
        self.learners[gone] = self.learners[kept];
        self.events.push(json!({"merge": gone, "into": kept}));
    }

    /// Applies for what a class for elders is worth, which the bank decides by itself; gives the application.
    async fn apply(&mut self, at: usize) -> u64 {
        let (number, _, learner, place, _) = self.records[at];
        self.claimed.insert(number);
        let form = v1::Application {
            programme: "nursing".into(),
            uses: vec![used("elder-hours", &[place])],
            note: String::new(),
        };
        let (maker, line) = (&self.window.maker, &self.window.line);
        let key = format!("apply/{number}");
        let record = maker.application(key.as_bytes(), self.learners[learner], &self.set, form);
        let applied = line
            .recognition()
            .apply(self.window.sign(vec![record]))
            .await;
        let application = placed(applied).expect("something is granted");
        let file = self
            .becomes(application, v1::ApplicationState::Decided)
            .await;
        self.events.push(json!({
            "application": application, "learner": learner, "on": file.applied_on, "days": 0, "granted": true
        }));
        application
    }

    /// Waits until an application is in a state.
    async fn becomes(&self, application: u64, state: v1::ApplicationState) -> v1::ApplicationFile {
        let operator = self.bank.operator().await;
        let waiting = async {
            loop {
                let request = v1::GetApplicationRequest { application };
                let file = operator.recognition().get_application(request).await;
                let file = file.expect("a file").into_inner();
                if file.state() == state {
                    return file;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(BOUND, waiting).await;
        waited.unwrap_or_else(|_| panic!("application {application} does not become {state:?}"))
    }

    async fn appeal(&mut self, learner: usize, application: u64) {
        let operator = self.bank.operator().await;
        let target = named(&operator, application)
            .await
            .expect("there is a leaf");
        let maker = &self.window.maker;
        let key = format!("appeal/{application}");
        let record = maker.appeal(key.as_bytes(), self.learners[learner], target, "不服决定");
        let batch = self.window.sign(vec![record]);
        placed(self.window.line.recognition().appeal(batch).await).expect("in time");
        self.events.push(json!({"appeal": application}));
    }

    /// The year in which applications were made.
    fn year_of_applications(&self) -> String {
        let on = self
            .events
            .iter()
            .find_map(|it| it.get("application").and(it["on"].as_str()));
        on.expect("somebody applied")[..4].to_owned()
    }

    fn run(&self, arguments: &[&str]) -> String {
        let server = format!("http://{}", self.bank.grpc());
        let named = [
            "--server",
            &server,
            "--bank",
            "{dir}/bank.pub",
            "--key",
            "{dir}/operator.key",
        ];
        let more = ["--language", "en"];
        let done = self.bank.run(&[arguments, &named[..], &more[..]].concat());
        assert!(done.status.success(), "{arguments:?}: {}", told(&done));
        String::from_utf8(done.stdout).expect("text")
    }

    /// Python counts what was done so far and finds it in a file of figures.
    fn count(&self, python: &str, year: &str, csv: &Path) -> String {
        let events = self.bank.beside().join("events.ndjson");
        let lines = self.events.iter().fold(String::new(), |mut out, event| {
            let _ = writeln!(out, "{event}");
            out
        });
        std::fs::write(&events, lines).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/recount.py");
        let counted = std::process::Command::new(python)
            .arg(script)
            .arg(&events)
            .arg(year)
            .arg(csv)
            .output()
            .expect("the Python of the tests runs");
        assert!(counted.status.success(), "{year}: {}", told(&counted));
        told(&counted)
    }

    fn figures_are_counted_again(&self, python: &str) {
        for year in ["2022", "2023", "2024", &self.year_of_applications()] {
            let csv = self.bank.beside().join("figures.csv");
            std::fs::write(&csv, self.run(&["stats", "show", year, "--csv"])).unwrap();
            self.count(python, year, &csv);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_is_counted_again_from_what_was_done() {
    let Some(python) = python() else {
        println!("SKIPPED: CREDITBANK_PYTHON is not set; `cargo xtask test` sets it");
        return;
    };
    let mut story = Story::new().await;
    story.enrolments().await;
    story.deposits(180).await;
    let elder = |story: &Story| {
        let records = story.records.iter().enumerate();
        let held = records.filter(|(_, it)| it.4 == v1::Category::ElderCourse);
        held.map(|(at, _)| at).collect::<Vec<_>>()
    };
    let mut applications = Vec::new();
    for at in elder(&story).into_iter().take(40) {
        let hours = &story.events[story.records[at].0]["hours"];
        let learner = story.records[at].2;
        let is_first = applications.iter().all(|(_, other, _)| *other != learner);
        if hours.as_u64() >= Some(3200) && is_first {
            applications.push((story.apply(at).await, learner, story.records[at].0));
        }
    }
    assert!(applications.len() >= 8, "{}", applications.len());
    story.appeal(applications[1].1, applications[1].0).await;
    // An outcome that was used does not hold: what it granted is taken back.
    let (application, _, record) = applications[0];
    let at = story.records.iter().position(|it| it.0 == record).unwrap();
    story.revoke(at).await;
    story
        .becomes(application, v1::ApplicationState::Reversed)
        .await;
    story.events.push(json!({"reversal": application}));
    for _ in 0..6 {
        story.amend().await;
        let at = story.unclaimed();
        story.revoke(at).await;
    }
    story.merge(3, 12).await;
    story.figures_are_counted_again(&python);

    for year in ["2023", "2024"] {
        story.run(&["stats", "publish", year]);
        let csv = story.bank.beside().join("yearbook.csv");
        let output = csv.to_str().unwrap().to_owned();
        story.run(&["stats", "export", year, "--output", &output]);
        let counted = story.count(&python, year, &csv);
        assert!(
            counted.contains("suppressed") && !counted.contains(" 0 suppressed"),
            "{counted}"
        );
    }
    // What happens later: late records, corrections, another merge, and who leaves stays counted.
    story.deposits(30).await;
    story.amend().await;
    story.merge(5, 7).await;
    for learner in [1, 5] {
        story.bank.erase(story.learners[learner]).await;
    }
    story.figures_are_counted_again(&python);
    it_comes_back_from_a_backup(&mut story.bank);
}

/// Figures, what the erased left, and yearbooks are in a backup, and what is restored gives them again.
fn it_comes_back_from_a_backup(bank: &mut Bank) {
    back_up(bank, &[]);
    bank.check_log();
    let before = statistics::rows(bank);
    std::fs::rename(bank.dir().join("db"), bank.beside().join("lost")).unwrap();
    let from = target(bank);
    let restored = bank.run(&["restore", from.to_str().unwrap(), "{dir}"]);
    assert!(restored.status.success(), "{}", told(&restored));
    assert_eq!(statistics::rows(bank), before);
    let verified = bank.run(&["stats", "verify", "{dir}"]);
    assert!(verified.status.success(), "{}", told(&verified));
    assert!(
        told(&verified).contains("2 yearbooks, 0 differ"),
        "{}",
        told(&verified)
    );
    bank.check_log();
}
