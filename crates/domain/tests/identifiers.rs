//! Identifiers hold no wrong value: published vectors, an independent oracle, and exhaustive damage.

use creditbank_domain::identifier::{
    DocumentKind, HongKongMacaoPermit, IdentityDocument, InstitutionId, LearnerCode,
    OccupationCode, Passport, PermanentResidentId, Province, RecordId, RegionCode, ResidencePermit,
    ResidentId, SchoolCode, SkillCertificateNumber, TaiwanPermit, TestRegions,
    UnifiedSocialCreditCode,
};
use creditbank_domain::outcome::{ExamCourseCode, Session, SkillLevel};
use creditbank_domain::{Refusal, text::PersonName};
use jiff::civil::date;
use serde_json::Value;

/// Parses each text and compares what is printed, or the code of the refusal, with the last column.
fn check<T: ToString>(parse: impl Fn(&str) -> Result<T, Refusal>, table: &[(&str, &str)]) {
    for (text, expected) in table {
        let found = parse(text).map_or_else(
            |refusal| refusal.code().to_owned(),
            |value| value.to_string(),
        );
        assert_eq!(found, *expected, "parsing {text:?}");
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("a JSON file of tests")
}

fn rows<'a>(data: &'a Value, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let rows = data[kind].as_array().expect("a list").iter();
    rows.map(|row| (row[0].as_str().expect("a number first"), row))
}

#[test]
fn published_vectors_are_judged_as_published() {
    let data = json(include_str!("data/identifier_vectors.json"));
    for (number, row) in rows(&data, "resident_id") {
        let found = ResidentId::parse_with(number, TestRegions::Accept).is_ok();
        assert_eq!(found, row[1].as_bool().unwrap(), "{row}");
    }
    for (code, row) in rows(&data, "uscc") {
        assert_eq!(
            UnifiedSocialCreditCode::parse(code).is_ok(),
            row[1].as_bool().unwrap(),
            "{row}"
        );
    }
    for (number, row) in rows(&data, "skill_cert") {
        assert!(SkillCertificateNumber::parse(number).is_ok(), "{row}");
    }
}

#[test]
fn an_independent_implementation_agrees() {
    let data = json(include_str!("data/oracle.json"));
    for (number, row) in rows(&data, "resident_id") {
        let found = ResidentId::parse(number);
        assert_eq!(
            found.is_ok(),
            row[1].as_bool().unwrap(),
            "{number} {:?}",
            found.err()
        );
    }
    for (code, row) in rows(&data, "social_credit") {
        let expected = row[1].as_bool().unwrap() && row[2].as_bool().unwrap();
        assert_eq!(
            UnifiedSocialCreditCode::parse(code).is_ok(),
            expected,
            "{row}"
        );
    }
    for code in data["learner_code"].as_array().unwrap() {
        assert!(LearnerCode::parse(code.as_str().unwrap()).is_ok(), "{code}");
    }
}

#[test]
fn resident_ids_are_refused_for_what_is_wrong() {
    check(
        ResidentId::parse,
        &[
            ("11010519491231002X", "11010519491231002X"),
            (" 11010519491231002x ", "11010519491231002X"),
            ("11010519491231002X", "11010519491231002X"),
            ("", "MISSING"),
            ("1101051949123100", "WRONG_LENGTH"),
            ("11010519491231002Y", "BAD_CHARACTER"),
            ("1101051949123X0021", "BAD_CHARACTER"),
            ("110105194912310021", "BAD_CHECK_DIGIT"),
            ("339901201002290023", "NOT_A_DATE"),
            ("319901194505120011", "REGION_OF_TESTS"),
            (&with_check("81000019900101000"), "REGION_UNKNOWN"),
        ],
    );
}

#[test]
fn an_abolished_region_holds_for_those_born_before_its_end() {
    let check_born = |born: &str, expected: &str| {
        let number = with_check(&format!("310119{born}000"));
        check(
            ResidentId::parse,
            &[(
                &number,
                if expected.is_empty() {
                    &number
                } else {
                    expected
                },
            )],
        );
    };
    check_born("19520301", ""); // 南汇区 stood from 2001-12 to the edition of 2009; the number was given late
    check_born("20020301", "");
    check_born("20120301", ""); // offices go on with an old code for a while
    check_born("20160301", "REGION_NOT_VALID_THEN");
}

#[test]
fn regions_are_known_by_date() {
    let name = |code: &str, on| RegionCode::parse(code).unwrap().name_at(on);
    assert_eq!(name("310103", date(2005, 1, 1)), Some("卢湾区"));
    assert_eq!(name("310103", date(2015, 1, 1)), None);
    assert_eq!(name("310151", date(2015, 1, 1)), None);
    assert_eq!(name("310151", date(2024, 1, 1)), Some("崇明区"));
    assert_eq!(name("330113", date(2024, 1, 1)), Some("临平区"));
    assert_eq!(name("341402", date(1970, 1, 1)), None);
    assert_eq!(name("110101", date(2024, 1, 1)), None);
    check(
        RegionCode::parse,
        &[
            ("110199", "110199"),
            ("310199", "REGION_UNKNOWN"),
            ("990101", "REGION_UNKNOWN"),
        ],
    );
    let at_2024 = |text: &str| RegionCode::parse_at(text, date(2024, 5, 1));
    check(
        at_2024,
        &[
            ("310101", "310101"),
            ("310119", "REGION_NOT_VALID_THEN"),
            ("31011", "WRONG_LENGTH"),
        ],
    );
    check(Province::parse, &[("31", "31"), ("99", "REGION_UNKNOWN")]);
}

