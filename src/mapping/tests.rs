//! Mappings: what they say, what they refuse, and that nothing of Shanghai's records is lost.

use std::path::Path;
use std::sync::Arc;

use creditbank_domain::grade::Scale;
use creditbank_domain::outcome::{Detail, SkillLevel, Term};
use csv::StringRecord;
use jiff::civil::{date, time};

use super::*;
use crate::table::{Mark, Options, Table};

const TODAY: Date = date(2026, 5, 1);
const ID: &str = "319901194505120011";

fn bind(mapping: &str, header: &str) -> Result<Mapper> {
    let header: Vec<_> = header.split(',').map(str::to_owned).collect();
    Mapping::parse(mapping)?.bind(&header, Some(&InstitutionId::parse("shou").unwrap()))
}

fn row(line: &str) -> Row {
    Row {
        number: 2,
        cells: StringRecord::from(line.split(',').collect::<Vec<_>>()),
        ..Row::default()
    }
}

fn read(mapping: &str, header: &str, line: &str) -> Result<Mapped, Vec<Reject>> {
    bind(mapping, header).unwrap().read(&row(line), TODAY)
}

/// The columns and codes at fault.
fn faults(result: Result<Mapped, Vec<Reject>>) -> Vec<(String, String)> {
    result
        .unwrap_err()
        .into_iter()
        .map(|reject| (reject.field, reject.code))
        .collect()
}

const COURSE: &str = r#"
category = "degree-course"
[fields]
identity_number = "证件"
achievement_name = "课程"
completed_on = "日期"
form = { column = "类别", map = { "成教" = 30, "普通" = 31 } }
stage = { constant = "本科" }
year = "届"
term = { column = "学期", empty = "秋" }
credits = { column = "学分", strip = ["学分"] }
hours = { column = "学时", strip = [",", "学时"] }
grade = "成绩"
"#;
const HEADER: &str = "证件,课程,日期,类别,届,学期,学分,学时,成绩";

#[test]
fn texts_become_values() {
    let mapped = read(
        COURSE,
        HEADER,
        &format!("{ID},高等数学·上,2025年7月1日,成教,2025届,春,2.5学分,72学时,87.5"),
    )
    .unwrap();
    let outcome = &mapped.outcome;
    assert_eq!(outcome.achievement.name.as_str(), "高等数学·上");
    assert_eq!(
        (outcome.completed_on, outcome.completed_at),
        (date(2025, 7, 1), None)
    );
    assert_eq!(
        (
            outcome.credits.unwrap().hundredths(),
            outcome.hours.unwrap().hundredths()
        ),
        (250, 7200)
    );
    assert_eq!(
        outcome.grade,
        Some(Grade::Percentage(Percentage::parse("87.5").unwrap()))
    );
    let Detail::DegreeCourse(course) = &outcome.detail else {
        panic!("a degree course")
    };
    assert_eq!(
        (course.form.number(), course.stage.number(), course.year),
        (30, 20, 2025)
    );
    assert_eq!(course.term, Some(Term::Spring));
    assert_eq!(mapped.institution.unwrap().as_str(), "shou");
    let Learner::Identity(identity) = mapped.learner else {
        panic!("an identity")
    };
    assert_eq!(
        (identity.kind, identity.number.as_str()),
        (DocumentKind::ResidentId, ID)
    );
}

#[test]
fn everything_wrong_with_a_row_is_told_by_column() {
    let wrong = read(
        COURSE,
        HEADER,
        "319901194505120012,,2025-02-30,函授,20x5,冬,1.234,-3,A+",
    );
    let expected = [
        ("证件", "BAD_CHECK_DIGIT"),
        ("课程", "MISSING"),
        ("学分", "TOO_MANY_DECIMALS"),
        ("学时", "NEGATIVE"),
        ("成绩", "CHOICE_UNKNOWN"),
        ("日期", "NOT_A_DATE"),
        ("类别", "NOT_IN_MAPPING"),
        ("届", "NOT_A_NUMBER"),
        ("学期", "CHOICE_UNKNOWN"),
    ];
    assert_eq!(
        faults(wrong),
        expected.map(|(field, code)| (field.to_owned(), code.to_owned()))
    );
    let between = read(
        COURSE,
        HEADER,
        &format!("{ID},数学,2026-05-02,成教,2025,,,,"),
    );
    let expected = [("日期", "COMPLETED_IN_FUTURE"), ("成绩", "MISSING")];
    assert_eq!(
        faults(between),
        expected.map(|(field, code)| (field.to_owned(), code.to_owned()))
    );
}

