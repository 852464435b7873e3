//! A bank that is offered three times what it takes: it refuses quickly what is too much, goes on with what it has admitted,
//! and its memory stays flat. Meanwhile many connections lie idle, and some callers do not read their answers.
//!
//! The peak is measured with as many calls in flight as the bank takes at once, before the overload and after it, because a
//! ledger that grows spends more and more on compaction: what is kept is held against the mean of both. Between them calls
//! come at three times the first peak, whether earlier ones were answered or not; what was refused is offered again.
//! Batches are signed on the way in all cases.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use creditbank_client::{Bank as Connected, InstitutionKeys, batch};
use creditbank_wire::v1::{SubmitBatchRequest, SubmitBatchResponse};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use crate::bank::Bank;
use crate::clock;
use crate::load::{self, Latency, Measured, Until};
use crate::options::Options;
use crate::process::Used;
use crate::records::Rows;
use crate::report::{Entry, Report};

/// Calls that the bank takes at once.
const CALLS_MAX: usize = 64;
/// What is offered, for each that the bank takes at its peak.
const TIMES: f64 = 3.0;
/// Less than this is no overload.
const TIMES_MIN: f64 = 2.5;
/// Records of a batch.
const BATCH: u64 = 100;
/// Connections that do nothing.
const IDLE: usize = 2000;
/// Streams whose answers nobody reads.
const SLOW: usize = 16;
/// Batches that a slow reader sends before it stops.
const SLOW_BATCHES: u64 = 80;
/// Most calls that are unanswered at once: what is due beyond them is not offered, nor counted as offered.
const UNANSWERED_MAX: usize = 1000;
/// How often what is due is offered.
const TICK: Duration = Duration::from_millis(5);
/// What must be kept of the peak.
const TARGET: f64 = 0.8;
/// How far memory may grow from the second quarter of the time to its end.
const GROWTH_MAX: f64 = 1.15;

/// What the bank is given, so that its caches are full early and what still grows is a fault.
fn settings() -> String {
    let calls = CALLS_MAX + SLOW;
    format!("calls_max = {calls}\nblock_cache_mib = 64\nwrite_buffer_mib = 64\n")
}

/// Measures both, on a bank of its own.
pub(crate) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    if !options.wants_soak() {
        return Ok(());
    }
    let (peak_for, soak_for) = if options.quick { (10, 20) } else { (60, 240) };
    let (peak_for, soak_for) = (Duration::from_secs(peak_for), Duration::from_secs(soak_for));
    let bank = Bank::start_with(100_000, &settings()).await?;
    let load = Load::new(&bank);
    let before = load.peak(&bank, peak_for).await?;
    let note = format!("{CALLS_MAX} calls at once of {BATCH} records, before the overload");
    report.add(Entry::of("soak_peak_before", &before, "records/s").note(&note));
    let address = bank.server().said("grpc")?.to_owned();
    let idle = idle(&address).await?;
    let slow = load.slow_readers().await?;
    let used = Used::start(bank.server());
    let offer = load.offer(before.rate() * TIMES, soak_for);
    let (soaked, memory) = tokio::join!(offer, watch(&bank, soak_for));
    let (mut soaked, memory) = (soaked?, memory?);
    let taken = soaked.taken(soak_for).with_used(&used);
    let crowd = format!(
        "{} idle connections, {} slow readers",
        idle.len(),
        slow.len()
    );
    drop((idle, slow));
    let after = load.peak(&bank, peak_for).await?;
    let note = "the same, after it";
    report.add(Entry::of("soak_peak_after", &after, "records/s").note(note));
    let offered = clock::rate(soaked.offered, soak_for) / before.rate();
    let seconds = soak_for.as_secs();
    let note = format!("{offered:.1} times the first peak offered for {seconds} s; {crowd}");
    soaked.report([&before, &after], &taken, &note, report);
    let (early, late) = memory;
    let note = format!("{early:.0} MiB after a quarter of the time, {late:.0} MiB at its end");
    let growth = Entry::new("soak_memory", late / early.max(1.0), "times");
    report.add(growth.at_most(GROWTH_MAX).note(&note));
    ensure!(
        offered >= TIMES_MIN,
        "only {offered:.1} times the peak was offered: this was no overload, the load is too slow here"
    );
    Ok(())
}

/// Memory of the server, a quarter into the window and at its end, both at their highest of some looks.
async fn watch(bank: &Bank, window: Duration) -> Result<(f64, f64)> {
    const LOOKS: u32 = 40;
    let (mut early, mut late) = (0.0_f64, 0.0_f64);
    for look in 0..LOOKS {
        tokio::time::sleep(window / LOOKS).await;
        let (now, _) = bank.server().memory_mib()?;
        match look {
            8..=13 => early = early.max(now),
            34.. => late = late.max(now),
            _ => {}
        }
    }
    Ok((early, late))
}

async fn idle(address: &str) -> Result<Vec<TcpStream>> {
    let mut open = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        let stream = TcpStream::connect(address).await;
        open.push(stream.context("an idle connection")?);
    }
    Ok(open)
}

/// What callers share.
#[derive(Clone)]
struct Load {
    connected: Connected,
    rows: Arc<Rows>,
    keys: Arc<InstitutionKeys>,
    next: Arc<AtomicU64>,
    /// Batches that were refused, to be offered again.
    again: Arc<Mutex<Vec<SubmitBatchRequest>>>,
}

