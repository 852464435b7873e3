//! The fields of each category.

use creditbank_domain::Refusal;
use creditbank_domain::identifier::{
    InstitutionId, OccupationCode, Province, RegionCode, SkillCertificateNumber,
    UnifiedSocialCreditCode,
};
use creditbank_domain::outcome::{
    Attendance, Attestor, Category, CommunityCourse, DegreeCourse, DegreeForm, Detail, DualTrack,
    ElderCourse, ExamCourseCode, HumanitiesWalk, LearningStage, SelfStudyExam, Session,
    SkillCertificate, SkillLevel, StudyResult, Term, Training, VenueLearning, WalkPoint,
};
use creditbank_domain::text::{Code, Label};

use super::field::Field;
use super::memo::Memo;
use super::moment;
use super::reading::Reading;

/// What was parsed before, for the lists that are searched.
#[derive(Clone, Debug, Default)]
pub(super) struct Memos {
    form: Memo<DegreeForm>,
    stage: Memo<LearningStage>,
    term: Memo<Term>,
    result: Memo<StudyResult>,
    level: Memo<SkillLevel>,
    region: Memo<RegionCode>,
    occupation: Memo<OccupationCode>,
}

/// The detail of a row.
pub(super) fn read(category: Category, row: &mut Reading<'_>, memos: &mut Memos) -> Option<Detail> {
    match category {
        Category::DegreeCourse => degree_course(row, memos).map(Detail::DegreeCourse),
        Category::SelfStudyExam => self_study_exam(row).map(Detail::SelfStudyExam),
        Category::SkillCertificate => skill_certificate(row, memos).map(Detail::SkillCertificate),
        Category::Training => row
            .required(Field::HasCertificate, truth)
            .map(|certificate| Detail::Training(Training { certificate })),
        Category::CommunityCourse => community_course(row, memos).map(Detail::CommunityCourse),
        Category::ElderCourse => elder_course(row, memos).map(Detail::ElderCourse),
        Category::VenueLearning => venue_learning(row).map(Detail::VenueLearning),
        Category::HumanitiesWalk => humanities_walk(row).map(Detail::HumanitiesWalk),
        Category::DualTrack => dual_track(row).map(Detail::DualTrack),
    }
}

fn degree_course(row: &mut Reading<'_>, memos: &mut Memos) -> Option<DegreeCourse> {
    let form = row.required(Field::Form, |text| memos.form.of(text, DegreeForm::parse));
    let stage = row.required(Field::Stage, |text| {
        memos.stage.of(text, LearningStage::parse)
    });
    let subject = row.optional(Field::Subject, Label::parse);
    let year = row.required(Field::Year, year);
    let term = row.optional(Field::Term, |text| memos.term.of(text, Term::parse));
    let result = row.optional(Field::Result, |text| {
        memos.result.of(text, StudyResult::parse)
    });
    Some(DegreeCourse {
        form: form?,
        stage: stage?,
        subject: subject?,
        year: year?,
        term: term?,
        result: result?,
    })
}

fn self_study_exam(row: &mut Reading<'_>) -> Option<SelfStudyExam> {
    let course_code = row.required(Field::CourseCode, ExamCourseCode::parse);
    let session = row.required(Field::Session, Session::parse);
    let province = row.required(Field::Province, Province::parse);
    Some(SelfStudyExam {
        course_code: course_code?,
        session: session?,
        province: province?,
    })
}

fn skill_certificate(row: &mut Reading<'_>, memos: &mut Memos) -> Option<SkillCertificate> {
    let number = row.optional(Field::CertificateNumber, SkillCertificateNumber::parse);
    let occupation = row.optional(Field::Occupation, |text| {
        memos.occupation.of(text, OccupationCode::parse)
    });
    let occupation_name = row.optional(Field::OccupationName, Label::parse);
    let level = row.optional(Field::Level, |text| memos.level.of(text, SkillLevel::parse));
    let level_printed = row.optional(Field::LevelPrinted, Label::parse);
    let valid_until = row
        .fields
        .valid_until
        .as_ref()
        .and_then(|source| source.format.as_deref());
    let valid_until = row.optional(Field::ValidUntil, |text| moment::moment(text, valid_until));
    let x_certificate = row.optional(Field::XCertificate, truth);
    Some(SkillCertificate {
        number: number?,
        occupation: occupation?,
        occupation_name: occupation_name?,
        level: level?,
        level_printed: level_printed?,
        valid_until: valid_until?.map(|(date, _)| date),
        x_certificate: x_certificate?.unwrap_or(false),
    })
}