#[test]
fn grades_are_read_in_their_scheme() {
    let five = Grade::FiveLevel(FiveLevel::Good);
    let cases = [
        (r#""成绩""#, "良好", Some(five)),
        (r#""成绩""#, "合格", Some(Grade::PassFail(PassFail::Pass))),
        (
            r#"{ column = "成绩", scheme = "five-level" }"#,
            "B",
            Some(five),
        ),
        (r#"{ column = "成绩", scheme = "pass-fail" }"#, "良好", None),
        (r#"{ column = "成绩", scheme = "percentage" }"#, "101", None),
        (
            r#"{ column = "成绩", scheme = "points", scale = "cet-710" }"#,
            "425",
            Points::parse(Scale::Cet, "425").ok().map(Grade::Points),
        ),
    ];
    for (rule, text, expected) in cases {
        let mapping = COURSE.replace("grade = \"成绩\"", &format!("grade = {rule}"));
        let mapped = read(
            &mapping,
            HEADER,
            &format!("{ID},数学,2025-07-01,成教,2025,,,,{text}"),
        );
        assert_eq!(
            mapped.ok().and_then(|mapped| mapped.outcome.grade),
            expected,
            "{rule} {text}"
        );
    }
}

#[test]
fn dates_are_read_in_any_usual_form_and_no_other() {
    let day = Some((date(2025, 7, 1), None));
    let at = |hour, minute, second| Some((date(2025, 7, 1), Some(time(hour, minute, second, 0))));
    let cases = [
        ("2025-07-01", None, day),
        ("2025/7/1", None, day),
        ("2025.7.01", None, day),
        ("2025年7月1日", None, day),
        ("20250701", None, day),
        ("2025-07-01 09:30", None, at(9, 30, 0)),
        ("2025-07-01T09:30:05", None, at(9, 30, 5)),
        ("2025-07-01 00:00:00.000", None, at(0, 0, 0)),
        ("2025年7月1日 9:30:05", None, at(9, 30, 5)),
        ("01/07/2025", Some("%d/%m/%Y"), day),
        (
            "01.07.2025 09:30:05",
            Some("%d.%m.%Y %H:%M:%S"),
            at(9, 30, 5),
        ),
        ("01/07/2025", None, None),
        ("25-7-1", None, None),
        ("2025-13-01", None, None),
        ("2025-0700-01", None, None),
        ("2025-07-01 25:00", None, None),
        ("2025-07-01 09:30:05.5", None, None),
        ("45839", None, None),
        ("2025-07-01 ９:30", None, None),
    ];
    for (text, format, expected) in cases {
        assert_eq!(moment::moment(text, format).ok(), expected, "{text}");
    }
}

#[test]
fn a_mapping_that_says_something_unknown_is_refused_by_name() {
    let bad = |from: &str, to: &str| COURSE.replace(from, to);
    let cases = [
        (bad("grade =", "grad ="), "grad"),
        (bad("map =", "mapp ="), "mapp"),
        (bad("category =", "kind ="), "kind"),
        (
            bad("degree-course", "degree"),
            "there are degree-course, self-study-exam",
        ),
        (
            bad("\"课程\"", "\"课程名\""),
            "the file has no column \"课程名\"",
        ),
        (bad("completed_on = \"日期\"", ""), "completed_on"),
        (bad("identity_number = \"证件\"", ""), "identity_number"),
        (
            bad("constant = \"本科\"", "constant = 1, column = \"课程\""),
            "either column or constant",
        ),
        (
            bad("\"成绩\"", "{ column = \"成绩\", scheme = \"letters\" }"),
            "letters",
        ),
        (
            bad("\"成绩\"", "{ column = \"成绩\", scheme = \"points\" }"),
            "needs a scale",
        ),
        (
            bad(
                "\"成绩\"",
                "{ column = \"成绩\", scheme = \"points\", scale = \"x\" }",
            ),
            "gpa-4.0",
        ),
        (
            bad("\"成绩\"", "{ column = \"成绩\", format = \"%Y\" }"),
            "format is for dates",
        ),
        (
            bad("[fields]", "natural_key = [\"序号\"]\n[fields]"),
            "序号",
        ),
        (
            bad("[fields]", "[fields]\ncategory = \"类别\""),
            "either for all rows or as a field",
        ),
    ];
    for (mapping, expected) in cases {
        let error = bind(&mapping, HEADER).expect_err(expected);
        assert!(
            format!("{error:#}").contains(expected),
            "{error:#}\nin\n{mapping}"
        );
    }
}

#[test]
fn number_cells_are_no_codes_unless_their_digits_are_known() {
    let mapping = |rule: &str| {
        COURSE.replace(
            "identity_number = \"证件\"",
            &format!(
                "identity_kind = {{ constant = \"student-number\" }}\nidentity_number = {rule}"
            ),
        )
    };
    let sheet = |rule: &str| {
        let mut row = row("123,数学,2025-07-01,成教,2025,,3,,88");
        row.marks = vec![
            (0, Mark::Number),
            (4, Mark::Number),
            (6, Mark::Number),
            (8, Mark::Number),
        ];
        bind(&mapping(rule), HEADER).unwrap().read(&row, TODAY)
    };
    assert_eq!(
        faults(sheet("\"证件\"")),
        [("证件".to_owned(), "NUMBER_CELL".to_owned())]
    );
    let mapped = sheet("{ column = \"证件\", digits = 6 }").unwrap();
    let Learner::Identity(identity) = mapped.learner else {
        panic!("an identity")
    };
    assert_eq!(
        (identity.number.as_str(), identity.issuer.as_str()),
        ("000123", "shou")
    );
    let mut error = row("x,数学,2025-07-01,成教,2025,,3,,88");
    error.marks = vec![(1, Mark::NotAValue)];
    let result = bind(&mapping("\"证件\""), HEADER)
        .unwrap()
        .read(&error, TODAY);
    assert_eq!(
        faults(result),
        [("课程".to_owned(), "NOT_A_VALUE".to_owned())]
    );
}

#[test]
fn the_natural_key_tells_rows_apart_and_nothing_else() {
    let key = |line: &str| read(COURSE, HEADER, line).unwrap().natural_key;
    let first = key(&format!("{ID},数学,2025-07-01,成教,2025,,3,48,88"));
    // A corrected grade is the same achievement: the bank will ask for an amendment.
    assert_eq!(
        key(&format!("{ID},数学,2025/7/1,成教,2025,,3,48,90")),
        first
    );
    assert_ne!(
        key(&format!("{ID},数学,2025-07-02,成教,2025,,3,48,88")),
        first
    );
    assert_ne!(
        key(&format!("{ID},数学二,2025-07-01,成教,2025,,3,48,88")),
        first
    );
    let chosen = COURSE.replace("[fields]", "natural_key = [\"课程\", \"届\"]\n[fields]");
    let key = |line: &str| read(&chosen, HEADER, line).unwrap().natural_key;
    let first = key(&format!("{ID},数学,2025-07-01,成教,2025,,3,48,88"));
    assert_eq!(
        key(&format!("{ID},数学,2025-07-09,成教,2025,,3,48,88")),
        first
    );
    assert_ne!(
        key(&format!("{ID},数学2,2025-07-01,成教,2025,,3,48,88")),
        first
    );
}

#[test]
fn paths_of_the_bank_lead_back_to_columns() {
    let mapper = bind(COURSE, HEADER).unwrap();
    for (path, expected) in [
        ("payload.outcome.achievement.name", "课程"),
        ("payload.outcome.degree_course.year", "届"),
        ("payload.outcome.grade.percentage_hundredths", "成绩"),
        ("payload.outcome.hours_hundredths", "学时"),
        ("outcome.degree_course.form", "类别"),
        ("detail.attendance.planned", "sessions_planned"),
        ("detail.points[2].at", "points"),
        ("detail.enterprise_attestor.mentor", "enterprise_mentor"),
        ("envelope.record_id", "external_id"),
        ("envelope.issuer", "envelope.issuer"),
    ] {
        assert_eq!(mapper.column(path), expected, "{path}");
    }
}

#[test]
fn evidence_and_walks_are_lists_in_a_cell() {
    let digest = "ab".repeat(32);
    let pieces = evidence(&format!(
        "certificate {digest} https://x.example/1; 成绩单 {}",
        "cd".repeat(32)
    ))
    .unwrap();
    assert_eq!(
        (pieces.len(), pieces[0].sha256[0], pieces[1].uri.is_none()),
        (2, 0xab, true)
    );
    for wrong in [
        "certificate",
        "certificate zz",
        &format!("x {digest}"),
        &format!("certificate {digest} a b"),
    ] {
        assert!(evidence(wrong).is_err(), "{wrong}");
    }
    let walk = "category = \"humanities-walk\"\n[fields]\nidentity_number = \"证件\"\nachievement_name = \"名称\"\ncompleted_on = \"日期\"\nroute = \"线路\"\npoints = \"点\"";
    let line = format!("{ID},人文行走,2026-04-30,SH-07,P1@2026-04-30T09:30:00;P2@2026-04-30 10:00");
    let Detail::HumanitiesWalk(walk) = read(walk, "证件,名称,日期,线路,点", &line)
        .unwrap()
        .outcome
        .into_draft()
        .detail
    else {
        panic!("a walk")
    };
    assert_eq!((walk.points.len(), walk.points[1].code.as_str()), (2, "P2"));
}

#[test]
fn every_built_in_mapping_is_read_and_says_where_everything_comes_from() {
    for (name, _) in BUILT_IN {
        let mapping = Mapping::load(name).unwrap();
        let columns = mapping.columns();
        mapping
            .bind(&columns, None)
            .unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
    let error = Mapping::load("shanghai").unwrap_err();
    assert!(
        format!("{error:#}").contains("shanghai-credit"),
        "{error:#}"
    );
}

/// A row of Shanghai's production interface, as a file of NDJSON has it.
fn shanghai(mapping: &str, line: &str) -> Mapped {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.ndjson");
    std::fs::write(&path, line).unwrap();
    let mapping = Mapping::load(mapping).unwrap();
    let table = Table::open(
        Path::new(&path),
        &Options::default(),
        &mapping.columns(),
        &Arc::default(),
    )
    .unwrap();
    let mut mapper = mapping.bind(&table.header, None).unwrap();
    let mut read = None;
    table
        .for_each(&mut |row| {
            read = Some(mapper.read(&row, TODAY).unwrap());
            Ok(())
        })
        .unwrap();
    read.unwrap()
}

#[test]
fn shanghais_three_records_come_in_without_loss() {
    let common = format!(
        "\"cert_no\":\"{ID}\",\"cert_name\":\"阿依古丽·买买提\",\"inst_name\":\"上海开放大学\""
    );
    let credit = shanghai(
        "shanghai-credit",
        &format!(
            "{{{common},\"course_name\":\"大学英语（二）\",\"course_property\":30,\"learning_stage\":21,\"course_subject\":\"行政管理\",\
             \"course_year\":\"2025\",\"course_season\":50,\"course_result_code\":41,\"course_score\":425,\"credit\":4,\
             \"credit_hour\":72,\"experience_time\":\"2025-07-01 09:30:05\",\"credit_outer_id\":\"9f1c-1\"}}"
        ),
    );
    let outcome = &credit.outcome;
    let Detail::DegreeCourse(course) = &outcome.detail else {
        panic!("a degree course")
    };
    let numbers = (
        course.form.number(),
        course.stage.number(),
        course.year,
        course.term.unwrap().number(),
    );
    assert_eq!(
        (numbers, course.result.unwrap().number()),
        ((30, 21, 2025, 50), 41)
    );
    assert_eq!(course.subject.as_ref().unwrap().as_str(), "行政管理");
    assert_eq!(
        outcome.grade,
        Points::parse(Scale::Score, "425").ok().map(Grade::Points)
    );
    assert_eq!(
        (
            outcome.credits.unwrap().hundredths(),
            outcome.hours.unwrap().hundredths()
        ),
        (400, 7200)
    );
    assert_eq!(
        (outcome.completed_on, outcome.completed_at),
        (date(2025, 7, 1), Some(time(9, 30, 5, 0)))
    );
    assert_eq!(outcome.external_id.as_ref().unwrap().as_str(), "9f1c-1");
    assert_eq!(
        outcome.institution_name.as_ref().unwrap().as_str(),
        "上海开放大学"
    );
    let Learner::Identity(identity) = &credit.learner else {
        panic!("an identity")
    };
    assert_eq!(identity.name, "阿依古丽·买买提");

    let certificate = shanghai(
        "shanghai-certificate",
        &format!(
            "{{{common},\"certificate_name\":\"养老护理员\",\"certificate_level\":\"四级/中级工\",\
             \"experience_time\":\"2019-12-31 23:59:59\",\"cert_exp_outer_id\":\"1409123456789\"}}"
        ),
    );
    let Detail::SkillCertificate(detail) = &certificate.outcome.detail else {
        panic!("a certificate")
    };
    assert_eq!(
        detail.level_printed.as_ref().unwrap().as_str(),
        "四级/中级工"
    );
    assert_eq!((detail.level, &detail.number), (None::<SkillLevel>, &None));
    assert_eq!(certificate.outcome.completed_at, Some(time(23, 59, 59, 0)));

    for (code, expected) in [(1, true), (2, false)] {
        let training = shanghai(
            "shanghai-training",
            &format!(
                "{{{common},\"project_name\":\"社区·智慧助老\",\"have_project_certificate\":{code},\
                 \"experience_time\":\"2024-02-29 00:00:00\",\"training_outer_id\":\"T-1\"}}"
            ),
        );
        let Detail::Training(detail) = &training.outcome.detail else {
            panic!("a training")
        };
        assert_eq!(detail.certificate, expected);
        assert_eq!(
            training.outcome.completed_at,
            Some(time(0, 0, 0, 0)),
            "midnight was stated"
        );
    }
}
