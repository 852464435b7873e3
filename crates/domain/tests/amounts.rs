//! Credit, hours, grades and texts are exact: nothing is rounded, truncated or normalised.

use creditbank_domain::grade::{FiveLevel, PassFail, Percentage, Points, Scale};
use creditbank_domain::outcome::{Category, SkillLevel, StudyResult, Term};
use creditbank_domain::text::{Label, PERSON_NAME_MAX, PersonName, Text};
use creditbank_domain::{Credit, Grade, Hours, Refusal};

/// What is printed, or the code of the refusal.
fn shown<T: ToString>(result: Result<T, Refusal>) -> String {
    result.map_or_else(
        |refusal| refusal.code().to_owned(),
        |value| value.to_string(),
    )
}

#[test]
fn amounts_are_exact_to_the_hundredth() {
    let table = [
        ("3", "3"),
        ("2.5", "2.5"),
        ("0.25", "0.25"),
        ("0.05", "0.05"),
        ("007", "7"),
        (" 2.50 ", "2.5"),
        ("2.5000", "2.5"),
        ("42949672.95", "42949672.95"),
        ("42949672.96", "OVERFLOW"),
        ("99999999999999999999", "OVERFLOW"),
        ("0.125", "TOO_MANY_DECIMALS"),
        ("-1", "NEGATIVE"),
        ("-", "NOT_A_NUMBER"),
        (".5", "NOT_A_NUMBER"),
        ("5.", "NOT_A_NUMBER"),
        ("1e3", "NOT_A_NUMBER"),
        ("1,5", "NOT_A_NUMBER"),
        ("", "MISSING"),
    ];
    for (text, expected) in table {
        assert_eq!(shown(Credit::parse(text)), expected, "credit {text:?}");
        assert_eq!(shown(Hours::parse(text)), expected, "hours {text:?}");
    }
}

#[test]
fn arithmetic_never_wraps() {
    let credit = |text| Credit::parse(text).unwrap();
    assert_eq!(
        credit("2.5").checked_add(credit("0.75")),
        Ok(credit("3.25"))
    );
    assert_eq!(credit("2.5").checked_sub(credit("2.5")), Ok(Credit::ZERO));
    assert_eq!(
        credit("2.5").checked_sub(credit("2.51")),
        Err(Refusal::Negative)
    );
    assert_eq!(
        credit("42949672.95").checked_add(credit("0.01")),
        Err(Refusal::Overflow)
    );
    assert_eq!(Credit::from_whole(-1), Err(Refusal::Negative));
    assert_eq!(Credit::from_whole(i64::MAX), Err(Refusal::Overflow));
    assert_eq!(Credit::from_whole(4).map(Credit::hundredths), Ok(400));
}

#[test]
fn grades_stay_within_their_scheme() {
    let table = [
        (
            shown(Percentage::parse("100").map(Grade::Percentage)),
            "100",
        ),
        (
            shown(Percentage::parse("59.99").map(Grade::Percentage)),
            "59.99",
        ),
        (
            shown(Percentage::parse("100.01").map(Grade::Percentage)),
            "OUT_OF_RANGE",
        ),
        (shown(FiveLevel::parse("良").map(Grade::FiveLevel)), "良好"),
        (
            shown(FiveLevel::parse("F").map(Grade::FiveLevel)),
            "CHOICE_UNKNOWN",
        ),
        (shown(PassFail::parse("合格").map(Grade::PassFail)), "合格"),
        (
            shown(Points::parse(Scale::GceALevel, "8").map(Grade::Points)),
            "8 (gce-a-level-points)",
        ),
        (
            shown(Points::parse(Scale::GceALevel, "10.5").map(Grade::Points)),
            "OUT_OF_RANGE",
        ),
        (
            shown(Points::parse(Scale::Gpa4, "3.7").map(Grade::Points)),
            "3.7 (gpa-4.0)",
        ),
        (
            shown(Scale::parse("gpa-7").map(Scale::id)),
            "GRADE_SCALE_UNKNOWN",
        ),
    ];
    for (found, expected) in table {
        assert_eq!(found, expected);
    }
    assert_eq!(
        Scale::all()
            .map(|scale| Scale::parse(scale.id()))
            .collect::<Result<Vec<_>, _>>(),
        Ok(Scale::all().collect())
    );
}

#[test]
fn a_pass_is_told_only_where_the_scheme_knows_it() {
    let passed = |grade: Grade| grade.is_pass();
    assert_eq!(
        passed(Grade::Percentage(Percentage::parse("60").unwrap())),
        Some(true)
    );
    assert_eq!(
        passed(Grade::Percentage(Percentage::parse("59.99").unwrap())),
        Some(false)
    );
    assert_eq!(passed(Grade::FiveLevel(FiveLevel::Fail)), Some(false));
    assert_eq!(passed(Grade::PassFail(PassFail::Pass)), Some(true));
    assert_eq!(
        passed(Grade::Points(Points::parse(Scale::GceALevel, "0").unwrap())),
        Some(false)
    );
    assert_eq!(
        passed(Grade::Points(Points::parse(Scale::Cet, "425").unwrap())),
        None
    );
}

#[test]
fn closed_lists_read_their_number_code_and_label() {
    for (number, category) in (1..).zip(Category::ALL) {
        assert_eq!(category.number(), number);
        assert_eq!(Category::from_number(number), Ok(category));
        assert_eq!(Category::parse(category.code()), Ok(category));
    }
    assert_eq!(Category::from_number(0), Err(Refusal::CategoryUnknown));
    assert_eq!(Term::parse("50"), Ok(Term::Spring));
    assert_eq!(Term::parse("秋"), Ok(Term::Autumn));
    assert_eq!(StudyResult::parse("graduated"), Ok(StudyResult::Graduated));
    assert_eq!(SkillLevel::parse("9"), Err(Refusal::LevelUnknown));
    let mut ranks: Vec<u32> = SkillLevel::ALL.iter().map(|level| level.rank()).collect();
    ranks.sort_unstable();
    assert_eq!(ranks, (0..8).collect::<Vec<_>>());
    assert!(SkillLevel::SeniorTechnician.rank() > SkillLevel::Elementary.rank());
}

#[test]
fn names_come_back_as_they_went_in() {
    let longest = "长".repeat(PERSON_NAME_MAX as usize);
    for name in [
        "张三",
        "阿卜杜拉·买买提",
        "𠮷野家",
        "𬭩丽",
        "Ngô Bảo Châu",
        "e\u{301}",
        "J. O’Neill",
        &longest,
    ] {
        assert_eq!(PersonName::parse(name).unwrap().as_str(), name);
        assert_eq!(PersonName::parse(name).unwrap().to_string(), name);
    }
    assert_eq!(Label::parse(" 人文·行走 ").unwrap().as_str(), " 人文·行走 ");
}

#[test]
fn texts_are_refused_whole_or_taken_whole() {
    let table = [
        ("", "MISSING"),
        (" \u{3000}", "MISSING"),
        ("ab\u{0}", "BAD_CHARACTER"),
        ("a\nb", "BAD_CHARACTER"),
        ("𠮷𠮷𠮷", "𠮷𠮷𠮷"),
        ("𠮷𠮷𠮷𠮷", "TOO_LONG"),
    ];
    for (text, expected) in table {
        assert_eq!(shown(Text::<3>::parse(text)), expected, "{text:?}");
    }
    assert_eq!(Text::<3>::parse_optional(""), Ok(None));
}
