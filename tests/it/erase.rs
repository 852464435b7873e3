//! Erasure: what named the learner or said what the learner did is in no file of the bank any more, and every proof
//! still holds.

use std::fs;
use std::path::Path;

use creditbank_client::Refused;
use creditbank_domain::LeafIndex;
use creditbank_store::{AccessKey, GrantRow, Store, StoreOptions};
use creditbank_wire::v1;

use crate::access::{DAY_MS, delegation, now_ms, registered, share, told};
use crate::bank::Bank;
use crate::institution::{Institution, digits};

/// Texts of what the learner grants and asks, and of who looked: in no file at any time.
const TEXTS: [&str; 4] = [
    "浦东新区第一人民医院人事处",
    "人事专员王秀英女士",
    "成绩应为九十一分而非十九分",
    "长女李晓梅",
];

/// What must be gone, by name.
pub(crate) type Traces = Vec<(String, Vec<u8>)>;

/// Everything that a running bank keeps of a learner, read from a copy of its files.
pub(crate) fn traces(bank: &Bank, copy: &str, code: u64, places: &[LeafIndex]) -> Traces {
    bank.backup(copy);
    let store = Store::open(
        &bank.beside().join(copy).join("db"),
        &StoreOptions::default(),
    )
    .unwrap();
    let row = store.learner(code).unwrap().expect("the learner is there");
    let mut traces = vec![
        (
            "wrapped key".to_owned(),
            store.wrapped_key(code).unwrap().expect("a key"),
        ),
        ("sealed profile".to_owned(), row.sealed_profile),
        ("learner code".to_owned(), code.to_be_bytes().to_vec()),
    ];
    traces.extend(
        row.identities
            .iter()
            .map(|digest| ("identity digest".to_owned(), digest.to_vec())),
    );
    for key in store.access_of(code).unwrap() {
        let row = store.access_row(&key).unwrap().expect("it was found");
        let (what, trace) = match key {
            AccessKey::Grant(owner, _) => {
                let sealed = GrantRow::decode(&row).unwrap().sealed;
                (format!("grant or request of {owner:x}"), sealed)
            }
            AccessKey::Look(..) => ("look".to_owned(), row),
            AccessKey::Secret(digest) => ("secret".to_owned(), digest.to_vec()),
            AccessKey::Subject(digest) => ("account".to_owned(), digest.to_vec()),
            // The learner's code, or the id of a row that is a trace itself.
            AccessKey::Delegate(..) | AccessKey::Queue(..) | AccessKey::Asked(_) => continue,
        };
        // An account's row seals nothing.
        traces.extend(Some((what, trace)).filter(|(_, trace)| !trace.is_empty()));
    }
    let snapshot = store.snapshot();
    for place in places {
        let sealed = snapshot
            .vault_row(code, *place)
            .unwrap()
            .expect("a sealed payload");
        // Behind the header, which names issuer and record as the log does.
        traces.push((format!("payload of leaf {place}"), sealed[30..].to_vec()));
    }
    traces
}

/// Files of a folder that hold any of the traces, as they are or as hexadecimal text.
pub(crate) fn found(folder: &Path, traces: &Traces) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = fs::read(&path) else { continue };
        for (what, trace) in traces {
            let hex: String = trace.iter().map(|byte| format!("{byte:02x}")).collect();
            let upper = hex.to_uppercase();
            // A long trace betrays itself by any part; a block may end inside it.
            let part = &trace[..trace.len().min(16)];
            let is_there =
                |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
            if is_there(part)
                || is_there(&hex.as_bytes()[..2 * part.len()])
                || is_there(&upper.as_bytes()[..2 * part.len()])
            {
                found.push(format!("{what} in {}", path.file_name().unwrap().display()));
            }
        }
    }
    found
}

struct Scene {
    bank: Bank,
    fudan: Institution,
    receipts: Vec<v1::Receipt>,
    gone: creditbank_domain::LearnerCode,
    traces: Traces,
}

