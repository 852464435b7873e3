//! The three record types of Shanghai's production interface pass through an outcome without loss.
//!
//! Fields and codes as in the public software kit of `alipay.commerce.educate.creditbank` (channel `shcreditbank`):
//! `CreditBankCredit`, `CreditBankCertificateExperience`, `CreditBankTraining`.

use creditbank_domain::grade::{Points, Scale};
use creditbank_domain::outcome::{
    Achievement, DegreeCourse, DegreeForm, Detail, LearningStage, OutcomeDraft, SkillCertificate,
    StudyResult, Term, Training,
};
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Credit, Grade, Hours, Outcome};
use jiff::civil::{DateTime, date};

/// A record of the interface: text or whole number by field.
type Row = Vec<(&'static str, Field)>;

#[derive(Clone, Debug, PartialEq)]
enum Field {
    Text(String),
    Whole(i64),
}

fn text(value: &str) -> Field {
    Field::Text(value.to_owned())
}

fn take<'a>(row: &'a Row, name: &str) -> &'a Field {
    &row.iter()
        .find(|(field, _)| *field == name)
        .expect("a field of the interface")
        .1
}

fn label(row: &Row, name: &str) -> Label {
    match take(row, name) {
        Field::Text(text) => Label::parse(text).unwrap(),
        Field::Whole(_) => panic!("{name} is a text"),
    }
}

fn whole(row: &Row, name: &str) -> i64 {
    match take(row, name) {
        Field::Whole(number) => *number,
        Field::Text(_) => panic!("{name} is a number"),
    }
}

fn draft(row: &Row, name: &str, id: &str, detail: Detail) -> OutcomeDraft {
    let time: DateTime = label(row, "experience_time")
        .as_str()
        .replace(' ', "T")
        .parse()
        .unwrap();
    OutcomeDraft {
        achievement: Achievement {
            code: None,
            name: label(row, name),
        },
        project: None,
        credits: None,
        hours: None,
        grade: None,
        completed_on: time.date(),
        completed_at: Some(time.time()),
        obtained_by: None,
        started_on: None,
        external_id: Some(Code::parse(label(row, id).as_str()).unwrap()),
        institution_name: Some(label(row, "inst_name")),
        evidence: vec![],
        detail,
    }
}

fn common(outcome: &Outcome, name: &'static str, id: &'static str) -> Row {
    let time = outcome
        .completed_on
        .to_datetime(outcome.completed_at.unwrap())
        .strftime("%Y-%m-%d %H:%M:%S");
    vec![
        (name, text(outcome.achievement.name.as_str())),
        (id, text(outcome.external_id.as_ref().unwrap().as_str())),
        (
            "inst_name",
            text(outcome.institution_name.as_ref().unwrap().as_str()),
        ),
        ("experience_time", text(&time.to_string())),
    ]
}

fn same(mut found: Row, mut row: Row) {
    found.sort_by_key(|(name, _)| *name);
    row.sort_by_key(|(name, _)| *name);
    assert_eq!(found, row);
}

#[test]
fn a_credit_record_keeps_all_its_fields() {
    for (form, stage, season, result, score) in [
        (30, 20, 50, 40, 87),
        (31, 21, 51, 41, 0),
        (31, 20, 50, 40, 425),
    ] {
        let row: Row = vec![
            ("course_name", text("大学英语（二）·口语")),
            ("course_property", Field::Whole(form)),
            ("learning_stage", Field::Whole(stage)),
            ("course_subject", text("行政管理")),
            ("course_year", text("2025")),
            ("course_season", Field::Whole(season)),
            ("course_result_code", Field::Whole(result)),
            ("course_score", Field::Whole(score)),
            ("credit", Field::Whole(4)),
            ("credit_hour", Field::Whole(72)),
            ("inst_name", text("上海开放大学")),
            ("experience_time", text("2025-07-01 09:30:05")),
            ("credit_outer_id", text("9f1c-20250701-001")),
        ];
        let number = |name| whole(&row, name) as u32;
        let detail = Detail::DegreeCourse(DegreeCourse {
            form: DegreeForm::from_number(number("course_property")).unwrap(),
            stage: LearningStage::from_number(number("learning_stage")).unwrap(),
            subject: Some(label(&row, "course_subject")),
            year: label(&row, "course_year").as_str().parse().unwrap(),
            term: Some(Term::from_number(number("course_season")).unwrap()),
            result: Some(StudyResult::from_number(number("course_result_code")).unwrap()),
        });
        let points = Points::from_hundredths(Scale::Score, number("course_score") * 100).unwrap();
        let outcome = OutcomeDraft {
            credits: Some(Credit::from_whole(whole(&row, "credit")).unwrap()),
            hours: Some(Hours::from_whole(whole(&row, "credit_hour")).unwrap()),
            grade: Some(Grade::Points(points)),
            ..draft(&row, "course_name", "credit_outer_id", detail)
        };
        same(
            credit_record(&outcome.check(date(2026, 1, 1)).unwrap()),
            row,
        );
    }
}

