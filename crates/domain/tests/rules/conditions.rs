//! Conditions on an outcome and on the programme.

use creditbank_domain::Category;
use creditbank_domain::identifier::UnifiedSocialCreditCode;
use creditbank_domain::outcome::{
    Attestor, Detail, DualTrack, LearningStage, ObtainedBy, SkillLevel, StudyResult,
};
use creditbank_domain::rules::{
    Agreement, Conditions, Form, LevelFloor, Period, Place, ProgrammeKind, RuleSet, Selector,
};
use creditbank_domain::standard::Standard;
use creditbank_domain::text::{Code, Label};
use jiff::civil::date;

use super::fixture::*;

fn conditioned(change: impl FnOnce(&mut Conditions)) -> creditbank_domain::rules::Rule {
    course_rule("r", "英语", "0001").with(|it| change(&mut it.conditions))
}

#[test]
fn an_outcome_must_be_passed_finished_and_no_recognition() {
    let rule = course_rule("r", "英语", "0001");
    let result = |outcome: Outcome, result, graded: bool| {
        outcome.with(|it| {
            if let Detail::DegreeCourse(course) = &mut it.draft.detail {
                course.result = Some(result);
            }
            if !graded {
                it.draft.grade = None;
            }
        })
    };
    let fail = creditbank_domain::Grade::Percentage(percent("59.99"));
    let by = |how| outcome(1, "英语").with(|it| it.draft.obtained_by = Some(how));
    let cases = [
        (outcome(1, "英语").graded(fail), "r NOT_PASSED"),
        (
            result(outcome(1, "英语"), StudyResult::Incomplete, true),
            "r 0001 4",
        ),
        (
            result(outcome(1, "英语"), StudyResult::Incomplete, false),
            "r NOT_PASSED",
        ),
        (
            result(outcome(1, "英语"), StudyResult::Graduated, false),
            "r 0001 4",
        ),
        (outcome(1, "英语").on(APPLIED), "r 0001 4"),
        (
            outcome(1, "英语").on(APPLIED.tomorrow().expect("a day")),
            "r COMPLETED_LATER",
        ),
        (by(ObtainedBy::Recognition), "r BY_RECOGNITION"),
        (by(ObtainedBy::Assessment), "r 0001 4"),
    ];
    for (source, expected) in cases {
        assert_eq!(under(&rule, &[source]), [expected]);
    }
}