/// The learner grants and asks whatever there is, somebody looks, and another learner lets this one act.
async fn granted(
    bank: &Bank,
    gone: creditbank_domain::LearnerCode,
    stays: creditbank_domain::LearnerCode,
    leaf: u64,
) {
    let gateway = registered(bank, "gateway", v1::Role::Gateway).await;
    let grant = async |learner, content| {
        let request = v1::CreateGrantRequest {
            learner: digits(learner),
            expires_at_ms: now_ms() + 30 * DAY_MS,
            content: Some(content),
        };
        told(gateway.line().access().create_grant(request).await)
            .unwrap()
            .secret
    };
    let secret = grant(gone, share(&[leaf], TEXTS[0])).await;
    grant(gone, delegation(stays, "邻居")).await;
    grant(stays, delegation(gone, TEXTS[3])).await;
    let look = v1::OpenShareRequest {
        secret,
        viewer: TEXTS[1].to_owned(),
    };
    told(gateway.line().access().open_share(look).await).unwrap();
    let correction = v1::Correction {
        leaf_index: leaf,
        text: TEXTS[2].to_owned(),
        ..Default::default()
    };
    let request = v1::CreateRequestRequest {
        learner: digits(gone),
        request_id: vec![0xa7; 16].into(),
        content: Some(v1::create_request_request::Content::Correction(correction)),
    };
    told(gateway.line().requests().create_request(request).await).unwrap();
    let link = v1::LinkSubjectRequest {
        learner: digits(gone),
        subject: Some(v1::Subject {
            issuer: "https://id.example".into(),
            subject: "u-17".into(),
        }),
    };
    told(
        bank.operator()
            .await
            .line()
            .access()
            .link_subject(link)
            .await,
    )
    .unwrap();
}

