//! Unit standards: an outcome that meets one, then one thing short of it at a time.

use creditbank_domain::grade::{PassFail, Percentage, Points, Scale};
use creditbank_domain::identifier::{InstitutionId, UnifiedSocialCreditCode};
use creditbank_domain::outcome::{
    Achievement, Attendance, Attestor, Detail, DualTrack, ElderCourse, Evidence, EvidenceKind,
    HumanitiesWalk, OutcomeDraft, Term, Training, WalkPoint,
};
use creditbank_domain::rules::{Period, Place, Wording};
use creditbank_domain::standard::{Share, Standard, WalkStandard};
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Category, Grade, Hours};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};

const TODAY: Date = date(2030, 1, 1);
const CLAUSE: &str = "老年教育课程认证单元 第三条";

/// One change to a standard, an outcome and the day of deposit, and the faults that follow as `field CODE parameters`.
type Row = (fn(&mut Case), &'static str);

struct Case {
    standard: Standard,
    draft: OutcomeDraft,
    deposited_on: Date,
}

fn check(base: fn() -> Case, table: &[Row]) {
    for (row, (change, expected)) in table.iter().enumerate() {
        let mut case = base();
        change(&mut case);
        let outcome = case.draft.check(TODAY).expect("a sound outcome");
        let faults = case.standard.check(&outcome, case.deposited_on);
        assert!(
            faults
                .iter()
                .all(|fault| fault.clause.as_deref() == Some(CLAUSE)),
            "row {row}"
        );
        let told: Vec<_> = faults
            .iter()
            .map(|fault| fault.to_string().replacen(':', "", 1))
            .collect();
        assert_eq!(told.join(", "), *expected, "row {row}");
    }
}

fn elder() -> Case {
    let attendance = Attendance {
        planned: 16,
        attended: 12,
    };
    Case {
        standard: standard(Category::ElderCourse),
        draft: draft(Detail::ElderCourse(ElderCourse {
            attendance,
            year: 2025,
            term: Term::Spring,
            region: None,
            site: None,
        })),
        deposited_on: date(2026, 1, 1),
    }
}

fn walk() -> Case {
    let mut standard = standard(Category::HumanitiesWalk);
    standard.walk = Some(WalkStandard {
        min_points: 4,
        window_days: 30,
        min_gap_minutes: 20,
        hours: hours("2"),
        day_hours_max: hours("1.5"),
    });
    let start = date(2025, 6, 1).at(9, 0, 0, 0);
    let mut draft = draft(Detail::HumanitiesWalk(HumanitiesWalk {
        route: code("SH-07"),
        points: vec![],
    }));
    draft.hours = Some(hours("1.5"));
    let mut case = Case {
        standard,
        draft,
        deposited_on: date(2026, 1, 1),
    };
    case.visit(&[
        ("P1", start),
        ("P2", start + 20.minutes()),
        ("P3", start + 1.hour()),
        ("P4", start + 2.hours()),
    ]);
    case
}

fn training() -> Case {
    Case {
        standard: standard(Category::Training),
        draft: draft(Detail::Training(Training { certificate: true })),
        deposited_on: date(2026, 1, 1),
    }
}

fn standard(category: Category) -> Standard {
    Standard {
        id: "elder-course".into(),
        version: "2026".into(),
        title: Wording::default(),
        clause: CLAUSE.into(),
        categories: vec![category],
        level: None,
        effective: Period::default(),
        catalogued: true,
        min_hours: None,
        max_hours: None,
        min_attendance_bp: None,
        deposit_within_years: None,
        evidence: vec![],
        two_attestors: false,
        pass_required: false,
        walk: None,
        place: Place::default(),
    }
}

fn draft(detail: Detail) -> OutcomeDraft {
    OutcomeDraft {
        achievement: Achievement {
            code: None,
            name: label("中国·文化"),
        },
        project: None,
        credits: None,
        hours: Some(hours("32")),
        grade: Some(Grade::Percentage(Percentage::parse("60").unwrap())),
        completed_on: date(2025, 6, 30),
        completed_at: None,
        obtained_by: None,
        started_on: None,
        external_id: None,
        institution_name: Some(label("上海开放大学")),
        evidence: vec![Evidence {
            kind: EvidenceKind::Attendance,
            uri: None,
            sha256: [1; 32],
        }],
        detail,
    }
}

impl Case {
    fn visit(&mut self, points: &[(&str, DateTime)]) {
        let Detail::HumanitiesWalk(walk) = &mut self.draft.detail else {
            unreachable!("a walk")
        };
        let point = |(name, at): &(&str, DateTime)| WalkPoint {
            code: code(name),
            at: *at,
        };
        walk.points = points.iter().map(point).collect();
    }

    fn attend(&mut self, attended: u16, planned: u16) {
        let Detail::ElderCourse(course) = &mut self.draft.detail else {
            unreachable!("an elder course")
        };
        course.attendance = Attendance { planned, attended };
    }
}

fn hours(text: &str) -> Hours {
    Hours::parse(text).unwrap()
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

fn days(from: Date, to: Date) -> Period {
    Period {
        from: Some(from),
        to: Some(to),
    }
}

#[test]
fn a_standard_is_for_its_categories_and_days_of_completion() {
    check(
        elder,
        &[
            (|_| {}, ""),
            (|c| c.standard.categories.push(Category::Training), ""),
            (
                |c| c.standard.categories = vec![Category::Training],
                "project CATEGORY_NOT_OF_STANDARD",
            ),
            (
                |c| c.standard.categories = vec![],
                "project CATEGORY_NOT_OF_STANDARD",
            ),
            (
                |c| c.standard.effective = days(date(2025, 6, 30), date(2025, 6, 30)),
                "",
            ),
            (
                |c| c.standard.effective = days(date(2025, 7, 1), date(2026, 12, 31)),
                "completed_on STANDARD_NOT_IN_FORCE",
            ),
            (
                |c| c.standard.effective = days(date(2025, 1, 1), date(2025, 6, 29)),
                "completed_on STANDARD_NOT_IN_FORCE",
            ),
        ],
    );
}

#[test]
fn the_anniversary_is_the_last_day_of_deposit() {
    fn within(case: &mut Case, completed_on: Date, years: u16, deposited_on: Date) {
        case.draft.completed_on = completed_on;
        case.standard.deposit_within_years = Some(years);
        case.deposited_on = deposited_on;
    }
    check(
        elder,
        &[
            (|c| within(c, date(2025, 6, 30), 2, date(2027, 6, 30)), ""),
            (
                |c| within(c, date(2025, 6, 30), 2, date(2027, 7, 1)),
                "completed_on DEPOSITED_TOO_LATE years=2",
            ),
            (|c| within(c, date(2028, 2, 29), 1, date(2029, 2, 28)), ""),
            (
                |c| within(c, date(2028, 2, 29), 1, date(2029, 3, 1)),
                "completed_on DEPOSITED_TOO_LATE years=1",
            ),
            (|c| within(c, date(2028, 2, 29), u16::MAX, Date::MAX), ""),
            (
                |c| within(c, date(2025, 6, 30), 0, date(2025, 7, 1)),
                "completed_on DEPOSITED_TOO_LATE years=0",
            ),
        ],
    );
}

#[test]
fn hours_lie_between_the_least_and_the_most() {
    fn of(case: &mut Case, stated: Option<&str>, min: &str, max: &str) {
        case.draft.hours = stated.map(hours);
        case.standard.min_hours = Some(hours(min));
        case.standard.max_hours = Some(hours(max));
    }
    check(
        training,
        &[
            (|c| of(c, Some("16"), "16", "16"), ""),
            (
                |c| of(c, Some("15.99"), "16", "40"),
                "hours HOURS_BELOW_STANDARD needed=16",
            ),
            (
                |c| of(c, Some("40.01"), "16", "40"),
                "hours HOURS_ABOVE_STANDARD most=40",
            ),
            (
                |c| of(c, None, "16", "40"),
                "hours HOURS_BELOW_STANDARD needed=16",
            ),
        ],
    );
}

#[test]
fn a_share_of_attendance_is_met_exactly_or_not_at_all() {
    fn of(case: &mut Case, attended: u16, planned: u16, needed: u16) {
        case.attend(attended, planned);
        case.standard.min_attendance_bp = Some(needed);
    }
    check(
        elder,
        &[
            (|c| of(c, 7, 10, 7000), ""),
            (|c| of(c, 11, 16, 6875), ""),
            (
                |c| of(c, 11, 16, 6876),
                "detail.attendance.attended ATTENDANCE_BELOW_STANDARD needed=68.76%",
            ),
            (
                |c| of(c, 11, 16, 7000),
                "detail.attendance.attended ATTENDANCE_BELOW_STANDARD needed=70%",
            ),
            (|c| of(c, 1000, 1000, 10_000), ""),
            (|c| of(c, 0, 16, 0), ""),
        ],
    );
    let stated_by_nobody: Row = (
        |c| c.standard.min_attendance_bp = Some(1),
        "detail ATTENDANCE_BELOW_STANDARD needed=0.01%",
    );
    check(training, &[stated_by_nobody]);
}

#[test]
fn evidence_is_bound_of_every_kind_that_is_asked_for() {
    check(
        elder,
        &[
            (|c| c.standard.evidence = vec![EvidenceKind::Attendance], ""),
            (
                |c| {
                    c.standard.evidence = vec![
                        EvidenceKind::Work,
                        EvidenceKind::Attendance,
                        EvidenceKind::Photograph,
                    ]
                },
                "evidence EVIDENCE_MISSING kind=work, evidence EVIDENCE_MISSING kind=photograph",
            ),
        ],
    );
}

#[test]
fn a_pass_is_a_pass_of_the_grades_own_scheme() {
    fn of(case: &mut Case, grade: Option<Grade>) {
        case.draft.grade = grade;
        case.standard.pass_required = true;
    }
    check(
        elder,
        &[
            (
                |c| of(c, Some(Grade::Percentage(Percentage::parse("60").unwrap()))),
                "",
            ),
            (
                |c| {
                    of(
                        c,
                        Some(Grade::Percentage(Percentage::parse("59.99").unwrap())),
                    )
                },
                "grade NOT_PASSED",
            ),
            (
                |c| of(c, Some(Grade::PassFail(PassFail::Fail))),
                "grade NOT_PASSED",
            ),
            (
                |c| {
                    of(
                        c,
                        Some(Grade::Points(Points::parse(Scale::Cet, "1").unwrap())),
                    )
                },
                "",
            ),
            (|c| of(c, None), "grade NOT_PASSED"),
            (
                |c| c.draft.grade = Some(Grade::PassFail(PassFail::Fail)),
                "",
            ),
        ],
    );
}

#[test]
fn two_parties_attest_where_the_standard_asks_for_them() {
    fn dual_track(case: &mut Case) {
        let attestor = |institution| Attestor {
            institution: InstitutionId::parse(institution).unwrap(),
            mentor: code("M-17"),
        };
        case.standard.categories = vec![Category::DualTrack];
        case.standard.two_attestors = true;
        case.draft.detail = Detail::DualTrack(DualTrack {
            enterprise_name: label("福建示例公司"),
            enterprise_code: UnifiedSocialCreditCode::parse("91350100M000100Y43").unwrap(),
            enterprise_attestor: Some(attestor("example-works")),
            college_attestor: Some(attestor("example-college")),
        });
    }
    check(
        training,
        &[
            (dual_track, ""),
            (
                |c| c.standard.two_attestors = true,
                "detail ATTESTOR_MISSING",
            ),
        ],
    );
}

#[test]
fn a_walk_visits_enough_points_apart_and_in_time() {
    const START: DateTime = date(2025, 5, 31).at(23, 0, 0, 0);
    fn at(case: &mut Case, points: &[(&str, DateTime)]) {
        case.draft.hours = None;
        case.visit(points);
    }
    check(
        walk,
        &[
            (|_| {}, ""),
            (
                |c| {
                    at(
                        c,
                        &[
                            ("A", START),
                            ("B", START + 20.minutes()),
                            ("C", START + 2.hours()),
                        ],
                    )
                },
                "detail.points WALK_POINTS_TOO_FEW min=4",
            ),
            // The same point again is no other point.
            (
                |c| {
                    at(
                        c,
                        &[
                            ("A", START),
                            ("B", START + 1.hour()),
                            ("A", START + 2.hours()),
                            ("C", START + 3.hours()),
                        ],
                    )
                },
                "detail.points WALK_POINTS_TOO_FEW min=4",
            ),
            (
                |c| {
                    at(
                        c,
                        &[
                            ("A", START),
                            ("B", START + 1199.seconds()),
                            ("C", START + 1.hour()),
                            ("D", START + 61.minutes()),
                        ],
                    )
                },
                "detail.points[1].at WALK_POINTS_TOO_CLOSE min_minutes=20, \
                 detail.points[3].at WALK_POINTS_TOO_CLOSE min_minutes=20",
            ),
            // Days of the calendar: 31 May to 30 June.
            (
                |c| {
                    at(
                        c,
                        &[
                            ("A", START),
                            ("B", START + 1.day()),
                            ("C", START + 2.days()),
                            ("D", date(2025, 6, 30).at(23, 59, 0, 0)),
                        ],
                    )
                },
                "",
            ),
            (
                |c| {
                    at(
                        c,
                        &[
                            ("A", date(2025, 5, 30).at(23, 0, 0, 0)),
                            ("B", START + 1.day()),
                            ("C", START + 2.days()),
                            ("D", date(2025, 6, 30).at(0, 1, 0, 0)),
                        ],
                    )
                },
                "detail.points WALK_TOO_LONG days=30",
            ),
        ],
    );
    let no_walk: Row = (
        |c| c.standard.walk = walk().standard.walk,
        "detail WALK_POINTS_TOO_FEW min=4",
    );
    check(elder, &[no_walk]);
}

#[test]
fn a_walk_claims_its_hours_and_no_day_more_than_a_day_has() {
    fn over_days(case: &mut Case, stated: &str) {
        let start = date(2025, 6, 1).at(9, 0, 0, 0);
        case.draft.hours = Some(hours(stated));
        case.visit(&[
            ("A", start),
            ("B", start + 1.hour()),
            ("C", start + 1.day()),
            ("D", start + 2.days()),
        ]);
    }
    check(
        walk,
        &[
            (
                |c| c.draft.hours = Some(hours("1.51")),
                "hours HOURS_ABOVE_STANDARD most=1.5",
            ),
            (|c| over_days(c, "2"), ""),
            (
                |c| over_days(c, "2.01"),
                "hours HOURS_ABOVE_STANDARD most=2",
            ),
        ],
    );
}

#[test]
fn every_shortfall_is_told_at_once() {
    check(
        elder,
        &[(
            |c| {
                c.standard.categories = vec![Category::Training];
                c.standard.min_hours = Some(hours("33"));
                c.standard.min_attendance_bp = Some(8000);
                c.standard.evidence = vec![EvidenceKind::Certificate];
            },
            "project CATEGORY_NOT_OF_STANDARD, hours HOURS_BELOW_STANDARD needed=33, \
             detail.attendance.attended ATTENDANCE_BELOW_STANDARD needed=80%, \
             evidence EVIDENCE_MISSING kind=certificate",
        )],
    );
}

#[test]
fn a_share_prints_as_people_write_it() {
    let shown = [7000, 6667, 10_000, 5].map(|basis_points| Share(basis_points).to_string());
    assert_eq!(shown, ["70%", "66.67%", "100%", "0.05%"]);
}
