//! `creditbank submission`: what an institution deposited.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use creditbank_client::Bank;
use creditbank_client::receipt::receipt_text;
use creditbank_domain::RecordId;
use creditbank_wire::v1;

use crate::connection::{Connection, Key, block_on};
use crate::print;

/// Most records a page.
const PAGE: u32 = 1_000;

/// Read back what an institution deposited.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  creditbank submission list --limit 50 --key fudan.key --bank bank.pub
  creditbank submission get 0123456789abcdef0123456789abcdef --key fudan.key --bank bank.pub")]
pub(crate) struct Submission {
    #[command(subcommand)]
    action: Action,
    /// Whose; the caller's own if not given. Only operators and auditors may name another.
    #[arg(long, global = true, value_name = "ID", default_value = "")]
    issuer: String,
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
    /// Print records, newest first.
    List {
        /// At most so many; 0 means all.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Print one record with what it says and its receipt.
    Get {
        /// Its id, 32 hexadecimal digits.
        record_id: String,
    },
}

impl Submission {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            let bank = self.connection.connect(self.caller.required()?).await?;
            match &self.action {
                Action::List { limit } => self.list(&bank, *limit).await?,
                Action::Get { record_id } => self.get(&bank, record_id).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    /// Prints page after page: an institution may have millions.
    async fn list(&self, bank: &Bank, limit: u32) -> Result<()> {
        let mut page_token = String::new();
        let mut left = if limit == 0 { u32::MAX } else { limit };
        loop {
            let request = v1::ListSubmissionsRequest {
                issuer: self.issuer.clone(),
                page_size: left.min(PAGE),
                page_token,
            };
            let page = bank
                .call(request, |line, it| async move {
                    line.submission().list_submissions(it).await
                })
                .await?;
            for it in &page.submissions {
                if self.json {
                    print::out(&to_json(it).to_string());
                } else {
                    let (leaf, id, kind) = (
                        it.leaf_index,
                        print::hex(&it.record_id),
                        print::kind(it.kind),
                    );
                    let deposited = print::moment(it.deposited_at_ms);
                    print::out(&format!("{leaf:>12}  {id}  {kind:<12}  {deposited}"));
                }
            }
            left = left.saturating_sub(page.submissions.len() as u32);
            page_token = page.next_page_token;
            if page_token.is_empty() || left == 0 {
                return Ok(());
            }
        }
    }

    async fn get(&self, bank: &Bank, record_id: &str) -> Result<()> {
        let id = RecordId::parse(record_id)
            .with_context(|| format!("{record_id:?} is no id of a record"))?;
        let request = v1::GetSubmissionRequest {
            issuer: self.issuer.clone(),
            record_id: id.as_bytes().to_vec().into(),
        };
        let found = bank
            .call(request, |line, it| async move {
                line.submission().get_submission(it).await
            })
            .await?;
        if self.json {
            print::json(&to_json(&found));
            return Ok(());
        }
        println!("record     {}", print::hex(&found.record_id));
        println!("leaf       {}", found.leaf_index);
        println!("kind       {}", print::kind(found.kind));
        println!("deposited  {}", print::moment(found.deposited_at_ms));
        println!("payload    {:#}", print::payload(&found.payload));
        if let Some(receipt) = &found.receipt {
            let text = receipt_text(receipt)
                .ok()
                .context("the bank's receipt is malformed")?;
            println!("receipt\n{text}");
        }
        Ok(())
    }
}

fn to_json(submission: &v1::Submission) -> serde_json::Value {
    serde_json::json!({
        "record_id": print::hex(&submission.record_id),
        "leaf_index": submission.leaf_index,
        "kind": print::kind(submission.kind),
        "deposited_at": print::moment(submission.deposited_at_ms),
        "payload": print::payload(&submission.payload),
        "receipt": submission.receipt.as_ref().and_then(|receipt| receipt_text(receipt).ok()),
    })
}
