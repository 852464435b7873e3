//! `creditbank reconcile`: closes a month of transfers with a peer bank, and shows what was closed.

mod csv;
mod json;
mod lines;
mod table;
mod words;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use creditbank_client::{Bank, reconciliation};
use creditbank_domain::reconcile::Period;
use creditbank_wire::v1;
use creditbank_wire::v1::reconcile_response::News;

use crate::connection::{Connection, Key, block_on};
use crate::print::{self, Language, hex};

/// Periods a page.
const PAGE: u32 = 500;

/// Close a month of transfers with another region's bank, and print the report.
#[derive(clap::Args)]
#[command(after_help = "\
对账：两家银行各自算出同一个月的对账单（截止时刻为次月一日零时，北京时间），写入各自的账本并签名，再逐项比对。
两份对账单的哈希相同，本期即关账；不同则找出每一处差异，说明类别、挂账金额、处理办法和由谁处理。
已关账的对账期不再更改；迟到的记录在以后的对账期核销差异。容差为零。

Each bank states the month alone and closes it for itself, so both run this command. What differs
is found by comparing ranges of transfer ids: what is moved grows with the differences, not with
the month. Periods are closed in order, each once; asked again, the report of a closed period is
printed. If the other bank's steps have not all arrived, the bank refuses (STEPS_MISSING) until
two days after the cut; --incomplete closes nevertheless, and makes differences of them.

Examples:
  export CREDITBANK_KEY=bank/operator.key CREDITBANK_BANK=bank/bank.pub
  creditbank reconcile --peer js --period 2026-11
  creditbank reconcile --peer js --period 2026-11 --format csv > 2026-11-js.csv
  creditbank reconcile --peer js --period 2026-11 --show --language zh   (also for auditors)
  creditbank reconcile --list                                            (all that was stated)

Exit code 0: both banks agree and nothing is open; 1: differences are open, or the bank refused;
2: wrong usage; 3: the bank could not be reached.")]
pub(crate) struct Reconcile {
    /// The peer bank, by its resource id here (creditbank peer list).
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    peer: Option<String>,
    /// The month: YYYY-MM.
    #[arg(long, value_name = "YYYY-MM", required_unless_present = "list")]
    period: Option<String>,
    /// Close although steps of either bank have not arrived at the other.
    #[arg(long)]
    incomplete: bool,
    /// Only print the report of a period that is closed.
    #[arg(long, conflicts_with_all = ["incomplete", "list"])]
    show: bool,
    /// List the periods that were stated, with a peer or with all.
    #[arg(long, conflicts_with_all = ["incomplete", "period"])]
    list: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// The language of the table.
    #[arg(long, value_enum, default_value = "zh")]
    language: Language,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
}

/// Forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: totals first, then details.
    Table,
    /// For spreadsheets: one row a total and one a difference.
    Csv,
    /// For programs: everything.
    Json,
}

impl Reconcile {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            let bank = self.connection.connect(self.caller.required()?).await?;
            match (&self.peer, &self.period) {
                (peer, _) if self.list => self.list(&bank, peer.as_deref()).await,
                (Some(peer), Some(period)) => self.report(&bank, peer, period).await,
                _ => bail!("say which period, with --peer NAME and --period YYYY-MM"),
            }
        })
    }

    async fn report(&self, bank: &Bank, peer: &str, period: &str) -> Result<ExitCode> {
        Period::parse(period).with_context(|| format!("--period {period} is not YYYY-MM"))?;
        let (peer, period) = (peer.to_owned(), period.to_owned());
        let report = if self.show {
            let request = v1::GetReconciliationRequest { peer, period };
            reconciliation::report(bank, request).await?
        } else {
            let incomplete = self.incomplete;
            let request = v1::ReconcileRequest {
                peer,
                period,
                incomplete,
            };
            self.close(bank, request).await?
        };
        match self.format {
            Format::Table => table::print(&report, self.language)?,
            Format::Csv => csv::print(&report)?,
            Format::Json => print::json(&json::report(&report)),
        }
        let is_clear = report.own_hash == report.their_hash && lines::open(&report).count() == 0;
        Ok(ExitCode::from(u8::from(!is_clear)))
    }

    /// Closes the period, and tells on stderr how far it is.
    async fn close(
        &self,
        bank: &Bank,
        request: v1::ReconcileRequest,
    ) -> Result<v1::ReconciliationReport> {
        let mut answers = reconciliation::reconcile(bank, request).await?;
        let show = std::io::stderr().is_terminal();
        loop {
            let told = answers
                .message()
                .await
                .map_err(creditbank_client::ClientError::from)?;
            let told = told.context("the bank broke off before the period was closed")?;
            match told.news {
                Some(News::Report(report)) => {
                    if show {
                        eprintln!();
                    }
                    return Ok(report);
                }
                Some(News::Progress(progress)) if show => {
                    eprint!("\r{:<60}", words::progress(&progress, self.language));
                    drop(std::io::stderr().flush());
                }
                _ => {}
            }
        }
    }

    async fn list(&self, bank: &Bank, peer: Option<&str>) -> Result<ExitCode> {
        let mut request = v1::ListReconciliationsRequest {
            peer: peer.unwrap_or_default().to_owned(),
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut all = Vec::new();
        loop {
            let page = reconciliation::list(bank, request.clone()).await?;
            all.extend(page.reconciliations);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        if self.format == Format::Json {
            print::json(&all.iter().map(json::summary).collect());
        } else {
            let header = words::list_header(self.language);
            let rows: Vec<_> = all.iter().map(|it| row(it, self.language)).collect();
            print::table(header, &rows);
        }
        let is_open = |it: &v1::ReconciliationSummary| {
            it.closed
                .as_ref()
                .is_some_and(|closed| closed.differences > 0)
        };
        Ok(ExitCode::from(u8::from(all.iter().any(is_open))))
    }
}

fn row(it: &v1::ReconciliationSummary, language: Language) -> [String; 6] {
    let closed = it.closed.as_ref();
    let state = match closed {
        None => words::STATED,
        Some(closed) if closed.own_hash == closed.their_hash => words::AGREED,
        Some(_) => words::DIFFERS,
    };
    let short = |hash: &[u8]| hex(&hash[..hash.len().min(8)]);
    [
        it.peer_origin.clone(),
        it.period.clone(),
        language.say(state.0.to_owned(), state.1.to_owned()),
        closed.map_or_else(String::new, |it| it.differences.to_string()),
        closed.map_or_else(String::new, |it| print::hundredths(it.suspense_hundredths)),
        short(&it.own_hash),
    ]
}
