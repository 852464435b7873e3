//! Codes, expiries and masks, case by case.

use creditbank_domain::Refusal;
use creditbank_domain::access::{
    CODE_BYTES, DeskPurpose, GrantKind, LearnerCodeToken, PRINTED_CHARACTERS, PrintedSecret,
    is_look_kept, is_open, masked_name, masked_number,
};

const DAY: u64 = 86_400_000;

fn printed(seed: u8) -> PrintedSecret {
    let bytes = std::array::from_fn(|i| seed.wrapping_mul(37).wrapping_add(i as u8 * 11));
    PrintedSecret::from_random(&bytes)
}

#[test]
fn a_printed_code_is_read_however_it_is_typed() {
    for seed in 0..=255 {
        let code = printed(seed);
        let shown = code.to_string();
        assert_eq!(shown.len(), 24, "{shown}");
        assert!(shown.split('-').all(|group| group.len() == 4));
        let full_width: String = shown
            .chars()
            .map(|c| match c {
                '-' => '－',
                c => char::from_u32(c as u32 + 0xfee0).unwrap(),
            })
            .collect();
        let spellings = [
            shown.clone(),
            code.canonical(),
            shown.to_lowercase(),
            format!("  {}\n", shown.replace('-', "   ")),
            shown.replace('0', "o").replace('1', "l"),
            shown.replace('1', "I"),
            full_width,
        ];
        for typed in spellings {
            assert_eq!(PrintedSecret::parse(&typed), Ok(code.clone()), "{typed}");
        }
    }
}

#[test]
fn every_wrong_character_and_every_exchange_of_two_is_noticed() {
    const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for seed in [0, 1, 77, 255] {
        let right: Vec<char> = printed(seed).canonical().chars().collect();
        for place in 0..PRINTED_CHARACTERS {
            for other in ALPHABET.chars().filter(|it| *it != right[place]) {
                let mut wrong = right.clone();
                wrong[place] = other;
                let wrong: String = wrong.into_iter().collect();
                assert_eq!(PrintedSecret::parse(&wrong), Err(Refusal::CodeInvalid));
            }
            for with in 0..place {
                let mut wrong = right.clone();
                wrong.swap(place, with);
                let is_same = wrong == right;
                let wrong: String = wrong.into_iter().collect();
                assert_eq!(PrintedSecret::parse(&wrong).is_ok(), is_same, "{wrong}");
            }
        }
    }
}

#[test]
fn what_is_no_printed_code_is_refused() {
    let right = printed(3).canonical();
    let longer = format!("{right}0");
    let cases = [
        "",
        "-",
        &right[1..],
        &longer,
        "UUUU-UUUU-UUUU-UUUU-UUUU",
        "CB1.abc",
        "张三",
    ];
    for case in cases {
        assert_eq!(
            PrintedSecret::parse(case),
            Err(Refusal::CodeInvalid),
            "{case}"
        );
    }
    assert_eq!(format!("{:?}", printed(3)), "PrintedSecret(redacted)");
}

#[test]
fn a_code_comes_back_from_its_bytes_and_is_tied_to_one_bank() {
    let code = LearnerCodeToken {
        id: [7; 16],
        expires_at_ms: 1_795_000_000_000,
        signature: [9; 64],
    };
    let bytes = code.to_bytes();
    assert_eq!(bytes.len(), CODE_BYTES);
    assert_eq!(LearnerCodeToken::from_bytes(&bytes), Ok(code));
    for wrong in [&bytes[1..], &[&bytes[..], &[0]].concat()[..], &[]] {
        assert_eq!(
            LearnerCodeToken::from_bytes(wrong),
            Err(Refusal::CodeInvalid)
        );
    }
    let input = |origin| LearnerCodeToken::signing_input(origin, &code.id, code.expires_at_ms);
    let expected = [
        &b"creditbank/code/v1\n\0\x09bank/test"[..],
        &[7; 16],
        &1_795_000_000_000u64.to_be_bytes(),
    ];
    assert_eq!(input("bank/test"), expected.concat());
    assert_ne!(input("bank/test"), input("bank/tesu"));
}

#[test]
fn a_grant_ends_in_the_future_and_not_too_far_ahead() {
    let now = 1_795_000_000_000;
    let kinds = [
        (GrantKind::Share, 366),
        (GrantKind::PrintedCode, 180),
        (GrantKind::Delegation, 1096),
    ];
    for (kind, days) in kinds {
        let cases = [
            (0, false),
            (now - 1, false),
            (now, false),
            (now + 1, true),
            (now + u64::from(days) * DAY, true),
            (now + u64::from(days) * DAY + 1, false),
            (u64::MAX, false),
        ];
        for (expires, may) in cases {
            let expected = may.then_some(()).ok_or(Refusal::ExpiryInvalid { days });
            assert_eq!(
                kind.check_expiry(now, expires),
                expected,
                "{kind:?} {expires}"
            );
        }
    }
}

#[test]
fn an_expired_grant_is_as_good_as_a_withdrawn_one() {
    let cases = [
        (9, 10, None, true),
        (10, 10, None, false),
        (11, 10, None, false),
        (9, 10, Some(8), false),
        (9, u64::MAX, Some(9), false),
    ];
    for (now, expires, withdrawn, open) in cases {
        assert_eq!(
            is_open(now, expires, withdrawn),
            open,
            "{now} {expires} {withdrawn:?}"
        );
    }
    assert!(is_look_kept(1096 * DAY - 1, 0) && !is_look_kept(1096 * DAY, 0));
}

#[test]
fn a_mask_lets_one_recognise_and_not_read() {
    let names = [
        ("", ""),
        ("张", "*"),
        ("张三", "张*"),
        ("欧阳娜娜", "欧***"),
        ("阿卜杜热依木·买买提", "阿****"),
    ];
    for (name, masked) in names {
        assert_eq!(masked_name(name), masked);
    }
    let numbers = [
        ("", ""),
        ("12", "**"),
        ("1234", "****"),
        ("12345", "*2345"),
        ("31990119450512001X", "**************001X"),
    ];
    for (number, masked) in numbers {
        assert_eq!(masked_number(number), masked);
    }
}

#[test]
fn a_purpose_has_a_stable_number() {
    let cases = [
        (0, Err(Refusal::Missing)),
        (1, Ok(DeskPurpose::CheckIn)),
        (2, Ok(DeskPurpose::Totals)),
        (3, Ok(DeskPurpose::Records)),
        (4, Err(Refusal::ChoiceUnknown)),
        (-1, Err(Refusal::ChoiceUnknown)),
    ];
    for (number, purpose) in cases {
        assert_eq!(DeskPurpose::from_number(number), purpose);
    }
}