#[test]
fn selectors_take_what_every_part_of_them_takes() {
    let certificate = |change: fn(&mut creditbank_domain::outcome::SkillCertificate)| {
        certificate(1, "英语").with(|it| {
            if let Detail::SkillCertificate(it) = &mut it.draft.detail {
                change(it);
            }
        })
    };
    let printed = certificate(|it| it.level_printed = Label::parse("ＣＥＴ－4").ok());
    let nurse = certificate(|it| it.occupation = "4-10-01-05".parse_occupation());
    let x = certificate(|it| it.x_certificate = true);
    let project = outcome(1, "英语").with(|it| it.draft.project = Code::parse("p-1").ok());
    let standard = outcome(1, "英语").with(|it| it.standard = Some("unit-1"));
    let plain = || outcome(1, "英语");
    let any = Selector::default;
    let cases: Vec<(Selector, Outcome, Outcome)> = vec![
        (
            Selector {
                categories: vec![Category::SkillCertificate],
                ..any()
            },
            x.clone(),
            plain(),
        ),
        (
            Selector {
                institutions: vec![institution("other-college")],
                ..any()
            },
            plain(),
            plain().of("third-college"),
        ),
        (
            Selector {
                regions: vec!["31".into(), "3201".into()],
                ..any()
            },
            plain(),
            plain().with(|it| it.region = Some("330106")),
        ),
        (
            Selector {
                regions: vec!["32".into()],
                ..any()
            },
            plain(),
            plain().with(|it| it.region = None),
        ),
        (
            Selector {
                occupations: nurse_codes(),
                ..any()
            },
            nurse.clone(),
            x.clone(),
        ),
        (
            Selector {
                skill_levels: vec![SkillLevel::Intermediate],
                ..any()
            },
            x.clone(),
            plain(),
        ),
        (
            Selector {
                printed_levels: vec!["cet4".into()],
                ..any()
            },
            printed,
            x.clone(),
        ),
        (
            Selector {
                stages: vec![LearningStage::JuniorCollege],
                ..any()
            },
            plain(),
            x.clone(),
        ),
        (
            Selector {
                graduated: Some(false),
                ..any()
            },
            plain(),
            x.clone(),
        ),
        (
            Selector {
                projects: vec!["p-1".into()],
                ..any()
            },
            project,
            plain(),
        ),
        (
            Selector {
                standards: vec!["unit-1".into()],
                ..any()
            },
            standard,
            plain(),
        ),
        (
            Selector {
                x_certificate: Some(true),
                ..any()
            },
            x.clone(),
            nurse.clone(),
        ),
        (
            Selector {
                x_certificate: Some(false),
                ..any()
            },
            plain(),
            x,
        ),
        (
            Selector {
                categories: vec![Category::SkillCertificate],
                institutions: vec![institution("third-college")],
                ..any()
            },
            nurse.clone().of("third-college"),
            nurse,
        ),
    ];
    for (selector, taken, left) in cases {
        let rule = rule(
            "r",
            Form::CourseToCourse,
            selector.clone(),
            vec![to_course("0001")],
        );
        assert_eq!(
            under(&rule, std::slice::from_ref(&taken)),
            ["r 0001 4"],
            "{selector:?}"
        );
        assert_eq!(under(&rule, &[left]), ["r NOT_SELECTED"], "{selector:?}");
        let learner = Learner::new([taken]);
        let set = creditbank_domain::rules::Compiled::new(set(vec![rule], vec![]));
        let found = creditbank_domain::rules::candidates(&set, &learner.case());
        assert_eq!(found, [using("r", &[1])], "the index finds {selector:?}");
    }
}

trait ParseOccupation {
    fn parse_occupation(&self) -> Option<creditbank_domain::OccupationCode>;
}

impl ParseOccupation for str {
    fn parse_occupation(&self) -> Option<creditbank_domain::OccupationCode> {
        creditbank_domain::OccupationCode::parse(self).ok()
    }
}

fn nurse_codes() -> Vec<creditbank_domain::OccupationCode> {
    "4-10-01-05".parse_occupation().into_iter().collect()
}

#[test]
fn hours_credits_attendance_and_provenance_have_floors() {
    let plain = || outcome(1, "英语");
    let class = |attended| elder_class(1, "英语", "32", attended);
    let dual = |one: &str, other: &str| {
        let attestor = |id: &str| Attestor {
            institution: institution(id),
            mentor: Code::parse("7").expect("a code"),
        };
        plain().with(|it| {
            it.draft.detail = Detail::DualTrack(DualTrack {
                enterprise_name: Label::parse("某厂").expect("a name"),
                enterprise_code: UnifiedSocialCreditCode::parse("91350100M000100Y43")
                    .expect("a code"),
                enterprise_attestor: Some(attestor(one)),
                college_attestor: Some(attestor(other)),
            });
        })
    };
    let hours_of_64 = conditioned(|it| it.min_hours = Some(hours("64")));
    let hours_of_65 = conditioned(|it| it.min_hours = Some(hours("64.01")));
    let credits_of_4 = conditioned(|it| it.min_credits = Some(credits("4")));
    let credits_of_5 = conditioned(|it| it.min_credits = Some(credits("5")));
    let attended = conditioned(|it| it.min_attendance_bp = Some(7_000));
    let attested = conditioned(|it| it.two_attestors = true);
    let assessed = conditioned(|it| it.by_assessment = true);
    let cases = [
        (&hours_of_64, plain(), "r 0001 4"),
        (&hours_of_65, plain(), "r HOURS_TOO_FEW"),
        (&hours_of_64, certificate(1, "英语"), "r HOURS_TOO_FEW"),
        (&credits_of_4, plain(), "r 0001 4"),
        (&credits_of_5, plain(), "r CREDITS_TOO_FEW"),
        (&credits_of_4, certificate(1, "英语"), "r CREDITS_UNKNOWN"),
        (&attended, class(7), "r 0001 4"),
        (&attended, class(6), "r ATTENDANCE_TOO_LOW"),
        (&attended, plain(), "r ATTENDANCE_TOO_LOW"),
        (&attested, dual("some-works", "shou"), "r 0001 4"),
        (&attested, plain(), "r ATTESTORS_MISSING"),
        (&assessed, plain(), "r NOT_BY_ASSESSMENT"),
        (
            &assessed,
            plain().with(|it| it.draft.obtained_by = Some(ObtainedBy::Assessment)),
            "r 0001 4",
        ),
    ];
    for (rule, source, expected) in cases {
        assert_eq!(under(rule, &[source]), [expected], "{:?}", rule.conditions);
    }
}

