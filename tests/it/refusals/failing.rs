//! Callers that go away and disks that are full.

use creditbank_client::ClientError;
use creditbank_wire::v1;

use super::{Scene, check_refused};
use crate::bank::{Bank, leaves};
use crate::institution::{Institution, digits};

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_in_the_middle_of_a_stream_hurts_nobody() {
    let mut scene = Scene::new().await;
    let before = leaves(&scene.fudan.line).await;
    let batches: Vec<_> = (0..40)
        .map(|batch| {
            (0..50)
                .map(|i| scene.fudan.course(&format!("{batch}/{i}"), scene.learner))
                .collect::<Vec<_>>()
        })
        .collect();
    for read in [0, 1, 5] {
        let requests: Vec<_> = batches
            .iter()
            .cloned()
            .map(|records| scene.fudan.sign(records))
            .collect();
        let line = scene.bank.connect(&scene.fudan.keys).await;
        let mut answers = line
            .submission()
            .submit_stream(tokio_stream::iter(requests))
            .await
            .unwrap()
            .into_inner();
        for _ in 0..read {
            answers.message().await.unwrap();
        }
        drop((answers, line));
        let theirs = scene.other.course(&format!("while {read}"), scene.learner);
        scene.other.deposit(&scene.bank, vec![theirs]).await;
    }
    // Sent again, each row is there once, whether the bank had kept it or not.
    let mut indices = std::collections::BTreeSet::new();
    for records in batches {
        let decided = scene.fudan.submit(records).await.unwrap();
        assert!(decided.response.refused.is_empty());
        indices.extend(
            scene
                .fudan
                .verify(&scene.bank, &decided)
                .records
                .iter()
                .map(|record| record.leaf_index),
        );
    }
    assert_eq!(indices.len(), 2000);
    let report = scene.bank.check_log();
    assert_eq!(report["leaves"], before + 2000 + 3);
}

/// A file system of its own in memory; `None` where the machine does not let us.
fn small_disk(mib: u32) -> Option<(Mount, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let size = format!("size={mib}m");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
        .arg(folder.path())
        .status();
    let mount = Mount(folder.path().to_owned());
    mounted
        .is_ok_and(|status| status.success())
        .then_some((mount, folder))
}

/// Ends with its file system.
struct Mount(std::path::PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        drop(
            std::process::Command::new("umount")
                .arg("-l")
                .arg(&self.0)
                .status(),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_deposits_and_nothing_else() {
    let Some((_mount, folder)) = small_disk(400) else {
        println!("SKIPPED: this machine lets us mount no file system of our own");
        return;
    };
    let mut bank = Bank::made_in(folder);
    bank.start();
    let mut fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    fudan
        .deposit(&bank, vec![fudan.course("before", learner)])
        .await;
    let full = bank.beside().join("full");
    let mut file = std::fs::File::create(&full).unwrap();
    while std::io::Write::write_all(&mut file, &[1; 1 << 20]).is_ok() {}
    let bytes = file.metadata().unwrap().len();
    file.set_len(bytes - (32 << 20)).unwrap();
    let refused = fudan
        .submit(vec![fudan.course("during", learner)])
        .await
        .unwrap_err();
    check_refused("a full disk", refused.refused().unwrap(), "READ_ONLY", "");
    assert!(
        bank.said().contains("the disk is nearly full"),
        "{}",
        bank.said()
    );
    assert!(matches!(&refused, ClientError::Refused(refused) if refused.transient));
    let totals = v1::GetTotalsRequest {
        learner: digits(learner),
    };
    assert_eq!(
        fudan
            .line
            .archive()
            .get_totals(totals)
            .await
            .unwrap()
            .into_inner()
            .categories[0]
            .records,
        1
    );
    drop(file);
    std::fs::remove_file(&full).unwrap();
    fudan
        .deposit(&bank, vec![fudan.course("during", learner)])
        .await;
    bank.stop();
    bank.start();
    fudan.reconnect(&bank).await;
    fudan
        .deposit(&bank, vec![fudan.course("after", learner)])
        .await;
    bank.check_log();
}
