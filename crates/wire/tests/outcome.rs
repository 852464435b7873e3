//! Outcomes cross the wire unchanged, and a refused one names every field that is wrong.

use creditbank_domain::outcome::{EVIDENCE_MAX, WALK_POINTS_MAX};
use creditbank_domain::{Category, Refusal};
use creditbank_wire::convert::outcome::{
    category_to_message, fault_in_message, parse, parse_category, to_message,
};
use creditbank_wire::v1;
use creditbank_wire::v1::grade::Scheme;
use creditbank_wire::v1::outcome::Detail;
use jiff::civil::{Date, date};
use proptest::option;
use proptest::prelude::*;

const TODAY: Date = date(2026, 7, 1);

/// One outcome a category, by the number of the category, with every field of its detail set.
fn samples() -> Vec<v1::Outcome> {
    let details = [
        Detail::DegreeCourse(v1::DegreeCourse {
            form: 30,
            stage: 21,
            subject: "计算机应用技术".into(),
            year: 2026,
            term: 50,
            result: 40,
        }),
        Detail::SelfStudyExam(v1::SelfStudyExam {
            course_code: "00018".into(),
            session: "2026-04".into(),
            province: 31,
        }),
        Detail::SkillCertificate(v1::SkillCertificate {
            number: "Y000031000001264000001".into(),
            occupation: "4-10-01-05".into(),
            occupation_name: "养老护理员".into(),
            level: 4,
            level_printed: "四级".into(),
            valid_until: "2031-06-30".into(),
            x_certificate: true,
        }),
        Detail::Training(v1::Training { certificate: true }),
        Detail::CommunityCourse(v1::CommunityCourse {
            attendance: Some(v1::Attendance {
                planned: 16,
                attended: 12,
            }),
            region: "310115".into(),
            site: "潍坊新村街道社区学校".into(),
        }),
        Detail::ElderCourse(v1::ElderCourse {
            attendance: Some(v1::Attendance {
                planned: 16,
                attended: 0,
            }),
            year: 2026,
            term: 50,
            region: "330106".into(),
            site: "老年大学".into(),
        }),
        Detail::VenueLearning(v1::VenueLearning {
            venue: "上海博物馆".into(),
            activity: "青铜器".into(),
            minutes: 90,
        }),
        Detail::HumanitiesWalk(v1::HumanitiesWalk {
            route: "R-07".into(),
            points: vec![
                walk_point("P-1", "2026-05-01T09:30:00"),
                walk_point("P-2", "2026-05-01T10:05:30"),
            ],
        }),
        Detail::DualTrack(v1::DualTrack {
            enterprise_name: "某某汽车有限公司".into(),
            enterprise_code: "91350100M000100Y43".into(),
            enterprise_attestor: Some(attestor("auto-works")),
            college_attestor: Some(attestor("shou")),
        }),
    ];
    details.into_iter().map(outcome).collect()
}

fn outcome(detail: Detail) -> v1::Outcome {
    v1::Outcome {
        achievement: Some(v1::Achievement {
            code: "C-1".into(),
            name: "𠮷·课程".into(),
        }),
        credits_hundredths: Some(250),
        hours_hundredths: Some(3200),
        grade: Some(v1::Grade {
            scheme: Some(Scheme::PercentageHundredths(8750)),
        }),
        completed_on: "2026-06-30".into(),
        started_on: "2026-03-01".into(),
        external_id: "X-1".into(),
        institution_name: "上海开放大学".into(),
        evidence: vec![evidence(1)],
        completed_at: "14:30:00".into(),
        obtained_by: v1::ObtainedBy::Assessment as i32,
        project: "P-9".into(),
        detail: Some(detail),
    }
}

fn walk_point(code: &str, at: &str) -> v1::WalkPoint {
    v1::WalkPoint {
        code: code.into(),
        at: at.into(),
    }
}

fn attestor(institution: &str) -> v1::Attestor {
    v1::Attestor {
        institution: institution.into(),
        mentor: "M-12".into(),
    }
}

fn evidence(digest: u8) -> v1::Evidence {
    v1::Evidence {
        kind: 1,
        uri: "https://example.org/1".into(),
        sha256: vec![digest; 32].into(),
    }
}

