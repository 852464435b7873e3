//! Projects (准入项目): proposed by institutions, reviewed by experts, admitted under a standard, and what can then be
//! deposited. Whatever falls short of the standard is refused with its field and its clause.

use creditbank_client::Refused;
use creditbank_wire::v1;
use v1::statement::Content;

use crate::bank::Bank;
use crate::institution::{Institution, course, visit};
use crate::standards::{declare, project, publish, registered, try_to_declare};

/// Standards that ask for something; process and catalogue as in the shipped sets.
const STRICT: &str = r#"
[document]
title = "准入标准"
source = "test"

[set]
id = "strict"
version = "1"
title = "Strict"
effective = { from = "2020-01-01" }

[process]
panel_catalogued = 1
panel_uncatalogued = 3
panel_standard = 5

[[standard]]
id = "elder"
version = "2026"
title = "老年教育课程"
clause = "第三条"
catalogued = true
categories = ["elder-course"]
effective = { from = "2021-01-01" }
min_hours = "16"
max_hours = "64"
min_attendance = "70%"
evidence = ["attendance"]

[[standard]]
id = "walk"
version = "2026"
title = "人文行走"
clause = "第四条"
catalogued = true
categories = ["humanities-walk"]
walk = { min_points = 4, window_days = 30, min_gap_minutes = 20, hours = "6", day_hours_max = "4" }

[[standard]]
id = "training"
version = "2026"
title = "社会培训"
clause = "第五条"
categories = ["training"]
deposit_within_years = 1
pass_required = true

[[standard]]
id = "dual"
version = "2026"
title = "双元制"
clause = "第六条"
catalogued = true
categories = ["dual-track"]
two_attestors = true
"#;

/// A bank with the strict set, a school and five experts.
struct Scene {
    bank: Bank,
    school: Institution,
    experts: Vec<Institution>,
    set: Vec<u8>,
}

impl Scene {
    async fn new() -> Self {
        let bank = Bank::new();
        let set = publish(&bank, STRICT).await;
        let school = Institution::new(&bank, "school").await;
        let mut registry = bank.operator().await.registry();
        let permitted = v1::SetPermittedCategoriesRequest {
            institution_id: "school".into(),
            categories: (1..=9).collect(),
        };
        registry.set_permitted_categories(permitted).await.unwrap();
        let mut experts = Vec::new();
        for number in 1..=5 {
            experts.push(registered(&bank, &format!("expert-{number}"), v1::Role::Reviewer).await);
        }
        Self {
            bank,
            school,
            experts,
            set,
        }
    }

    fn proposal(&self, category: v1::Category, standard: &str) -> v1::ProjectProposed {
        v1::ProjectProposed {
            institution: "school".into(),
            project: project(category),
            title: "项目".into(),
            category: category.into(),
            rule_set_hash: self.set.clone().into(),
            standard: standard.into(),
            standard_version: "2026".into(),
            kind: v1::ProjectKind::Course.into(),
        }
    }

    async fn propose(&self, proposal: v1::ProjectProposed) {
        declare(&self.school, Content::ProjectProposed(proposal)).await;
    }

    /// A vote of an expert on a project of the school; the code of the refusal.
    async fn vote(&self, expert: usize, project: &str, approve: bool) -> Option<String> {
        let expert = &self.experts[expert];
        let review = v1::ProjectReviewed {
            reviewer: expert.id().into(),
            institution: "school".into(),
            project: project.into(),
            approve,
        };
        let answer = try_to_declare(expert, Content::ProjectReviewed(review)).await;
        let refused = answer.refused.first()?;
        Some(refused.violations[0].code.clone())
    }

    async fn decide(
        &self,
        project: &str,
        admit: bool,
        expires_on: &str,
    ) -> Result<v1::Project, String> {
        let request = v1::DecideProjectRequest {
            institution: "school".into(),
            project: project.into(),
            admit,
            expires_on: expires_on.into(),
        };
        let mut rules = self.bank.operator().await.rules();
        let answer = rules.decide_project(request).await;
        answer.map(tonic::Response::into_inner).map_err(code)
    }

    async fn suspend(&self, project: &str, suspended: bool) -> Result<v1::Project, String> {
        let request = v1::SuspendProjectRequest {
            institution: "school".into(),
            project: project.into(),
            suspended,
        };
        let mut rules = self.bank.operator().await.rules();
        let answer = rules.suspend_project(request).await;
        answer.map(tonic::Response::into_inner).map_err(code)
    }

