//! Reads: a learner's 20 records, and an inclusion proof with its leaf; in a small ledger and in a large one.

use std::sync::Arc;

use anyhow::{Result, ensure};
use creditbank_client::Line;
use creditbank_merkle::{Checkpoint, Hash, LeafIndex, TreeSize, leaf_hash, verify_inclusion};
use creditbank_wire::v1;

use crate::bank::Bank;
use crate::limits::EMPTY_CALLS;
use crate::load::{self, IN_FLIGHT, Measured, Until, scatter};
use crate::options::Options;
use crate::process::Used;
use crate::records::ROWS_PER_LEARNER;
use crate::report::{Entry, Report};

/// Rates of both reads, where they were asked for.
pub(crate) type Rates = Vec<(&'static str, f64)>;

/// Measures both on the ledger as it is; `size` names it.
pub(crate) async fn measure(
    options: &Options,
    bank: &mut Bank,
    report: &mut Report,
    size: &str,
) -> Result<Rates> {
    let mut rates = Rates::new();
    for (name, target) in [("archive_20", 0.6), ("proof", 0.7)] {
        if !(options.wants(name) || options.peers && name == "archive_20") {
            continue;
        }
        let mut runs = Vec::new();
        for _ in 0..options.runs() {
            let before = Used::start(bank.server());
            let run = if name == "proof" {
                proofs(options, bank).await?
            } else {
                archives(options, bank).await?
            };
            runs.push(run.with_used(&before));
        }
        let run = load::median(runs);
        rates.push((name, run.rate()));
        let full_name = if size == "large" {
            name.to_owned()
        } else {
            format!("{name}_{size}")
        };
        let entry = Entry::of(&full_name, &run, "/s");
        let entry = entry
            .against(EMPTY_CALLS, report.value(EMPTY_CALLS))
            .at_least(target);
        report.add(entry.note(&format!("{} records in the ledger", bank.deposited())));
    }
    Ok(rates)
}

/// How much slower the large ledger answers.
pub(crate) fn compare(report: &mut Report, small: &Rates, large: &Rates, sizes: (u64, u64)) {
    for ((name, small), (_, large)) in small.iter().zip(large) {
        let entry = Entry::new(&format!("{name}_slower"), small / large, "times").at_most(1.3);
        report.add(entry.note(&format!("{} records against {}", sizes.1, sizes.0)));
    }
}

async fn archives(options: &Options, bank: &Bank) -> Result<Measured> {
    let connected = bank.connected().clone();
    let rows = Arc::clone(bank.rows());
    let learners = rows.learners_with_all_rows(bank.deposited()) as u64;
    ensure!(learners > 0, "no learner has all rows yet");
    let call = move |number: u64| {
        let connected = connected.clone();
        let learner = rows.learner((scatter(number) % learners) as usize);
        async move {
            let request = v1::ListRecordsRequest {
                learner: format!("{:016}", learner.as_u64()),
                page_size: ROWS_PER_LEARNER as u32,
                ..v1::ListRecordsRequest::default()
            };
            let send =
                |line: Line, request| async move { line.archive().list_records(request).await };
            let answer = connected.call(request, send).await?;
            let count = answer.records.len() as u64;
            ensure!(
                count == ROWS_PER_LEARNER,
                "{count} records instead of {ROWS_PER_LEARNER}"
            );
            Ok(())
        }
    };
    load::calls(IN_FLIGHT, Until::Passed(options.window()), call).await
}

async fn proofs(options: &Options, bank: &Bank) -> Result<Measured> {
    let connected = bank.connected().clone();
    let note = connected
        .log()
        .get_checkpoint(v1::GetCheckpointRequest {})
        .await?
        .into_inner()
        .note;
    let checkpoint = Checkpoint::open(&note, &bank.key()?)?;
    let (size, root) = (checkpoint.size, checkpoint.root);
    let call = move |number: u64| {
        let connected = connected.clone();
        async move {
            let leaf_index = scatter(number) % size.value();
            let request = v1::GetInclusionProofRequest {
                leaf_index,
                tree_size: size.value(),
            };
            let send =
                |line: Line, request| async move { line.log().get_inclusion_proof(request).await };
            let proof = connected.call(request, send).await?;
            holds(&proof, leaf_index, size, &root)
        }
    };
    load::calls(IN_FLIGHT, Until::Passed(options.window()), call).await
}

fn holds(proof: &v1::InclusionProof, index: u64, size: TreeSize, root: &Hash) -> Result<()> {
    let path: Vec<Hash> = proof
        .hashes
        .iter()
        .map(|hash| Hash::try_from(&hash[..]))
        .collect::<Result<_, _>>()?;
    Ok(verify_inclusion(
        &leaf_hash(&proof.leaf),
        LeafIndex::new(index),
        size,
        &path,
        root,
    )?)
}