fn sample(category: Category) -> v1::Outcome {
    samples().swap_remove(category.number() as usize - 1)
}

/// The faults of a sample that was changed, as `field CODE`.
fn faults(category: Category, change: impl FnOnce(&mut v1::Outcome)) -> Vec<String> {
    let mut message = sample(category);
    change(&mut message);
    let faults = parse(message, TODAY).expect_err("refused");
    faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.refusal.code()))
        .collect()
}

macro_rules! detail {
    ($message:expr, $variant:ident) => {
        match $message.detail.as_mut() {
            Some(Detail::$variant(detail)) => detail,
            other => panic!("another detail: {other:?}"),
        }
    };
}

#[test]
fn every_category_crosses_the_wire_unchanged() {
    for (message, category) in samples().into_iter().zip(Category::ALL) {
        let parsed = parse(message.clone(), TODAY).expect("accepted");
        assert_eq!(parsed.category(), category);
        assert_eq!(to_message(&parsed), message);
    }
}

#[test]
fn every_scheme_of_grades_crosses_the_wire_unchanged() {
    let points = |scale: &str| {
        Scheme::Points(v1::Points {
            scale: scale.into(),
            points_hundredths: 370,
        })
    };
    let levels = (1..=5).map(Scheme::FiveLevel);
    let schemes = levels.chain([
        Scheme::PassFail(1),
        Scheme::PassFail(2),
        points("gpa-4.0"),
        points("score"),
    ]);
    for scheme in schemes {
        let mut message = sample(Category::DegreeCourse);
        message.grade = Some(v1::Grade {
            scheme: Some(scheme),
        });
        let parsed = parse(message.clone(), TODAY).expect("accepted");
        assert_eq!(to_message(&parsed), message);
    }
}

#[test]
fn what_may_be_absent_stays_absent() {
    let mut message = sample(Category::DegreeCourse);
    message.achievement = Some(v1::Achievement {
        code: String::new(),
        name: "课程".into(),
    });
    (message.credits_hundredths, message.hours_hundredths) = (None, Some(0));
    for text in [
        &mut message.project,
        &mut message.started_on,
        &mut message.external_id,
        &mut message.completed_at,
    ] {
        text.clear();
    }
    message.evidence.clear();
    let course = detail!(message, DegreeCourse);
    course.subject.clear();
    (course.term, course.result) = (0, 0);
    let parsed = parse(message.clone(), TODAY).expect("accepted");
    assert_eq!(to_message(&parsed), message);
}

#[test]
fn categories_have_the_same_numbers_on_the_wire() {
    for category in Category::ALL {
        let message = category_to_message(category);
        assert_eq!(parse_category(message.into()), Ok(category));
        assert_eq!(message as u32, category.number());
    }
    for number in [0, 10, -1, i32::MIN] {
        assert_eq!(parse_category(number), Err(Refusal::CategoryUnknown));
    }
}

#[test]
fn every_single_fault_is_told_at_once() {
    let told = faults(Category::DegreeCourse, |message| {
        message.achievement = None;
        message.project = "x".repeat(65);
        message.grade = Some(v1::Grade {
            scheme: Some(Scheme::PercentageHundredths(10_001)),
        });
        message.completed_on = "2026-02-29".into();
        message.completed_at = "24:00:00".into();
        message.started_on = "20260301".into();
        message.external_id = "a\nb".into();
        message.institution_name = "名".repeat(201);
        message.evidence.push(v1::Evidence {
            kind: 7,
            uri: String::new(),
            sha256: vec![0; 31].into(),
        });
        *detail!(message, DegreeCourse) = v1::DegreeCourse {
            form: 32,
            stage: 0,
            subject: " ".into(),
            year: 0,
            term: 1,
            result: 42,
        };
    });
    let expected = [
        "achievement.name MISSING",
        "project TOO_LONG",
        "grade.percentage_hundredths OUT_OF_RANGE",
        "completed_on NOT_A_DATE",
        "completed_at MALFORMED",
        "started_on NOT_A_DATE",
        "external_id BAD_CHARACTER",
        "institution_name TOO_LONG",
        "evidence[1].kind CHOICE_UNKNOWN",
        "evidence[1].sha256 WRONG_LENGTH",
        "degree_course.form CHOICE_UNKNOWN",
        "degree_course.stage MISSING",
        "degree_course.subject MISSING",
        "degree_course.year MISSING",
        "degree_course.term CHOICE_UNKNOWN",
        "degree_course.result CHOICE_UNKNOWN",
    ];
    assert_eq!(told, expected);
}

