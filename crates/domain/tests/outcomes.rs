//! The rules between the fields of an outcome: a sound draft of each category, then one thing spoiled at a time.

use creditbank_domain::grade::{PassFail, Percentage};
use creditbank_domain::identifier::{
    InstitutionId, OccupationCode, Province, RegionCode, SkillCertificateNumber,
    UnifiedSocialCreditCode,
};
use creditbank_domain::outcome::{
    Achievement, Attendance, Attestor, CommunityCourse, DegreeCourse, DegreeForm, Detail,
    DualTrack, EVIDENCE_MAX, ElderCourse, Evidence, EvidenceKind, ExamCourseCode, HumanitiesWalk,
    LearningStage, MINUTES_MAX, OutcomeDraft, SESSIONS_MAX, SelfStudyExam, Session,
    SkillCertificate, SkillLevel, StudyResult, Term, Training, VenueLearning, WALK_POINTS_MAX,
    WalkPoint,
};
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Category, Credit, Grade, Hours};
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 3, 1);

/// A change that spoils a draft, and the fault it must give as `field CODE`, or nothing.
type Row = (fn(&mut OutcomeDraft), &'static str);

/// Applies each change to a fresh sound draft of the category and compares the faults with the last column.
fn check(category: Category, table: &[Row]) {
    let outcome = sound(category).check(TODAY).expect("a sound draft");
    assert_eq!(outcome.category(), category);
    assert_eq!(outcome.into_draft(), sound(category));
    for (row, (spoil, expected)) in table.iter().enumerate() {
        let mut draft = sound(category);
        spoil(&mut draft);
        assert_eq!(faults(draft), *expected, "{category}, row {row}");
    }
}

fn faults(draft: OutcomeDraft) -> String {
    let faults = draft.check(TODAY).err().unwrap_or_default();
    let shown: Vec<_> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.refusal.code()))
        .collect();
    shown.join(", ")
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

fn sound(category: Category) -> OutcomeDraft {
    OutcomeDraft {
        achievement: Achievement {
            code: Some(code("C-1")),
            name: label("中国·文化"),
        },
        project: None,
        credits: Some(Credit::parse("2.5").unwrap()),
        hours: Some(Hours::parse("40").unwrap()),
        grade: Some(Grade::Percentage(Percentage::parse("87").unwrap())),
        completed_on: date(2025, 6, 30),
        completed_at: None,
        obtained_by: None,
        started_on: Some(date(2025, 3, 1)),
        external_id: None,
        institution_name: Some(label("上海开放大学")),
        evidence: vec![Evidence {
            kind: EvidenceKind::Transcript,
            uri: None,
            sha256: [1; 32],
        }],
        detail: detail(category),
    }
}

fn detail(category: Category) -> Detail {
    let attendance = Attendance {
        planned: 16,
        attended: 12,
    };
    let (region, site) = (
        Some(RegionCode::parse("310151").unwrap()),
        Some(label("堡镇学习点")),
    );
    match category {
        Category::DegreeCourse => Detail::DegreeCourse(DegreeCourse {
            form: DegreeForm::Adult,
            stage: LearningStage::Undergraduate,
            subject: Some(label("行政管理")),
            year: 2026,
            term: Some(Term::Autumn),
            result: None,
        }),
        Category::SelfStudyExam => Detail::SelfStudyExam(SelfStudyExam {
            course_code: ExamCourseCode::parse("00015").unwrap(),
            session: Session::new(2025, 4).unwrap(),
            province: Province::parse("31").unwrap(),
        }),
        Category::SkillCertificate => Detail::SkillCertificate(SkillCertificate {
            number: Some(SkillCertificateNumber::parse("S000031000001254000001").unwrap()),
            occupation: Some(OccupationCode::parse("4-10-01-05").unwrap()),
            occupation_name: Some(label("养老护理员")),
            level: Some(SkillLevel::Intermediate),
            level_printed: None,
            valid_until: None,
            x_certificate: false,
        }),
        Category::Training => Detail::Training(Training { certificate: true }),
        Category::CommunityCourse => Detail::CommunityCourse(CommunityCourse {
            attendance,
            region,
            site,
        }),
        Category::ElderCourse => Detail::ElderCourse(ElderCourse {
            attendance,
            year: 2025,
            term: Term::Spring,
            region,
            site,
        }),
        Category::VenueLearning => Detail::VenueLearning(VenueLearning {
            venue: label("上海博物馆"),
            activity: label("导览"),
            minutes: 90,
        }),
        Category::HumanitiesWalk => Detail::HumanitiesWalk(HumanitiesWalk {
            route: code("SH-07"),
            points: (9..13)
                .map(|hour| WalkPoint {
                    code: code("P1"),
                    at: date(2025, 6, 30).at(hour, 0, 0, 0),
                })
                .collect(),
        }),
        Category::DualTrack => Detail::DualTrack(DualTrack {
            enterprise_name: label("福建示例公司"),
            enterprise_code: UnifiedSocialCreditCode::parse("91350100M000100Y43").unwrap(),
            enterprise_attestor: Some(attestor("example-works")),
            college_attestor: Some(attestor("example-college")),
        }),
    }
}

