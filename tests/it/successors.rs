//! Banks replace their keys while outcomes are on their way between them: what the old keys have signed and sealed is
//! still taken, what the new ones sign and seal is taken too, and the month closes without a difference.

use creditbank_client::transfer::recall;
use creditbank_domain::reconcile::Period;
use creditbank_domain::record::KeyPurpose;
use serde_json::{Value, json};

use crate::bank::Bank;
use crate::delta::{Region, as_operator, regions, run};
use crate::transfers::received;

/// Forty days later every month that is running now is over.
const LATER: [&str; 2] = ["--clock-shift", "3456000"];

/// Stops a bank, has its keys replaced as these commands say, and starts it again.
async fn replace(region: &mut Region, commands: &[&str]) {
    region.bank.stop();
    for command in commands {
        let words: Vec<_> = command.split(' ').collect();
        run(&region.bank, &[&["keys"], &words[..], &["{dir}"]].concat());
    }
    region.bank.start();
    region.reconnect().await;
}

/// The card of a bank as it is now.
fn card(of: &Region) -> String {
    let [grpc, http] = [of.bank.grpc(), of.bank.http()].map(|at| format!("http://{at}"));
    let named = ["--id", of.id, "--grpc", &grpc, "--http", &http];
    run(&of.bank, &[&["peer", "card", "{dir}"], &named[..]].concat())
}

/// Has a bank admit the keys of another's newest card.
#[track_caller]
fn admit(at: &Region, of: &Region, new: &str) {
    let path = at.bank.beside().join("newer.peer");
    std::fs::write(&path, card(of)).expect("room for a card");
    let path = path.to_str().expect("UTF-8");
    let said = as_operator(&at.bank, &["peer", "admit", "--card", path]);
    assert!(said.contains(new), "{said}");
}

/// Closes a month with a peer; gives the report.
#[track_caller]
fn close(bank: &Bank, peer: &str, month: Period) -> Value {
    let month = month.to_string();
    let command = ["reconcile", "--peer", peer, "--period", &month];
    let told = as_operator(bank, &[&command[..], &["--format", "json"]].concat());
    serde_json::from_str(&told).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_outlive_the_keys_that_signed_and_sealed_them() {
    let mut regions = regions(2).await;
    let [sh, js] = &mut regions[..] else { panic!() };
    let (recalled, _) = received(sh, js, "before").await;

    // Shanghai knows nothing of the new keys yet: it seals for the old one, which still opens, and reads the old signatures.
    replace(js, &["rotate seal", "rotate bank"]).await;
    let mut asked = vec![received(sh, js, NAMES[0]).await];
    admit(sh, js, "2 keys are new");
    asked.push(received(sh, js, NAMES[1]).await);
    replace(js, &["finish seal", "finish bank"]).await;
    asked.push(received(sh, js, NAMES[2]).await);

    // Released under Shanghai's old keys of bank and log, while Jiangsu knows those alone.
    let old = sh.bank.operator_keys().public(KeyPurpose::Sign);
    replace(sh, &["rotate bank", "rotate log"]).await;
    asked.push(received(sh, js, NAMES[3]).await);
    let old: String = old.bytes.iter().map(|it| format!("{it:02x}")).collect();
    assert!(
        card(sh).contains(&old),
        "it still signs: who comes now needs it"
    );
    admit(js, sh, "2 keys are new");
    // What the old key signs while Jiangsu is down is heard when only the new one is in force.
    js.bank.stop();
    recall(&sh.window.line, recalled)
        .await
        .expect("an agent asks");
    replace(sh, &["finish bank", "finish log"]).await;
    js.bank.start();
    js.reconnect().await;
    js.reaches(recalled, "recalled", true).await;
    sh.reaches(recalled, "recalled", true).await;

    asked.push(received(sh, js, NAMES[4]).await);
    let mut released_ms = 0;
    for (name, (id, record)) in NAMES.iter().zip(&asked) {
        let there = js.college.enrol(name).await;
        js.apply(there, *record).await;
        js.reaches(*id, "recognised", true).await;
        let view = sh.reaches(*id, "recognised", true).await;
        released_ms = view.steps[2].at_ms;
    }
    closes(&mut regions, released_ms);
}

/// The learners of the transfers that are recognised, in their order.
const NAMES: [&str; 5] = [
    "sealed for the old key",
    "sealed for the next key",
    "sealed for the new key",
    "signed by the old key",
    "signed by the new key",
];

/// Both banks close the month alike, and a stranger who knows the new keys of the logs finds nothing wrong.
fn closes(regions: &mut [Region], released_ms: u64) {
    for region in &mut *regions {
        region.bank.stop();
    }
    for region in &mut *regions {
        region.bank.start_with(&LATER);
    }
    let month = Period::of(released_ms).expect("a month");
    let (sh, js) = (&regions[0].bank, &regions[1].bank);
    let reports = [close(sh, "jiangsu", month), close(js, "shanghai", month)];
    for report in &reports {
        assert_eq!(report["agreed"], true, "{report}");
        assert_eq!(report["differences"], json!([]), "{report}");
    }
    assert_eq!(reports[0]["own_hash"], reports[1]["own_hash"]);
    let at = |bank: &Bank| format!("http://{}", bank.http());
    let keys = [sh, js].map(|bank| bank.dir().join("bank.pub").display().to_string());
    let audited = run(
        sh,
        &[
            "audit",
            "--quiet",
            "--json",
            "--bank",
            &at(sh),
            "--trust",
            &keys[0],
            "--bank",
            &at(js),
            "--trust",
            &keys[1],
        ],
    );
    let audited: Value = serde_json::from_str(&audited).expect("JSON");
    assert_eq!(audited["periods"][0]["agreed"], true, "{audited}");
    assert_eq!(audited["periods"][0]["items"], NAMES.len() + 1, "{audited}");
    for region in regions {
        region.bank.check_log();
    }
}
