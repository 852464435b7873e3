//! `creditbank learner`: archives and whose they are.

mod account;

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context as _, Result, bail};
use creditbank_client::{Bank, learners};
use creditbank_domain::LearnerCode;
use creditbank_domain::identifier::DocumentKind;
use creditbank_wire::v1;

use self::account::{Account, Printed};
use crate::connection::{Connection, Key, block_on};
use crate::print;
use crate::table::{Options, Table};

/// Enrol and find learners; merge and erase archives; link accounts and print codes for people at a window.
#[derive(clap::Args)]
#[command(after_help = "\
Kinds of documents: resident-id, passport (with --issuer CHN), residence-permit,
hong-kong-macao-permit, taiwan-permit, permanent-resident-id, student-number.

Examples:
  export CREDITBANK_KEY=fudan.key CREDITBANK_BANK=bank.pub
  creditbank learner enrol 319901194505120011 --name 张三
  creditbank learner resolve --file people.csv > codes.csv
  creditbank learner merge 1234567890123456 9876543210987654 --reason 重复建档
  creditbank learner erase 1234567890123456 --key bank/operator.key

At a window, with the key of an operator or of a learner agent:
  creditbank learner link 1234567890123456 --issuer https://id.example --subject 7d1c… --key window.key
  creditbank learner unlink --issuer https://id.example --subject 7d1c… --key window.key
  creditbank learner print-code 1234567890123456 --purpose check-in --days 180 --key window.key")]