#[test]
fn other_documents_have_their_own_forms() {
    let permit = with_check("81000019900101000");
    check(
        ResidencePermit::parse,
        &[(&permit, &permit), ("11010519491231002X", "REGION_UNKNOWN")],
    );
    check(
        PermanentResidentId::parse,
        &[
            ("911124198108030024", "911124198108030024"),
            ("911124198108030025", "BAD_CHECK_DIGIT"),
            ("can110081080310", "CAN110081080310"),
            ("CA1110081080310", "BAD_CHARACTER"),
            ("CAN11008108031", "WRONG_LENGTH"),
            ("11010519491231002X", "BAD_CHARACTER"),
        ],
    );
    check(
        HongKongMacaoPermit::parse,
        &[
            ("H12345678", "H12345678"),
            ("H1234567801", "H12345678"),
            ("X12345678", "BAD_CHARACTER"),
        ],
    );
    check(
        TaiwanPermit::parse,
        &[
            ("12345678", "12345678"),
            ("1234567", "WRONG_LENGTH"),
            ("", "MISSING"),
        ],
    );
    let passport = |text: &str| Passport::parse("chn", text);
    check(
        passport,
        &[
            ("e12345678", "CHN:E12345678"),
            ("E1", "WRONG_LENGTH"),
            ("E1234-678", "BAD_CHARACTER"),
        ],
    );
}

#[test]
fn canonical_documents_differ_by_kind_and_issuer() {
    let parse = |kind, issuer: &str, number| {
        IdentityDocument::parse(kind, issuer, number, TestRegions::Refuse).unwrap()
    };
    let student = |institution| parse(DocumentKind::StudentNumber, institution, "20240101");
    assert_eq!(student("ecnu").canonical(), "student-number:ecnu:20240101");
    assert_ne!(student("ecnu").canonical(), student("shou").canonical());
    assert!(!student("ecnu").is_verified());
    let resident = parse(DocumentKind::ResidentId, "", "11010519491231002x");
    assert_eq!(resident.canonical(), "resident-id:11010519491231002X");
    assert!(resident.is_verified());
    for kind in DocumentKind::ALL {
        assert_eq!(DocumentKind::parse(kind.code()), Ok(kind));
        assert_eq!(DocumentKind::from_number(kind.number()), Ok(kind));
    }
}