#[test]
fn grades_are_refused_by_the_field_of_their_scheme() {
    let points = |scale: &str, points_hundredths| {
        Scheme::Points(v1::Points {
            scale: scale.into(),
            points_hundredths,
        })
    };
    let cases = [
        (None, "grade GRADE_SCALE_UNKNOWN"),
        (Some(Scheme::FiveLevel(0)), "grade.five_level MISSING"),
        (
            Some(Scheme::FiveLevel(-1)),
            "grade.five_level CHOICE_UNKNOWN",
        ),
        (Some(Scheme::PassFail(0)), "grade.pass_fail MISSING"),
        (Some(Scheme::PassFail(3)), "grade.pass_fail CHOICE_UNKNOWN"),
        (Some(points("", 0)), "grade.points.scale MISSING"),
        (
            Some(points("gpa-9", 0)),
            "grade.points.scale GRADE_SCALE_UNKNOWN",
        ),
        (
            Some(points(" gpa-4.0", 0)),
            "grade.points.scale NOT_CANONICAL",
        ),
        (
            Some(points("gpa-4.0", 401)),
            "grade.points.points_hundredths OUT_OF_RANGE",
        ),
    ];
    for (scheme, expected) in cases {
        let told = faults(Category::DegreeCourse, |message| {
            message.grade = Some(v1::Grade { scheme })
        });
        assert_eq!(told, [expected]);
    }
}