#[test]
fn levels_come_from_the_framework_or_the_standard() {
    let levelled = |id: &str, from, to, number| Standard {
        id: id.to_owned(),
        level: Some(level(number)),
        effective: days(from, to),
        ..standard()
    };
    let framework = |it: &mut RuleSet| {
        it.framework.skills = vec![(SkillLevel::Intermediate, level(3))];
        it.framework.stages = vec![(LearningStage::JuniorCollege, level(5))];
        it.framework.printed = vec![("cet6".into(), level(6))];
        it.standards = vec![
            levelled("unit", None, Some(date(2023, 12, 31)), 4),
            levelled("unit", Some(date(2024, 1, 1)), None, 7),
        ];
    };
    let printed = certificate(1, "英语").with(|it| {
        if let Detail::SkillCertificate(it) = &mut it.draft.detail {
            (it.level, it.level_printed) = (None, Label::parse("CET-6").ok());
        }
    });
    let class = |standard| elder_class(1, "英语", "32", 10).with(|it| it.standard = standard);
    let cases = [
        (LevelFloor::Programme, outcome(1, "英语"), "r 0001 4"),
        (
            LevelFloor::Programme,
            certificate(1, "英语"),
            "r LEVEL_TOO_LOW",
        ),
        (
            LevelFloor::AtLeast(level(3)),
            certificate(1, "英语"),
            "r 0001 4",
        ),
        (LevelFloor::AtLeast(level(6)), printed.clone(), "r 0001 4"),
        (LevelFloor::AtLeast(level(7)), printed, "r LEVEL_TOO_LOW"),
        (
            LevelFloor::AtLeast(level(1)),
            class(None),
            "r LEVEL_UNKNOWN",
        ),
        (LevelFloor::Any, class(None), "r 0001 4"),
        (LevelFloor::Programme, class(Some("unit")), "r 0001 4"),
        (
            LevelFloor::Programme,
            class(Some("unit")).on(date(2023, 12, 31)),
            "r LEVEL_TOO_LOW",
        ),
    ];
    for (floor, source, expected) in cases {
        let rule = conditioned(|it| it.min_level = floor);
        let set = set(vec![rule], vec![]).with(framework);
        let decision = Learner::new([source]).decide(&set, &[using("r", &[1])]);
        assert_eq!(short(&decision), [expected], "{floor:?}");
    }
}

fn standard() -> Standard {
    Standard {
        id: String::new(),
        version: "1".to_owned(),
        title: wording("标准"),
        clause: String::new(),
        categories: Vec::new(),
        level: None,
        effective: Period::default(),
        catalogued: true,
        min_hours: None,
        max_hours: None,
        min_attendance_bp: None,
        deposit_within_years: None,
        evidence: Vec::new(),
        two_attestors: false,
        pass_required: false,
        walk: None,
        place: Place::default(),
    }
}

