//! Applications, their steps and declarations, against the bank's own reading of them.

use creditbank_client::record::RecordMaker;
use creditbank_client::{ClientError, Refused};
use creditbank_domain::record::{
    EnvelopeContent, LeafIndex, PayloadContent, RecordRef, commitment,
};
use creditbank_wire::convert::record;
use creditbank_wire::v1::{self, RecordKind};
use jiff::civil::date;

use crate::fixture::{keys, learner};

fn uses() -> [v1::Use; 2] {
    let one = |rule: &str, outcomes: &[u64], courses: &[&str]| v1::Use {
        rule: rule.into(),
        outcomes: outcomes.to_vec(),
        courses: courses.iter().map(ToString::to_string).collect(),
    };
    [one("r2", &[7, 3], &["0002", "0001"]), one("r1", &[9], &[])]
}

fn form(uses: Vec<v1::Use>) -> v1::Application {
    v1::Application {
        programme: "p".into(),
        uses,
        note: "请予认定".into(),
    }
}

#[test]
fn the_bank_reads_every_step_as_it_was_meant() {
    let keys = keys();
    let maker = RecordMaker::new(&keys);
    let target = RecordRef {
        leaf_index: LeafIndex(41),
        leaf_hash: [3; 32],
    };
    let of = learner();
    for (kind, made, names_rule_set) in [
        (
            RecordKind::Application,
            maker.application(b"k", of, &[8; 32], form(uses().into())),
            true,
        ),
        (
            RecordKind::Review,
            maker.review(b"k", of, target, true, "同意"),
            false,
        ),
        (
            RecordKind::Objection,
            maker.objection(b"k", of, target, "重复"),
            false,
        ),
        (
            RecordKind::Appeal,
            maker.appeal(b"k", of, target, "不服"),
            false,
        ),
        (
            RecordKind::Withdrawal,
            maker.withdrawal(b"k", of, target, "撤回"),
            false,
        ),
    ] {
        let envelope = record::envelope(&made.envelope, "fudan").expect("an envelope");
        let EnvelopeContent::Sealed {
            kind: sealed,
            commitment: committed,
            target: named,
        } = envelope.content
        else {
            panic!("{kind:?} is public");
        };
        assert_eq!(sealed as i32, kind as i32);
        assert_eq!(envelope.rule_set_hash, names_rule_set.then_some([8; 32]));
        assert_eq!(named, (kind != RecordKind::Application).then_some(target));
        let salt = made.salt[..].try_into().expect("32 bytes");
        assert_eq!(committed, commitment(salt, &made.payload));
        let payload = record::payload(&made.payload, date(2026, 7, 1)).expect("a payload");
        assert_eq!(payload.learner, of);
        assert_eq!(payload.content.kind() as i32, kind as i32);
        if let PayloadContent::Review(approve) = payload.content {
            assert!(approve);
        }
    }
}

#[test]
fn the_order_in_which_uses_are_given_does_not_matter() {
    let keys = keys();
    let maker = RecordMaker::new(&keys);
    let [one, next] = uses();
    let mut turned = one.clone();
    turned.outcomes.reverse();
    turned.courses.reverse();
    let make = |uses| maker.application(b"k", learner(), &[8; 32], form(uses));
    assert_eq!(make(vec![one, next.clone()]), make(vec![next, turned]));
}

#[test]
fn a_declaration_is_public_and_its_issuer_is_who_signs() {
    let keys = keys();
    let maker = RecordMaker::new(&keys);
    let proposal = v1::ProjectProposed {
        institution: "somebody-else".into(),
        project: "xm-1".into(),
        title: "钢琴".into(),
        category: v1::Category::ElderCourse as i32,
        rule_set_hash: vec![8; 32].into(),
        standard: "s".into(),
        standard_version: "1".into(),
        kind: v1::ProjectKind::Course as i32,
    };
    let review = v1::ProjectReviewed {
        reviewer: String::new(),
        institution: "xuhui".into(),
        project: "xm-1".into(),
        approve: true,
    };
    let declared = [
        maker.proposal(b"k", proposal),
        maker.project_review(b"k", review),
    ];
    for made in declared {
        assert!(made.payload.is_empty() && made.salt.is_empty());
        let envelope = record::envelope(&made.envelope, "fudan").expect("an envelope");
        let EnvelopeContent::Public(statement) = envelope.content else {
            panic!("a declaration is sealed");
        };
        let declarer = statement.declarer().map(ToString::to_string);
        assert_eq!(declarer.as_deref(), Some("fudan"));
    }
}

#[test]
fn a_refused_row_says_code_field_and_clause() {
    let violation = v1::Violation {
        field: "payload.outcome.hours".into(),
        code: "HOURS_BELOW_STANDARD".into(),
        message_zh: "学时不足".into(),
        message_en: "Too few hours".into(),
        clause: "第五条".into(),
    };
    let row = v1::RefusedRow {
        row: 0,
        violations: vec![violation],
    };
    let error = ClientError::Refused(Box::new(Refused::of_row(&row)));
    assert_eq!(error.code(), Some("HOURS_BELOW_STANDARD"));
    let said = error.to_string();
    for part in [
        "payload.outcome.hours",
        "学时不足",
        "Too few hours",
        "第五条",
    ] {
        assert!(said.contains(part), "{said}");
    }
}
