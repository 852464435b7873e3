//! Starting again: after a stop in order, and after `kill -9` with the log of writes full.

use anyhow::Result;

use crate::bank::Bank;
use crate::options::Options;
use crate::report::{Entry, Report};
use crate::submit;

/// Rows deposited right before the kill.
const ROWS_BEFORE_KILL: u64 = 100_000;
/// What a start after a clean stop may take.
const START_S_MAX: f64 = 2.0;

/// Kills and starts, then stops and starts.
pub(crate) async fn measure(options: &Options, bank: &mut Bank, report: &mut Report) -> Result<()> {
    if !options.wants("start") {
        return Ok(());
    }
    let batches = bank.batches(ROWS_BEFORE_KILL, 1000)?;
    submit::stream(bank, batches, 4, 8).await?;
    bank.kill()?;
    let took = bank.start_again().await?;
    let entry = Entry::new("start_after_kill", took.as_secs_f64(), "s");
    report.add(entry.note(&format!("{} records, killed under load", bank.deposited())));
    bank.stop()?;
    let took = bank.start_again().await?;
    let entry = Entry::new("start_after_stop", took.as_secs_f64(), "s").at_most(START_S_MAX);
    report.add(entry.note(&format!("{} records", bank.deposited())));
    let (now, _) = bank.server().memory_mib()?;
    report.add(Entry::new("memory_after_start", now, "MiB"));
    Ok(())
}
