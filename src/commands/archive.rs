//! `creditbank archive`: what a learner achieved.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use creditbank_client::Bank;
use creditbank_domain::LearnerCode;
use creditbank_domain::outcome::Category;
use creditbank_wire::v1;

use crate::connection::{Connection, Key, block_on};
use crate::print;

/// Most records a page.
const PAGE: u32 = 1_000;

/// Read a learner's archive, newest first, or its totals.
#[derive(clap::Args)]
#[command(after_help = "\
An institution sees what it deposited itself; gateways, learner agents and operators see all.
States: active, amended, revoked, disputed; with the applications that an outcome is used by.

Examples:
  export CREDITBANK_KEY=fudan.key CREDITBANK_BANK=bank.pub
  creditbank archive 1234567890123456
  creditbank archive 1234567890123456 --category training --from 2024-01-01 --json
  creditbank archive 1234567890123456 --totals")]
pub(crate) struct Archive {
    /// The learner's code, 16 digits, blanks between allowed.
    learner: String,
    /// Counts and sums by category instead of records.
    #[arg(long)]
    totals: bool,
    /// Only these categories, with commas.
    #[arg(long, value_delimiter = ',')]
    category: Vec<String>,
    /// Only these states, with commas.
    #[arg(long, value_delimiter = ',')]
    state: Vec<String>,
    /// Only what this institution deposited.
    #[arg(long, value_name = "ID", default_value = "")]
    issuer: String,
    /// First day of completion, 2024-01-01.
    #[arg(long, value_name = "DATE", default_value = "")]
    from: String,
    /// Last day of completion.
    #[arg(long, value_name = "DATE", default_value = "")]
    to: String,
    /// At most so many records; 0 means all.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
}

impl Archive {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            let code = LearnerCode::parse(&self.learner)
                .with_context(|| format!("{:?} is no learner code", self.learner))?;
            let learner = format!("{:016}", code.as_u64());
            let bank = self.connection.connect(self.caller.required()?).await?;
            if self.totals {
                self.totals(&bank, learner).await?;
            } else {
                self.records(&bank, learner).await?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn totals(&self, bank: &Bank, learner: String) -> Result<()> {
        let request = v1::GetTotalsRequest { learner };
        let totals = bank
            .call(request, |line, it| async move {
                line.archive().get_totals(it).await
            })
            .await?;
        let row = |it: &v1::CategoryTotal| {
            let category = print::category(it.category);
            let (credits, hours) = (
                print::hundredths(it.credits_hundredths),
                print::hundredths(it.hours_hundredths),
            );
            [category, it.records.to_string(), credits, hours]
        };
        let rows: Vec<_> = totals.categories.iter().map(row).collect();
        if self.json {
            let object = |[category, records, credits, hours]: &[String; 4]| serde_json::json!({ "category": category, "records": records, "credits": credits, "hours": hours });
            print::json(&rows.iter().map(object).collect());
        } else {
            print::table(["category", "records", "credits", "hours"], &rows);
        }
        Ok(())
    }

    async fn records(&self, bank: &Bank, learner: String) -> Result<()> {
        let mut request = v1::ListRecordsRequest {
            learner,
            categories: self
                .category
                .iter()
                .map(|code| category(code))
                .collect::<Result<_>>()?,
            states: self
                .state
                .iter()
                .map(|name| state(name))
                .collect::<Result<_>>()?,
            issuer: self.issuer.clone(),
            completed_from: self.from.clone(),
            completed_to: self.to.clone(),
            ..Default::default()
        };
        let mut records = Vec::new();
        loop {
            let left = if self.limit == 0 {
                PAGE
            } else {
                self.limit - records.len() as u32
            };
            request.page_size = left.min(PAGE);
            let page = bank
                .call(request.clone(), |line, it| async move {
                    line.archive().list_records(it).await
                })
                .await?;
            records.extend(page.records);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty()
                || (self.limit > 0 && records.len() >= self.limit as usize)
            {
                break;
            }
        }
        if self.json {
            print::json(&records.iter().map(to_json).collect());
        } else {
            print::table(HEADER, &records.iter().map(to_row).collect::<Vec<_>>());
            if !request.page_token.is_empty() {
                println!("… and more: --limit 0 prints all");
            }
        }
        Ok(())
    }
}

const HEADER: [&str; 9] = [
    "leaf",
    "state",
    "issuer",
    "category",
    "what",
    "credits",
    "hours",
    "grade",
    "completed",
];

fn to_row(record: &v1::ArchiveRecord) -> [String; 9] {
    let state = match &record.used_by[..] {
        [] => state_name(record.state),
        applications => {
            let numbers: Vec<_> = applications.iter().map(u64::to_string).collect();
            format!(
                "{}, used by {}",
                state_name(record.state),
                numbers.join(" ")
            )
        }
    };
    let (leaf, issuer) = (record.leaf_index.to_string(), record.issuer.clone());
    let Some(outcome) = print::outcome_of(&record.payload) else {
        let kind = print::kind(record.kind);
        return [
            leaf,
            state,
            issuer,
            kind,
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ];
    };
    let amount = |amount: Option<u32>| {
        amount
            .map(|it| print::hundredths(u64::from(it)))
            .unwrap_or_default()
    };
    [
        leaf,
        state,
        issuer,
        print::category(outcome.category() as i32),
        outcome
            .achievement
            .as_ref()
            .map(|it| it.name.clone())
            .unwrap_or_default(),
        amount(outcome.credits_hundredths),
        amount(outcome.hours_hundredths),
        print::grade(outcome.grade.as_ref()),
        outcome.completed_on.clone(),
    ]
}

fn to_json(record: &v1::ArchiveRecord) -> serde_json::Value {
    serde_json::json!({
        "leaf_index": record.leaf_index,
        "state": state_name(record.state),
        "issuer": record.issuer,
        "record_id": print::hex(&record.record_id),
        "kind": print::kind(record.kind),
        "deposited_at": print::moment(record.deposited_at_ms),
        "changed_by": record.changed_by,
        "used_by": record.used_by,
        "payload": print::payload(&record.payload),
    })
}

fn category(code: &str) -> Result<i32> {
    let known = || Category::ALL.map(Category::code).join(", ");
    let category = Category::parse(code)
        .with_context(|| format!("no category {code:?}; there are {}", known()))?;
    Ok(category.number().cast_signed())
}

fn state_name(number: i32) -> String {
    print::word(
        v1::RecordState::try_from(number)
            .unwrap_or_default()
            .as_str_name(),
        "RECORD_STATE_",
    )
}

fn state(name: &str) -> Result<i32> {
    let states = [
        v1::RecordState::Active,
        v1::RecordState::Amended,
        v1::RecordState::Revoked,
        v1::RecordState::Disputed,
    ];
    let known = states
        .into_iter()
        .find(|state| state_name(*state as i32) == name);
    Ok(known.with_context(|| {
        format!("no state {name:?}; there are active, amended, revoked, disputed")
    })? as i32)
}