/// What came of the calls of a window.
#[derive(Default)]
struct Offered {
    /// Records.
    offered: u64,
    taken: Latency,
    refused: Latency,
}

impl Load {
    fn new(bank: &Bank) -> Self {
        Self {
            connected: bank.connected().clone(),
            rows: Arc::clone(bank.rows()),
            keys: Arc::clone(bank.keys()),
            next: Arc::new(AtomicU64::new(0)),
            again: Arc::default(),
        }
    }

    /// One that was refused before, or a new one.
    fn batch(&self) -> Result<SubmitBatchRequest> {
        if let Some(batch) = self.again.lock().expect("no holder panics").pop() {
            return Ok(batch);
        }
        let first = self.next.fetch_add(BATCH, Ordering::Relaxed);
        let records = (first..first + BATCH).map(|row| self.rows.record(row));
        Ok(batch::sign(
            self.connected.origin(),
            &self.keys,
            records.collect(),
        )?)
    }

    /// The rate of so many callers as the bank takes, each a batch after the other.
    async fn peak(&self, bank: &Bank, window: Duration) -> Result<Measured> {
        let used = Used::start(bank.server());
        let load = self.clone();
        let call = move |_| {
            let load = load.clone();
            async move {
                let mut line = load.connected.submission();
                line.submit_batch(load.batch()?).await?;
                Ok(())
            }
        };
        let measured = load::calls(CALLS_MAX, Until::Passed(window), call).await?;
        let measured = Measured {
            count: measured.count * BATCH,
            ..measured
        };
        Ok(measured.with_used(&used))
    }

    /// Offers so many records a second, answered or not.
    async fn offer(&self, records_per_s: f64, window: Duration) -> Result<Offered> {
        let unanswered = Arc::new(Semaphore::new(UNANSWERED_MAX));
        let (start, mut calls) = (clock::now(), JoinSet::new());
        let (mut all, mut due) = (Offered::default(), 0);
        while start.elapsed() < window {
            tokio::time::sleep(TICK).await;
            let until = (start.elapsed().as_secs_f64() * records_per_s) as u64;
            while due < until {
                due += BATCH;
                if let Ok(permit) = Arc::clone(&unanswered).try_acquire_owned() {
                    let load = self.clone();
                    calls.spawn(async move {
                        let answered = load.call().await;
                        drop(permit);
                        answered
                    });
                    all.offered += BATCH;
                }
            }
            while let Some(call) = calls.try_join_next() {
                all.add(call??);
            }
        }
        while let Some(call) = calls.join_next().await {
            all.add(call??);
        }
        Ok(all)
    }

    /// One call: whether it was taken, and how long until that was known.
    async fn call(&self) -> Result<(bool, Duration)> {
        let batch = self.batch()?;
        let begun = clock::now();
        let mut line = self.connected.submission();
        let answer = line.submit_batch(batch.clone()).await;
        let took = begun.elapsed();
        match answer {
            Ok(_) => Ok((true, took)),
            Err(status) if status.code() == Code::ResourceExhausted => {
                self.again.lock().expect("no holder panics").push(batch);
                Ok((false, took))
            }
            Err(status) => bail!("a call failed: {status}"),
        }
    }

    /// Streams that send and do not read. Each takes a call's place for as long as it is held.
    async fn slow_readers(&self) -> Result<Vec<Streaming<SubmitBatchResponse>>> {
        let mut held = Vec::with_capacity(SLOW);
        for _ in 0..SLOW {
            let (sender, batches) = mpsc::channel(SLOW_BATCHES as usize);
            for _ in 0..SLOW_BATCHES {
                sender.try_send(self.batch()?)?;
            }
            let mut line = self.connected.submission();
            let answers = line.submit_stream(ReceiverStream::new(batches)).await?;
            held.push(answers.into_inner());
            // The stream stays open.
            tokio::spawn(async move { sender.closed().await });
        }
        Ok(held)
    }
}

impl Offered {
    /// The records that were taken.
    fn taken(&mut self, window: Duration) -> Measured {
        Measured {
            count: self.taken.count() * BATCH,
            elapsed: window,
            latency: std::mem::take(&mut self.taken).sorted(),
            used: None,
        }
    }

    /// What was kept of the peaks, and how quickly the rest was refused.
    fn report(self, peaks: [&Measured; 2], taken: &Measured, note: &str, report: &mut Report) {
        let mean = |of: fn(&Measured) -> f64| peaks.into_iter().map(of).sum::<f64>() / 2.0;
        let peak = mean(Measured::rate);
        let entry = Entry::of("soak", taken, "records/s").against("soak_peak", Some(peak));
        report.add(entry.at_least(TARGET).note(note));
        let server_us = |of: &Measured| of.used.map_or(0.0, |used| used.server_us);
        let kept = mean(server_us) / server_us(taken);
        let entry = Entry::new("soak_server", kept, "of the peak").value_at_least(TARGET);
        report.add(entry.note("records for each second of the server's processor time: what a bank keeps whose cores no load shares"));
        let refused = clock::rate(self.refused.count(), taken.elapsed);
        let entry =
            Entry::new("soak_refused", refused, "calls/s").note("until the refusal is here");
        report.add(entry.latency(&self.refused.sorted()));
    }

    fn add(&mut self, (taken, took): (bool, Duration)) {
        let latency = if taken {
            &mut self.taken
        } else {
            &mut self.refused
        };
        latency.add(took);
    }
}
