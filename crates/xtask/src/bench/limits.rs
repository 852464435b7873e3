//! What this machine can do without us: signatures, hashes, syncs, empty calls.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use ed25519_dalek::{Signature, Signer, SigningKey};
use rocksdb::{DB, WriteBatch, WriteOptions};
use sha2::{Digest, Sha256};

use crate::load::{Latency, scatter};
use crate::options::Options;
use crate::report::{Entry, Report};
use crate::{clock, empty};

/// Strict Ed25519 verifications a second, one core.
pub(crate) const VERIFY_ONE: &str = "verify_one_core";
/// The same on all cores.
pub(crate) const VERIFY_ALL: &str = "verify_all_cores";
/// Empty unary calls with the messages of `submit_single`.
pub(crate) const EMPTY_CALLS: &str = "empty_calls";

/// Bytes of a tree node as it is hashed.
const NODE_BYTES: usize = 65;
/// Bytes of a value in the synced writes, about a record.
const VALUE_BYTES: usize = 512;
/// Records a synced write.
const WRITE_RECORDS: [u64; 4] = [1, 16, 256, 4096];
/// Signed messages that the verification goes round.
const MESSAGES: usize = 512;

/// Measures everything that needs no other process.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    let window = options.window() / 2;
    report.add_limit(Entry::new(VERIFY_ONE, verify(1, window), "/s").note("strict Ed25519"));
    report.add_limit(Entry::new(VERIFY_ALL, verify(cores, window), "/s").note("strict Ed25519"));
    let hashes = hash(window);
    report.add_limit(Entry::new("sha256_node", hashes, "/s").note("65 bytes, one core"));
    synced_writes(window, report)?;
    let syncs = fdatasync(window)?;
    let rate = clock::rate(syncs.count(), window);
    let entry = Entry::new("fdatasync", rate, "/s").latency(&syncs);
    report.add_limit(entry.note("after an append of 512 bytes"));
    Ok(())
}

/// Measures empty calls, with their server in a process of its own as the bank has.
pub(crate) async fn empty_calls(options: &Options, report: &mut Report) -> Result<()> {
    let measured = empty::calls(options).await?;
    let entry = Entry::of(EMPTY_CALLS, &measured, "/s");
    report.add_limit(
        entry.note("tonic, 256 in flight on 4 connections, messages as in `submit_single`"),
    );
    Ok(())
}

fn verify(cores: usize, window: Duration) -> f64 {
    let key = SigningKey::from_bytes(&[7; 32]);
    let verifier = key.verifying_key();
    let message = |number: usize| scatter(number as u64).to_be_bytes().repeat(12);
    let signed = |number| (message(number), key.sign(&message(number)));
    let signed: Vec<(Vec<u8>, Signature)> = (0..MESSAGES).map(signed).collect();
    let work = || {
        let start = clock::now();
        let mut count = 0;
        while start.elapsed() < window {
            for (message, signature) in &signed {
                verifier
                    .verify_strict(message, signature)
                    .expect("just signed");
            }
            count += MESSAGES as u64;
        }
        clock::rate_since(start, count)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("it does not panic"))
            .sum()
    })
}

fn hash(window: Duration) -> f64 {
    const ROUND: u64 = 4096;
    let start = clock::now();
    let mut node = [1; NODE_BYTES];
    let mut count = 0;
    while start.elapsed() < window {
        for _ in 0..ROUND {
            // Each depends on the one before, so that none can be left out.
            let digest = Sha256::digest(node);
            node[1..33].copy_from_slice(&digest);
        }
        count += ROUND;
    }
    clock::rate_since(start, count)
}

fn synced_writes(window: Duration, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut database = rocksdb::Options::default();
    database.create_if_missing(true);
    let db = DB::open(&database, folder.path())?;
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    let value = [3; VALUE_BYTES];
    let mut number: u64 = 0;
    for records in WRITE_RECORDS {
        let (start, mut latency) = (clock::now(), Latency::default());
        while start.elapsed() < window {
            let begun = clock::now();
            let mut batch = WriteBatch::default();
            for _ in 0..records {
                batch.put(number.to_be_bytes(), value);
                number += 1;
            }
            db.write_opt(batch, &synced)?;
            latency.add(begun.elapsed());
        }
        let rate = clock::rate_since(start, latency.count() * records);
        let entry = Entry::new(&format!("rocksdb_synced_{records}"), rate, "records/s");
        report.add_limit(
            entry
                .latency(&latency.sorted())
                .note("512 bytes each, one thread"),
        );
    }
    Ok(())
}

fn fdatasync(window: Duration) -> Result<Latency> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("appended");
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let mut file = file.with_context(|| path.display().to_string())?;
    let (start, mut latency) = (clock::now(), Latency::default());
    while start.elapsed() < window {
        let begun = clock::now();
        file.write_all(&[5; VALUE_BYTES])?;
        file.sync_data()?;
        latency.add(begun.elapsed());
    }
    Ok(latency.sorted())
}
