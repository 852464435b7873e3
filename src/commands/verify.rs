//! `creditbank verify`: receipts, offline.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use creditbank_client::receipt::{
    BundleReader, Report, Verified, Verifier, VerifyError, receipt_from_text,
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::connection::read_log_keys;
use crate::print;
use crate::public_keys::PublicKeys;

/// What the text of a single receipt begins with.
const TEXT_BEGINS: &str = "c2sp.org/tlog-proof@";
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// Check a receipt, or a whole receipts file, without asking anybody.
#[derive(clap::Args)]
#[command(after_help = "\
Steps: canonical form; root of the batch; signature of the issuer (with --issuer-keys); checkpoint
of the bank; inclusion in the log. The first that fails is named, with the place and why.
逐步核验：格式规范、批次树根、签发机构签名（需 --issuer-keys）、学分银行检查点签名、账本包含证明。

Examples:
  creditbank verify receipt.txt --bank bank.pub
  creditbank verify results.csv.receipts --bank bank.pub --issuer-keys fudan.key.pub

A bank that has replaced the key of its log publishes a newer bank.pub: see `creditbank keys accept`.
Exit code 0: everything holds; 1: something does not; 2: a file cannot be read.")]
pub(crate) struct Verify {
    /// A receipt text, or a receipts file.
    file: PathBuf,
    /// The public keys of the bank's log (bank.pub).
    #[arg(long, env = "CREDITBANK_BANK", value_name = "FILE")]
    bank: PathBuf,
    /// Public keys of issuers, as `creditbank keygen` writes them: their signatures are checked too.
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    issuer_keys: Vec<PathBuf>,
    /// No progress on stderr.
    #[arg(long)]
    quiet: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// What was found.
struct Found {
    records: u64,
    /// The record of a single receipt.
    about: Option<String>,
    /// The steps of the failure, or of the last part.
    report: Option<Report>,
    failure: Option<String>,
}

impl Verify {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let mut verifier = Verifier::new(read_log_keys(&self.bank)?);
        for path in &self.issuer_keys {
            let keys = PublicKeys::read(path)?;
            // The first is the one that signs records.
            for key in keys.messages()?.iter().take(1) {
                verifier
                    .add_issuer(keys.institution()?.as_str(), key)
                    .with_context(|| format!("in {}", path.display()))?;
            }
        }
        let what = || format!("cannot read {}", self.file.display());
        let mut file = File::open(&self.file).with_context(what)?;
        let mut head = Vec::new();
        file.by_ref()
            .take(TEXT_BEGINS.len() as u64)
            .read_to_end(&mut head)
            .with_context(what)?;
        // Put back what was read: the file may be a pipe.
        let bytes = Cursor::new(head.clone()).chain(file);
        let found = if head == TEXT_BEGINS.as_bytes() {
            let mut text = String::new();
            bytes
                .take(TEXT_BYTES_MAX)
                .read_to_string(&mut text)
                .with_context(what)?;
            one(&mut verifier, &text)
        } else {
            self.all(&mut verifier, bytes)?
        };
        self.tell(&found);
        Ok(if found.failure.is_none() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// Bundle after bundle, with memory for one.
    fn all(&self, verifier: &mut Verifier, file: impl Read) -> Result<Found> {
        let bar = bar(&self.file, self.quiet)?;
        let mut reader = BundleReader::new(BufReader::with_capacity(1 << 20, file));
        let mut found = Found {
            records: 0,
            about: None,
            report: None,
            failure: None,
        };
        for number in 1.. {
            let before = reader.good_bytes();
            let Some(bundle) = reader.next() else { break };
            let outcome = match bundle {
                Ok(bundle) => verifier
                    .verify_bundle(&bundle)
                    .map_err(|error| (error, bundle.issuer)),
                Err(error) => {
                    found.failure = Some(format!("bundle {number}, at byte {before}: {error}"));
                    break;
                }
            };
            match outcome {
                Ok(verified) => found.add(verified),
                Err((error, issuer)) => {
                    let place = format!(
                        "bundle {number} of {issuer}, at byte {before}, after {} records",
                        found.records
                    );
                    found.fail(&place, error);
                    break;
                }
            }
            bar.set_position(reader.good_bytes());
            bar.set_message(format!("{} records", found.records));
        }
        bar.finish_and_clear();
        if found.records == 0 && found.failure.is_none() {
            found.failure = Some("it holds no receipt".to_owned());
        }
        Ok(found)
    }

    fn tell(&self, found: &Found) {
        if self.json {
            let steps: serde_json::Map<_, _> = found
                .report
                .iter()
                .flat_map(Report::steps)
                .map(|(step, result)| (step.to_string(), result.to_string().into()))
                .collect();
            let (records, failure) = (found.records, &found.failure);
            return print::json(
                &serde_json::json!({ "records": records, "failure": failure, "steps": steps }),
            );
        }
        if let Some(about) = &found.about {
            println!("{about}");
        }
        for (step, result) in found.report.iter().flat_map(Report::steps) {
            println!("{:<30}  {result}  {}", step.to_string(), step.label_zh());
        }
        match &found.failure {
            None => println!("{} records verified 核验通过", found.records),
            Some(failure) => println!("NOT VERIFIED 核验不通过: {failure}"),
        }
    }
}

impl Found {
    fn add(&mut self, verified: Verified) {
        self.records += verified.records.len() as u64;
        self.report = Some(verified.report);
    }

    fn fail(&mut self, place: &str, error: VerifyError) {
        self.failure = Some(format!("{place}: {error}"));
        self.report = Some(*error.report);
    }
}

fn one(verifier: &mut Verifier, text: &str) -> Found {
    let mut found = Found {
        records: 0,
        about: None,
        report: None,
        failure: None,
    };
    match receipt_from_text(text) {
        Err(error) => found.failure = Some(format!("not a receipt: {error}")),
        Ok(receipt) => match verifier.verify_receipt(&receipt, None) {
            Ok(verified) => {
                found.about = verified.records.first().map(|record| {
                    let (leaf, issuer, id) = (record.leaf_index, &record.issuer, record.record_id);
                    format!(
                        "leaf {leaf}: record {id} of {issuer}, deposited {}",
                        print::moment(record.deposited_at_ms)
                    )
                });
                found.add(verified);
            }
            Err(error) => found.fail(&format!("leaf {}", receipt.leaf_index), error),
        },
    }
    found
}

fn bar(file: &Path, quiet: bool) -> Result<ProgressBar> {
    if quiet {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {eta} left")?;
    Ok(ProgressBar::new(std::fs::metadata(file)?.len()).with_style(style))
}