#[test]
fn programmes_and_subjects_can_be_left_out() {
    let cases: Vec<(creditbank_domain::rules::Rule, &str)> = vec![
        (
            conditioned(|it| it.programmes = vec!["business".into()]),
            "r 0001 4",
        ),
        (
            conditioned(|it| it.programmes = vec!["law".into()]),
            "r PROGRAMME_EXCLUDED",
        ),
        (
            conditioned(|it| it.programme_kind = Some(ProgrammeKind::Degree)),
            "r 0001 4",
        ),
        (
            conditioned(|it| it.programme_kind = Some(ProgrammeKind::NonDegree)),
            "r PROGRAMME_EXCLUDED",
        ),
        (
            conditioned(|it| it.except_subjects = vec!["0502".into()]),
            "r 0001 4",
        ),
        (
            conditioned(|it| it.except_subjects = vec!["0502".into(), "12".into()]),
            "r SUBJECT_EXCLUDED",
        ),
        (
            conditioned(|it| {
                it.except_course_kinds = vec![creditbank_domain::rules::CourseKind::Theory]
            }),
            "r TARGET_EXCLUDED",
        ),
        (
            conditioned(|it| it.credits_not_below_target = true),
            "r 0001 4",
        ),
    ];
    for (rule, expected) in cases {
        assert_eq!(
            under(&rule, &[outcome(1, "英语")]),
            [expected],
            "{:?}",
            rule.conditions
        );
    }
    let low = conditioned(|it| it.credits_not_below_target = true);
    assert_eq!(
        under(&low, &[outcome(1, "英语").worth("3.99")]),
        ["r CREDITS_TOO_FEW"]
    );
}

#[test]
fn an_agreement_covers_a_direction_categories_and_days() {
    let agreement = |from: &str, to: &str, mutual| Agreement {
        id: "pair".to_owned(),
        title: wording("协议"),
        from: from.to_owned(),
        to: to.to_owned(),
        mutual,
        categories: vec![Category::DegreeCourse],
        versions: vec![
            (
                "2022.1".to_owned(),
                days(Some(date(2022, 3, 1)), Some(date(2023, 2, 28))),
            ),
            ("2023.1".to_owned(), days(Some(date(2023, 3, 1)), None)),
        ],
        clause: "§1".to_owned(),
        place: Place::default(),
    };
    let plain = || outcome(1, "英语");
    let cases = [
        (agreement("32", "31", false), plain(), "r 0001 4"),
        (agreement("31", "32", true), plain(), "r 0001 4"),
        (agreement("31", "32", false), plain(), "r NO_AGREEMENT"),
        (agreement("34", "31", false), plain(), "r NO_AGREEMENT"),
        (
            agreement("32", "31", false),
            plain().with(|it| it.region = None),
            "r NO_AGREEMENT",
        ),
        (
            agreement("32", "31", false),
            certificate(1, "英语"),
            "r NO_AGREEMENT",
        ),
        (
            agreement("32", "31", false),
            plain().on(date(2023, 2, 28)),
            "r 0001 4",
        ),
        (
            agreement("32", "31", false),
            plain().on(date(2022, 2, 28)),
            "r NO_AGREEMENT",
        ),
    ];
    for (agreement, source, expected) in cases {
        let rule = conditioned(|it| it.agreement = Some("pair".into()));
        let set = set(vec![rule], vec![]).with(|it| it.agreements = vec![agreement.clone()]);
        let decision = Learner::new([source]).decide(&set, &[using("r", &[1])]);
        assert_eq!(short(&decision), [expected], "{agreement:?}");
    }
    let unknown = conditioned(|it| it.agreement = Some("none".into()));
    assert_eq!(under(&unknown, &[plain()]), ["r NO_AGREEMENT"]);
}

#[test]
fn no_agreement_covers_a_programme_that_is_in_no_province() {
    let rule = conditioned(|it| it.agreement = Some("pair".into()));
    let set = set(vec![rule], vec![]).with(|it| {
        it.agreements = vec![Agreement {
            id: "pair".to_owned(),
            title: wording("协议"),
            from: "32".to_owned(),
            to: "31".to_owned(),
            mutual: true,
            categories: Vec::new(),
            versions: vec![("1".to_owned(), Period::default())],
            clause: String::new(),
            place: Place::default(),
        }];
    });
    let decide =
        |set: &RuleSet| short(&Learner::new([outcome(1, "英语")]).decide(set, &[using("r", &[1])]));
    assert_eq!(decide(&set), ["r 0001 4"]);
    let abroad = set.with(|it| it.programmes[0].region.clear());
    assert_eq!(decide(&abroad), ["r NO_AGREEMENT"]);
}