fn attestor(institution: &str) -> Attestor {
    Attestor {
        institution: InstitutionId::parse(institution).unwrap(),
        mentor: code("M-17"),
    }
}

/// The detail of the expected variant, to be spoiled.
macro_rules! detail {
    ($draft:ident, $variant:ident) => {
        match &mut $draft.detail {
            Detail::$variant(detail) => detail,
            _ => unreachable!("the sound draft has this detail"),
        }
    };
}

#[test]
fn every_category_dates_its_outcome_and_binds_its_evidence() {
    for category in Category::ALL {
        check(
            category,
            &[
                (
                    |d| d.completed_on = date(2026, 3, 2),
                    "completed_on COMPLETED_IN_FUTURE",
                ),
                (
                    |d| d.started_on = d.completed_on.tomorrow().ok(),
                    "started_on END_BEFORE_START",
                ),
                (
                    |d| d.started_on = Some(date(1990, 1, 1)),
                    "started_on OUT_OF_RANGE",
                ),
                (
                    |d| d.evidence.push(d.evidence[0].clone()),
                    "evidence[1].sha256 REPEATED",
                ),
                (many_pieces, "evidence TOO_MANY"),
                (
                    |d| (d.started_on, d.external_id) = (None, Some(code("x"))),
                    "",
                ),
            ],
        );
    }
}

fn many_pieces(draft: &mut OutcomeDraft) {
    let piece = |n: u32| Evidence {
        kind: EvidenceKind::Other,
        uri: None,
        sha256: [n as u8; 32],
    };
    draft.evidence = (0..=EVIDENCE_MAX).map(piece).collect();
}

#[test]
fn all_faults_are_told_at_once() {
    let mut draft = sound(Category::DualTrack);
    draft.completed_on = date(1949, 9, 30);
    draft.credits = None;
    draft.hours = None;
    detail!(draft, DualTrack).enterprise_attestor = None;
    assert_eq!(
        faults(draft),
        "completed_on DATE_TOO_EARLY, started_on END_BEFORE_START, credits MISSING, \
         detail.enterprise_attestor ATTESTOR_MISSING"
    );
}

#[test]
fn a_degree_course_has_a_grade_or_a_result_and_a_plausible_year() {
    check(
        Category::DegreeCourse,
        &[
            (|d| d.grade = None, "grade MISSING"),
            (
                |d| {
                    (d.grade, detail!(d, DegreeCourse).result) =
                        (None, Some(StudyResult::Graduated))
                },
                "",
            ),
            (
                |d| detail!(d, DegreeCourse).year = 1900,
                "detail.year OUT_OF_RANGE",
            ),
            (
                |d| detail!(d, DegreeCourse).year = 2036,
                "detail.year OUT_OF_RANGE",
            ),
            (|d| detail!(d, DegreeCourse).year = 2035, ""),
        ],
    );
}

#[test]
fn a_self_study_examination_has_a_grade_after_its_session() {
    check(
        Category::SelfStudyExam,
        &[
            (|d| d.grade = None, "grade MISSING"),
            (|d| d.grade = Some(Grade::PassFail(PassFail::Pass)), ""),
            (
                |d| detail!(d, SelfStudyExam).session = Session::new(2025, 10).unwrap(),
                "detail.session INCONSISTENT",
            ),
            (
                |d| detail!(d, SelfStudyExam).session = Session::new(2025, 6).unwrap(),
                "",
            ),
        ],
    );
}

#[test]
fn a_skill_certificate_agrees_with_its_number() {
    fn number(draft: &mut OutcomeDraft, text: &str) {
        detail!(draft, SkillCertificate).number =
            Some(SkillCertificateNumber::parse(text).unwrap());
    }
    check(
        Category::SkillCertificate,
        &[
            (|d| d.institution_name = None, "institution_name MISSING"),
            (
                |d| detail!(d, SkillCertificate).number = None,
                "detail.number MISSING",
            ),
            (
                |d| (detail!(d, SkillCertificate).number, d.external_id) = (None, Some(code("X1"))),
                "",
            ),
            (
                |d| detail!(d, SkillCertificate).level = None,
                "detail.level MISSING",
            ),
            (
                |d| detail!(d, SkillCertificate).level = Some(SkillLevel::Advanced),
                "detail.level INCONSISTENT",
            ),
            (|d| number(d, "S000031000001264000001"), ""),
            (
                |d| number(d, "S000031000001274000001"),
                "detail.number INCONSISTENT",
            ),
            (
                |d| number(d, "S00003100000125T000001"),
                "detail.level INCONSISTENT",
            ),
            (|d| number(d, "1409123456789"), ""),
            (
                |d| detail!(d, SkillCertificate).valid_until = Some(date(2025, 6, 29)),
                "detail.valid_until END_BEFORE_START",
            ),
        ],
    );
}

