//! Points: earned by rules, capped, never twice; used up in the order in which they expire; taken back when the outcome
//! does not hold. The sum over all accounts is zero at every entry of the log, which every `check_log` derives again.

use std::collections::BTreeMap;
use std::time::Duration;

use creditbank_client::{Bank as Connection, ClientError, points};
use creditbank_domain::LearnerCode;
use creditbank_domain::record::RecordRef;
use creditbank_wire::v1;
use v1::points_movement::Reason;

use crate::bank::{BOUND, Bank, leaves, told};
use crate::institution::{Institution, attended, digits};
use crate::standards::{project, publish, registered};

const EARNING: &str = r#"
[document]
title = "积分办法"
source = "test"

[set]
id = "points"
version = "1"
title = "Points"
effective = { from = "2020-01-01" }

[[earning]]
id = "elder-hours"
title = "每学时一分"
clause = "第二条"
select = { category = "elder-course" }
per_hours = { hours = "1", points = 1 }
day_max = 40
expires_months = 24

[[earning]]
id = "sessions"
title = "到课一次两分"
clause = "第三条"
select = { category = "community-course" }
per_attendance = 2

[[earning]]
id = "visit"
title = "一次五分"
clause = "第四条"
select = { category = "venue-learning" }
per_outcome = 5
day_max = 10
expires_months = 12

[[earning]]
id = "walk"
title = "一次十分"
clause = "第五条"
select = { category = "humanities-walk" }
per_outcome = 10
expires_months = 12

[[honour]]
id = "new"
title = { zh = "学习新人", en = "New learner" }
min_points = 50
clause = "第六条"

[[honour]]
id = "star"
title = { zh = "学习之星", en = "Star" }
min_points = 100
clause = "第六条"
"#;

const CATEGORIES: [v1::Category; 4] = [
    v1::Category::ElderCourse,
    v1::Category::CommunityCourse,
    v1::Category::VenueLearning,
    v1::Category::HumanitiesWalk,
];

/// A running bank with earning rules, a school, a counter that redeems, and a learner.
struct Scene {
    bank: Bank,
    operator: Connection,
    school: Institution,
    counter: Institution,
    learner: LearnerCode,
}

impl Scene {
    async fn new() -> Self {
        let bank = Bank::new();
        let school = Institution::admitted(&bank, "school", &CATEGORIES).await;
        publish(&bank, EARNING).await;
        Self {
            operator: bank.operator().await,
            counter: registered(&bank, "counter", v1::Role::LearnerAgent).await,
            learner: school.enrol("1").await,
            school,
            bank,
        }
    }

    async fn deposit(&self, key: &str, outcome: v1::Outcome) -> RecordRef {
        let record = self
            .school
            .maker
            .outcome(key.as_bytes(), self.learner, outcome);
        self.school.deposit(&self.bank, vec![record]).await[0]
    }

    async fn award(&self, validate_only: bool) -> v1::AwardPointsResponse {
        let request = v1::AwardPointsRequest {
            learner: digits(self.learner),
            rule_set: "points".into(),
            validate_only,
            ..Default::default()
        };
        let awarded = points::award(&self.operator, request).await;
        awarded.expect("operators award")
    }

    async fn purse(&self) -> v1::Purse {
        let request = v1::GetPointsRequest {
            learner: digits(self.learner),
            ..Default::default()
        };
        let purse = points::purse(&self.operator, request).await;
        purse.expect("operators read")
    }

    async fn reserve(&self, number: &str, points: u32) -> Result<v1::Redemption, String> {
        let id = points::redemption_id(number);
        let line = &self.counter.line;
        redemption(points::reserve(line, self.learner, id, points, "图书").await)
    }

    async fn confirm(&self, number: &str) -> Result<v1::Redemption, String> {
        let id = points::redemption_id(number);
        redemption(points::confirm(&self.counter.line, self.learner, id).await)
    }

    async fn cancel(&self, number: &str) -> Result<v1::Redemption, String> {
        let id = points::redemption_id(number);
        redemption(points::cancel(&self.counter.line, self.learner, id).await)
    }