/// A bank with 60 records of a learner who will be erased, among those of others.
async fn scene(restart: bool) -> Scene {
    let mut bank = Bank::new();
    let mut fudan = Institution::new(&bank, "fudan").await;
    let (gone, stays) = (fudan.enrol("gone").await, fudan.enrol("stays").await);
    let mut places = Vec::new();
    for batch in 0..3 {
        let learner = |i: usize| if i.is_multiple_of(2) { gone } else { stays };
        let records = (0..40)
            .map(|i| fudan.course(&format!("{batch}/{i}"), learner(i)))
            .collect();
        places.extend(fudan.deposit(&bank, records).await);
        if batch == 0 {
            granted(&bank, gone, stays, places[0].leaf_index.0).await;
        }
        if restart {
            bank.stop();
            bank.start();
            fudan.reconnect(&bank).await;
        }
    }
    let mut receipts = Vec::new();
    let mut log = bank.anybody().await.log();
    for place in &places {
        let request = v1::GetReceiptRequest {
            leaf_index: place.leaf_index.0,
        };
        receipts.push(log.get_receipt(request).await.unwrap().into_inner());
    }
    let of_gone: Vec<_> = places
        .iter()
        .step_by(2)
        .map(|place| place.leaf_index)
        .collect();
    let traces = traces(&bank, "before", gone.as_u64(), &of_gone);
    let database = bank.dir().join("db");
    let there = found(&database, &traces);
    assert!(!there.is_empty(), "before the erasure it is there");
    // In the log of writes all of it stands as it is; blocks of tables may be compressed.
    let all = [
        "wrapped key",
        "payload",
        "grant or request",
        "look",
        "secret",
        "account",
    ];
    for what in all.iter().filter(|_| !restart) {
        let is_there = there.iter().any(|it| it.starts_with(what));
        assert!(is_there, "before the erasure it is there: {what}");
    }
    let texts: Traces = TEXTS
        .map(|text| (text.to_owned(), text.as_bytes().to_vec()))
        .into();
    assert_eq!(
        found(&database, &texts),
        Vec::<String>::new(),
        "sealed from the beginning"
    );
    Scene {
        bank,
        fudan,
        receipts,
        gone,
        traces,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_learner_is_in_no_file_and_every_receipt_still_holds() {
    for restart in [false, true] {
        let Scene {
            mut bank,
            fudan,
            receipts,
            gone,
            traces,
        } = scene(restart).await;
        let mut learners = bank.operator().await.learner();
        let erased = learners
            .erase_learner(v1::EraseLearnerRequest {
                learner: digits(gone),
            })
            .await
            .unwrap()
            .into_inner();
        assert_eq!(erased.records_erased, 60);
        let receipt = erased.receipt.unwrap();
        bank.verifier().verify_receipt(&receipt, None).unwrap();
        assert!(
            !receipt
                .leaf
                .windows(16)
                .any(|window| window == digits(gone).as_bytes())
        );
        // At once, while the server runs: its files are those that a thief would take.
        assert_eq!(
            found(&bank.dir().join("db"), &traces),
            Vec::<String>::new(),
            "restart: {restart}"
        );
        for receipt in &receipts {
            bank.verifier().verify_receipt(receipt, None).unwrap();
            let request = v1::GetReceiptRequest {
                leaf_index: receipt.leaf_index,
            };
            let now = fudan
                .line
                .log()
                .get_receipt(request)
                .await
                .unwrap()
                .into_inner();
            assert_eq!(now.leaf, receipt.leaf);
            bank.verifier().verify_receipt(&now, None).unwrap();
        }
        nothing_is_told_of(&fudan, gone).await;
        let again = learners
            .erase_learner(v1::EraseLearnerRequest {
                learner: digits(gone),
            })
            .await
            .unwrap_err();
        assert_eq!(Refused::new(again).code.as_deref(), Some("LEARNER_UNKNOWN"));
        let report = bank.check_log();
        assert_eq!(
            (&report["erased"], &report["payloads"]),
            (&60.into(), &60.into())
        );
        bank.start();
        bank.stop();
        assert_eq!(
            found(&bank.dir().join("db"), &traces),
            Vec::<String>::new(),
            "after a restart"
        );
        // The same person may come again, and is another learner.
        bank.start();
        let fudan = Institution::known(&bank, fudan.keys).await;
        assert_ne!(fudan.enrol("gone").await, gone);
        bank.check_log();
    }
}

/// Neither its archive, nor its submissions, nor a new deposit tells that a learner was there.
async fn nothing_is_told_of(fudan: &Institution, gone: creditbank_domain::LearnerCode) {
    let totals = fudan
        .line
        .archive()
        .get_totals(v1::GetTotalsRequest {
            learner: digits(gone),
        })
        .await;
    assert_eq!(
        Refused::new(totals.unwrap_err()).code.as_deref(),
        Some("LEARNER_UNKNOWN")
    );
    let record_id = fudan.maker.record_id(b"0/0").as_bytes().to_vec().into();
    let request = v1::GetSubmissionRequest {
        issuer: String::new(),
        record_id,
    };
    let submission = fudan
        .line
        .submission()
        .get_submission(request)
        .await
        .unwrap()
        .into_inner();
    assert!(
        submission.payload.is_empty() && submission.salt.is_empty() && submission.receipt.is_some()
    );
    let late = fudan
        .submit(vec![fudan.course("late", gone)])
        .await
        .unwrap();
    let code = late.response.refused[0].violations[0].code.clone();
    assert!(
        ["LEARNER_UNKNOWN", "LEARNER_ERASED"].contains(&code.as_str()),
        "{code}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_takes_every_merged_code_along() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let (kept, merged) = (fudan.enrol("kept").await, fudan.enrol("merged").await);
    let places = fudan
        .deposit(
            &bank,
            vec![fudan.course("kept", kept), fudan.course("merged", merged)],
        )
        .await;
    let mut learners = bank.operator().await.learner();
    let merge = v1::MergeLearnersRequest {
        learner: digits(kept),
        merged_learner: digits(merged),
        reason: "same".into(),
    };
    learners.merge_learners(merge).await.unwrap();
    let mut all = traces(&bank, "kept", kept.as_u64(), &[places[0].leaf_index]);
    all.extend(traces(
        &bank,
        "merged",
        merged.as_u64(),
        &[places[1].leaf_index],
    ));
    // Asked for by the code that is only another name.
    learners
        .erase_learner(v1::EraseLearnerRequest {
            learner: digits(merged),
        })
        .await
        .unwrap();
    assert_eq!(found(&bank.dir().join("db"), &all), Vec::<String>::new());
    for code in [kept, merged] {
        let totals = fudan
            .line
            .archive()
            .get_totals(v1::GetTotalsRequest {
                learner: digits(code),
            })
            .await;
        assert_eq!(
            Refused::new(totals.unwrap_err()).code.as_deref(),
            Some("LEARNER_UNKNOWN")
        );
    }
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_that_still_has_the_learner_is_erased_before_it_serves() {
    let Scene {
        mut bank,
        mut fudan,
        gone,
        traces,
        ..
    } = scene(false).await;
    // The erasure is in the log, and the bank ends before it is carried out: so is a backup that was taken just then.
    bank.stop();
    bank.start_with(&["--abort-at", "erasure-logged"]);
    let erased = bank
        .operator()
        .await
        .learner()
        .erase_learner(v1::EraseLearnerRequest {
            learner: digits(gone),
        })
        .await;
    assert!(erased.is_err());
    bank.ended();
    bank.backup("backup");
    bank.start();
    fudan.reconnect(&bank).await;
    fudan
        .deposit(
            &bank,
            vec![fudan.course("later", fudan.enrol("stays").await)],
        )
        .await;
    bank.stop();
    bank.backup("newest");
    // Against the newer anchor the backup is too short, whatever it holds.
    bank.restore("backup", "db");
    assert!(
        bank.refuses_to_start()
            .contains("1 acknowledged records are missing")
    );
    bank.restore("backup", "anchor");
    assert!(
        !found(&bank.dir().join("db"), &traces).is_empty(),
        "the backup still has the learner"
    );
    bank.start();
    assert_eq!(found(&bank.dir().join("db"), &traces), Vec::<String>::new());
    fudan.reconnect(&bank).await;
    let totals = fudan
        .line
        .archive()
        .get_totals(v1::GetTotalsRequest {
            learner: digits(gone),
        })
        .await;
    assert_eq!(
        Refused::new(totals.unwrap_err()).code.as_deref(),
        Some("LEARNER_UNKNOWN")
    );
    bank.check_log();
}
