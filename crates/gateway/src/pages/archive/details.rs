//! What an outcome says beyond name, place and day, in words: each of the nine categories has its own.

use creditbank_domain::identifier::{Province, RegionCode};
use creditbank_wire::v1::{self, outcome::Detail};
use jiff::civil::Date;

use crate::frame::Frame;
use crate::show;

/// Walk points that are written out.
const POINTS_SHOWN_MAX: usize = 50;

/// A line: what it is, and what it says.
pub(crate) type Fact = (String, String);

/// Everything that the detail of an outcome says, as far as it says something.
pub(crate) fn facts(f: &Frame, outcome: &v1::Outcome) -> Vec<Fact> {
    let mut facts = match outcome.detail.as_ref() {
        None => Vec::new(),
        Some(Detail::DegreeCourse(it)) => degree_course(f, it),
        Some(Detail::SelfStudyExam(it)) => self_study_exam(f, it),
        Some(Detail::SkillCertificate(it)) => skill_certificate(f, it),
        Some(Detail::Training(it)) => {
            vec![(f.t("archive-certificate-given"), yes_no(f, it.certificate))]
        }
        Some(Detail::CommunityCourse(it)) => community_course(f, it, &outcome.completed_on),
        Some(Detail::ElderCourse(it)) => elder_course(f, it, &outcome.completed_on),
        Some(Detail::VenueLearning(it)) => venue_learning(f, it),
        Some(Detail::HumanitiesWalk(it)) => humanities_walk(f, it),
        Some(Detail::DualTrack(it)) => dual_track(f, it),
    };
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn degree_course(f: &Frame, it: &v1::DegreeCourse) -> Vec<Fact> {
    let form = match it.form {
        30 => f.t("archive-form-adult"),
        31 => f.t("archive-form-ordinary"),
        _ => String::new(),
    };
    let stage = match it.stage {
        20 => f.t("archive-stage-bachelor"),
        21 => f.t("archive-stage-associate"),
        22 => f.t("archive-stage-graduate"),
        23 => f.t("archive-stage-secondary"),
        _ => String::new(),
    };
    let result = match it.result {
        40 => f.t("archive-result-graduated"),
        41 => f.t("archive-result-completed"),
        _ => String::new(),
    };
    vec![
        (f.t("archive-form"), form),
        (f.t("archive-stage"), stage),
        (f.t("archive-subject"), it.subject.clone()),
        (f.t("archive-class"), year_and_term(f, it.year, it.term)),
        (f.t("archive-result"), result),
    ]
}

fn self_study_exam(f: &Frame, it: &v1::SelfStudyExam) -> Vec<Fact> {
    vec![
        (f.t("archive-exam-code"), it.course_code.clone()),
        (f.t("archive-exam-session"), it.session.clone()),
        (
            f.t("archive-exam-province"),
            province(f, &it.province.to_string()).unwrap_or_default(),
        ),
    ]
}

fn skill_certificate(f: &Frame, it: &v1::SkillCertificate) -> Vec<Fact> {
    let level = match it.level {
        1 => f.t("archive-level-1"),
        2 => f.t("archive-level-2"),
        3 => f.t("archive-level-3"),
        4 => f.t("archive-level-4"),
        5 => f.t("archive-level-5"),
        6 => f.t("archive-level-6"),
        7 => f.t("archive-level-7"),
        8 => f.t("archive-level-8"),
        _ => it.level_printed.clone(),
    };
    let occupation = match (it.occupation_name.as_str(), it.occupation.as_str()) {
        (name, "") => name.to_owned(),
        ("", code) => code.to_owned(),
        (name, code) => format!("{name} ({code})"),
    };
    let x = if it.x_certificate {
        f.t("archive-x-certificate")
    } else {
        String::new()
    };
    vec![
        (f.t("archive-certificate-number"), it.number.clone()),
        (f.t("archive-occupation"), occupation),
        (f.t("archive-level"), level),
        (f.t("archive-valid-until"), it.valid_until.clone()),
        (f.t("archive-certificate-kind"), x),
    ]
}

fn community_course(f: &Frame, it: &v1::CommunityCourse, on: &str) -> Vec<Fact> {
    vec![
        (f.t("archive-attendance"), attendance(f, it.attendance)),
        (f.t("archive-site"), it.site.clone()),
        (f.t("archive-region"), region(&it.region, on)),
    ]
}

fn elder_course(f: &Frame, it: &v1::ElderCourse, on: &str) -> Vec<Fact> {
    vec![
        (f.t("archive-term"), year_and_term(f, it.year, it.term)),
        (f.t("archive-attendance"), attendance(f, it.attendance)),
        (f.t("archive-site"), it.site.clone()),
        (f.t("archive-region"), region(&it.region, on)),
    ]
}

fn venue_learning(f: &Frame, it: &v1::VenueLearning) -> Vec<Fact> {
    let minutes = match it.minutes {
        0 => String::new(),
        minutes => f.count("archive-minutes", &u64::from(minutes)),
    };
    vec![
        (f.t("archive-venue"), it.venue.clone()),
        (f.t("archive-activity"), it.activity.clone()),
        (f.t("archive-duration"), minutes),
    ]
}

fn humanities_walk(f: &Frame, it: &v1::HumanitiesWalk) -> Vec<Fact> {
    let count = f.count("archive-points", &(it.points.len() as u64));
    let mut facts = vec![
        (f.t("archive-route"), it.route.clone()),
        (f.t("archive-stops"), count),
    ];
    for (at, point) in it.points.iter().take(POINTS_SHOWN_MAX).enumerate() {
        let name = f.count("archive-stop", &(at as u64 + 1));
        let when = point.at.replacen('T', " ", 1);
        facts.push((name, format!("{}, {when}", point.code)));
    }
    facts
}

fn dual_track(f: &Frame, it: &v1::DualTrack) -> Vec<Fact> {
    let mentor = |it: Option<&v1::Attestor>| it.map(|it| it.mentor.clone()).unwrap_or_default();
    vec![
        (f.t("archive-enterprise"), it.enterprise_name.clone()),
        (f.t("archive-enterprise-code"), it.enterprise_code.clone()),
        (
            f.t("archive-enterprise-mentor"),
            mentor(it.enterprise_attestor.as_ref()),
        ),
        (
            f.t("archive-college-mentor"),
            mentor(it.college_attestor.as_ref()),
        ),
    ]
}

fn yes_no(f: &Frame, yes: bool) -> String {
    if yes {
        f.t("archive-yes")
    } else {
        f.t("archive-no")
    }
}

fn year_and_term(f: &Frame, year: u32, term: u32) -> String {
    let year = match year {
        0 => return String::new(),
        year => year.to_string(),
    };
    match term {
        50 => f.t1("archive-spring", "year", &year),
        51 => f.t1("archive-autumn", "year", &year),
        _ => f.t1("archive-year", "year", &year),
    }
}

fn attendance(f: &Frame, it: Option<v1::Attendance>) -> String {
    match it {
        Some(it) if it.planned > 0 => f.t2(
            "archive-attended",
            ("attended", &it.attended.to_string()),
            ("planned", &it.planned.to_string()),
        ),
        _ => String::new(),
    }
}

/// The name of a province by its two digits.
pub(super) fn province(f: &Frame, digits: &str) -> Option<String> {
    let province = Province::parse(digits).ok()?;
    let english = match province.number() {
        31 => "Shanghai",
        32 => "Jiangsu",
        33 => "Zhejiang",
        34 => "Anhui",
        _ => province.name(),
    };
    Some(f.pick(province.name(), english).to_owned())
}

/// The name that a region had then, or its code.
fn region(code: &str, on: &str) -> String {
    let named = RegionCode::parse(code).ok().and_then(|region| {
        let name = region.name_at(on.parse::<Date>().ok()?)?;
        Some(match region.province().name() {
            province if name.starts_with(province) => name.to_owned(),
            province => format!("{province}{name}"),
        })
    });
    named.unwrap_or_else(|| code.to_owned())
}

/// The documents behind an outcome: kind, where it is kept, digest in groups.
pub(super) fn evidence(f: &Frame, outcome: &v1::Outcome) -> Vec<(String, String, String)> {
    let one = |it: &v1::Evidence| {
        let kind = match v1::EvidenceKind::try_from(it.kind).unwrap_or_default() {
            v1::EvidenceKind::Certificate => f.t("archive-evidence-certificate"),
            v1::EvidenceKind::Transcript => f.t("archive-evidence-transcript"),
            v1::EvidenceKind::Attendance => f.t("archive-evidence-attendance"),
            v1::EvidenceKind::Work => f.t("archive-evidence-work"),
            v1::EvidenceKind::Photograph => f.t("archive-evidence-photograph"),
            v1::EvidenceKind::Other | v1::EvidenceKind::Unspecified => {
                f.t("archive-evidence-other")
            }
        };
        (kind, it.uri.clone(), show::hex(&it.sha256))
    };
    outcome.evidence.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use creditbank_wire::v1::{self, outcome::Detail};

    use super::facts;
    use crate::frame::{Frame, View};
    use crate::words::Lang;

    fn frame(lang: Lang) -> Frame {
        Frame {
            view: View {
                lang,
                ..View::default()
            },
            here: String::new(),
            place: "",
            session: None,
            csrf: String::new(),
            development: false,
            bank: String::new(),
        }
    }

    fn says(lang: Lang, detail: Detail) -> String {
        let outcome = v1::Outcome {
            completed_on: "2026-05-01".into(),
            detail: Some(detail),
            ..Default::default()
        };
        let facts = facts(&frame(lang), &outcome);
        assert!(facts.iter().all(|(label, _)| !label.contains("archive-")));
        facts.into_iter().map(|(_, value)| value + ";").collect()
    }

    fn attended() -> Option<v1::Attendance> {
        Some(v1::Attendance {
            planned: 16,
            attended: 14,
        })
    }

    #[test]
    fn every_category_is_said_in_words() {
        let cases = [
            (
                Detail::DegreeCourse(v1::DegreeCourse {
                    form: 30,
                    stage: 21,
                    subject: "市场营销".into(),
                    year: 2026,
                    term: 50,
                    result: 40,
                }),
                "成人高等教育;专科;市场营销;2026 年春季;毕业;",
            ),
            (
                Detail::SelfStudyExam(v1::SelfStudyExam {
                    course_code: "00058".into(),
                    session: "2025-10".into(),
                    province: 31,
                }),
                "00058;2025-10;上海市;",
            ),
            (
                Detail::SkillCertificate(v1::SkillCertificate {
                    level: 3,
                    occupation: "4-10-01-05".into(),
                    occupation_name: "养老护理员".into(),
                    x_certificate: true,
                    ..Default::default()
                }),
                "养老护理员 (4-10-01-05);高级工（三级）;1+X 证书;",
            ),
            (
                Detail::Training(v1::Training { certificate: false }),
                "没有;",
            ),
            (
                Detail::CommunityCourse(v1::CommunityCourse {
                    attendance: attended(),
                    region: "310104".into(),
                    site: "徐家汇街道社区学校".into(),
                }),
                "应到 16 次，实到 14 次;徐家汇街道社区学校;上海市徐汇区;",
            ),
            (
                Detail::ElderCourse(v1::ElderCourse {
                    attendance: attended(),
                    year: 2025,
                    term: 51,
                    region: "999999".into(),
                    site: String::new(),
                }),
                "2025 年秋季;应到 16 次，实到 14 次;999999;",
            ),
            (
                Detail::VenueLearning(v1::VenueLearning {
                    venue: "上海博物馆".into(),
                    activity: "青铜馆导览".into(),
                    minutes: 90,
                }),
                "上海博物馆;青铜馆导览;90 分钟;",
            ),
            (
                Detail::HumanitiesWalk(v1::HumanitiesWalk {
                    route: "武康路".into(),
                    points: vec![v1::WalkPoint {
                        code: "P1".into(),
                        at: "2026-05-01T09:30:00".into(),
                    }],
                }),
                "武康路;1 个;P1, 2026-05-01 09:30:00;",
            ),
            (
                Detail::DualTrack(v1::DualTrack {
                    enterprise_name: "某某汽车".into(),
                    enterprise_attestor: Some(v1::Attestor {
                        institution: "x".into(),
                        mentor: "工号 7".into(),
                    }),
                    ..Default::default()
                }),
                "某某汽车;工号 7;",
            ),
        ];
        for (detail, expected) in cases {
            assert_eq!(says(Lang::Zh, detail.clone()), expected);
            assert!(!says(Lang::En, detail).is_empty());
        }
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let empty = Detail::DegreeCourse(v1::DegreeCourse::default());
        assert_eq!(says(Lang::Zh, empty), "");
        let empty = Detail::VenueLearning(v1::VenueLearning::default());
        assert_eq!(says(Lang::En, empty), "");
    }
}
