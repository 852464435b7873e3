//! `creditbank config`: whether settings can be used, and what holds.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use crate::config::{self, Folder};
use crate::gateway_config;
use crate::settings::{Fault, Overrides, Reading, environment, unknown_names};

/// Check settings, or show what holds.
#[derive(clap::Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(Check),
    Show(Show),
}

/// Name every unknown key and every value that cannot be used: file, line, key and rule.
///
/// A bank's folder, or the settings of a gateway. Names in the environment that begin with CREDITBANK_ and that nothing
/// reads are named too. Nothing is opened or changed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  creditbank config check bank                 the folder of a bank, with its bank.toml
  creditbank config check web/gateway.toml     the settings of a gateway

Exit code 0: everything can be used; 1: something cannot. Run it before a start and before a reload (SIGHUP).")]
struct Check {
    /// A bank's folder, or a gateway's settings.
    place: PathBuf,
}

/// Print the settings that hold, each with who said so: default, file and line, or the environment.
///
/// Secrets are never in settings, only the names of the files that hold them.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  creditbank config show bank
  block_cache_mib = 512                    # default
  grpc = \"0.0.0.0:7300\"                    # bank.toml:3
  log = \"warn\"                             # CREDITBANK_LOG")]
struct Show {
    /// A bank's folder, or a gateway's settings.
    place: PathBuf,
}

impl Config {
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Check(command) => command.run(),
            Command::Show(command) => command.run(),
        }
    }
}

impl Check {
    fn run(self) -> Result<ExitCode> {
        let mut faults = if is_gateway(&self.place) {
            let folder = self.place.parent().unwrap_or(Path::new(""));
            let reading = gateway_config::reading(&self.place);
            let note = reading.as_ref().ok().and_then(gateway_config::note);
            note.inspect(|note| println!("note: {note}"));
            reading.map_or_else(|faults| faults, |it| gateway_config::faults(&it, folder))
        } else {
            let folder = Folder::new(&self.place);
            let reading = folder.reading()?;
            reading.map_or_else(|faults| faults, |it| folder.faults(&it))
        };
        faults.extend(unknown_names(&environment(), &known()));
        Ok(report(&faults))
    }
}

impl Show {
    fn run(self) -> Result<ExitCode> {
        if is_gateway(&self.place) {
            show(gateway_config::reading(&self.place))
        } else {
            show(Folder::new(&self.place).reading()?)
        }
    }
}

/// Both programs' settings may stand in one environment.
const fn known() -> [Overrides; 2] {
    // The longer prefix first: names of a gateway begin like those of a bank.
    [gateway_config::OVERRIDES, config::OVERRIDES]
}

fn is_gateway(place: &Path) -> bool {
    !place.is_dir() && place.extension().is_some_and(|it| it == "toml")
}

fn report(faults: &[Fault]) -> ExitCode {
    for fault in faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        println!("the settings can be used");
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

fn show<S: Serialize>(reading: Result<Reading<S>, Vec<Fault>>) -> Result<ExitCode> {
    let reading = match reading {
        Ok(reading) => reading,
        Err(faults) => return Ok(report(&faults)),
    };
    for (key, value) in &toml::Table::try_from(&reading.settings)? {
        let place = reading.places.get(key).map_or("default", String::as_str);
        let said = format!("{key} = {value}");
        println!("{said:40} # {place}");
    }
    Ok(ExitCode::SUCCESS)
}
