//! The command line.

use std::time::Duration;

use anyhow::{Context, Result, bail};

pub(crate) const HELP: &str = "\
Measures this machine, then the bank against it. Everything runs in temporary folders.

Usage: cargo xtask bench [--quick] [--peers] [--only NAME…] [--records N]

  --quick        Fewer records and shorter windows; ends within a minute.
  --peers        Also runs PostgreSQL from Debian's package on the same rows.
  --only NAME…   Only the results whose names contain a NAME (submit_stream_1000, archive, rules, statistics, …);
                 submit_stream_1 means itself alone. soak overloads a bank for some minutes, and runs only where it is named.
  --records N    Records in the ledger for reads, memory, start and disk (5000000; 150000 with --quick).

Writes target/bench/latest.json and prints the table. The exit code is 1 if a target was missed.
";

/// Families of results that need a bank full of records; `submit` fills one itself.
pub(crate) const OF_A_FULL_BANK: [&str; 8] = [
    "archive",
    "gateway",
    "proof",
    "start",
    "disk",
    "memory",
    "peer",
    "statistics",
];

/// What to do.
pub(crate) enum Mode {
    Help,
    /// Answer empty calls: the other end of a limit.
    EmptyServer,
    Bench(Options),
}

/// What to measure, and how long.
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) peers: bool,
    pub(crate) records: u64,
    /// The command as it was typed, for the report.
    pub(crate) command: String,
    only: Vec<String>,
}

/// Reads the arguments.
pub(crate) fn parse(arguments: &[String]) -> Result<Mode> {
    let mut options = Options {
        quick: false,
        peers: false,
        records: 0,
        command: format!("cargo xtask bench {}", arguments.join(" "))
            .trim()
            .to_owned(),
        only: Vec::new(),
    };
    let mut rest = arguments.iter().map(String::as_str).peekable();
    while let Some(argument) = rest.next() {
        match argument {
            "-h" | "--help" => return Ok(Mode::Help),
            "--empty-server" => return Ok(Mode::EmptyServer),
            "--quick" => options.quick = true,
            "--peers" => options.peers = true,
            "--records" => options.records = number(rest.next())?,
            "--only" => {
                while let Some(name) = rest.next_if(|next| !next.starts_with('-')) {
                    options.only.push(name.to_owned());
                }
            }
            other => bail!("unknown: {other}; `cargo xtask bench --help` tells what there is"),
        }
    }
    if options.records == 0 {
        options.records = if options.quick { 150_000 } else { 5_000_000 };
    }
    Ok(Mode::Bench(options))
}

fn number(text: Option<&str>) -> Result<u64> {
    let text = text.context("--records needs a number")?.replace('_', "");
    let number = text
        .parse()
        .with_context(|| format!("{text} is not a number"))?;
    if (10_000..=100_000_000).contains(&number) {
        return Ok(number);
    }
    bail!("--records takes 10,000 to 100,000,000")
}

impl Options {
    /// Whether a result of this name is asked for. A name that is given in full means no other.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let means = |only: &String| {
            only == name || (name.contains(only.as_str()) && only != "submit_stream_1")
        };
        self.only.is_empty() || self.only.iter().any(means)
    }

    /// Whether a bank is to be overloaded: some minutes, and so only where it is named.
    pub(crate) fn wants_soak(&self) -> bool {
        self.only.iter().any(|only| only == "soak")
    }

    /// Whether anything of these families is asked for.
    pub(crate) fn wants_any(&self, families: &[&str]) -> bool {
        let family = |only: &String| {
            families
                .iter()
                .any(|it| only.contains(it) || it.contains(only.as_str()))
        };
        self.only.is_empty() || self.only.iter().any(family)
    }

    /// How long a short measurement runs.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_millis(if self.quick { 600 } else { 2_000 })
    }

    /// How often a rate is measured; the median counts.
    pub(crate) fn runs(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// Records of the small ledger that reads are compared with.
    pub(crate) fn records_small(&self) -> u64 {
        10_000
    }

    /// An upper bound of everything that is deposited.
    pub(crate) fn records_in_all(&self) -> u64 {
        self.records + if self.quick { 500_000 } else { 4_000_000 }
    }
}
