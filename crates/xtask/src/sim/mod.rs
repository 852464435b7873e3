//! Four banks in one process, from one seed: learners, institutions and panels at work, while messages are lost, doubled
//! and late, banks crash, come back from old backups, or show two histories. After every event the promises of a transfer
//! are checked; the first broken one ends the run and is told with the command that replays it.
//!
//! What runs in the banks is the domain's own code: `duty` says what a bank does next, `book` how a step changes its rows.
//! Both are without effects, so the simulation needs no network, disk or clock to stand in for the real ones: an event
//! queue in virtual time is the whole machinery. That is why there is no `turmoil` here. What the ledger around them has
//! to keep for the promises to hold, such as telling nobody of a step that is not durable, is in [`code::Code`], where
//! mutants break it.

mod bank;
mod chance;
mod check;
mod code;
mod exchange;
mod knowledge;
mod log;
mod mishaps;
#[cfg(test)]
mod mutants;
mod people;
mod rows;
mod statement;
#[cfg(test)]
mod tests;
mod witness;
mod world;

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::step::now;
use check::Violation;
use code::Code;
use world::World;

/// Events before nothing goes wrong any more: about two days of the world.
const STEPS_DEFAULT: u64 = 5_000;
/// Lines of a trace that are printed unasked.
const LINES_SHOWN: usize = 60;
/// How often progress is printed.
const PROGRESS: Duration = Duration::from_secs(10);

/// What to simulate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    seeds: u64,
    first: u64,
    steps: u64,
    traces: bool,
}

impl Options {
    /// Reads `[--seeds N] [--first SEED] [--steps M] [--trace]`.
    pub(crate) fn parse(mut flags: &[&str]) -> Result<Self> {
        let mut options = Self {
            seeds: 100,
            first: 1,
            steps: STEPS_DEFAULT,
            traces: false,
        };
        while let [flag, rest @ ..] = flags {
            if *flag == "--trace" {
                options.traces = true;
                flags = rest;
                continue;
            }
            let [value, rest @ ..] = rest else {
                bail!("sim has no such flag, or its value is absent: {flag}");
            };
            let value = value
                .parse()
                .with_context(|| format!("{flag} takes a number"));
            match *flag {
                "--seeds" => options.seeds = value?,
                "--first" => options.first = value?,
                "--steps" => options.steps = value?,
                other => bail!("sim has no such flag: {other}"),
            }
            flags = rest;
        }
        Ok(options)
    }
}

/// Simulates one seed after another; stops at the first broken promise.
pub(crate) fn run(options: &Options) -> Result<()> {
    let code = Code::real();
    let started = now();
    let mut told = started;
    let mut events = 0;
    for (done, seed) in (1..).zip(options.first..options.first.saturating_add(options.seeds)) {
        let mut world = World::new(&code, seed, options.traces);
        let result = world.run(options.steps);
        events += world.events;
        if options.traces {
            world
                .trace
                .iter()
                .flatten()
                .for_each(|line| println!("{line}"));
        }
        if let Err(violation) = result {
            return Err(report(&code, options, seed, &violation));
        }
        if told.elapsed() >= PROGRESS || done == options.seeds {
            told = now();
            let millis = started.elapsed().as_millis().max(1);
            let a_minute = u128::from(done) * 60_000 / millis;
            println!("{done} seeds, {events} events, nothing broken; {a_minute} seeds a minute");
        }
    }
    Ok(())
}

/// Tells what was broken, the end of how it came to that, and how to see all of it.
fn report(code: &Code, options: &Options, seed: u64, violation: &Violation) -> anyhow::Error {
    let Violation { invariant, what } = violation;
    if !options.traces {
        let mut world = World::new(code, seed, true);
        let _ = world.run(options.steps);
        let lines = world.trace.unwrap_or_default();
        let first = lines.len().saturating_sub(LINES_SHOWN);
        lines[first..].iter().for_each(|line| println!("{line}"));
    }
    let steps = options.steps;
    anyhow::anyhow!(
        "seed {seed} breaks the promise: {invariant}\n  {what}\n  replay: cargo xtask sim --seeds 1 --first {seed} --steps {steps} --trace"
    )
}
