//! The torture of `tests/it/torture`, a seed after the other, for as long as one likes.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::step::{now, run as must};
use crate::{cargo, setup};

/// Rounds of each test under one seed: a bank that has been audited often is slow to audit again.
const ROUNDS: u64 = 6;

/// How long, and from which seed on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    minutes: u64,
    seed: u64,
    rounds: u64,
}

impl Options {
    /// Reads `[--minutes N] [--seed S] [--rounds N]`.
    pub(crate) fn parse(mut flags: &[&str]) -> Result<Self> {
        let mut options = Self {
            minutes: 0,
            seed: 1,
            rounds: ROUNDS,
        };
        while let [flag, rest @ ..] = flags {
            let [value, rest @ ..] = rest else {
                bail!("torture has no such flag, or its value is absent: {flag}");
            };
            let value = value
                .parse()
                .with_context(|| format!("{flag} takes a number"));
            match *flag {
                "--minutes" => options.minutes = value?,
                "--seed" => options.seed = value?,
                "--rounds" => options.rounds = value?,
                other => bail!("torture has no such flag: {other}"),
            }
            flags = rest;
        }
        Ok(options)
    }
}

/// Runs one seed, and more of them until the minutes have passed; stops at the first that finds something.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::build()?;
    setup::strace()?;
    let disk = setup::lossy_disk()?;
    let (started, long) = (now(), Duration::from_secs(60 * options.minutes));
    for seed in options.seed.. {
        let mut tests = cargo::everything("test");
        tests
            .args(["--quiet", "--", "torture::"])
            .args(["--test-threads", "2"])
            .env("CREDITBANK_LOSSY", &disk)
            .env("CREDITBANK_TORTURE_ROUNDS", options.rounds.to_string())
            .env("CREDITBANK_TEST_SEED", seed.to_string());
        let rounds = options.rounds;
        must(&mut tests).with_context(|| {
            format!("found; the same again: cargo xtask torture --seed {seed} --rounds {rounds}")
        })?;
        println!(
            "seed {seed}: nothing lost; {} s so far",
            started.elapsed().as_secs()
        );
        if started.elapsed() >= long {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_or_refused() {
        let options = Options::parse(&["--minutes", "5", "--seed", "7"]).unwrap();
        let wanted = Options {
            minutes: 5,
            seed: 7,
            rounds: ROUNDS,
        };
        assert_eq!(options, wanted);
        for flags in [&["--minutes"][..], &["--hours", "1"], &["--seed", "x"]] {
            assert!(Options::parse(flags).is_err(), "{flags:?}");
        }
    }
}
