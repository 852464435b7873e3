//! Databases that earlier releases have written. `tests/data/format-N` is a backup of one, with the folder that its
//! operator kept apart: 120 records and an erasure, as the released program of that format wrote them. None is ever changed.

use std::fs;
use std::path::Path;

use creditbank_wire::v1;

use crate::bank::{Bank, leaves, told};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_first_format_is_restored_and_served() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1");
    let mut bank = Bank::kept(&golden.join("bank"), "golden.test/log");
    let from = golden.join("backup");
    let verified = bank.run(&["backup", "verify", from.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", told(&verified));
    let restored = bank.run(&["restore", from.to_str().unwrap(), "{dir}"]);
    assert!(restored.status.success(), "{}", told(&restored));
    bank.start();
    let operator = bank.operator().await;
    assert_eq!(leaves(&operator).await, 123);
    let request = v1::GetTotalsRequest {
        learner: "8854459062284277".to_owned(),
    };
    let totals = operator.archive().get_totals(request).await.unwrap();
    let counted = totals.get_ref().categories.iter().map(|it| it.records);
    assert_eq!(counted.sum::<u64>(), 22);
    drop(operator);
    bank.stop();
    // Views that came later are folded from what is there.
    let rebuilt = bank.run(&["rebuild", "{dir}"]);
    assert!(rebuilt.status.success(), "{}", told(&rebuilt));
    let report = bank.check_log();
    assert_eq!(
        report["root"],
        "7zKZFP+jani2bXZA4F4iCbQdTnHpxxDubHPaeSJcamY="
    );
    assert_eq!(
        (&report["payloads"], &report["erased"]),
        (&96.into(), &24.into())
    );
    assert!(fs::exists(bank.dir().join("anchor")).unwrap());
}