    async fn revoke(&self, target: RecordRef) {
        let key = target.leaf_index.0.to_be_bytes();
        let record = self
            .school
            .maker
            .revocation(&key, self.learner, target, "登记有误");
        self.school.deposit(&self.bank, vec![record]).await;
    }

    /// Waits until so many points were taken back.
    async fn clawed_back(&self, points: i64) -> v1::Purse {
        let waiting = async {
            loop {
                let purse = self.purse().await;
                if balances(&purse)[&v1::PointsAccount::ClawedBack] == points {
                    return purse;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(BOUND, waiting).await;
        waited.expect("the bank takes back what does not hold")
    }
}

fn redemption(
    answer: Result<v1::RedemptionResponse, ClientError>,
) -> Result<v1::Redemption, String> {
    match answer {
        Ok(it) => Ok(it.redemption.expect("the one that was named")),
        Err(error) => Err(error.code().unwrap_or_default().to_owned()),
    }
}

/// All accounts; their sum is zero.
fn balances(purse: &v1::Purse) -> BTreeMap<v1::PointsAccount, i64> {
    let all: BTreeMap<_, _> = purse
        .balances
        .iter()
        .map(|it| (it.account(), it.points))
        .collect();
    assert_eq!(all.len(), 6);
    assert_eq!(all.values().sum::<i64>(), 0);
    all
}

/// Points by outcome of what was earned.
fn earned(awarded: &v1::AwardPointsResponse) -> BTreeMap<u64, u32> {
    let earned = awarded.movements.iter().filter_map(|it| match &it.reason {
        Some(Reason::Earned(earned)) => Some((earned.outcome, it.points)),
        _ => None,
    });
    earned.collect()
}

fn withheld(awarded: &v1::AwardPointsResponse) -> BTreeMap<u64, &str> {
    let withheld = awarded.withheld.iter();
    withheld.map(|it| (it.outcome, it.code.as_str())).collect()
}

fn outcome(category: v1::Category, name: &str, completed_on: &str) -> v1::Outcome {
    v1::Outcome {
        achievement: Some(v1::Achievement {
            code: String::new(),
            name: name.to_owned(),
        }),
        project: project(category),
        completed_on: completed_on.to_owned(),
        ..Default::default()
    }
}

fn elder(name: &str, hours_hundredths: u32, completed_on: &str) -> v1::Outcome {
    v1::Outcome {
        hours_hundredths: Some(hours_hundredths),
        detail: Some(attended()),
        ..outcome(v1::Category::ElderCourse, name, completed_on)
    }
}

fn community(attended: u32) -> v1::Outcome {
    v1::Outcome {
        hours_hundredths: Some(3200),
        detail: Some(v1::outcome::Detail::CommunityCourse(v1::CommunityCourse {
            attendance: Some(v1::Attendance {
                planned: 16,
                attended,
            }),
            ..Default::default()
        })),
        ..outcome(v1::Category::CommunityCourse, "太极拳", "2024-06-30")
    }
}

/// A visit of an hour that ends at this time.
fn visit(name: &str, completed_on: &str, at: &str) -> v1::Outcome {
    v1::Outcome {
        completed_at: at.to_owned(),
        detail: Some(v1::outcome::Detail::VenueLearning(v1::VenueLearning {
            venue: "上海博物馆".into(),
            activity: "参观".into(),
            minutes: 60,
        })),
        ..outcome(v1::Category::VenueLearning, name, completed_on)
    }
}

/// A walk from point to point, each with its time on one day.
fn walk(name: &str, points: &[(&str, &str)]) -> v1::Outcome {
    let point = |(code, at): &(&str, &str)| v1::WalkPoint {
        code: (*code).to_owned(),
        at: format!("2024-05-01T{at}:00"),
    };
    v1::Outcome {
        hours_hundredths: Some(200),
        detail: Some(v1::outcome::Detail::HumanitiesWalk(v1::HumanitiesWalk {
            route: name.to_owned(),
            points: points.iter().map(point).collect(),
        })),
        ..outcome(v1::Category::HumanitiesWalk, name, "2024-05-01")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_earns_once_what_its_rule_gives_and_no_more_a_day() {
    let mut scene = Scene::new().await;
    let half = scene
        .deposit("half", elder("国画", 3250, "2024-06-30"))
        .await;
    let same_day = scene
        .deposit("same", elder("合唱", 1600, "2024-06-30"))
        .await;
    let minutes = scene
        .deposit("short", elder("讲座", 90, "2024-07-01"))
        .await;
    let sessions = scene.deposit("sessions", community(14)).await;
    let visits = [("1", "10:00:00"), ("2", "12:00:00"), ("3", "14:00:00")];
    let mut visited = Vec::new();
    for (name, at) in visits {
        visited.push(scene.deposit(name, visit(name, "2024-05-02", at)).await);
    }
    let before = leaves(&scene.operator).await;
    let trial = scene.award(true).await;
    assert_eq!(leaves(&scene.operator).await, before);
    assert_eq!(scene.purse().await.lifetime, 0);
    let awarded = scene.award(false).await;
    assert_eq!(
        (&awarded.movements, &awarded.withheld),
        (&trial.movements, &trial.withheld)
    );
    let at = |place: RecordRef| place.leaf_index.0;
    assert_eq!(
        earned(&awarded),
        BTreeMap::from([
            (at(half), 32),
            (at(same_day), 8),
            (at(sessions), 28),
            (at(visited[0]), 5),
            (at(visited[1]), 5),
        ])
    );
    assert_eq!(
        withheld(&awarded),
        BTreeMap::from([
            (at(same_day), "POINTS_DAY_MAX"),
            (at(minutes), "POINTS_NOT_ENOUGH"),
            (at(visited[2]), "POINTS_DAY_MAX"),
        ])
    );
    assert!(awarded.withheld.iter().all(|it| !it.message_zh.is_empty()));
    let again = scene.award(false).await;
    assert!(again.movements.is_empty() && again.leaf_indexes.is_empty());
    let purse = scene.purse().await;
    assert_eq!((purse.available, purse.lifetime, purse.owed), (78, 78, 0));
    assert_eq!(purse.honour.unwrap().id, "new");
    assert_eq!(purse.next_honour.unwrap().id, "star");
    assert_eq!(purse.history.len(), 1);
    assert_eq!(purse.history[0].leaf_index, awarded.leaf_indexes[0]);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_in_two_places_or_walks_faster_than_people_walk() {
    let mut scene = Scene::new().await;
    let at = |place: RecordRef| place.leaf_index.0;
    let first = [("A", "09:00"), ("B", "09:30")];
    let first = scene.deposit("first", walk("一", &first)).await;
    let during = [("C", "09:15"), ("D", "09:45")];
    let during = scene.deposit("during", walk("二", &during)).await;
    let at_once = [("E", "09:33"), ("F", "10:00")];
    let at_once = scene.deposit("at once", walk("三", &at_once)).await;
    let later = [("E", "09:35"), ("F", "10:05")];
    let later = scene.deposit("later", walk("四", &later)).await;
    let jumping = [("G", "11:00"), ("H", "11:02")];
    let jumping = scene.deposit("jumping", walk("五", &jumping)).await;
    let beside = visit("参观", "2024-05-01", "10:40:00");
    let beside = scene.deposit("beside", beside).await;
    let after = visit("再参观", "2024-05-01", "13:00:00");
    let after = scene.deposit("after", after).await;
    let awarded = scene.award(false).await;
    assert_eq!(
        earned(&awarded),
        BTreeMap::from([(at(first), 10), (at(later), 10), (at(after), 5)])
    );
    assert_eq!(
        withheld(&awarded),
        BTreeMap::from([
            (at(during), "POINTS_OVERLAP"),
            (at(at_once), "POINTS_TOO_FAST"),
            (at(jumping), "POINTS_TOO_FAST"),
            (at(beside), "POINTS_OVERLAP"),
        ])
    );
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_takes_what_expires_first_and_gives_back_what_it_took() {
    let mut scene = Scene::new().await;
    scene
        .deposit("elder", elder("国画", 2000, "2024-06-30"))
        .await;
    scene.award(false).await;
    let visited = visit("参观", "2024-05-02", "10:00:00");
    scene.deposit("visit", visited).await;
    scene.award(false).await;
    // The visit was earned later, but expires first.
    let lots = |purse: &v1::Purse| purse.lots.iter().map(|it| it.points).collect::<Vec<_>>();
    assert_eq!(lots(&scene.purse().await), [5, 20]);

    let reserved = scene.reserve("DH-1", 8).await.unwrap();
    assert_eq!(reserved.state(), v1::RedemptionState::Reserved);
    let purse = scene.purse().await;
    assert_eq!((lots(&purse), purse.available), (vec![17], 17));
    assert_eq!(purse.open_redemptions, std::slice::from_ref(&reserved));
    let before = leaves(&scene.operator).await;
    assert_eq!(scene.reserve("DH-1", 8).await.unwrap(), reserved);
    assert_eq!(
        leaves(&scene.operator).await,
        before,
        "asked again, taken once"
    );
    assert_eq!(
        scene.reserve("DH-1", 9).await.unwrap_err(),
        "REDEMPTION_EXISTS"
    );
    assert_eq!(
        scene.reserve("DH-2", 18).await.unwrap_err(),
        "POINTS_TOO_FEW"
    );
    assert_eq!(
        scene.reserve("DH-2", 0).await.unwrap_err(),
        "POINTS_TOO_FEW"
    );
    assert_eq!(scene.confirm("DH-2").await.unwrap_err(), "NOT_FOUND");

    let cancelled = scene.cancel("DH-1").await.unwrap();
    assert_eq!(cancelled.state(), v1::RedemptionState::Cancelled);
    assert_eq!(scene.cancel("DH-1").await.unwrap(), cancelled);
    assert_eq!(
        scene.confirm("DH-1").await.unwrap_err(),
        "REDEMPTION_CLOSED"
    );
    assert_eq!(
        lots(&scene.purse().await),
        [5, 20],
        "each with its own last day"
    );

    scene.reserve("DH-3", 8).await.unwrap();
    let confirmed = scene.confirm("DH-3").await.unwrap();
    assert_eq!(confirmed.state(), v1::RedemptionState::Confirmed);
    assert_eq!(scene.confirm("DH-3").await.unwrap(), confirmed);
    assert_eq!(scene.cancel("DH-3").await.unwrap_err(), "REDEMPTION_CLOSED");
    let purse = scene.purse().await;
    assert_eq!((purse.available, purse.lifetime), (17, 25));
    assert_eq!(balances(&purse)[&v1::PointsAccount::Redeemed], 8);
    // Newest first, in pages that together are everything.
    let mut history = Vec::new();
    let mut request = v1::GetPointsRequest {
        learner: digits(scene.learner),
        page_size: 2,
        ..Default::default()
    };
    loop {
        let page = points::purse(&scene.operator, request.clone())
            .await
            .unwrap();
        history.extend(page.history.iter().map(|it| it.leaf_index));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(history.len(), 6);
    assert!(history.is_sorted_by(|one, next| one > next));
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_outcome_earned_is_taken_back_with_it_and_owed_if_it_was_spent() {
    let mut scene = Scene::new().await;
    let painting = elder("国画", 2000, "2024-06-30");
    let painting = scene.deposit("painting", painting).await;
    let singing = elder("合唱", 600, "2024-07-01");
    let singing = scene.deposit("singing", singing).await;
    scene.award(false).await;
    scene.reserve("DH-1", 22).await.unwrap();
    scene.confirm("DH-1").await.unwrap();
    scene.reserve("DH-2", 1).await.unwrap();

    scene.revoke(painting).await;
    let purse = scene.clawed_back(20).await;
    assert_eq!((purse.available, purse.owed, purse.lifetime), (0, 17, 6));
    assert_eq!(balances(&purse)[&v1::PointsAccount::Available], -17);
    assert!(purse.honour.is_none());
    assert_eq!(scene.reserve("DH-3", 1).await.unwrap_err(), "POINTS_OWED");
    assert_eq!(scene.confirm("DH-2").await.unwrap_err(), "POINTS_OWED");
    // What comes back or is earned clears what is owed first.
    scene.cancel("DH-2").await.unwrap();
    assert_eq!(scene.purse().await.owed, 16);
    let dancing = elder("舞蹈", 2000, "2024-07-02");
    scene.deposit("dancing", dancing).await;
    let awarded = scene.award(false).await;
    assert_eq!((awarded.available, awarded.owed), (4, 0));
    scene.reserve("DH-3", 4).await.unwrap();
    // Amended, an outcome loses what it earned, and the amendment earns anew.
    let maker = &scene.school.maker;
    let better = elder("合唱", 900, "2024-07-01");
    let amendment = maker.amendment(b"amend", scene.learner, singing, better, "学时有误");
    scene.school.deposit(&scene.bank, vec![amendment]).await;
    let purse = scene.clawed_back(26).await;
    assert_eq!(purse.owed, 6);
    let awarded = scene.award(false).await;
    assert_eq!((awarded.available, awarded.owed), (3, 0));
    assert!(scene.award(false).await.movements.is_empty());
    scene.bank.check_log();
    let views = crate::views::rows(&scene.bank);
    assert!(scene.bank.run(&["rebuild", "{dir}"]).status.success());
    assert!(crate::views::rows(&scene.bank) == views);
    let before = (awarded.available, awarded.owed);
    scene.bank.start();
    scene.operator = scene.bank.operator().await;
    let purse = scene.purse().await;
    assert_eq!((purse.available, purse.owed), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_a_revocation_and_its_points_takes_them_back_once() {
    let mut scene = Scene::new().await;
    let painting = elder("国画", 2000, "2024-06-30");
    let painting = scene.deposit("painting", painting).await;
    scene.award(false).await;
    scene.bank.stop();
    scene.bank.start_with(&["--abort-at", "answered:1"]);
    scene.school.reconnect(&scene.bank).await;
    let maker = &scene.school.maker;
    let record = maker.revocation(b"revoke", scene.learner, painting, "登记有误");
    drop(scene.school.submit(vec![record]).await);
    scene.bank.ended();
    for _ in 0..2 {
        scene.bank.check_log();
        scene.bank.start();
        scene.operator = scene.bank.operator().await;
        let purse = scene.clawed_back(20).await;
        assert_eq!(
            (purse.available, purse.owed, purse.history.len()),
            (0, 0, 2)
        );
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_redeem_at_once_no_two_spend_the_same_points() {
    let mut scene = Scene::new().await;
    scene
        .deposit("elder", elder("国画", 1000, "2024-06-30"))
        .await;
    scene.award(false).await;
    let mut attempts = tokio::task::JoinSet::new();
    for number in 0..12 {
        let (line, learner) = (scene.counter.line.clone(), scene.learner);
        attempts.spawn(async move {
            let id = points::redemption_id(&number.to_string());
            redemption(points::reserve(&line, learner, id, 3, "图书").await)
        });
    }
    let answers = attempts.join_all().await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(taken.len(), 3);
    assert!(
        refused
            .into_iter()
            .all(|it| it.unwrap_err() == "POINTS_TOO_FEW")
    );
    let purse = scene.purse().await;
    assert_eq!((purse.available, purse.open_redemptions.len()), (1, 3));
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn points_follow_the_person_into_a_merge_and_out_of_the_bank() {
    let mut scene = Scene::new().await;
    scene
        .deposit("elder", elder("国画", 1000, "2024-06-30"))
        .await;
    scene.award(false).await;
    let kept = scene.learner;
    scene.learner = scene.school.enrol("2").await;
    scene
        .deposit("other", elder("合唱", 700, "2024-06-30"))
        .await;
    scene.award(false).await;
    let merge = v1::MergeLearnersRequest {
        learner: digits(kept),
        merged_learner: digits(scene.learner),
        reason: "同一人".into(),
    };
    scene
        .operator
        .learner()
        .merge_learners(merge)
        .await
        .unwrap();
    for code in [scene.learner, kept] {
        scene.learner = code;
        assert_eq!(scene.purse().await.available, 17);
    }
    scene.reserve("DH-1", 15).await.unwrap();
    scene.bank.check_log();
    scene.bank.start();
    scene.operator = scene.bank.operator().await;
    let erasure = v1::EraseLearnerRequest {
        learner: digits(kept),
    };
    let erased = scene.operator.learner().erase_learner(erasure).await;
    erased.unwrap();
    let request = v1::GetPointsRequest {
        learner: digits(kept),
        ..Default::default()
    };
    let gone = points::purse(&scene.operator, request).await.unwrap_err();
    assert_eq!(gone.code(), Some("LEARNER_UNKNOWN"));
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_operators_award_and_schools_see_no_purse() {
    let mut scene = Scene::new().await;
    let award = v1::AwardPointsRequest {
        learner: digits(scene.learner),
        rule_set: "points".into(),
        ..Default::default()
    };
    for caller in [&scene.school, &scene.counter] {
        let awarded = points::award(&caller.line, award.clone()).await;
        let code = awarded.unwrap_err().code().map(str::to_owned);
        assert_eq!(code.as_deref(), Some("PERMISSION_DENIED"));
    }
    let request = v1::GetPointsRequest {
        learner: digits(scene.learner),
        ..Default::default()
    };
    let seen = points::purse(&scene.school.line, request.clone()).await;
    assert_eq!(seen.unwrap_err().code(), Some("PERMISSION_DENIED"));
    let empty = points::purse(&scene.counter.line, request).await.unwrap();
    assert_eq!((empty.available, empty.lifetime), (0, 0));
    let id = points::redemption_id("DH-1");
    let learner = scene.learner;
    let reserved = points::reserve(&scene.school.line, learner, id, 1, "图书").await;
    assert_eq!(reserved.unwrap_err().code(), Some("PERMISSION_DENIED"));
    let unknown = v1::AwardPointsRequest {
        rule_set: "nothing".into(),
        ..award
    };
    let awarded = points::award(&scene.operator, unknown).await;
    assert_eq!(awarded.unwrap_err().code(), Some("RULE_SET_UNKNOWN"));
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_award_and_redeem() {
    let mut scene = Scene::new().await;
    scene
        .deposit("elder", elder("国画", 2000, "2024-06-30"))
        .await;
    let counter = scene.bank.beside().join("counter.key");
    std::fs::write(&counter, scene.counter.keys.to_file()).unwrap();
    let server = format!("http://{}", scene.bank.grpc());
    let learner = scene.learner.to_string();
    let run = |key: &str, arguments: &[&str]| {
        let fixed = [
            "--server",
            &server,
            "--bank",
            "{dir}/bank.pub",
            "--key",
            key,
        ];
        let all = [&["points"], arguments, &["--json"], &fixed[..]].concat();
        let output = scene.bank.run(&all);
        assert!(output.status.success(), "{}", told(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let operator = "{dir}/operator.key";
    let counter = counter.to_str().unwrap();
    let awarded = run(operator, &["award", &learner, "--rules", "points"]);
    assert_eq!(awarded["available"], 20);
    let at = ["--redemption", "DH-1"];
    let reserve = ["reserve", &learner, "--points", "15", "--for", "图书"];
    let reserved = run(counter, &[&reserve[..], &at].concat());
    assert_eq!(
        (&reserved["state"], &reserved["available"]),
        (&"reserved".into(), &5.into())
    );
    let confirmed = run(counter, &[&["confirm", &learner[..]][..], &at].concat());
    assert_eq!(confirmed["state"], "confirmed");
    let shown = run(counter, &["show", &learner]);
    assert_eq!(shown["balances"]["redeemed"], 15);
    assert_eq!(shown["history"].as_array().unwrap().len(), 3);
    scene.bank.check_log();
}
