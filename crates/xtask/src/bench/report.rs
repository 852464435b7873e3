//! Results, each beside the limit it is held against; as JSON and as the table of README.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::load::{Latency, Measured};
use crate::machine::Machine;
use crate::options::Options;
use crate::process::UsedEach;

/// Where the last report lies, under the folder of the workspace.
const LATEST: &str = "target/bench/latest.json";

/// A number that was measured.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) value: f64,
    unit: &'static str,
    /// What it is held against: a name, and the value of the same run.
    limit: Option<(String, f64)>,
    target: Option<Target>,
    /// Whether the target is for the value although there is a limit.
    is_of_value: bool,
    latency_ms: Option<(f64, f64)>,
    used: Option<UsedEach>,
    note: String,
}

/// What the ratio to the limit, or else the value, has to reach.
#[derive(Debug, Clone, Copy)]
enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Entry {
    pub(crate) fn new(name: &str, value: f64, unit: &'static str) -> Self {
        let (name, note) = (name.to_owned(), String::new());
        Self {
            name,
            value,
            unit,
            limit: None,
            target: None,
            is_of_value: false,
            latency_ms: None,
            used: None,
            note,
        }
    }

    /// The rate, latency and cost of a run.
    pub(crate) fn of(name: &str, run: &Measured, unit: &'static str) -> Self {
        Self {
            used: run.used,
            ..Self::new(name, run.rate(), unit).latency(&run.latency)
        }
    }

    pub(crate) fn against(mut self, name: &str, limit: Option<f64>) -> Self {
        self.limit = limit.map(|limit| (name.to_owned(), limit));
        self
    }

    pub(crate) fn at_least(mut self, target: f64) -> Self {
        self.target = Some(Target::AtLeast(target));
        self
    }

    /// A target of the value itself, whatever it is held against.
    pub(crate) fn value_at_least(mut self, target: f64) -> Self {
        self.is_of_value = true;
        self.at_least(target)
    }

    pub(crate) fn at_most(mut self, target: f64) -> Self {
        self.target = Some(Target::AtMost(target));
        self
    }

    pub(crate) fn latency(mut self, latency: &Latency) -> Self {
        self.latency_ms = Some((latency.percentile_ms(50), latency.percentile_ms(99)));
        self
    }

    pub(crate) fn note(mut self, note: &str) -> Self {
        note.clone_into(&mut self.note);
        self
    }

    fn ratio(&self) -> Option<f64> {
        self.limit
            .as_ref()
            .map(|(_, limit)| self.value / limit.max(1e-9))
    }

    /// None where there is no target, or the limit was not measured.
    fn passed(&self) -> Option<bool> {
        let held = if self.limit.is_some() && !self.is_of_value {
            self.ratio()?
        } else {
            self.value
        };
        match self.target? {
            Target::AtLeast(least) => Some(held >= least),
            Target::AtMost(most) => Some(held <= most),
        }
    }

    fn target_text(&self) -> String {
        match self.target {
            None => String::new(),
            Some(Target::AtLeast(target)) if self.is_of_value => {
                format!("≥ {} {}", grouped(target), self.unit)
            }
            Some(Target::AtLeast(target)) => format!("≥ {target}"),
            Some(Target::AtMost(target)) => format!("≤ {target}"),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit.as_ref().map(|(name, value)| json!({ "name": name, "value": value })),
            "ratio": self.ratio(),
            "target": self.target.map(|_| self.target_text()),
            "pass": self.passed(),
            "p50_ms": self.latency_ms.map(|(p50, _)| p50),
            "p99_ms": self.latency_ms.map(|(_, p99)| p99),
            "server_us": self.used.map(|used| used.server_us),
            "load_us": self.used.map(|used| used.own_us),
            "note": self.note,
        })
    }
}

/// Everything of one run.
pub(crate) struct Report {
    machine: Machine,
    command: String,
    limits: Vec<Entry>,
    results: Vec<Entry>,
}

impl Report {
    pub(crate) fn start(options: &Options) -> Self {
        let machine = Machine::look();
        println!("{}\n{}", options.command, machine);
        Self {
            machine,
            command: options.command.clone(),
            limits: Vec::new(),
            results: Vec::new(),
        }
    }

