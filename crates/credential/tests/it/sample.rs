//! Made-up records of every category, the same each time.

use creditbank_credential::{BaseUrl, Institution, Issuer, Record, Signed};
use creditbank_credential::{StatusPurpose, badge, clr, status};
use creditbank_domain::grade::{FiveLevel, PassFail, Percentage, Points, Scale};
use creditbank_domain::outcome::{
    Achievement, Attendance, Attestor, CommunityCourse, DegreeCourse, DegreeForm, Detail,
    DualTrack, ElderCourse, ExamCourseCode, HumanitiesWalk, LearningStage, SelfStudyExam, Session,
    SkillCertificate, SkillLevel, Term, Training, VenueLearning, WalkPoint,
};
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{
    Credit, Grade, Hours, InstitutionId, LeafIndex, LearnerCode, Outcome, OutcomeDraft,
    UnifiedSocialCreditCode,
};
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use jiff::civil::{Date, date};

pub(crate) const ORIGIN: &str = "bank.example/log";
const TODAY: Date = date(2026, 11, 26);

pub(crate) struct Sample {
    pub(crate) key: SigningKey,
    pub(crate) base: BaseUrl,
    pub(crate) created: Timestamp,
    institution: InstitutionId,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self {
            key: SigningKey::from_bytes(&[7; 32]),
            base: BaseUrl::parse("https://bank.example").unwrap(),
            created: "2026-11-20T02:03:04.567Z".parse().unwrap(),
            institution: InstitutionId::parse("fudan-continuing").unwrap(),
        }
    }

    pub(crate) fn issuer(&self) -> Issuer<'_> {
        Issuer {
            key: &self.key,
            origin: ORIGIN,
            name: "示例学分银行",
        }
    }

    pub(crate) fn badge(&self, outcome: &Outcome, number: u64) -> Signed<badge::Badge> {
        let (salt, receipt) = proof(number);
        let record = self.record(outcome, number, (&salt, &receipt));
        badge::issue(&self.issuer(), &self.base, &record, self.created).unwrap()
    }

    pub(crate) fn clr(&self, outcomes: &[Outcome]) -> Signed<clr::Clr> {
        let numbers = 131_070..;
        let proofs: Vec<_> = numbers.clone().take(outcomes.len()).map(proof).collect();
        let records: Vec<_> = outcomes
            .iter()
            .zip(&proofs)
            .zip(numbers)
            .map(|((outcome, (salt, receipt)), number)| {
                self.record(outcome, number, (salt, receipt))
            })
            .collect();
        let (issuer, learner) = (self.issuer(), learner());
        clr::issue(&issuer, &self.base, learner, &records, self.created).unwrap()
    }

    pub(crate) fn list(&self, set: &[u64]) -> Signed<status::StatusList> {
        let which = (StatusPurpose::Revocation, 1);
        let bits = status::encode(set.iter().copied()).unwrap();
        status::issue(&self.issuer(), &self.base, which, &bits, self.created).unwrap()
    }

    fn record<'a>(
        &'a self,
        outcome: &'a Outcome,
        leaf: u64,
        (salt, receipt): (&'a [u8; 32], &'a str),
    ) -> Record<'a> {
        Record {
            learner: learner(),
            leaf: LeafIndex(leaf),
            institution: Institution {
                id: &self.institution,
                name: "复旦大学继续教育学院",
            },
            deposited_at: "2026-07-01T08:09:10.123Z".parse().unwrap(),
            outcome,
            receipt,
            salt,
            payload: b"a payload",
        }
    }
}

/// A salt, and what stands for a receipt, which no verifier of signatures reads.
fn proof(number: u64) -> ([u8; 32], String) {
    let receipt = format!("c2sp.org/tlog-proof@v1\nextra AAAA\nindex {number}\n\nsample\n");
    ([number as u8; 32], receipt)
}

