//! `creditbank standard`: projects of institutions under the unit standards of published rule sets.

mod propose;
mod show;

use std::process::ExitCode;

use anyhow::Result;
use creditbank_client::{Bank, Line};
use creditbank_wire::v1;

use self::propose::Propose;
use self::show::{list, show};
use crate::connection::{Connection, Key, block_on};
use crate::recognition as common;

/// Have projects admitted under unit standards (认证单元): propose, review, decide, suspend.
#[derive(clap::Args)]
#[command(after_help = "\
准入：机构申请，专家评审，运营方决定。Training, community and elder classes, venues, walks and
dual tracks are deposited under an admitted project only, and held against its standard. How many
experts must approve stands in the rule set. Proposals and votes are signed and public.

Examples:
  export CREDITBANK_BANK=bank/bank.pub
  creditbank standard propose piano-2026 --title 钢琴（初级） --category elder-course \\
    --rules elder-and-community --standard elder-course --key college-1.key
  creditbank standard review college-1 piano-2026 --approve --key expert-1.key
  creditbank standard decide college-1 piano-2026 --admit --key bank/operator.key
  creditbank standard suspend college-1 piano-2026 --key bank/operator.key
  creditbank standard list --state proposed

Exit code 0: done; 1: the bank refused; 2: wrong usage; 3: the bank could not be reached.")]
pub(crate) struct Standard {
    #[command(subcommand)]
    action: Action,
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
    Propose(Propose),
    /// Vote on a proposed project, once. Reviewers.
    Review {
        #[command(flatten)]
        which: Which,
        /// For it.
        #[arg(long, required_unless_present = "reject", conflicts_with = "reject")]
        approve: bool,
        /// Against it.
        #[arg(long)]
        reject: bool,
    },
    /// Admit a reviewed project, or refuse it. Operators.
    Decide {
        #[command(flatten)]
        which: Which,
        /// Admit it.
        #[arg(long, required_unless_present = "refuse", conflicts_with = "refuse")]
        admit: bool,
        /// Refuse it; it may be proposed again.
        #[arg(long)]
        refuse: bool,
        /// Last day of completion of its outcomes, 2028-12-31; none if not given.
        #[arg(long, value_name = "DATE", default_value = "")]
        expires_on: String,
    },
    /// Suspend an admitted project: its outcomes cannot be deposited until it is resumed. Operators.
    Suspend {
        #[command(flatten)]
        which: Which,
        /// Take it up again.
        #[arg(long)]
        resume: bool,
    },
    /// Print projects. Needs no key.
    List {
        /// Only of this institution.
        #[arg(long, value_name = "ID", default_value = "")]
        institution: String,
        /// Only in these states, with commas: proposed, admitted, suspended, refused.
        #[arg(long, value_delimiter = ',')]
        state: Vec<String>,
    },
    /// Print a project with its votes. Needs no key.
    Show {
        #[command(flatten)]
        which: Which,
    },
}

/// A project.
#[derive(clap::Args)]
struct Which {
    /// The institution's id.
    institution: String,
    /// The institution's code of the project.
    project: String,
}

impl Standard {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            self.act().await?;
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn act(&self) -> Result<()> {
        match &self.action {
            Action::List { institution, state } => {
                let bank = self.connection.connect_public().await?;
                return list(&bank, institution, state, self.json).await;
            }
            Action::Show { which } => {
                let bank = self.connection.connect_public().await?;
                show(&project(&bank, which).await?, self.json);
                return Ok(());
            }
            _ => {}
        }
        let bank = self.connection.connect(self.caller.required()?).await?;
        let changed = self.change(&bank).await?;
        show(&changed, self.json);
        Ok(())
    }

    async fn change(&self, bank: &Bank) -> Result<v1::Project> {
        match &self.action {
            Action::Propose(propose) => propose.run(&self.connection, bank).await,
            Action::Review { which, approve, .. } => {
                let found = project(bank, which).await?;
                // A project may be proposed again after a refusal, and is then reviewed again.
                let key = common::natural_key(&[
                    b"project review",
                    which.institution.as_bytes(),
                    which.project.as_bytes(),
                    &found.proposed_at.to_be_bytes(),
                    &[u8::from(*approve)],
                ]);
                let review = v1::ProjectReviewed {
                    reviewer: String::new(),
                    institution: which.institution.clone(),
                    project: which.project.clone(),
                    approve: *approve,
                };
                let record = common::maker(bank)?.project_review(&key, review);
                common::deposit(&self.connection, bank, record).await?;
                project(bank, which).await
            }
            Action::Decide {
                which,
                admit,
                expires_on,
                ..
            } => {
                let request = v1::DecideProjectRequest {
                    institution: which.institution.clone(),
                    project: which.project.clone(),
                    admit: *admit,
                    expires_on: expires_on.clone(),
                };
                let send = |line: Line, it| async move { line.rules().decide_project(it).await };
                Ok(bank.call(request, send).await?)
            }
            Action::Suspend { which, resume } => {
                let request = v1::SuspendProjectRequest {
                    institution: which.institution.clone(),
                    project: which.project.clone(),
                    suspended: !resume,
                };
                let send = |line: Line, it| async move { line.rules().suspend_project(it).await };
                Ok(bank.call(request, send).await?)
            }
            Action::List { .. } | Action::Show { .. } => unreachable!("both change nothing"),
        }
    }
}

async fn project(bank: &Bank, which: &Which) -> Result<v1::Project> {
    let request = v1::GetProjectRequest {
        institution: which.institution.clone(),
        project: which.project.clone(),
    };
    let send = |line: Line, it| async move { line.rules().get_project(it).await };
    Ok(bank.call(request, send).await?)
}
