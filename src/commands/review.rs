//! `creditbank review`: the work queue, votes, objections, and the bank's own steps.

use std::process::ExitCode;

use anyhow::Result;
use creditbank_client::recognition::named;
use creditbank_client::{Bank, Line};
use creditbank_wire::v1;

use crate::connection::{Connection, Key, block_on};
use crate::print::{self, Language};
use crate::recognition as common;

/// Look after applications: vote, object, accept, decide.
#[derive(clap::Args)]
#[command(after_help = "\
受理、评审、公示、异议、决定、办结。Reviewers vote, institutions whose outcomes an application
rests on object while it is noticed, operators take the bank's steps: submitted → accept or return
→ votes → notice → decide → close. What is declined is noticed first: `decline` does the one, then
the other. Every step is a signed entry of the log. Time limits and panels are in the rule set.

Examples:
  export CREDITBANK_BANK=bank/bank.pub CREDITBANK_KEY=bank/operator.key
  creditbank review list --overdue
  creditbank review accept 97
  creditbank review vote 97 --approve --reason 内容与层次相当 --key expert-1.key
  creditbank review notice 97
  creditbank review object 97 --reason 该证书已被撤销 --key college-2.key
  creditbank review decide 97
  creditbank review reverse 97 --reason 申诉成立

Exit code 0: done; 1: the bank refused; 2: wrong usage; 3: the bank could not be reached.")]
pub(crate) struct Review {
    #[command(subcommand)]
    action: Action,
    /// The language of explanations.
    #[arg(long, global = true, value_enum, default_value = "zh")]
    language: Language,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Print what is under way, oldest first, with the next step and its last day.
    List {
        /// Only in these states, with commas: submitted, accepted, noticed, decided, appealed, returned, closed,
        /// reversed, withdrawn. The first five if not given.
        #[arg(long, value_delimiter = ',')]
        state: Vec<String>,
        /// Only what is late.
        #[arg(long)]
        overdue: bool,
        /// At most so many; 0 means all.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Print an application with its steps and its decision.
    Show(One),
    /// Vote on an application, once. Reviewers.
    Vote {
        /// Leaf of the application.
        application: u64,
        /// For it.
        #[arg(long, required_unless_present = "reject", conflicts_with = "reject")]
        approve: bool,
        /// Against it.
        #[arg(long)]
        reject: bool,
        /// Why, at most 200 characters.
        #[arg(long)]
        reason: String,
    },
    /// Object to what is noticed. Institutions.
    Object(Reasoned),
    /// Take an application up (受理). Operators.
    Accept(Step),
    /// Return an application to the learner (退回). Operators.
    Return(Reasoned),
    /// Publish for objection what is going to be decided (公示). Operators.
    Notice(Step),
    /// Decide: grant what the evaluation grants (决定). Operators.
    Decide(Step),
    /// Grant nothing (不予认定): first as a notice, then as the decision. Operators.
    Decline(Reasoned),
    /// Close what cannot be appealed against any more, or reject an appeal (办结). Operators.
    Close(Step),
    /// Take a decision back; what it consumed is free again (撤销认定). Operators.
    Reverse(Reasoned),
}

#[derive(clap::Args)]
struct One {
    /// Leaf of the application.
    application: u64,
}

/// A step that explains itself.
#[derive(clap::Args)]
struct Step {
    /// Leaf of the application.
    application: u64,
    /// What to say with it, at most 200 characters.
    #[arg(long)]
    reason: Option<String>,
}

/// A step that needs its reason.
#[derive(clap::Args)]
struct Reasoned {
    /// Leaf of the application.
    application: u64,
    /// Why, at most 200 characters.
    #[arg(long)]
    reason: String,
}

impl Review {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            let bank = self.connection.connect(self.caller.required()?).await?;
            self.act(&bank).await?;
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn act(&self, bank: &Bank) -> Result<()> {
        use v1::ApplicationAction as A;
        let said =
            |it: &Step, default: &str| it.reason.clone().unwrap_or_else(|| default.to_owned());
        let (application, action, reason) = match &self.action {
            Action::List {
                state,
                overdue,
                limit,
            } => return self.list(bank, state, *overdue, *limit).await,
            Action::Show(it) => {
                return self.show(&common::application(bank, it.application).await?);
            }
            Action::Vote {
                application,
                approve,
                reason,
                ..
            } => return self.sign(bank, *application, Some(*approve), reason).await,
            Action::Object(it) => return self.sign(bank, it.application, None, &it.reason).await,
            Action::Accept(it) => (it.application, A::Accept, said(it, "受理")),
            Action::Return(it) => (it.application, A::Return, it.reason.clone()),
            Action::Notice(it) => (it.application, A::Notice, said(it, "公示")),
            Action::Decide(it) => (it.application, A::Decide, said(it, "予以认定")),
            Action::Decline(it) => (it.application, A::Decline, it.reason.clone()),
            Action::Close(it) => (it.application, A::Close, said(it, "办结")),
            Action::Reverse(it) => (it.application, A::Reverse, it.reason.clone()),
        };
        let file = common::application(bank, application).await?;
        let request = v1::AdvanceRequest {
            learner: common::wire_code(common::applicant(&file)?),
            application,
            action: action.into(),
            reason,
        };
        let send = |line: Line, it| async move { line.recognition().advance(it).await };
        self.show(&bank.call(request, send).await?)
    }

    async fn list(
        &self,
        bank: &Bank,
        states: &[String],
        overdue: bool,
        limit: usize,
    ) -> Result<()> {
        use v1::ApplicationState as S;
        let states = match states {
            [] => [
                S::Submitted,
                S::Accepted,
                S::Noticed,
                S::Decided,
                S::Appealed,
            ]
            .map(i32::from)
            .to_vec(),
            names => common::application_states(names)?,
        };
        let request = v1::ListApplicationsRequest {
            states,
            overdue,
            ..Default::default()
        };
        let files = common::applications(bank, request, limit).await?;
        match self.json {
            true => print::applications_json(&files),
            false => print::applications(&files),
        }
        Ok(())
    }

    /// Signs a vote, or an objection.
    async fn sign(
        &self,
        bank: &Bank,
        application: u64,
        vote: Option<bool>,
        reason: &str,
    ) -> Result<()> {
        let file = common::application(bank, application).await?;
        let (learner, target) = (common::applicant(&file)?, named(bank, application).await?);
        let maker = common::maker(bank)?;
        let leaf = application.to_be_bytes();
        let record = match vote {
            Some(approve) => {
                let said = [u8::from(approve)];
                let key = common::natural_key(&[b"review", &leaf, &said, reason.as_bytes()]);
                maker.review(&key, learner, target, approve, reason)
            }
            None => {
                let key = common::natural_key(&[b"objection", &leaf, reason.as_bytes()]);
                maker.objection(&key, learner, target, reason)
            }
        };
        common::deposit(&self.connection, bank, record).await?;
        self.show(&common::application(bank, application).await?)
    }

    fn show(&self, file: &v1::ApplicationFile) -> Result<()> {
        match self.json {
            true => print::json(&print::application_json(file)),
            false => print::application(file, self.language),
        }
        Ok(())
    }
}