    /// Takes what the machine can do.
    pub(crate) fn add_limit(&mut self, entry: Entry) {
        println!("{}", line(&entry));
        self.limits.push(entry);
    }

    /// Takes what the bank does.
    pub(crate) fn add(&mut self, entry: Entry) {
        println!("{}", line(&entry));
        self.results.push(entry);
    }

    /// The value of that name, if it was measured.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        let mut all = self.limits.iter().chain(&self.results);
        all.find(|entry| entry.name == name)
            .map(|entry| entry.value)
    }

    pub(crate) fn all_passed(&self) -> bool {
        self.results
            .iter()
            .all(|entry| entry.passed() != Some(false))
    }

    pub(crate) fn write(&self) -> Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        let path = root.context("no folder of the workspace")?.join(LATEST);
        let list = |entries: &[Entry]| entries.iter().map(Entry::to_json).collect::<Vec<_>>();
        let report = json!({
            "machine": self.machine.to_json(),
            "command": self.command,
            "limits": list(&self.limits),
            "results": list(&self.results),
        });
        std::fs::create_dir_all(path.parent().context("a path with a folder")?)?;
        let text = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("\nwritten: {LATEST}");
        Ok(())
    }

    /// Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("`{}` on {}.\n\n", self.command, self.machine);
        text.push_str("| limit of this machine | value | p50 / p99 | µs each, server + load |\n|---|---:|---:|---:|\n");
        for entry in &self.limits {
            let (value, latency, used) = (amount(entry), latency(entry), used(entry));
            writeln!(text, "| {} | {value} | {latency} | {used} |", named(entry))
                .expect("a string");
        }
        text.push_str("\n| result | value | p50 / p99 | µs each, server + load | held against | ratio | target | |\n");
        text.push_str("|---|---:|---:|---:|---|---:|---:|---|\n");
        for entry in &self.results {
            let limit = entry
                .limit
                .as_ref()
                .map(|(name, _)| format!("`{name}`"))
                .unwrap_or_default();
            let ratio = entry
                .ratio()
                .map(|ratio| format!("{ratio:.2}"))
                .unwrap_or_default();
            let (value, latency, target) = (amount(entry), latency(entry), entry.target_text());
            let verdict = match entry.passed() {
                None => "",
                Some(true) => "met",
                Some(false) => "**missed**",
            };
            let (name, used) = (named(entry), used(entry));
            writeln!(text, "| {name} | {value} | {latency} | {used} | {limit} | {ratio} | {target} | {verdict} |")
                .expect("a string");
        }
        text
    }
}

fn named(entry: &Entry) -> String {
    match entry.note.as_str() {
        "" => format!("`{}`", entry.name),
        note => format!("`{}` {note}", entry.name),
    }
}

fn amount(entry: &Entry) -> String {
    format!("{} {}", grouped(entry.value), entry.unit)
}

fn latency(entry: &Entry) -> String {
    entry
        .latency_ms
        .map(|(p50, p99)| format!("{p50:.2} / {p99:.2} ms"))
        .unwrap_or_default()
}

/// Processor time of each, on both sides.
fn used(entry: &Entry) -> String {
    entry
        .used
        .map(|used| format!("{:.1} + {:.1}", used.server_us, used.own_us))
        .unwrap_or_default()
}

/// Whole numbers in groups of three from a thousand on, two decimals below ten.
fn grouped(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One line while the bench runs.
fn line(entry: &Entry) -> String {
    let mut text = format!(
        "  {:28} {:>14} {}",
        entry.name,
        grouped(entry.value),
        entry.unit
    );
    if let (Some(ratio), Some((name, _))) = (entry.ratio(), &entry.limit) {
        write!(text, "  = {ratio:.2} of {name}").expect("a string");
    }
    if let Some(passed) = entry.passed() {
        let verdict = if passed { "met" } else { "MISSED" };
        write!(text, " ({}: {verdict})", entry.target_text()).expect("a string");
    }
    if entry.latency_ms.is_some() {
        write!(text, "  p50/p99 {}", latency(entry)).expect("a string");
    }
    if entry.used.is_some() {
        write!(text, "  {} µs", used(entry)).expect("a string");
    }
    if !entry.note.is_empty() {
        write!(text, "  {}", entry.note).expect("a string");
    }
    text
}