type Case = (Category, fn(&mut v1::Outcome), &'static str);

#[test]
fn details_are_refused_by_their_own_fields() {
    let cases: [Case; 22] = [
        (Category::Training, |m| m.detail = None, "detail MISSING"),
        (
            Category::SelfStudyExam,
            |m| detail!(m, SelfStudyExam).course_code = "0001".into(),
            "self_study_exam.course_code WRONG_LENGTH",
        ),
        (
            Category::SelfStudyExam,
            |m| detail!(m, SelfStudyExam).session = "2026-4".into(),
            "self_study_exam.session MALFORMED",
        ),
        (
            Category::SelfStudyExam,
            |m| detail!(m, SelfStudyExam).province = 99,
            "self_study_exam.province REGION_UNKNOWN",
        ),
        (
            Category::SkillCertificate,
            |m| detail!(m, SkillCertificate).number = "Y1".into(),
            "skill_certificate.number WRONG_LENGTH",
        ),
        (
            Category::SkillCertificate,
            |m| detail!(m, SkillCertificate).occupation = "4-10-01-99".into(),
            "skill_certificate.occupation OCCUPATION_UNKNOWN",
        ),
        (
            Category::SkillCertificate,
            |m| detail!(m, SkillCertificate).level = 9,
            "skill_certificate.level LEVEL_UNKNOWN",
        ),
        (
            Category::SkillCertificate,
            |m| detail!(m, SkillCertificate).valid_until = "soon".into(),
            "skill_certificate.valid_until NOT_A_DATE",
        ),
        (
            Category::CommunityCourse,
            |m| detail!(m, CommunityCourse).attendance = None,
            "community_course.attendance MISSING",
        ),
        (
            Category::CommunityCourse,
            |m| detail!(m, CommunityCourse).region = "319999".into(),
            "community_course.region REGION_UNKNOWN",
        ),
        (
            Category::ElderCourse,
            |m| detail!(m, ElderCourse).term = 0,
            "elder_course.term MISSING",
        ),
        (
            Category::ElderCourse,
            |m| detail!(m, ElderCourse).year = 70_000,
            "elder_course.year OUT_OF_RANGE",
        ),
        (
            Category::ElderCourse,
            |m| {
                detail!(m, ElderCourse).attendance = Some(v1::Attendance {
                    planned: 65_536,
                    attended: 1,
                })
            },
            "elder_course.attendance.planned OUT_OF_RANGE",
        ),
        (
            Category::ElderCourse,
            |m| {
                detail!(m, ElderCourse).attendance = Some(v1::Attendance {
                    planned: 1,
                    attended: 65_537,
                })
            },
            "elder_course.attendance.attended INCONSISTENT",
        ),
        (
            Category::VenueLearning,
            |m| detail!(m, VenueLearning).venue.clear(),
            "venue_learning.venue MISSING",
        ),
        (
            Category::VenueLearning,
            |m| detail!(m, VenueLearning).minutes = 65_536 + 90,
            "venue_learning.minutes OUT_OF_RANGE",
        ),
        (
            Category::HumanitiesWalk,
            |m| detail!(m, HumanitiesWalk).points[1].at = "2026-05-01 10:05".into(),
            "humanities_walk.points[1].at MALFORMED",
        ),
        (
            Category::HumanitiesWalk,
            |m| detail!(m, HumanitiesWalk).points[0].code.clear(),
            "humanities_walk.points[0].code MISSING",
        ),
        (
            Category::HumanitiesWalk,
            |m| detail!(m, HumanitiesWalk).points.clear(),
            "humanities_walk.points TOO_FEW",
        ),
        (
            Category::DualTrack,
            |m| detail!(m, DualTrack).enterprise_code = "91350100M000100Y4Z".into(),
            "dual_track.enterprise_code BAD_CHARACTER",
        ),
        (
            Category::DualTrack,
            |m| detail!(m, DualTrack).college_attestor = Some(attestor("SHOU")),
            "dual_track.college_attestor.institution BAD_CHARACTER",
        ),
        (
            Category::DualTrack,
            |m| detail!(m, DualTrack).college_attestor = None,
            "dual_track.college_attestor ATTESTOR_MISSING",
        ),
    ];
    for (category, change, expected) in cases {
        assert_eq!(faults(category, change), [expected]);
    }
}

#[test]
fn rules_between_fields_name_the_fields_of_the_wire() {
    let told = faults(Category::DualTrack, |m| {
        (m.credits_hundredths, m.hours_hundredths) = (None, None)
    });
    assert_eq!(told, ["credits_hundredths MISSING"]);
    let told = faults(Category::CommunityCourse, |m| m.hours_hundredths = None);
    assert_eq!(told, ["hours_hundredths MISSING"]);
    let told = faults(Category::HumanitiesWalk, |m| {
        detail!(m, HumanitiesWalk).points.swap(0, 1)
    });
    assert_eq!(told, ["humanities_walk.points[1].at NOT_ASCENDING"]);
    let told = faults(Category::Training, |m| m.evidence.push(evidence(1)));
    assert_eq!(told, ["evidence[1].sha256 REPEATED"]);
}

#[test]
fn a_fault_found_in_an_outcome_names_the_fields_of_its_message() {
    let walk = parse(sample(Category::HumanitiesWalk), TODAY).expect("a sound sample");
    for (found, told) in [
        ("hours", "hours_hundredths"),
        ("detail.points[1].at", "humanities_walk.points[1].at"),
        ("project", "project"),
    ] {
        let fault = Refusal::Missing.at(found).citing("第三条");
        let expected = Refusal::Missing.at(told).citing("第三条");
        assert_eq!(fault_in_message(fault, &walk), expected);
    }
}

#[test]
fn a_contradiction_names_both_fields_of_the_wire() {
    let attendance = Some(v1::Attendance {
        planned: 3,
        attended: 4,
    });
    let mut messages = [
        Category::CommunityCourse,
        Category::ElderCourse,
        Category::SkillCertificate,
    ]
    .map(sample);
    detail!(messages[0], CommunityCourse).attendance = attendance;
    detail!(messages[1], ElderCourse).attendance = attendance;
    detail!(messages[2], SkillCertificate).level = 5;
    let expected = [
        (
            "community_course.attendance.attended",
            "community_course.attendance.planned",
        ),
        (
            "elder_course.attendance.attended",
            "elder_course.attendance.planned",
        ),
        ("skill_certificate.level", "skill_certificate.number"),
    ];
    for (message, (field, with)) in messages.into_iter().zip(expected) {
        assert_eq!(
            parse(message, TODAY),
            Err(vec![Refusal::Inconsistent { with }.at(field)])
        );
    }
}

#[test]
fn a_value_has_one_spelling_in_signed_bytes() {
    let cases: [Case; 7] = [
        (
            Category::SelfStudyExam,
            |m| detail!(m, SelfStudyExam).course_code = "０００１８".into(),
            "self_study_exam.course_code NOT_CANONICAL",
        ),
        (
            Category::SelfStudyExam,
            |m| detail!(m, SelfStudyExam).session = "2026-04 ".into(),
            "self_study_exam.session NOT_CANONICAL",
        ),
        (
            Category::SkillCertificate,
            |m| detail!(m, SkillCertificate).number.make_ascii_lowercase(),
            "skill_certificate.number NOT_CANONICAL",
        ),
        (
            Category::SkillCertificate,
            |m| detail!(m, SkillCertificate).occupation.insert(0, ' '),
            "skill_certificate.occupation NOT_CANONICAL",
        ),
        (
            Category::CommunityCourse,
            |m| detail!(m, CommunityCourse).region = "３１０１１５".into(),
            "community_course.region NOT_CANONICAL",
        ),
        (
            Category::DualTrack,
            |m| detail!(m, DualTrack).enterprise_code.make_ascii_lowercase(),
            "dual_track.enterprise_code NOT_CANONICAL",
        ),
        (
            Category::Training,
            |m| m.completed_on = "2026-06-30T00:00:00".into(),
            "completed_on NOT_A_DATE",
        ),
    ];
    for (category, change, expected) in cases {
        assert_eq!(faults(category, change), [expected]);
    }
}

#[test]
fn a_long_list_is_refused_without_reading_it() {
    let told = faults(Category::Training, |m| {
        m.evidence = vec![v1::Evidence::default(); EVIDENCE_MAX as usize + 1]
    });
    assert_eq!(told, ["evidence TOO_MANY"]);
    let points = vec![v1::WalkPoint::default(); WALK_POINTS_MAX as usize + 1];
    let told = faults(Category::HumanitiesWalk, |m| {
        detail!(m, HumanitiesWalk).points = points
    });
    assert_eq!(told, ["humanities_walk.points TOO_MANY"]);
}

prop_compose! {
    /// A sample with the fields that all categories share drawn at random.
    fn outcomes()(
        sample in prop::sample::select(samples()),
        name in "[\\PC&&[^ \\u{2028}\\u{2029}]]{1,200}",
        project in "[!-~]{0,64}",
        (credits, hours) in (any::<u32>(), any::<u32>()),
        grade in option::of(prop_oneof![
            (0..=10_000u32).prop_map(Scheme::PercentageHundredths),
            (1..=5).prop_map(Scheme::FiveLevel),
            (1..=2).prop_map(Scheme::PassFail),
        ]),
        (month, day) in (5..=6i8, 1..=30i8),
        time in option::of((0..24i8, 0..60i8, 0..60i8)),
        obtained_by in 0..=2i32,
        digests in prop::collection::btree_set(any::<u8>(), 0..=EVIDENCE_MAX as usize),
    ) -> v1::Outcome {
        let grade = grade.map(|scheme| v1::Grade { scheme: Some(scheme) });
        let time = time.map(|(hour, minute, second)| format!("{hour:02}:{minute:02}:{second:02}"));
        v1::Outcome {
            achievement: Some(v1::Achievement { code: project.clone(), name }),
            project,
            credits_hundredths: Some(credits),
            hours_hundredths: Some(hours),
            grade: grade.or(sample.grade),
            completed_on: format!("2026-{month:02}-{day:02}"),
            completed_at: time.unwrap_or_default(),
            obtained_by,
            evidence: digests.into_iter().map(evidence).collect(),
            ..sample
        }
    }
}

proptest! {
    #[test]
    fn what_is_accepted_is_written_back_as_it_was_read(message in outcomes()) {
        let parsed = parse(message.clone(), TODAY).expect("accepted");
        prop_assert_eq!(to_message(&parsed), message);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        if let Ok(message) = <v1::Outcome as prost::Message>::decode(&*bytes) {
            let _ = parse(message, TODAY);
        }
    }
}