fn credit_record(outcome: &Outcome) -> Row {
    let Detail::DegreeCourse(course) = &outcome.detail else {
        panic!("a degree course")
    };
    let Some(Grade::Points(points)) = outcome.grade else {
        panic!("points")
    };
    let mut row = common(outcome, "course_name", "credit_outer_id");
    row.extend([
        ("course_property", Field::Whole(course.form.number().into())),
        ("learning_stage", Field::Whole(course.stage.number().into())),
        (
            "course_subject",
            text(course.subject.as_ref().unwrap().as_str()),
        ),
        ("course_year", text(&course.year.to_string())),
        (
            "course_season",
            Field::Whole(course.term.unwrap().number().into()),
        ),
        (
            "course_result_code",
            Field::Whole(course.result.unwrap().number().into()),
        ),
        (
            "course_score",
            Field::Whole((points.hundredths() / 100).into()),
        ),
        (
            "credit",
            Field::Whole((outcome.credits.unwrap().hundredths() / 100).into()),
        ),
        (
            "credit_hour",
            Field::Whole((outcome.hours.unwrap().hundredths() / 100).into()),
        ),
    ]);
    row
}

#[test]
fn a_certificate_record_keeps_all_its_fields() {
    for level in ["四级/中级工", "CET-4", "无"] {
        let row: Row = vec![
            ("certificate_name", text("养老护理员")),
            ("certificate_level", text(level)),
            ("inst_name", text("上海市职业技能鉴定中心")),
            ("experience_time", text("2019-12-31 23:59:59")),
            ("cert_exp_outer_id", text("1409123456789")),
        ];
        let detail = Detail::SkillCertificate(SkillCertificate {
            number: None,
            occupation: None,
            occupation_name: None,
            level: None,
            level_printed: Some(label(&row, "certificate_level")),
            valid_until: None,
            x_certificate: false,
        });
        let outcome = draft(&row, "certificate_name", "cert_exp_outer_id", detail)
            .check(date(2026, 1, 1))
            .unwrap();
        let Detail::SkillCertificate(certificate) = &outcome.detail else {
            panic!("a certificate")
        };
        let mut found = common(&outcome, "certificate_name", "cert_exp_outer_id");
        found.push((
            "certificate_level",
            text(certificate.level_printed.as_ref().unwrap().as_str()),
        ));
        same(found, row);
    }
}

#[test]
fn a_training_record_keeps_all_its_fields() {
    for has_certificate in [1, 2] {
        let row: Row = vec![
            ("project_name", text("社区·智慧助老")),
            ("have_project_certificate", Field::Whole(has_certificate)),
            ("inst_name", text("上海市学习型社会建设服务指导中心")),
            ("experience_time", text("2024-02-29 00:00:00")),
            ("training_outer_id", text("T-1")),
        ];
        let detail = Detail::Training(Training {
            certificate: whole(&row, "have_project_certificate") == 1,
        });
        let outcome = draft(&row, "project_name", "training_outer_id", detail)
            .check(date(2026, 1, 1))
            .unwrap();
        let Detail::Training(training) = &outcome.detail else {
            panic!("a training")
        };
        let mut found = common(&outcome, "project_name", "training_outer_id");
        found.push((
            "have_project_certificate",
            Field::Whole(if training.certificate { 1 } else { 2 }),
        ));
        same(found, row);
    }
}
