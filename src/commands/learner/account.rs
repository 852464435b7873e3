//! What a window does for a learner who signs in or carries a code on paper.

use anyhow::{Context as _, Result, ensure};
use creditbank_client::{Bank, Line};
use creditbank_domain::outcome::Category;
use creditbank_wire::v1;
use jiff::ToSpan as _;

use super::code;
use crate::clock;
use crate::commands::desk;

/// Most days that a printed code holds.
const PRINTED_DAYS_MAX: u32 = 180;
/// China is eight hours ahead; a code ends with a day.
const AHEAD_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// An account at an identity provider.
#[derive(clap::Args)]
pub(super) struct Account {
    /// Issuer identifier of the identity provider, https://id.example.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The account there, as the provider writes it (`sub`).
    #[arg(long, value_name = "SUB")]
    subject: String,
}

/// What a printed code allows.
#[derive(clap::Args)]
pub(super) struct Printed {
    /// The learner's code.
    learner: String,
    /// What it is for: check-in, totals or records.
    #[arg(long, default_value = "check-in")]
    purpose: String,
    /// With records: only these categories, with commas.
    #[arg(long, value_delimiter = ',')]
    category: Vec<String>,
    /// For how many days, 1 to 180, today included.
    #[arg(long, default_value_t = 90)]
    days: u32,
}

impl Account {
    fn subject(&self) -> Option<v1::Subject> {
        Some(v1::Subject {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
        })
    }

    pub(super) async fn link(&self, bank: &Bank, learner: &str) -> Result<()> {
        let request = v1::LinkSubjectRequest {
            learner: code(learner)?,
            subject: self.subject(),
        };
        let send = |line: Line, it| async move { line.access().link_subject(it).await };
        bank.call(request, send).await?;
        Ok(())
    }

    pub(super) async fn unlink(&self, bank: &Bank) -> Result<()> {
        let request = v1::UnlinkSubjectRequest {
            subject: self.subject(),
        };
        let send = |line: Line, it| async move { line.access().unlink_subject(it).await };
        bank.call(request, send).await?;
        Ok(())
    }
}

impl Printed {
    /// Makes the code; gives it with its last day.
    pub(super) async fn make(&self, bank: &Bank) -> Result<(String, String)> {
        let days = 1..=PRINTED_DAYS_MAX;
        ensure!(
            days.contains(&self.days),
            "--days is 1 to {PRINTED_DAYS_MAX}"
        );
        let category = |code: &String| {
            let category =
                Category::parse(code).with_context(|| format!("no category {code:?}"))?;
            Ok(category.number().cast_signed())
        };
        let first_not = clock::today().checked_add(i64::from(self.days).days())?;
        let epoch = jiff::civil::date(1970, 1, 1);
        let day = i64::from((first_not - epoch).get_days());
        let content = v1::PrintedCode {
            purpose: desk::purpose(&self.purpose)?.into(),
            categories: self.category.iter().map(category).collect::<Result<_>>()?,
        };
        let request = v1::CreateGrantRequest {
            learner: code(&self.learner)?,
            expires_at_ms: u64::try_from(day * DAY_MS - AHEAD_MS)?,
            content: Some(v1::create_grant_request::Content::PrintedCode(content)),
        };
        let send = |line: Line, it| async move { line.access().create_grant(it).await };
        let made = bank.call(request, send).await?;
        Ok((made.secret, first_not.yesterday()?.to_string()))
    }
}

/// What is printed on the paper.
pub(super) fn paper(secret: &str, last_day: &str) -> String {
    format!(
        "{secret}\n有效期至 {last_day}，须与身份证件同时出示。\n\
         Valid until {last_day}, together with the identity document."
    )
}
