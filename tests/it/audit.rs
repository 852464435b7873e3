//! A month of real transfers, closed by both banks and audited from outside by somebody whom neither has to ask.

use std::process::Output;

use creditbank_client::transfer::recall;
use creditbank_domain::reconcile::Period;
use serde_json::Value;

use crate::bank::told;
use crate::delta::{Region, as_operator, regions};

/// Forty days later every month that is running now is over.
const LATER: [&str; 2] = ["--clock-shift", "3456000"];

fn audit(regions: &[Region], more: &[&str]) -> Output {
    let mut arguments = vec!["audit".to_owned(), "--quiet".to_owned()];
    for region in regions {
        let key = region.bank.dir().join("bank.pub").display().to_string();
        let url = format!("http://{}", region.bank.http());
        arguments.extend(["--bank".into(), url, "--trust".into(), key]);
    }
    arguments.extend(more.iter().map(|&it| it.to_owned()));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    regions[0].bank.run(&arguments)
}

fn report(output: &Output) -> Value {
    let report = serde_json::from_slice(&output.stdout);
    report.unwrap_or_else(|error| panic!("{error}: {}", told(output)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_real_transfers_is_closed_by_both_and_audited_from_outside() {
    let mut regions = regions(2).await;
    let released_ms = {
        let [sh, js] = &regions[..] else { panic!() };
        let mut at_ms = 0;
        for (name, recognise) in [("1", true), ("2", false), ("3", true)] {
            let (here, there) = (sh.college.enrol(name).await, js.college.enrol(name).await);
            let outcome = sh.deposit(name, here).await;
            let (consent, id) = sh.consent(here, outcome, js, there).await;
            js.request(there, sh, (consent, id)).await;
            let view = js.reaches(id, "under-review", false).await;
            at_ms = view.steps[2].at_ms;
            if recognise {
                js.apply(there, view.record.expect("it is there")).await;
                sh.reaches(id, "recognised", true).await;
                js.reaches(id, "recognised", true).await;
            } else {
                recall(&sh.window.line, id).await.expect("an agent asks");
                sh.reaches(id, "recalled", true).await;
                js.reaches(id, "recalled", true).await;
            }
        }
        at_ms
    };
    let sound = audit(&regions, &["--json"]);
    assert!(sound.status.success(), "{}", told(&sound));
    assert_eq!(report(&sound)["periods"], Value::Array(Vec::new()));

    for region in &mut regions {
        region.bank.stop();
    }
    for region in &mut regions {
        region.bank.start_with(&LATER);
    }
    let month = Period::of(released_ms).expect("a month");
    let [sh, js] = &regions[..] else { panic!() };
    // Nobody begins with a month in which the pair had not begun.
    let before = month.previous().to_string();
    let (key, server) = (
        sh.bank.dir().join("operator.key").display().to_string(),
        format!("http://{}", sh.bank.grpc()),
    );
    let public = sh.bank.dir().join("bank.pub").display().to_string();
    let named = ["--key", &key, "--server", &server, "--bank", &public];
    let asked = ["reconcile", "--peer", "jiangsu", "--period", &before];
    let early = sh.bank.run(&[&asked[..], &named].concat());
    assert_eq!(early.status.code(), Some(1), "{}", told(&early));
    let month = month.to_string();
    let close = ["reconcile", "--period", &month, "--format", "json"];
    let one = as_operator(&sh.bank, &[&close[..], &["--peer", "jiangsu"]].concat());
    let other = as_operator(&js.bank, &[&close[..], &["--peer", "shanghai"]].concat());
    let [one, other] = [&one, &other].map(|it| serde_json::from_str::<Value>(it).expect("JSON"));
    assert_eq!(one["agreed"], true);
    assert_eq!(one["own_hash"], other["own_hash"]);

    let closed = audit(&regions, &["--json"]);
    assert!(closed.status.success(), "{}", told(&closed));
    let closed = report(&closed);
    let period = &closed["periods"][0];
    assert_eq!(period["agreed"], true, "{closed}");
    assert_eq!(period["items"], 3);
    // Two recognitions of four credits went from Shanghai, the second of the pair, to Jiangsu.
    assert_eq!(period["settled"], serde_json::json!(["0", "8"]));
    let table = audit(&regions, &["--language", "en"]);
    assert!(
        told(&table).contains("Nothing was found wrong."),
        "{}",
        told(&table)
    );

    // Who trusts another key learns that nothing can be said.
    let wrong = regions[0].bank.run(&[
        "audit",
        "--quiet",
        "--bank",
        &format!("http://{}", regions[0].bank.http()),
        "--trust",
        &regions[1].bank.dir().join("bank.pub").display().to_string(),
    ]);
    assert_eq!(wrong.status.code(), Some(2), "{}", told(&wrong));
}
