//! Views are a fold over log and vault: dropped and folded again they are the same, byte for byte.

use creditbank_store::{Store, StoreOptions};
use creditbank_wire::v1;

use crate::bank::{Bank, told};
use crate::institution::{Institution, course, digits};

/// Every row of the views.
pub(crate) fn rows(bank: &Bank) -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let store = Store::open_read_only(&bank.dir().join("db"), &StoreOptions::default()).unwrap();
    let mut rows = Vec::new();
    store
        .snapshot()
        .view_rows(|family, key, value| rows.push((family, key.to_vec(), value.to_vec())))
        .unwrap();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_gives_the_same_bytes() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let other = Institution::new(&bank, "other").await;
    let (one, two, gone) = (
        fudan.enrol("1").await,
        fudan.enrol("2").await,
        fudan.enrol("3").await,
    );
    let places = fudan
        .deposit(
            &bank,
            (0..200)
                .map(|i| fudan.course(&i.to_string(), if i % 2 == 0 { one } else { two }))
                .collect(),
        )
        .await;
    other
        .deposit(&bank, vec![other.course("0", one), other.course("1", gone)])
        .await;
    let of_gone = fudan
        .deposit(
            &bank,
            vec![fudan.course("gone/0", gone), fudan.course("gone/1", gone)],
        )
        .await;
    fudan
        .deposit(
            &bank,
            vec![
                fudan
                    .maker
                    .amendment(b"amend", one, places[0], course("new"), "error"),
                fudan.maker.revocation(b"revoke", two, places[1], "error"),
                fudan
                    .maker
                    .revocation(b"revoke gone", gone, of_gone[0], "error"),
            ],
        )
        .await;
    let mut learners = bank.operator().await.learner();
    let merge = v1::MergeLearnersRequest {
        learner: digits(one),
        merged_learner: digits(two),
        reason: "same".into(),
    };
    learners.merge_learners(merge).await.unwrap();
    fudan
        .deposit(
            &bank,
            vec![
                fudan
                    .maker
                    .revocation(b"after the merge", one, places[3], "error"),
            ],
        )
        .await;
    learners
        .erase_learner(v1::EraseLearnerRequest {
            learner: digits(gone),
        })
        .await
        .unwrap();
    bank.check_log();
    let before = rows(&bank);
    assert!(before.len() > 200, "{} rows", before.len());
    for round in 0..2 {
        let rebuilt = bank.run(&["rebuild", "{dir}"]);
        assert!(rebuilt.status.success(), "{}", told(&rebuilt));
        assert!(
            rows(&bank) == before,
            "the views differ after rebuild {round}"
        );
    }
    bank.start();
    bank.check_log();
}