pub(crate) struct Learner {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Open an archive for one person, or find the one there is; print its code.
    Enrol {
        /// Number of the document.
        number: String,
        /// Kind of the document.
        #[arg(long, default_value = "resident-id")]
        kind: String,
        /// Country of a passport, institution of a student number.
        #[arg(long, default_value = "")]
        issuer: String,
        /// Name, as in the document.
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Find the codes of many people; prints CSV.
    Resolve {
        /// CSV, XLSX or NDJSON with the column identity_number, and perhaps identity_kind, identity_issuer and
        /// learner_name.
        #[arg(long)]
        file: PathBuf,
        /// Open archives for those who have none.
        #[arg(long)]
        enrol: bool,
    },
    /// Make one archive of two. Operators only.
    Merge {
        /// The code that remains.
        learner: String,
        /// The code that becomes another name of it.
        merged: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Tie an account of an identity provider to a learner, after proof of identity. Operators, learner agents.
    Link {
        /// The learner's code.
        learner: String,
        #[command(flatten)]
        account: Account,
    },
    /// Untie an account. Operators, learner agents.
    Unlink(Account),
    /// Make a code on paper (离线码) for somebody without a phone. Operators, learner agents.
    PrintCode(Printed),
    /// Erase an archive for ever: its key, contents and every entry that names the learner. Operators only.
    Erase {
        /// The learner's code.
        learner: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

impl Learner {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            if let Action::Erase {
                learner,
                yes: false,
            } = &self.action
            {
                confirm(learner)?;
            }
            let bank = self.connection.connect(self.caller.required()?).await?;
            self.act(&bank).await
        })
    }

    async fn act(&self, bank: &Bank) -> Result<ExitCode> {
        match &self.action {
            Action::Enrol {
                number,
                kind,
                issuer,
                name,
            } => {
                let resolved = learners::enrol(bank, request(kind, number, issuer, name)?).await?;
                self.told(
                    &format!(
                        "{}  {}",
                        resolved.learner,
                        if resolved.created { "new" } else { "was there" }
                    ),
                    serde_json::json!({ "learner": resolved.learner, "created": resolved.created }),
                );
            }
            Action::Resolve { file, enrol } => return resolve(bank, file, *enrol).await,
            Action::Merge {
                learner,
                merged,
                reason,
            } => {
                let request = v1::MergeLearnersRequest {
                    learner: code(learner)?,
                    merged_learner: code(merged)?,
                    reason: reason.clone(),
                };
                let answer = bank
                    .call(request, |line, it| async move {
                        line.learner().merge_learners(it).await
                    })
                    .await?;
                let leaf = answer.receipt.map(|receipt| receipt.leaf_index);
                self.told(
                    &format!("merged, leaf {}", print::or_dash(leaf)),
                    serde_json::json!({ "leaf_index": leaf }),
                );
            }
            Action::Link { learner, account } => {
                account.link(bank, learner).await?;
                self.told("linked", serde_json::json!({ "learner": code(learner)? }));
            }
            Action::Unlink(account) => {
                account.unlink(bank).await?;
                self.told("not linked any more", serde_json::json!({}));
            }
            Action::PrintCode(printed) => {
                let (secret, last_day) = printed.make(bank).await?;
                self.told(
                    &account::paper(&secret, &last_day),
                    serde_json::json!({ "code": secret, "last_day": last_day }),
                );
            }
            Action::Erase { learner, .. } => {
                let request = v1::EraseLearnerRequest {
                    learner: code(learner)?,
                };
                let answer = bank
                    .call(request, |line, it| async move {
                        line.learner().erase_learner(it).await
                    })
                    .await?;
                let (leaf, records) = (
                    answer.receipt.map(|receipt| receipt.leaf_index),
                    answer.records_erased,
                );
                self.told(
                    &format!(
                        "erased, {records} records emptied, leaf {}",
                        print::or_dash(leaf)
                    ),
                    serde_json::json!({ "leaf_index": leaf, "records_erased": records }),
                );
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn told(&self, text: &str, json: serde_json::Value) {
        if self.json {
            print::json(&json);
        } else {
            println!("{text}");
        }
    }
}

/// Erasing cannot be undone: the code is to be typed once more.
fn confirm(learner: &str) -> Result<()> {
    eprintln!(
        "This erases the archive {learner} for ever; proofs stay, contents do not. 此操作不可恢复。"
    );
    eprint!("Type the learner code again to go on: ");
    std::io::stderr().flush()?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed)?;
    if LearnerCode::parse(&typed).ok() != Some(LearnerCode::parse(learner)?) {
        bail!("not erased: the codes differ");
    }
    Ok(())
}

/// A code in the one spelling of the wire.
pub(super) fn code(text: &str) -> Result<String> {
    let code = LearnerCode::parse(text).with_context(|| format!("{text:?} is no learner code"))?;
    Ok(format!("{:016}", code.as_u64()))
}

/// An identity document as the command line names it.
pub(super) fn identity(kind: &str, number: &str, issuer: &str) -> Result<v1::Identity> {
    let known = || DocumentKind::ALL.map(DocumentKind::code).join(", ");
    let kind = DocumentKind::parse(if kind.is_empty() { "resident-id" } else { kind })
        .with_context(|| format!("no kind of document {kind:?}; there are {}", known()))?;
    let (kind, number, issuer) = (
        kind.number().cast_signed(),
        number.to_owned(),
        issuer.to_owned(),
    );
    Ok(v1::Identity {
        kind,
        number,
        issuer,
    })
}

fn request(kind: &str, number: &str, issuer: &str, name: &str) -> Result<v1::EnrolLearnerRequest> {
    Ok(v1::EnrolLearnerRequest {
        identity: Some(identity(kind, number, issuer)?),
        name: name.to_owned(),
    })
}

/// Reads a file in chunks, so that its size does not matter; answers come in its order.
async fn resolve(bank: &Bank, file: &Path, enrol: bool) -> Result<ExitCode> {
    const COLUMNS: [&str; 4] = [
        "identity_number",
        "identity_kind",
        "identity_issuer",
        "learner_name",
    ];
    let table = Table::open(
        file,
        &Options::default(),
        &COLUMNS.map(str::to_owned),
        &Arc::new(AtomicU64::new(0)),
    )?;
    let places = COLUMNS.map(|name| table.header.iter().position(|it| it == name));
    if places[0].is_none() {
        bail!(
            "{} needs the column identity_number; it has {}",
            file.display(),
            table.header.join(", ")
        );
    }
    let (sender, mut chunks) = tokio::sync::mpsc::channel(2);
    let reading = tokio::task::spawn_blocking(move || {
        let mut chunk = Vec::new();
        table.for_each(&mut |row| {
            let cell = |place: Option<usize>| {
                place
                    .and_then(|at| row.cells.get(at))
                    .unwrap_or_default()
                    .trim()
            };
            let [number, kind, issuer, name] = places.map(cell);
            chunk.push((
                row.number,
                request(kind, number, issuer, name)
                    .with_context(|| format!("row {}", row.number))?,
            ));
            if chunk.len() == learners::CHUNK_ROWS_MAX {
                sender
                    .blocking_send(std::mem::take(&mut chunk))
                    .context("nobody asks any more")?;
            }
            Ok(())
        })?;
        sender.blocking_send(chunk).context("nobody asks any more")
    });
    let mut output = csv::Writer::from_writer(std::io::stdout().lock());
    output.write_record([
        "row",
        "learner",
        "created",
        "code",
        "message_zh",
        "message_en",
    ])?;
    let mut refused = 0;
    while let Some(chunk) = chunks.recv().await {
        let (numbers, requests): (Vec<u64>, Vec<_>) = chunk.into_iter().unzip();
        for (number, it) in numbers
            .into_iter()
            .zip(learners::resolve(bank, requests, enrol).await?)
        {
            refused += u64::from(!it.code.is_empty());
            let (number, created) = (number.to_string(), it.created.to_string());
            output.write_record([
                &number,
                &it.learner,
                &created,
                &it.code,
                &it.message_zh,
                &it.message_en,
            ])?;
        }
    }
    reading.await??;
    output.flush()?;
    Ok(if refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
