//! `creditbank desk`: what a learner shows at a desk, and the desk as pages.

mod serve;

use std::io::BufRead as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use creditbank_client::{Bank, ClientError, Line};
use creditbank_wire::v1;
use serde_json::{Value, json};

use super::learner;
use crate::connection::{Connection, Key, block_on};
use crate::print;

/// Scan learner codes at a desk (扫码办理), or open the desk in a browser.
#[derive(clap::Args)]
#[command(after_help = "\
A learner shows a code on a phone, which serves once, within a minute, for the purpose that the
learner chose, or a printed code together with the identity document. The desk sees what the learner
allowed, no more, and the learner sees that the desk looked. Without CODE a line is read from the
standard input, as USB scanners type it; with --repeat line after line.

Purposes: check-in (签到办理: the learner code), totals (出示累计), records (出示记录).

Examples:
  export CREDITBANK_KEY=museum.key CREDITBANK_BANK=bank.pub
  creditbank desk scan --purpose check-in --repeat
  creditbank desk scan CB1.Rk9P… --purpose totals --json
  creditbank desk scan 7K3M-9QWX-2BTN-5RHE-8FJ1 --purpose check-in --id-number 319901194505120011

Exit code 0: shown; 1: the bank refused, with --repeat any of them; 2: wrong usage; 3: the bank could
not be reached.")]
pub(crate) struct Desk {
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
    /// See what the holder of a code allows.
    Scan(Scan),
    Serve(serve::Serve),
}

#[derive(clap::Args)]
struct Scan {
    /// The code as scanned, or a printed code as typed; read from the standard input if absent.
    code: Option<String>,
    /// What it is shown for: check-in, totals or records.
    #[arg(long)]
    purpose: String,
    /// Read codes until the input ends.
    #[arg(long, conflicts_with = "code")]
    repeat: bool,
    /// Number of the identity document that was presented; needed with a printed code.
    #[arg(long, value_name = "NUMBER", conflicts_with = "repeat")]
    id_number: Option<String>,
    /// Kind of the document.
    #[arg(long, value_name = "KIND", default_value = "resident-id")]
    id_kind: String,
    /// Country of a passport, institution of a student number.
    #[arg(long, value_name = "ISSUER", default_value = "")]
    id_issuer: String,
}

impl Desk {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let scan = match &self.action {
            Action::Scan(scan) => scan,
            Action::Serve(serve) => return serve.run(&self.caller, &self.connection),
        };
        let purpose = purpose(&scan.purpose)?;
        let document = |number: &String| learner::identity(&scan.id_kind, number, &scan.id_issuer);
        let identity = scan.id_number.as_ref().map(document).transpose()?;
        block_on(async {
            let bank = self.connection.connect(self.caller.required()?).await?;
            if scan.repeat {
                return self.all(&bank, purpose).await;
            }
            let code = match &scan.code {
                Some(code) => code.clone(),
                None => line()?.context("no code was scanned")?,
            };
            let seen = redeem(&bank, code, purpose, identity).await?;
            self.show(&seen);
            Ok(ExitCode::SUCCESS)
        })
    }

    /// Scans until the input ends; a code that is refused ends nothing.
    async fn all(&self, bank: &Bank, purpose: v1::DeskPurpose) -> Result<ExitCode> {
        let mut is_well = true;
        while let Some(code) = line()? {
            if code.is_empty() {
                continue;
            }
            match redeem(bank, code, purpose, None).await {
                Ok(seen) => self.show(&seen),
                Err(ClientError::Refused(refused)) if !refused.transient => {
                    is_well = false;
                    self.refused(
                        refused.code.as_deref(),
                        &refused.message_zh,
                        &refused.message_en,
                    );
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(match is_well {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    fn refused(&self, code: Option<&str>, zh: &str, en: &str) {
        if self.json {
            print::json(&json!({ "refused": code, "message_zh": zh, "message_en": en }));
        } else {
            print::out(&format!("✗ {zh}\n  {en}"));
        }
    }

    fn show(&self, seen: &v1::Presented) {
        if self.json {
            return print::json(&to_json(seen));
        }
        let purpose = match seen.purpose() {
            v1::DeskPurpose::Unspecified => "?",
            v1::DeskPurpose::CheckIn => "签到办理 check-in",
            v1::DeskPurpose::Totals => "出示累计 totals",
            v1::DeskPurpose::Records => "出示记录 records",
        };
        let name = match seen.masked_name.as_str() {
            "" => "(无姓名 no name)",
            name => name,
        };
        print::out(format!("✓ {purpose}  {name}  {}", seen.learner).trim_end());
        match seen.purpose() {
            v1::DeskPurpose::Totals => {
                let header = [
                    "类别 category",
                    "条数 records",
                    "学分 credits",
                    "学时 hours",
                ];
                print::table(header, &seen.totals.iter().map(total).collect::<Vec<_>>());
            }
            v1::DeskPurpose::Records => {
                let header = [
                    "完成 completed",
                    "内容 what",
                    "类别 category",
                    "机构 issuer",
                ];
                print::table(header, &seen.records.iter().map(record).collect::<Vec<_>>());
            }
            _ => {}
        }
    }
}

async fn redeem(
    bank: &Bank,
    code: String,
    purpose: v1::DeskPurpose,
    identity: Option<v1::Identity>,
) -> Result<v1::Presented, ClientError> {
    let request = v1::RedeemCodeRequest {
        code,
        purpose: purpose.into(),
        identity,
    };
    let send = |line: Line, it| async move { line.access().redeem_code(it).await };
    bank.call(request, send).await
}

/// The next line of the input; nothing at its end.
fn line() -> Result<Option<String>> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}

/// A purpose by its name.
pub(super) fn purpose(name: &str) -> Result<v1::DeskPurpose> {
    Ok(match name {
        "check-in" => v1::DeskPurpose::CheckIn,
        "totals" => v1::DeskPurpose::Totals,
        "records" => v1::DeskPurpose::Records,
        _ => bail!("no purpose {name:?}; there are check-in, totals, records"),
    })
}

fn total(total: &v1::CategoryTotal) -> [String; 4] {
    [
        print::category(total.category),
        total.records.to_string(),
        print::hundredths(total.credits_hundredths),
        print::hundredths(total.hours_hundredths),
    ]
}

fn record(record: &v1::ArchiveRecord) -> [String; 4] {
    let outcome = print::outcome_of(&record.payload).unwrap_or_default();
    let category = print::category(outcome.category() as i32);
    let what = outcome.achievement.map(|it| it.name).unwrap_or_default();
    [outcome.completed_on, what, category, record.issuer.clone()]
}

fn to_json(seen: &v1::Presented) -> Value {
    let total = |it: &v1::CategoryTotal| {
        let [category, _, credits, hours] = total(it);
        json!({ "category": category, "records": it.records, "credits": credits, "hours": hours })
    };
    let record = |it: &v1::ArchiveRecord| {
        json!({
            "leaf_index": it.leaf_index,
            "issuer": it.issuer,
            "content": print::payload(&it.payload)["content"],
        })
    };
    json!({
        "purpose": print::word(seen.purpose().as_str_name(), "DESK_PURPOSE_"),
        "learner": Some(&seen.learner).filter(|it| !it.is_empty()),
        "masked_name": seen.masked_name,
        "totals": seen.totals.iter().map(total).collect::<Vec<_>>(),
        "records": seen.records.iter().map(record).collect::<Vec<_>>(),
    })
}
