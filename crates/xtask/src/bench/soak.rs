//! A bank that is offered three times what it may have open: it refuses quickly what is too much, goes on with what it has
//! admitted, and its memory stays flat. Meanwhile many connections lie idle, and some callers do not read their answers.
//!
//! The peak is measured first, with as many calls in flight as the bank takes at once; then three times as many callers want
//! the same, and come back as soon as the bank says. Batches are signed on the way in both cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use creditbank_client::{Bank as Connected, InstitutionKeys, batch};
use creditbank_wire::v1::{SubmitBatchRequest, SubmitBatchResponse};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use crate::bank::Bank;
use crate::clock;
use crate::options::Options;
use crate::records::Rows;
use crate::report::{Entry, Report};

/// Calls that the bank takes at once.
const CALLS_MAX: usize = 64;
/// Callers for each that the bank takes.
const TIMES: usize = 3;
/// Records of a batch.
const BATCH: u64 = 100;
/// Connections that do nothing.
const IDLE: usize = 2000;
/// Streams whose answers nobody reads.
const SLOW: usize = 16;
/// Batches that a slow reader sends before it stops.
const SLOW_BATCHES: u64 = 80;
/// How long refused callers wait, as the bank tells them.
const BACK_AFTER: Duration = Duration::from_millis(500);
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
    let (peak_for, soak_for) = if options.quick { (6, 20) } else { (30, 240) };
    let bank = Bank::start_with(100_000, &settings()).await?;
    let load = Load::new(&bank);
    let peak = load.run(CALLS_MAX, Duration::from_secs(peak_for)).await?;
    report.add(
        Entry::new("soak_peak", peak.rate, "records/s").note(&format!(
            "{CALLS_MAX} calls at once of {BATCH} records, as many as the bank takes"
        )),
    );
    let address = bank.server().said("grpc")?.to_owned();
    let idle = idle(&address).await?;
    let slow = load.slow_readers().await?;
    let window = Duration::from_secs(soak_for);
    let watched = watch(&bank, window);
    let (soaked, memory) = tokio::join!(load.run(CALLS_MAX * TIMES, window), watched);
    let (soaked, (early, late)) = (soaked?, memory?);
    let note = format!(
        "{} callers for {soak_for} s, {} calls refused; {} idle connections, {} slow readers",
        CALLS_MAX * TIMES,
        soaked.refused,
        idle.len(),
        slow.len()
    );
    let entry = Entry::new("soak", soaked.rate, "records/s").against("soak_peak", Some(peak.rate));
    report.add(entry.at_least(TARGET).note(&note));
    let note = format!("{early:.0} MiB after a quarter of the time, {late:.0} MiB at its end");
    let growth = Entry::new("soak_memory", late / early.max(1.0), "times");
    report.add(growth.at_most(GROWTH_MAX).note(&note));
    ensure!(
        soaked.refused >= (CALLS_MAX * TIMES) as u64,
        "{} calls were refused: this was no overload, the load is too slow here",
        soaked.refused
    );
    drop((idle, slow));
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
}

struct Ran {
    rate: f64,
    refused: u64,
}

impl Load {
    fn new(bank: &Bank) -> Self {
        Self {
            connected: bank.connected().clone(),
            rows: Arc::clone(bank.rows()),
            keys: Arc::clone(bank.keys()),
            next: Arc::new(AtomicU64::new(0)),
        }
    }

    fn batch(&self) -> Result<SubmitBatchRequest> {
        let first = self.next.fetch_add(BATCH, Ordering::Relaxed);
        let records = (first..first + BATCH).map(|row| self.rows.record(row));
        Ok(batch::sign(
            self.connected.origin(),
            &self.keys,
            records.collect(),
        )?)
    }

    /// So many callers, each a batch after the other; whoever is refused comes back with the same.
    async fn run(&self, callers: usize, window: Duration) -> Result<Ran> {
        let (start, mut lanes) = (clock::now(), JoinSet::new());
        for _ in 0..callers {
            let load = self.clone();
            lanes.spawn(async move {
                let (mut taken, mut refused) = (0, 0);
                let mut batch = load.batch()?;
                while start.elapsed() < window {
                    let mut line = load.connected.submission();
                    match line.submit_batch(batch.clone()).await {
                        Ok(_) => {
                            taken += BATCH;
                            batch = load.batch()?;
                        }
                        Err(status) if status.code() == Code::ResourceExhausted => {
                            refused += 1;
                            tokio::time::sleep(BACK_AFTER).await;
                        }
                        Err(status) => bail!("a call failed: {status}"),
                    }
                }
                Ok::<_, anyhow::Error>((taken, refused))
            });
        }
        let (mut taken, mut refused) = (0, 0);
        while let Some(lane) = lanes.join_next().await {
            let (of_lane, not) = lane??;
            taken += of_lane;
            refused += not;
        }
        let rate = clock::rate(taken, start.elapsed());
        Ok(Ran { rate, refused })
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