#[test]
fn debug_output_names_nobody() {
    let number = "11010519491231002X";
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        ResidentId::parse(number).unwrap(),
        IdentityDocument::parse(
            DocumentKind::StudentNumber,
            "ecnu",
            number,
            TestRegions::Refuse
        )
        .unwrap(),
        Passport::parse("CHN", "E12345678").unwrap(),
        PersonName::parse("张三").unwrap(),
    );
    for secret in [number, "12345678", "1949", "张"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn codes_of_organisations_and_occupations() {
    check(
        UnifiedSocialCreditCode::parse,
        &[
            ("91350100m000100y43", "91350100M000100Y43"),
            ("91350100M000100Y4Z", "BAD_CHARACTER"),
            ("91350100M000100Y44", "BAD_CHECK_DIGIT"),
            ("9135010OM000100Y43", "BAD_CHARACTER"),
            ("", "MISSING"),
        ],
    );
    check(
        SchoolCode::parse,
        &[
            ("4131010246", "4131010246"),
            ("4199010246", "REGION_UNKNOWN"),
            ("0131010246", "CHOICE_UNKNOWN"),
            ("413101024", "WRONG_LENGTH"),
        ],
    );
    check(
        OccupationCode::parse,
        &[
            ("4-10-01-05", "4-10-01-05"),
            ("4-10-01-99", "OCCUPATION_UNKNOWN"),
            ("4-10-01-00", "OCCUPATION_UNKNOWN"),
            ("4100105", "MALFORMED"),
            ("", "MISSING"),
        ],
    );
    assert_eq!(
        OccupationCode::parse("4-10-01-05").unwrap().name(),
        "养老护理员"
    );
    let school = SchoolCode::parse("4131010246").unwrap();
    assert_eq!((school.class(), school.province().name()), (41, "上海市"));
}

#[test]
fn skill_certificate_numbers_state_level_year_and_province() {
    check(
        SkillCertificateNumber::parse,
        &[
            ("Y000123000001195000001", "Y000123000001195000001"),
            ("y000123000001195000001", "Y000123000001195000001"),
            ("Y00012300000119T000001", "Y00012300000119T000001"),
            ("1509000000300123", "1509000000300123"),
            ("1409123456789", "0001409123456789"),
            ("Z000123000001195000001", "BAD_CHARACTER"),
            ("Y000199000001195000001", "REGION_UNKNOWN"),
            ("Y000123000001196000001", "LEVEL_UNKNOWN"),
            ("Y00012300000119500000", "WRONG_LENGTH"),
            ("1509000000600123", "LEVEL_UNKNOWN"),
        ],
    );
    let facts = |text| {
        let number = SkillCertificateNumber::parse(text).unwrap();
        (
            number.level(),
            number.year_of_century(),
            number.province().map(Province::number),
        )
    };
    assert_eq!(
        facts("Y000123000001195000001"),
        (Some(SkillLevel::Elementary), Some(19), Some(23))
    );
    assert_eq!(facts("Y00012300000119T000001"), (None, Some(19), Some(23)));
    assert_eq!(
        facts("1531000000300123"),
        (Some(SkillLevel::Advanced), Some(15), Some(31))
    );
    assert_eq!(facts("1409123456789"), (None, None, None));
}

#[test]
fn identifiers_of_the_bank() {
    check(
        InstitutionId::parse,
        &[
            ("bank", "bank"),
            ("ecnu-2", "ecnu-2"),
            ("ab", "MALFORMED"),
            ("", "MISSING"),
            ("2ab", "BAD_CHARACTER"),
            ("Ecnu", "BAD_CHARACTER"),
            ("ecnu-", "BAD_CHARACTER"),
            ("a23456789012345678901234567890123", "MALFORMED"),
        ],
    );
    let id = "000102030405060708090a0b0c0d0e0f";
    check(
        RecordId::parse,
        &[
            (id, id),
            ("00", "WRONG_LENGTH"),
            (&id.replace('f', "g"), "BAD_CHARACTER"),
        ],
    );
    check(
        ExamCourseCode::parse,
        &[
            ("00015", "00015"),
            ("15", "WRONG_LENGTH"),
            ("0001a", "BAD_CHARACTER"),
        ],
    );
    check(
        Session::parse,
        &[
            ("2025-04", "2025-04"),
            ("2025-13", "NOT_A_DATE"),
            ("1980-10", "OUT_OF_RANGE"),
            ("202504", "MALFORMED"),
            ("", "MISSING"),
        ],
    );
}

#[test]
fn learner_codes_are_read_as_people_write_them() {
    let code = LearnerCode::from_random(123_456_789_012_345).unwrap();
    let printed = code.to_string();
    assert_eq!(printed.len(), 19);
    let plain = printed.replace(' ', "");
    let wide: String = plain
        .chars()
        .map(|c| char::from_u32(c as u32 + 0xfee0).unwrap())
        .collect();
    for text in [
        &printed,
        &plain,
        &wide,
        &printed.replace(' ', "-"),
        &format!("  {printed}\u{3000}"),
    ] {
        assert_eq!(LearnerCode::parse(text), Ok(code), "{text}");
    }
    assert_eq!(LearnerCode::from_u64(code.as_u64()), Ok(code));
    check(
        LearnerCode::parse,
        &[
            ("", "MISSING"),
            ("1234", "WRONG_LENGTH"),
            (&format!("{plain}0"), "WRONG_LENGTH"),
            (&plain.replace('1', "l"), "BAD_CHARACTER"),
            ("0000000000000000", "OUT_OF_RANGE"),
        ],
    );
    assert!(
        LearnerCode::from_random(0).is_err()
            && LearnerCode::from_random(LearnerCode::NUMBERS).is_err()
    );
    assert!(LearnerCode::from_u64(u64::MAX).is_err());
}

#[test]
fn every_wrong_digit_and_every_swap_in_a_learner_code_is_caught() {
    for number in (1..LearnerCode::NUMBERS).step_by(7_919_191_919_191) {
        let digits =
            format!("{:016}", LearnerCode::from_random(number).unwrap().as_u64()).into_bytes();
        let is_refused = |bytes: &[u8]| LearnerCode::parse(str::from_utf8(bytes).unwrap()).is_err();
        for at in 0..digits.len() {
            for digit in (b'0'..=b'9').filter(|digit| *digit != digits[at]) {
                let mut wrong = digits.clone();
                wrong[at] = digit;
                assert!(is_refused(&wrong), "{number} with {} at {at}", digit - b'0');
            }
        }
        for at in (1..digits.len()).filter(|at| digits[*at] != digits[at - 1]) {
            let mut swapped = digits.clone();
            swapped.swap(at - 1, at);
            assert!(is_refused(&swapped), "{number} swapped at {at}");
        }
    }
}

/// The number with the check character of ISO 7064 MOD 11-2, by the weights of GB 11643 (the code under test uses
/// the recursive form).
fn with_check(body: &str) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body
        .bytes()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    format!("{body}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
}