fn attendance(row: &mut Reading<'_>) -> Option<Attendance> {
    let planned = row.required(Field::SessionsPlanned, small);
    let attended = row.required(Field::SessionsAttended, small);
    Some(Attendance {
        planned: planned?,
        attended: attended?,
    })
}

fn community_course(row: &mut Reading<'_>, memos: &mut Memos) -> Option<CommunityCourse> {
    let attendance = attendance(row);
    let region = row.optional(Field::Region, |text| {
        memos.region.of(text, RegionCode::parse)
    });
    let site = row.optional(Field::Site, Label::parse);
    Some(CommunityCourse {
        attendance: attendance?,
        region: region?,
        site: site?,
    })
}

fn elder_course(row: &mut Reading<'_>, memos: &mut Memos) -> Option<ElderCourse> {
    let attendance = attendance(row);
    let year = row.required(Field::Year, year);
    let term = row.required(Field::Term, |text| memos.term.of(text, Term::parse));
    let region = row.optional(Field::Region, |text| {
        memos.region.of(text, RegionCode::parse)
    });
    let site = row.optional(Field::Site, Label::parse);
    Some(ElderCourse {
        attendance: attendance?,
        year: year?,
        term: term?,
        region: region?,
        site: site?,
    })
}

fn venue_learning(row: &mut Reading<'_>) -> Option<VenueLearning> {
    let venue = row.required(Field::Venue, Label::parse);
    let activity = row.required(Field::Activity, Label::parse);
    let minutes = row.required(Field::Minutes, small);
    Some(VenueLearning {
        venue: venue?,
        activity: activity?,
        minutes: minutes?,
    })
}

fn humanities_walk(row: &mut Reading<'_>) -> Option<HumanitiesWalk> {
    let route = row.required(Field::Route, Code::parse);
    let points = row.required(Field::Points, points);
    Some(HumanitiesWalk {
        route: route?,
        points: points?,
    })
}

fn dual_track(row: &mut Reading<'_>) -> Option<DualTrack> {
    let enterprise_name = row.required(Field::EnterpriseName, Label::parse);
    let enterprise_code = row.required(Field::EnterpriseCode, UnifiedSocialCreditCode::parse);
    let enterprise_attestor = attestor(row, Field::EnterpriseInstitution, Field::EnterpriseMentor);
    let college_attestor = attestor(row, Field::CollegeInstitution, Field::CollegeMentor);
    Some(DualTrack {
        enterprise_name: enterprise_name?,
        enterprise_code: enterprise_code?,
        enterprise_attestor: Some(enterprise_attestor?),
        college_attestor: Some(college_attestor?),
    })
}

fn attestor(row: &mut Reading<'_>, institution: Field, mentor: Field) -> Option<Attestor> {
    let institution = row.required(institution, InstitutionId::parse);
    let mentor = row.required(mentor, Code::parse);
    Some(Attestor {
        institution: institution?,
        mentor: mentor?,
    })
}

/// CODE@2026-05-01T09:30:00, with semicolons between.
fn points(text: &str) -> Result<Vec<WalkPoint>, Refusal> {
    let malformed = Refusal::Malformed {
        expected: "CODE@YYYY-MM-DDTHH:MM:SS;…",
    };
    let point = |text: &str| {
        let (code, at) = text.trim().split_once('@').ok_or(malformed)?;
        Ok(WalkPoint {
            code: Code::parse(code)?,
            at: moment::date_time(at)?,
        })
    };
    text.split([';', '；'])
        .filter(|text| !text.trim().is_empty())
        .map(point)
        .collect()
}

fn truth(text: &str) -> Result<bool, Refusal> {
    match text {
        "1" | "true" | "True" | "TRUE" | "yes" | "Y" | "y" | "是" | "有" => Ok(true),
        "0" | "false" | "False" | "FALSE" | "no" | "N" | "n" | "否" | "无" => Ok(false),
        _ => Err(Refusal::ChoiceUnknown),
    }
}

/// A year, with or without 年 or 届 behind it.
fn year(text: &str) -> Result<u16, Refusal> {
    small(text.trim_end_matches(['年', '届', '级']))
}

fn small(text: &str) -> Result<u16, Refusal> {
    text.parse().map_err(|_| Refusal::NotANumber)
}