    /// Proposes a project under a standard and has it admitted by as many experts as it needs.
    async fn admit(&self, category: v1::Category, standard: &str) {
        self.propose(self.proposal(category, standard)).await;
        let panel = self.get(&project(category)).await.panel;
        for expert in 0..panel as usize {
            assert_eq!(self.vote(expert, &project(category), true).await, None);
        }
        self.decide(&project(category), true, "").await.unwrap();
    }

    async fn get(&self, project: &str) -> v1::Project {
        let request = v1::GetProjectRequest {
            institution: "school".into(),
            project: project.into(),
        };
        let mut rules = self.bank.anybody().await.rules();
        rules.get_project(request).await.unwrap().into_inner()
    }

    /// What is wrong with an outcome that is deposited: field, code and clause of each fault.
    async fn faults(&self, key: &str, outcome: v1::Outcome) -> Vec<(String, String, String)> {
        let learner = self.school.enrol("1").await;
        let record = self.school.maker.outcome(key.as_bytes(), learner, outcome);
        let answer = self.school.submit(vec![record]).await.unwrap().response;
        let violations = answer.refused.into_iter().flat_map(|row| row.violations);
        violations
            .map(|it| (it.field, it.code, it.clause))
            .collect()
    }
}

fn code(status: tonic::Status) -> String {
    Refused::new(status).code.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_admitted_by_as_many_experts_as_its_kind_needs() {
    use v1::Category as C;
    let mut scene = Scene::new().await;
    let programme = v1::ProjectProposed {
        kind: v1::ProjectKind::Programme.into(),
        ..scene.proposal(C::DualTrack, "dual")
    };
    for (proposal, panel) in [
        (scene.proposal(C::ElderCourse, "elder"), 1),
        (scene.proposal(C::Training, "training"), 3),
        (programme, 5),
    ] {
        let id = proposal.project.clone();
        scene.propose(proposal).await;
        for votes in 0..panel {
            let proposed = scene.get(&id).await;
            assert_eq!(proposed.panel as usize, panel);
            assert_eq!(proposed.approvals.len(), votes);
            assert_eq!(proposed.state(), v1::ProjectState::Proposed);
            let admitted = scene.decide(&id, true, "").await;
            assert_eq!(
                admitted.unwrap_err(),
                "PANEL_TOO_SMALL",
                "{votes} of {panel}"
            );
            assert_eq!(scene.vote(votes, &id, true).await, None);
            let again = scene.vote(votes, &id, false).await;
            assert_eq!(again.as_deref(), Some("ALREADY_VOTED"));
        }
        let admitted = scene.decide(&id, true, "").await.unwrap();
        assert_eq!(admitted.state(), v1::ProjectState::Admitted);
        assert!(admitted.decided_at > admitted.proposed_at);
        assert_eq!(scene.get(&id).await, admitted);
        let late = scene.vote(0, &id, false).await;
        assert_eq!(late.as_deref(), Some("PROJECT_DECIDED"));
        let again = scene.decide(&id, false, "").await;
        assert_eq!(again.unwrap_err(), "PROJECT_DECIDED");
    }
    let request = v1::ListProjectsRequest {
        states: vec![v1::ProjectState::Admitted.into()],
        page_size: 2,
        ..Default::default()
    };
    let mut rules = scene.bank.anybody().await.rules();
    let first = rules.list_projects(request.clone()).await.unwrap();
    let first = first.into_inner();
    let second = v1::ListProjectsRequest {
        page_token: first.next_page_token,
        ..request
    };
    let second = rules.list_projects(second).await.unwrap().into_inner();
    let names = first.projects.iter().chain(&second.projects);
    let names: Vec<_> = names
        .map(|it| it.proposal.clone().unwrap().project)
        .collect();
    assert_eq!(names, ["project-4", "project-6", "project-9"]);
    assert!(second.next_page_token.is_empty());
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_experts_reject_is_not_admitted_and_may_be_proposed_anew() {
    let mut scene = Scene::new().await;
    let category = v1::Category::ElderCourse;
    let id = project(category);
    scene.propose(scene.proposal(category, "elder")).await;
    let twice = try_to_declare(
        &scene.school,
        Content::ProjectProposed(v1::ProjectProposed {
            title: "另一名称".into(),
            ..scene.proposal(category, "elder")
        }),
    )
    .await;
    assert_eq!(twice.refused[0].violations[0].code, "PROJECT_EXISTS");
    assert_eq!(scene.vote(0, &id, true).await, None);
    assert_eq!(scene.vote(1, &id, false).await, None);
    let tie = scene.decide(&id, true, "").await;
    assert_eq!(tie.unwrap_err(), "PANEL_REJECTED");
    let refused = scene.decide(&id, false, "").await.unwrap();
    assert_eq!(refused.state(), v1::ProjectState::Refused);
    assert_eq!(refused.rejections, ["expert-2"]);
    let suspended = scene.suspend(&id, true).await;
    assert_eq!(suspended.unwrap_err(), "PROJECT_NOT_ADMITTED");
    scene
        .propose(v1::ProjectProposed {
            title: "修改后的项目".into(),
            ..scene.proposal(category, "elder")
        })
        .await;
    let anew = scene.get(&id).await;
    assert_eq!(anew.state(), v1::ProjectState::Proposed);
    assert!(anew.approvals.is_empty() && anew.rejections.is_empty());
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn declarations_are_made_by_whom_they_name_and_about_what_there_is() {
    let mut scene = Scene::new().await;
    let category = v1::Category::ElderCourse;
    let proposal = scene.proposal(category, "elder");
    let review = v1::ProjectReviewed {
        reviewer: "expert-1".into(),
        institution: "school".into(),
        project: project(category),
        approve: true,
    };
    let of_school = |content| try_to_declare(&scene.school, content);
    let of_expert = |content| try_to_declare(&scene.experts[0], content);
    let unknown_set = v1::ProjectProposed {
        rule_set_hash: vec![9; 32].into(),
        ..proposal.clone()
    };
    let unknown_standard = v1::ProjectProposed {
        standard: "nothing".into(),
        ..proposal.clone()
    };
    let wrong_category = v1::ProjectProposed {
        category: v1::Category::Training.into(),
        ..proposal.clone()
    };
    let by_expert = v1::ProjectProposed {
        institution: "expert-1".into(),
        ..proposal.clone()
    };
    let in_anothers_name = v1::ProjectReviewed {
        reviewer: "expert-2".into(),
        ..review.clone()
    };
    let by_school = v1::ProjectReviewed {
        reviewer: "school".into(),
        ..review.clone()
    };
    let cases = [
        (
            "a project of nobody",
            of_expert(Content::ProjectReviewed(review)).await,
            "PROJECT_UNKNOWN",
        ),
        (
            "a set of nobody",
            of_school(Content::ProjectProposed(unknown_set)).await,
            "RULE_SET_UNKNOWN",
        ),
        (
            "a standard that the set has not",
            of_school(Content::ProjectProposed(unknown_standard)).await,
            "STANDARD_UNKNOWN",
        ),
        (
            "a standard for another category",
            of_school(Content::ProjectProposed(wrong_category)).await,
            "CATEGORY_NOT_OF_STANDARD",
        ),
        (
            "an expert's own project",
            of_expert(Content::ProjectProposed(by_expert)).await,
            "PERMISSION_DENIED",
        ),
        (
            "in another expert's name",
            of_expert(Content::ProjectReviewed(in_anothers_name)).await,
            "ISSUER_MISMATCH",
        ),
        (
            "a school as its own expert",
            of_school(Content::ProjectReviewed(by_school)).await,
            "PERMISSION_DENIED",
        ),
    ];
    for (case, answer, code) in cases {
        assert_eq!(answer.refused[0].violations[0].code, code, "{case}");
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_admitted_project_nothing_is_deposited() {
    let mut scene = Scene::new().await;
    let category = v1::Category::ElderCourse;
    let id = project(category);
    let good = |name: &str| elder(name, 32, 16);
    let fault = |code: &str| {
        vec![(
            "payload.outcome.project".to_owned(),
            code.to_owned(),
            String::new(),
        )]
    };
    let none = v1::Outcome {
        project: String::new(),
        ..good("国画")
    };
    assert_eq!(scene.faults("none", none).await, fault("PROJECT_MISSING"));
    assert_eq!(
        scene.faults("1", good("国画")).await,
        fault("PROJECT_UNKNOWN")
    );
    scene.propose(scene.proposal(category, "elder")).await;
    assert_eq!(
        scene.faults("1", good("国画")).await,
        fault("PROJECT_NOT_ADMITTED")
    );
    assert_eq!(scene.vote(0, &id, true).await, None);
    scene.decide(&id, true, "2024-12-31").await.unwrap();
    assert_eq!(scene.faults("1", good("国画")).await, []);
    let late = v1::Outcome {
        completed_on: "2025-01-01".into(),
        ..good("国画")
    };
    assert_eq!(scene.faults("late", late).await, fault("PROJECT_EXPIRED"));
    let other = v1::Outcome {
        project: id.clone(),
        ..visit("参观", "2024-05-01")
    };
    assert_eq!(
        scene.faults("other", other).await,
        fault("PROJECT_FOR_OTHER_CATEGORY")
    );
    scene.suspend(&id, true).await.unwrap();
    assert_eq!(
        scene.faults("2", good("书法")).await,
        fault("PROJECT_SUSPENDED")
    );
    // What is in the log already stays acknowledged, whatever has become of the project.
    assert_eq!(scene.faults("1", good("国画")).await, []);
    let resumed = scene.suspend(&id, false).await.unwrap();
    assert_eq!(resumed.expires_on, "2024-12-31");
    assert_eq!(scene.faults("2", good("书法")).await, []);
    // Formal education needs none.
    assert_eq!(scene.faults("course", course("英语")).await, []);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_falls_short_of_the_standard_is_refused_with_its_clause() {
    use v1::Category as C;
    let mut scene = Scene::new().await;
    for (category, standard) in [
        (C::ElderCourse, "elder"),
        (C::HumanitiesWalk, "walk"),
        (C::Training, "training"),
        (C::DualTrack, "dual"),
    ] {
        scene.admit(category, standard).await;
    }
    let unevidenced = v1::Outcome {
        evidence: Vec::new(),
        ..elder("国画", 32, 16)
    };
    let mut early = elder("国画", 32, 16);
    early.completed_on = "2020-12-31".into();
    if let Some(v1::outcome::Detail::ElderCourse(class)) = &mut early.detail {
        class.year = 2020;
    }
    let unfinished = v1::Outcome {
        grade: Some(v1::Grade {
            scheme: Some(v1::grade::Scheme::PassFail(v1::PassFail::Fail.into())),
        }),
        ..training(&last_month())
    };
    let hours = |hours: u32, walk| v1::Outcome {
        hours_hundredths: Some(hours * 100),
        ..walk
    };
    let day = ["09:00", "09:20", "09:40", "10:00"];
    let at = |day: &str, times: &[&str]| {
        let times = times.iter();
        times
            .map(|time| format!("{day}T{time}:00"))
            .collect::<Vec<_>>()
    };
    let may = |times: &[&str]| walk(&at("2024-05-01", times));
    let mut long = at("2024-05-01", &day[..3]);
    long.extend(at("2024-06-01", &day[..1]));
    let cases = [
        ("good elder", elder("国画", 32, 16), vec![]),
        (
            "short and absent",
            elder("国画", 15, 11),
            vec![
                ("hours_hundredths", "HOURS_BELOW_STANDARD", "第三条"),
                (
                    "elder_course.attendance.attended",
                    "ATTENDANCE_BELOW_STANDARD",
                    "第三条",
                ),
            ],
        ),
        (
            "too many hours",
            elder("国画", 65, 16),
            vec![("hours_hundredths", "HOURS_ABOVE_STANDARD", "第三条")],
        ),
        (
            "no evidence",
            unevidenced,
            vec![("evidence", "EVIDENCE_MISSING", "第三条")],
        ),
        (
            "before the standard",
            early,
            vec![("completed_on", "STANDARD_NOT_IN_FORCE", "第三条")],
        ),
        ("good walk", may(&day), vec![]),
        (
            "three points",
            may(&day[..3]),
            vec![("humanities_walk.points", "WALK_POINTS_TOO_FEW", "第四条")],
        ),
        (
            "nineteen minutes",
            may(&["09:00", "09:20", "09:39", "10:00"]),
            vec![(
                "humanities_walk.points[2].at",
                "WALK_POINTS_TOO_CLOSE",
                "第四条",
            )],
        ),
        (
            "thirty-one days",
            walk(&long),
            vec![("humanities_walk.points", "WALK_TOO_LONG", "第四条")],
        ),
        (
            "five hours in a day",
            hours(5, may(&day)),
            vec![("hours_hundredths", "HOURS_ABOVE_STANDARD", "第四条")],
        ),
        ("good training", training(&last_month()), vec![]),
        (
            "failed training",
            unfinished,
            vec![("grade", "NOT_PASSED", "第五条")],
        ),
        (
            "old training",
            training("2021-06-30"),
            vec![("completed_on", "DEPOSITED_TOO_LATE", "第五条")],
        ),
        ("both attest", dual("factory-1"), vec![]),
        (
            "one attests",
            dual(""),
            vec![("dual_track.enterprise_attestor", "ATTESTOR_MISSING", "")],
        ),
    ];
    for (case, outcome, expected) in cases {
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(field, code, clause)| {
                (
                    format!("payload.outcome.{field}"),
                    code.to_owned(),
                    clause.to_owned(),
                )
            })
            .collect();
        assert_eq!(scene.faults(case, outcome).await, expected, "{case}");
    }
    // An amendment is held against the standard like the outcome itself.
    let learner = scene.school.enrol("1").await;
    let maker = &scene.school.maker;
    let record = maker.outcome(b"to amend", learner, elder("合唱", 32, 16));
    let place = scene.school.deposit(&scene.bank, vec![record]).await[0];
    let amendment = maker.amendment(b"amend", learner, place, elder("合唱", 8, 16), "有误");
    let answer = scene.school.submit(vec![amendment]).await.unwrap().response;
    let violation = &answer.refused[0].violations[0];
    assert_eq!(
        (violation.field.as_str(), violation.code.as_str()),
        (
            "payload.amendment.outcome.hours_hundredths",
            "HOURS_BELOW_STANDARD"
        )
    );
    scene.bank.check_log();
}

fn named(name: &str) -> Option<v1::Achievement> {
    Some(v1::Achievement {
        code: String::new(),
        name: name.to_owned(),
    })
}

/// An elder class with its attendance sheet.
fn elder(name: &str, hours: u32, attended: u32) -> v1::Outcome {
    v1::Outcome {
        achievement: named(name),
        project: project(v1::Category::ElderCourse),
        hours_hundredths: Some(hours * 100),
        completed_on: "2024-06-30".into(),
        evidence: vec![v1::Evidence {
            kind: v1::EvidenceKind::Attendance.into(),
            uri: String::new(),
            sha256: vec![1; 32].into(),
        }],
        detail: Some(v1::outcome::Detail::ElderCourse(v1::ElderCourse {
            attendance: Some(v1::Attendance {
                planned: 16,
                attended,
            }),
            year: 2024,
            term: 50,
            ..Default::default()
        })),
        ..Default::default()
    }
}

/// A walk past a point at each of these times.
fn walk(times: &[String]) -> v1::Outcome {
    let point = |(number, at): (usize, &String)| v1::WalkPoint {
        code: format!("P{number}"),
        at: at.clone(),
    };
    let last = times.last().expect("a point");
    v1::Outcome {
        achievement: named("外滩源"),
        project: project(v1::Category::HumanitiesWalk),
        hours_hundredths: Some(200),
        completed_on: last[..10].to_owned(),
        detail: Some(v1::outcome::Detail::HumanitiesWalk(v1::HumanitiesWalk {
            route: "外滩源".into(),
            points: times.iter().enumerate().map(point).collect(),
        })),
        ..Default::default()
    }
}

fn training(completed_on: &str) -> v1::Outcome {
    v1::Outcome {
        achievement: named("养老护理培训"),
        project: project(v1::Category::Training),
        institution_name: "某培训中心".into(),
        completed_on: completed_on.into(),
        grade: Some(v1::Grade {
            scheme: Some(v1::grade::Scheme::PassFail(v1::PassFail::Pass.into())),
        }),
        detail: Some(v1::outcome::Detail::Training(v1::Training {
            certificate: true,
        })),
        ..Default::default()
    }
}

fn dual(enterprise: &str) -> v1::Outcome {
    let attestor = |institution: &str| v1::Attestor {
        institution: institution.to_owned(),
        mentor: "M1".into(),
    };
    v1::Outcome {
        achievement: named("企业实训"),
        project: project(v1::Category::DualTrack),
        hours_hundredths: Some(3200),
        completed_on: "2024-06-30".into(),
        detail: Some(v1::outcome::Detail::DualTrack(v1::DualTrack {
            enterprise_name: "某工厂".into(),
            enterprise_code: "91350100M000100Y43".into(),
            enterprise_attestor: (!enterprise.is_empty()).then(|| attestor(enterprise)),
            college_attestor: Some(attestor("school")),
        })),
        ..Default::default()
    }
}

/// A day that is surely past and less than a year ago.
#[expect(
    clippy::disallowed_methods,
    reason = "standards ask how long ago it was"
)]
fn last_month() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let days = now.expect("after 1970").as_secs() / 86_400 - 30;
    let epoch = jiff::civil::date(1970, 1, 1);
    let days = jiff::Span::new().days(i64::try_from(days).expect("few"));
    epoch.saturating_add(days).to_string()
}
