//! Points on the wire: every reason there and back, and what is no points entry.

use creditbank_domain::points::{Account, ENTRIES_MAX, Entry, Purse, Reason, Why, Withheld};
use creditbank_domain::record::{PayloadContent, RecordKind};
use creditbank_domain::text::Label;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_wire::convert::points::{
    balances, entries, entries_message, movement, withheld_message,
};
use creditbank_wire::convert::record;
use creditbank_wire::v1;
use creditbank_wire::v1::points_movement::Reason as Said;
use jiff::civil::{Date, date};
use prost::Message;

const DAY: Date = date(2026, 3, 1);

fn every_reason() -> Vec<Entry> {
    let redemption = [7; 16];
    let earned = |outcome, expires_on| Reason::Earned {
        rule: "elder-hours".into(),
        outcome: LeafIndex(outcome),
        expires_on,
    };
    let purpose = Label::parse("图书").unwrap();
    let reasons = [
        earned(0, None),
        earned(9, Some(date(2028, 3, 1))),
        Reason::Reserved {
            redemption,
            purpose,
        },
        Reason::Confirmed { redemption },
        Reason::Cancelled { redemption },
        Reason::Expired,
        Reason::ClawedBack {
            outcome: LeafIndex(0),
        },
    ];
    let entries = (1..).zip(reasons).map(|(points, reason)| Entry {
        on: DAY,
        points,
        reason,
    });
    entries.collect()
}

fn payload(content: v1::PointsEntry) -> v1::Payload {
    v1::Payload {
        version: 1,
        learner: "1234567890123452".into(),
        content: Some(v1::payload::Content::Points(content)),
    }
}

#[test]
fn every_reason_comes_back_through_canonical_bytes() {
    let all = every_reason();
    assert_eq!(entries(entries_message(&all)), Ok(all.clone()));
    let code = creditbank_domain::LearnerCode::from_random(1).unwrap();
    let message = v1::Payload {
        learner: format!("{:016}", code.as_u64()),
        ..payload(entries_message(&all))
    };
    let read = record::payload(&message.encode_to_vec(), DAY).unwrap();
    assert_eq!(read.content, PayloadContent::Points(all));
    assert_eq!(read.content.kind(), RecordKind::Points);
}

#[test]
fn what_is_no_movement_is_refused_where_it_is_wrong() {
    let reserved = |redemption: &'static [u8], purpose: &str| {
        Said::Reserved(v1::PointsReserved {
            redemption: redemption.into(),
            purpose: purpose.into(),
        })
    };
    let earned = |rule: &str, expires_on: &str| {
        Said::Earned(v1::PointsEarned {
            rule: rule.into(),
            outcome: 1,
            expires_on: expires_on.into(),
        })
    };
    let short = Refusal::WrongLength { expected: 16 };
    let table = [
        ("reason", None, Refusal::Missing),
        ("expired", Some(Said::Expired(false)), Refusal::NotCanonical),
        (
            "confirmed",
            Some(Said::Confirmed(vec![7; 15].into())),
            short,
        ),
        (
            "cancelled",
            Some(Said::Cancelled(vec![].into())),
            Refusal::Missing,
        ),
        (
            "reserved.redemption",
            Some(reserved(&[7; 17], "图书")),
            short,
        ),
        (
            "reserved.purpose",
            Some(reserved(&[7; 16], "")),
            Refusal::Missing,
        ),
        ("earned.rule", Some(earned("", "")), Refusal::Missing),
        (
            "earned.expires_on",
            Some(earned("walk", "2026-3-1")),
            Refusal::NotADate,
        ),
    ];
    for (field, reason, refusal) in table {
        let right = movement(&every_reason()[0]);
        let wrong = v1::PointsMovement {
            reason,
            ..right.clone()
        };
        let movements = vec![right, wrong];
        let fault = entries(v1::PointsEntry { movements }).unwrap_err();
        assert_eq!(fault, refusal.at(format!("movements[1].{field}")));
    }
}

#[test]
fn a_record_has_1_to_256_movements_of_at_least_one_point_on_a_day() {
    let right = movement(&every_reason()[0]);
    let of = |it: &v1::PointsMovement, count: usize| v1::PointsEntry {
        movements: vec![it.clone(); count],
    };
    assert!(entries(of(&right, ENTRIES_MAX)).is_ok());
    let nothing = v1::PointsMovement {
        points: 0,
        ..right.clone()
    };
    let never = v1::PointsMovement {
        on: String::new(),
        ..right.clone()
    };
    let too_many = Refusal::TooMany { max: 256 };
    let table = [
        (of(&right, 0), Refusal::Missing.at("movements")),
        (of(&right, ENTRIES_MAX + 1), too_many.at("movements")),
        (of(&nothing, 1), Refusal::Missing.at("movements[0].points")),
        (of(&never, 1), Refusal::NotADate.at("movements[0].on")),
    ];
    for (message, fault) in table {
        assert_eq!(entries(message), Err(fault));
    }
}

#[test]
fn all_accounts_are_told_and_their_sum_is_zero() {
    let purse = Purse::fold(&every_reason()[..1]).unwrap();
    let told = balances(&purse);
    assert_eq!(told.len(), Account::ALL.len());
    let of = |account: v1::PointsAccount| {
        let found = told.iter().find(|it| it.account == account as i32);
        found.unwrap().points
    };
    assert_eq!(of(v1::PointsAccount::Issued), -1);
    assert_eq!(of(v1::PointsAccount::Available), 1);
    assert_eq!(told.iter().map(|it| it.points).sum::<i64>(), 0);
}

#[test]
fn what_is_withheld_is_told_in_both_languages() {
    let with = LeafIndex(4711);
    let table = [
        (Why::NotEnough, "POINTS_NOT_ENOUGH", ""),
        (Why::DayMax { points: 4711 }, "POINTS_DAY_MAX", "4711"),
        (Why::Overlaps { with }, "POINTS_OVERLAP", "4711"),
        (Why::TooFast { with }, "POINTS_TOO_FAST", "4711"),
        (Why::TooFast { with: LeafIndex(1) }, "POINTS_TOO_FAST", ""),
    ];
    for (why, code, number) in table {
        let told = withheld_message(&Withheld {
            outcome: LeafIndex(1),
            rule: "walk".into(),
            why,
        });
        assert_eq!(
            (told.outcome, told.rule.as_str(), told.code.as_str()),
            (1, "walk", code)
        );
        let says = |text: &str| !text.is_empty() && text.contains(number);
        assert!(says(&told.message_zh) && says(&told.message_en), "{told:?}");
        assert!(told.message_en.is_ascii() && !told.message_zh.is_ascii());
    }
}