fn learner() -> LearnerCode {
    LearnerCode::from_random(123_456_789_012_345).unwrap()
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

fn outcome(name: &str, detail: Detail, change: impl FnOnce(&mut OutcomeDraft)) -> Outcome {
    let mut draft = OutcomeDraft {
        achievement: Achievement {
            code: Some(code("COMP1001:甲 乙")),
            name: label(name),
        },
        project: None,
        credits: Some(Credit::from_hundredths(250)),
        hours: Some(Hours::from_hundredths(4_825)),
        grade: None,
        completed_on: date(2026, 6, 30),
        completed_at: None,
        started_on: Some(date(2026, 2, 24)),
        external_id: None,
        institution_name: Some(label("复旦大学")),
        evidence: Vec::new(),
        obtained_by: None,
        detail,
    };
    change(&mut draft);
    draft.check(TODAY).unwrap()
}

fn skill_certificate() -> Outcome {
    let detail = Detail::SkillCertificate(SkillCertificate {
        number: None,
        occupation: None,
        occupation_name: Some(label("养老护理员")),
        level: Some(SkillLevel::Advanced),
        level_printed: None,
        valid_until: Some(date(2029, 6, 29)),
        x_certificate: true,
    });
    outcome("养老护理员职业技能等级证书", detail, |draft| {
        draft.external_id = Some(code("S000031000001261000001"));
        draft.credits = None;
        draft.hours = None;
    })
}

fn degree_course() -> Outcome {
    let detail = Detail::DegreeCourse(DegreeCourse {
        form: DegreeForm::Adult,
        stage: LearningStage::Undergraduate,
        subject: Some(label("计算机科学与技术")),
        year: 2026,
        term: Some(Term::Spring),
        result: None,
    });
    outcome("数据结构 \"C++\" \\ 𠮷野", detail, |draft| {
        draft.grade = Some(Grade::Percentage(Percentage::parse("87.5").unwrap()));
        draft.completed_at = Some("14:05:06".parse().unwrap());
    })
}

fn self_study_exam() -> Outcome {
    let detail = Detail::SelfStudyExam(SelfStudyExam {
        course_code: ExamCourseCode::parse("00015").unwrap(),
        session: Session::parse("2026-04").unwrap(),
        province: creditbank_domain::identifier::Province::parse("31").unwrap(),
    });
    outcome("英语（二）", detail, |draft| {
        draft.credits = Some(Credit::from_hundredths(1_400));
        draft.hours = None;
        let points = Points::parse(Scale::Marks150, "102").unwrap();
        draft.grade = Some(Grade::Points(points));
    })
}

fn dual_track() -> Outcome {
    let attestor = |institution: &str| {
        Some(Attestor {
            institution: InstitutionId::parse(institution).unwrap(),
            mentor: code("007"),
        })
    };
    let detail = Detail::DualTrack(DualTrack {
        enterprise_name: label("某某机床厂"),
        enterprise_code: UnifiedSocialCreditCode::parse("91350100M000100Y43").unwrap(),
        enterprise_attestor: attestor("machine-works"),
        college_attestor: attestor("fudan-continuing"),
    });
    outcome("数控加工", detail, |draft| {
        draft.credits = Some(Credit::from_hundredths(305));
    })
}

/// One outcome of each category.
pub(crate) fn outcomes() -> Vec<Outcome> {
    let attendance = Attendance {
        planned: 16,
        attended: 15,
    };
    let elder = Detail::ElderCourse(ElderCourse {
        attendance,
        year: 2026,
        term: Term::Spring,
        region: None,
        site: Some(label("黄浦教学点")),
    });
    let community = Detail::CommunityCourse(CommunityCourse {
        attendance,
        region: None,
        site: None,
    });
    let venue = Detail::VenueLearning(VenueLearning {
        venue: label("上海博物馆"),
        activity: label("青铜器导览"),
        minutes: 90,
    });
    let walk = Detail::HumanitiesWalk(HumanitiesWalk {
        route: code("R-1"),
        points: vec![WalkPoint {
            code: code("P-1"),
            at: "2026-06-30T09:00:00".parse().unwrap(),
        }],
    });
    let good = Some(Grade::FiveLevel(FiveLevel::Good));
    let passed = Some(Grade::PassFail(PassFail::Pass));
    vec![
        skill_certificate(),
        degree_course(),
        self_study_exam(),
        outcome(
            "叉车司机培训",
            Detail::Training(Training { certificate: true }),
            |draft| {
                draft.grade = passed;
            },
        ),
        outcome("社区书法", community, |draft| draft.credits = None),
        outcome("国画（写意）·初级", elder, |draft| {
            draft.grade = good
        }),
        outcome("青铜器导览", venue, |draft| {
            draft.achievement.code = None
        }),
        outcome("外滩人文行走", walk, |draft| {
            draft.credits = Some(Credit::from_hundredths(5));
            draft.started_on = None;
        }),
        dual_track(),
    ]
}
