//! `creditbank recompute`: whoever has log, vault and key comes to the same hundredth of a credit, or is told where not.

use std::fs;

use serde_json::Value;
use sha2::{Digest, Sha256};
use v1::ApplicationAction as A;

use super::*;
use crate::bank::told;
use crate::writes::{self, VIEWS};

/// The report about a stopped bank whose decisions all come out as they were recorded.
pub(super) fn recompute(bank: &Bank) -> Value {
    let output = bank.run(&["recompute", "{dir}", "--json", "--quiet"]);
    assert!(output.status.success(), "{}", told(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["differences"], Value::Array(Vec::new()));
    report
}

/// A bank with a decision of each kind: automatic, of a panel, declined, reversed.
pub(super) async fn decided() -> Scene {
    let scene = Scene::new(0, 0).await;
    let (painting, singing) = (scene.elder("国画", 32).await, scene.elder("合唱", 32).await);
    let (english, sociology) = (scene.course("英语").await, scene.course("社会学").await);
    let one = scene.granted("one", vec![used("elder-hours", &[painting])]);
    let one = one.await.application;
    scene
        .granted("two", vec![used("elder-hours", &[singing])])
        .await;
    scene.advanced(one, &[A::Reverse]).await;
    for (key, approve) in [("three", true), ("four", false)] {
        let (rule, outcome, panel) = match approve {
            true => ("same-course", english, 1),
            false => ("uncatalogued", sociology, 3),
        };
        let application = scene.apply(key, vec![used(rule, &[outcome])]).await;
        let application = application.unwrap();
        scene.advanced(application, &[A::Accept]).await;
        for expert in 0..panel {
            scene.vote(expert, application, approve).await.unwrap();
        }
        let steps = match approve {
            true => [A::Notice, A::Decide],
            false => [A::Decline, A::Decline],
        };
        scene.advanced(application, &steps).await;
    }
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_decision_comes_out_as_it_was_recorded_and_views_fold_to_the_same() {
    let mut scene = decided().await;
    let all = v1::ListApplicationsRequest::default;
    let before = queue(&scene.operator, all()).await.unwrap();
    let mut files = Vec::new();
    for it in &before {
        files.push(scene.file(it.application).await);
    }
    scene.bank.check_log();
    let report = recompute(&scene.bank);
    assert_eq!(report["decisions"], 6, "four decisions and two notices");
    assert_eq!(report["gone"], 0);
    let views = crate::views::rows(&scene.bank);
    assert!(scene.bank.run(&["rebuild", "{dir}"]).status.success());
    assert!(crate::views::rows(&scene.bank) == views);
    scene.bank.start();
    scene.reconnect().await;
    assert_eq!(queue(&scene.operator, all()).await.unwrap(), before);
    for file in files {
        assert_eq!(scene.file(file.application).await, file);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_were_changed_below_the_log_are_found() {
    let mut scene = decided().await;
    scene.bank.kill();
    let mut logs = scene.bank.database_files(".log");
    logs.retain(|log| fs::metadata(log).is_ok_and(|log| log.len() > 0));
    let [log] = &logs[..] else { panic!("{logs:?}") };
    // A thief makes elder classes worth twice as much, and lets the set name the new text.
    let text = rules("1", 0, 0, "");
    let changed = text.replace("per_hours = \"16\"", "per_hours = \"08\"");
    let swaps = [
        (text.as_bytes().to_vec(), changed.as_bytes().to_vec()),
        (
            Sha256::digest(&text).to_vec(),
            Sha256::digest(&changed).to_vec(),
        ),
    ];
    let mut forged = Vec::new();
    for mut row in writes::rows(log) {
        for (ours, theirs) in &swaps {
            let place = row.value.windows(ours.len()).position(|it| it == ours);
            if let Some(at) = place.filter(|_| row.family == VIEWS) {
                row.value[at..at + theirs.len()].copy_from_slice(theirs);
                forged.push(row.clone());
            }
        }
    }
    assert_eq!(forged.len(), 2, "the document and the set");
    writes::forge(log, &forged);
    let output = scene.bank.run(&["recompute", "{dir}", "--quiet"]);
    let said = told(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("DIFFERENCE").count(), 6, "{said}");
    assert_ne!(scene.bank.check_finds().0, Some(0));
}
