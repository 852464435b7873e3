//! Refusals are a stable contract, and parsers answer any text with one instead of a panic.

use std::collections::HashSet;

use creditbank_domain::grade::{FiveLevel, PassFail, Percentage, Points, Scale};
use creditbank_domain::identifier::{
    DocumentKind, IdentityDocument, InstitutionId, LearnerCode, OccupationCode, Province, RecordId,
    RegionCode, SchoolCode, SkillCertificateNumber, TestRegions, UnifiedSocialCreditCode,
};
use creditbank_domain::outcome::{ExamCourseCode, Session, SkillLevel};
use creditbank_domain::text::{Label, PersonName};
use creditbank_domain::{Category, Credit, Faults, Refusal};
use proptest::prelude::*;

#[test]
fn codes_are_distinct_and_fit_an_error_reason() {
    let codes: HashSet<_> = Refusal::CODES.iter().collect();
    assert_eq!(codes.len(), Refusal::CODES.len());
    for code in Refusal::CODES {
        assert!(code.len() <= 63 && code.len() >= 2, "{code}");
        assert!(
            code.starts_with(|c: char| c.is_ascii_uppercase()) && !code.ends_with('_'),
            "{code}"
        );
        assert!(
            code.chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'),
            "{code}"
        );
    }
}

#[test]
fn a_refusal_gives_its_parameters_by_name() {
    let refusal = Refusal::CategoryNotAdmitted {
        category: Category::HumanitiesWalk,
    };
    assert_eq!(
        refusal.params(),
        [("category", "humanities-walk".to_owned())]
    );
    assert_eq!(
        Refusal::BatchTooLarge {
            count: 1025,
            max: 1024
        }
        .to_string(),
        "BATCH_TOO_LARGE count=1025 max=1024"
    );
    assert_eq!(Refusal::Missing.params(), []);
}

#[test]
fn a_fault_names_its_field_from_the_root() {
    let fault = Refusal::OutOfRange { min: 0, max: 100 }
        .at("score")
        .within("grade")
        .within("outcome");
    assert_eq!(
        fault.to_string(),
        "outcome.grade.score: OUT_OF_RANGE min=0 max=100"
    );
    assert_eq!(Refusal::Missing.at("").within("points").field, "points");
    assert_eq!(
        Refusal::Missing.at("[2].at").within("points").field,
        "points[2].at"
    );
}

#[test]
fn faults_are_collected_and_values_kept() {
    let mut faults = Faults::default();
    assert!(faults.take("credits", Credit::parse("x")).is_none());
    assert!(faults.take("hours", Credit::parse("2")).is_some());
    assert!(
        faults
            .take_part::<()>("detail", Err(vec![Refusal::Missing.at("venue")]))
            .is_none()
    );
    let fields: Vec<_> = faults
        .into_vec()
        .into_iter()
        .map(|fault| fault.field)
        .collect();
    assert_eq!(fields, ["credits", "detail.venue"]);
}

/// Feeds one text to every parser; each must answer, and what it accepts must be read again from its print.
fn feed(text: &str) {
    fn again<T: ToString + PartialEq + std::fmt::Debug>(
        parse: impl Fn(&str) -> Result<T, Refusal>,
        text: &str,
    ) {
        if let Ok(value) = parse(text) {
            assert_eq!(parse(&value.to_string()), Ok(value), "{text:?}");
        }
    }
    again(RegionCode::parse, text);
    again(Province::parse, text);
    again(SchoolCode::parse, text);
    again(OccupationCode::parse, text);
    again(UnifiedSocialCreditCode::parse, text);
    again(SkillCertificateNumber::parse, text);
    again(LearnerCode::parse, text);
    again(InstitutionId::parse, text);
    again(RecordId::parse, text);
    again(ExamCourseCode::parse, text);
    again(Session::parse, text);
    again(Credit::parse, text);
    again(Category::parse, text);
    again(SkillLevel::parse, text);
    again(PersonName::parse, text);
    again(Label::parse, text);
    for kind in DocumentKind::ALL {
        let _ = IdentityDocument::parse(kind, text, text, TestRegions::Accept);
        let _ = IdentityDocument::parse(kind, "ecnu", text, TestRegions::Refuse);
        let _ = IdentityDocument::parse(kind, "CHN", text, TestRegions::Refuse);
    }
    let _ = (
        Percentage::parse(text),
        FiveLevel::parse(text),
        PassFail::parse(text),
    );
    let _ = Points::parse(Scale::Score, text);
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        feed(&text);
    }

    #[test]
    fn no_text_of_the_likely_characters_makes_a_parser_panic(text in "[0-9A-Za-zX０-９ .\\-𠮷]{0,24}") {
        feed(&text);
    }

    #[test]
    fn no_text_of_digits_makes_a_parser_panic(text in "[1-9YSHM][0-9]{0,21}X?") {
        feed(&text);
    }

    #[test]
    fn every_drawn_number_gives_a_code_that_reads_back(number in 1..LearnerCode::NUMBERS) {
        let code = LearnerCode::from_random(number).unwrap();
        prop_assert_eq!(LearnerCode::parse(&code.to_string()), Ok(code));
        prop_assert_eq!(LearnerCode::from_u64(code.as_u64()), Ok(code));
    }
}