#[test]
fn a_training_names_its_institution() {
    check(
        Category::Training,
        &[
            (|d| d.institution_name = None, "institution_name MISSING"),
            (|d| d.grade = None, ""),
        ],
    );
}

#[test]
fn courses_of_communities_and_elders_have_hours_and_possible_attendance() {
    check(
        Category::CommunityCourse,
        &[
            (|d| d.hours = None, "hours MISSING"),
            (
                |d| detail!(d, CommunityCourse).attendance.attended = 17,
                "detail.attendance.attended INCONSISTENT",
            ),
            (|d| detail!(d, CommunityCourse).attendance.attended = 0, ""),
            (
                |d| detail!(d, CommunityCourse).attendance.planned = SESSIONS_MAX + 1,
                "detail.attendance.planned OUT_OF_RANGE",
            ),
            (
                |d| (d.completed_on, d.started_on) = (date(2010, 1, 1), None),
                "detail.region REGION_NOT_VALID_THEN",
            ),
        ],
    );
    check(
        Category::ElderCourse,
        &[
            (|d| d.hours = None, "hours MISSING"),
            (
                |d| {
                    detail!(d, ElderCourse).attendance = Attendance {
                        planned: 0,
                        attended: 0,
                    }
                },
                "detail.attendance.planned OUT_OF_RANGE",
            ),
            (
                |d| detail!(d, ElderCourse).year = 2026,
                "detail.year OUT_OF_RANGE",
            ),
            (|d| detail!(d, ElderCourse).region = None, ""),
        ],
    );
}

#[test]
fn a_visit_lasts_a_minute_to_a_day() {
    check(
        Category::VenueLearning,
        &[
            (
                |d| detail!(d, VenueLearning).minutes = 0,
                "detail.minutes OUT_OF_RANGE",
            ),
            (
                |d| detail!(d, VenueLearning).minutes = MINUTES_MAX + 1,
                "detail.minutes OUT_OF_RANGE",
            ),
            (|d| detail!(d, VenueLearning).minutes = MINUTES_MAX, ""),
        ],
    );
}

#[test]
fn the_points_of_a_walk_ascend_in_time() {
    fn endless(draft: &mut OutcomeDraft) {
        let at = |minute: u32| date(2025, 6, 30).at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        let point = |minute| WalkPoint {
            code: code("P"),
            at: at(minute),
        };
        detail!(draft, HumanitiesWalk).points = (0..=WALK_POINTS_MAX).map(point).collect();
    }
    check(
        Category::HumanitiesWalk,
        &[
            (
                |d| detail!(d, HumanitiesWalk).points.clear(),
                "detail.points TOO_FEW",
            ),
            (endless, "detail.points TOO_MANY"),
            (
                |d| detail!(d, HumanitiesWalk).points.swap(1, 2),
                "detail.points[2].at NOT_ASCENDING",
            ),
            (
                |d| detail!(d, HumanitiesWalk).points[1].at = date(2025, 6, 30).at(9, 0, 0, 0),
                "detail.points[1].at NOT_ASCENDING",
            ),
            (
                |d| detail!(d, HumanitiesWalk).points[3].at = date(2025, 7, 1).at(9, 0, 0, 0),
                "detail.points[3].at INCONSISTENT",
            ),
        ],
    );
}

#[test]
fn a_dual_track_outcome_has_two_attesting_parties() {
    check(
        Category::DualTrack,
        &[
            (
                |d| detail!(d, DualTrack).enterprise_attestor = None,
                "detail.enterprise_attestor ATTESTOR_MISSING",
            ),
            (
                |d| detail!(d, DualTrack).college_attestor = None,
                "detail.college_attestor ATTESTOR_MISSING",
            ),
            (
                |d| detail!(d, DualTrack).college_attestor = Some(attestor("example-works")),
                "detail.college_attestor.institution ATTESTOR_REPEATED",
            ),
            (|d| (d.credits, d.hours) = (None, None), "credits MISSING"),
            (|d| d.credits = None, ""),
        ],
    );
}
