//! `creditbank rules`: rule documents are checked, tested and compared before an operator publishes them.

mod check;
mod decisions;
mod diff;
mod hash;
mod publish;
mod published;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use creditbank_domain::rules::{RuleSet, Wording};
use creditbank_rulebook::{Example, Finding, Severity, examples, read};
use serde_json::{Value, json};

use crate::connection::{Connection, Key, block_on};
use crate::print::{self, Language};
use crate::rule_documents::load_directory;

/// Check, test, compare and publish rule documents; read published ones.
#[derive(clap::Args)]
#[command(after_help = "\
A rule set is a directory of TOML documents; deploy/rules/README.md explains every key. check,
test, hash and diff of two directories need no bank. Publishing needs the operator's key; a
published version never changes, and is addressed by its hash. Reading needs no key. Exit code 0:
nothing wrong; 1: an error, a failed example, or a refusal of the bank; 2: a directory that cannot
be read; 3: the bank could not be reached.

Examples:
  creditbank rules check deploy/rules/shanghai-open
  creditbank rules test deploy/rules/* --language zh
  creditbank rules diff deploy/rules/shanghai-open ../next-year/shanghai-open
  creditbank rules hash deploy/rules/shanghai-open
  creditbank rules publish deploy/rules/shanghai-open --key bank/operator.key --bank bank/bank.pub
  creditbank rules diff deploy/rules/shanghai-open --in-force
  creditbank rules diff next/shanghai-open --in-force --decisions --key bank/operator.key \
    --bank bank/bank.pub
  creditbank rules show shanghai-open --date 2026-07-01 --directory as-published")]
pub(crate) struct Rules {
    #[command(subcommand)]
    action: Action,
    /// The language of messages.
    #[arg(long, global = true, value_enum, default_value = "en")]
    language: Language,
    /// Print JSON, in both languages.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Find what is wrong with sets: syntax, unknown names, contradictions, what can never apply.
    Check {
        /// The sets' directories.
        #[arg(required = true, value_name = "DIR")]
        directories: Vec<PathBuf>,
    },
    /// Run the worked examples of sets.
    Test {
        /// The sets' directories.
        #[arg(required = true, value_name = "DIR")]
        directories: Vec<PathBuf>,
        /// Explain the decision of every example, not only what differs.
        #[arg(long)]
        explain: bool,
    },
    /// Say in words what changes between two sets.
    Diff {
        /// The directories of the set in force and of the set to come; the latter alone with --in-force.
        #[arg(required = true, num_args = 1..=2, value_name = "DIR")]
        directories: Vec<PathBuf>,
        /// Compare with the version that is in force today at the bank.
        #[arg(long)]
        in_force: bool,
        /// Also have the bank decide again what it has decided under earlier versions, and print what would differ.
        /// Operators and auditors.
        #[arg(long, requires = "in_force")]
        decisions: bool,
    },
    /// Print the hash that a set is published under, and what it is made of.
    Hash {
        /// The set's directory.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Publish a set: from then on applications may name it. Operators.
    Publish {
        /// The set's directory.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Only let the bank check it.
        #[arg(long)]
        validate_only: bool,
    },
    /// Print the published sets, newest first.
    List {
        /// Only versions of this set.
        #[arg(long, value_name = "ID", default_value = "")]
        set: String,
    },
    /// Print a published set: its days, programmes, standards and documents.
    Show {
        /// Its id, or its hash.
        #[arg(value_name = "ID|HASH")]
        set: String,
        /// Of an id the version in force on this day of application; today if not given.
        #[arg(long, value_name = "DATE", default_value = "")]
        date: String,
        /// Write its documents into this directory.
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

/// How results are told.
#[derive(Clone, Copy)]
struct Output {
    language: Language,
    json: bool,
}

impl Rules {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let output = Output {
            language: self.language,
            json: self.json,
        };
        match &self.action {
            Action::Check { directories } => check::run(directories, output),
            Action::Test {
                directories,
                explain,
            } => test::run(directories, *explain, output),
            Action::Diff {
                directories,
                in_force,
                decisions,
            } => match (&directories[..], in_force) {
                ([old, new], false) => diff::run(old, new, output),
                ([new], true) => block_on(async {
                    let bank = match decisions {
                        true => self.connection.connect(self.caller.required()?).await?,
                        false => self.connection.connect_public().await?,
                    };
                    diff::in_force(&bank, new, *decisions, output).await
                }),
                _ => bail!("give two directories, or one and --in-force"),
            },
            Action::Hash { directory } => hash::run(directory, output),
            Action::Publish {
                directory,
                validate_only,
            } => block_on(async {
                let bank = self.connection.connect(self.caller.required()?).await?;
                publish::run(&bank, directory, *validate_only, output).await
            }),
            Action::List { set } => block_on(async {
                let bank = self.connection.connect_public().await?;
                published::list(&bank, set, output).await
            }),
            Action::Show {
                set,
                date,
                directory,
            } => block_on(async {
                let bank = self.connection.connect_public().await?;
                published::show(&bank, set, date, directory.as_deref(), output).await
            }),
        }
    }
}

/// A set and its worked examples, or everything that keeps them from being read.
type Opened = Result<(RuleSet, Vec<Example>), Vec<Finding>>;

/// The set that a directory has.
fn open(directory: &Path) -> Result<Opened> {
    let sources = match load_directory(directory)? {
        Ok(sources) => sources,
        Err(findings) => return Ok(Err(findings)),
    };
    let worked = examples(&sources);
    Ok(match (read(sources), worked) {
        (Ok(set), Ok(worked)) => Ok((set, worked)),
        (set, worked) => {
            let mut findings: Vec<Finding> = [set.err(), worked.err()]
                .into_iter()
                .flatten()
                .flatten()
                .collect();
            findings.sort_by(|a, b| (&a.document, a.line).cmp(&(&b.document, b.line)));
            // Syntax is told by both.
            findings.dedup();
            Err(findings)
        }
    })
}

impl Output {
    /// Tells what keeps a directory from being read.
    fn unreadable(self, directory: &Path, findings: &[Finding]) {
        if self.json {
            print::json(&findings.iter().map(finding_json).collect());
        } else {
            self.findings(directory, findings);
        }
    }

    /// Tells findings, one a line, each with its file.
    fn findings(self, directory: &Path, findings: &[Finding]) {
        for finding in findings {
            let at = match finding.document.as_str() {
                "" => directory.display().to_string(),
                document => format!("{}:{}", directory.join(document).display(), finding.line),
            };
            let severity = match (self.language, finding.severity) {
                (Language::Zh, Severity::Error) => "错误",
                (Language::Zh, Severity::Warning) => "提醒",
                (Language::En, severity) => severity.code(),
            };
            let message = self.language.pick(&finding.message);
            print::out(&format!("{at}: {severity} {}: {message}", finding.code));
        }
    }
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity.code(),
        "code": finding.code,
        "document": finding.document,
        "line": finding.line,
        "message": wording_json(&finding.message),
    })
}

fn wording_json(wording: &Wording) -> Value {
    json!({ "zh": wording.zh, "en": wording.en })
}

/// How many of the findings are errors.
fn errors(findings: &[Finding]) -> usize {
    findings
        .iter()
        .filter(|it| it.severity == Severity::Error)
        .count()
}

fn exit(is_good: bool) -> ExitCode {
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
