//! What a record's fields are called in the vocabulary of Open Badges, and the sentences around them.

use creditbank_domain::outcome::{Detail, SkillCertificate};
use creditbank_domain::{Category, Grade, Outcome};

/// `achievementType` of the vocabulary.
pub(crate) fn achievement_type(outcome: &Outcome) -> &'static str {
    match &outcome.detail {
        Detail::DegreeCourse(_)
        | Detail::CommunityCourse(_)
        | Detail::ElderCourse(_)
        | Detail::DualTrack(_) => "Course",
        Detail::SelfStudyExam(_) => "Assessment",
        Detail::SkillCertificate(_) => "Certification",
        Detail::Training(training) if training.certificate => "CertificateOfCompletion",
        Detail::Training(_) => "LearningProgram",
        Detail::VenueLearning(_) | Detail::HumanitiesWalk(_) => "CoCurricular",
    }
}

/// What the achievement is, in one line of both languages.
pub(crate) fn description(category: Category) -> String {
    format!("{} {}", category.label_zh(), category.label_en())
}

/// How it was earned, as far as the bank knows: who says so, and what the bank did with it.
pub(crate) fn criteria(institution: &str) -> String {
    format!(
        "由{institution}认定、签章并存入学分银行，评定标准由该机构公布。 \
         Awarded and signed by {institution} and deposited in the credit bank; the criteria are the institution's."
    )
}

/// `resultType` of a grade, and the largest value of its scheme in hundredths, where it has one.
pub(crate) fn grade_type(grade: &Grade) -> (&'static str, Option<u32>) {
    match grade {
        Grade::Percentage(_) => ("Percent", Some(10_000)),
        Grade::FiveLevel(_) => ("LetterGrade", None),
        Grade::PassFail(_) => ("Result", None),
        Grade::Points(points) => ("RawScore", Some(points.scale().max())),
    }
}

/// The term of study, where the category has one.
pub(crate) fn term(outcome: &Outcome) -> Option<String> {
    match &outcome.detail {
        Detail::DegreeCourse(course) => Some(match course.term {
            Some(term) => format!("{} {}", course.year, term.label_zh()),
            None => course.year.to_string(),
        }),
        Detail::ElderCourse(course) => Some(format!("{} {}", course.year, course.term.label_zh())),
        Detail::SelfStudyExam(exam) => Some(exam.session.to_string()),
        _ => None,
    }
}

/// The major, the occupation, the stage: what the achievement is about.
pub(crate) fn specialization(outcome: &Outcome) -> Option<String> {
    match &outcome.detail {
        Detail::DegreeCourse(course) => course.subject.as_ref().map(ToString::to_string),
        Detail::SkillCertificate(certificate) => certificate
            .occupation_name
            .as_ref()
            .map(ToString::to_string),
        _ => None,
    }
}

/// The level of a certificate, as it is known or as it is printed.
pub(crate) fn level(certificate: &SkillCertificate) -> Option<String> {
    let known = certificate.level.map(|level| level.label_zh().to_owned());
    known.or_else(|| certificate.level_printed.as_ref().map(ToString::to_string))
}
