//! `creditbank apply`: what a learner's outcomes are worth, and applying for it.

mod uses;

use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use creditbank_client::recognition::named;
use creditbank_client::{Bank, Line};
use creditbank_wire::{Message as _, v1};
use serde_json::json;

use self::uses::parse_use;
use crate::connection::{Connection, Key, block_on};
use crate::print::{self, Language};
use crate::recognition as common;

/// See what outcomes are worth for a programme, apply for recognition, appeal, withdraw.
#[derive(clap::Args)]
#[command(after_help = "\
认定与转换：先模拟或规划，再申请。Simulating and planning write nothing and cost the learner
nothing. A rule set is named by its id (the version in force) or by its hash; `creditbank rules
list` prints both, and `rules show` the programmes. Outcomes are named by their leaf, as
`creditbank archive` prints it.

Examples, with the key of a learner agent or gateway:
  export CREDITBANK_KEY=window.key CREDITBANK_BANK=bank.pub
  creditbank apply simulate 1234567890123456 --rules shanghai-open --programme computing
  creditbank apply plan 1234567890123456 --rules shanghai-open --programme computing
  creditbank apply submit 1234567890123456 --rules shanghai-open --programme computing --plan
  creditbank apply submit 1234567890123456 --rules shanghai-open --programme computing \\
    --use r06-ncre-2=41 --use r01-course=17,18:0002
  creditbank apply appeal 97 --reason 成绩有误，见附件

Explanations are in Chinese; --language en prints them in English. Exit code 0: done; 1: the bank
refused; 2: wrong usage; 3: the bank could not be reached.")]
pub(crate) struct Apply {
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
    /// What outcomes would be granted, and why. Writes nothing.
    Simulate {
        #[command(flatten)]
        aim: Aim,
        /// RULE=LEAF,LEAF[:COURSE,COURSE]; may be repeated. Everything that the archive offers if not given.
        #[arg(long = "use", value_name = "USE", value_parser = parse_use)]
        uses: Vec<v1::Use>,
        /// Day of application, 2026-07-01; today if not given.
        #[arg(long, value_name = "DATE", default_value = "")]
        date: String,
    },
    /// The best use of the outcomes, what is missing, and the cheapest next steps. Writes nothing.
    Plan {
        #[command(flatten)]
        aim: Aim,
        /// What is best.
        #[arg(long, value_enum, default_value_t)]
        goal: Goal,
        /// Day of application, 2026-07-01; today if not given.
        #[arg(long, value_name = "DATE", default_value = "")]
        date: String,
    },
    /// Apply for chosen uses, or for what a plan proposes.
    Submit {
        #[command(flatten)]
        aim: Aim,
        /// RULE=LEAF,LEAF[:COURSE,COURSE]; may be repeated.
        #[arg(long = "use", value_name = "USE", value_parser = parse_use, required_unless_present = "plan")]
        uses: Vec<v1::Use>,
        /// Plan, and apply for what the plan proposes.
        #[arg(long, conflicts_with = "uses")]
        plan: bool,
        /// What the plan is after.
        #[arg(long, value_enum, default_value_t, requires = "plan")]
        goal: Goal,
        /// What the applicant adds.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Print an application with its steps, its decision and the explanation.
    Show {
        /// Leaf of the application.
        application: u64,
    },
    /// Print a learner's applications, oldest first.
    List {
        /// The learner's code, 16 digits.
        learner: String,
        /// Only in these states, with commas.
        #[arg(long, value_delimiter = ',')]
        state: Vec<String>,
        /// At most so many; 0 means all.
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Appeal against a decision.
    Appeal {
        /// Leaf of the application.
        application: u64,
        /// Why, at most 200 characters.
        #[arg(long)]
        reason: String,
    },
    /// Withdraw an application that is not decided yet.
    Withdraw {
        /// Leaf of the application.
        application: u64,
        /// Why, at most 200 characters.
        #[arg(long, default_value = "学习者撤回")]
        reason: String,
    },
}

/// Whose outcomes, under which rules, for what.
#[derive(clap::Args)]
struct Aim {
    /// The learner's code, 16 digits, blanks between allowed.
    learner: String,
    /// Rule set, by id or hash.
    #[arg(long, value_name = "ID|HASH")]
    rules: String,
    /// Programme (专业教学计划) of the rule set.
    #[arg(long, value_name = "ID")]
    programme: String,
}

/// What a plan is after.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Goal {
    /// The most credits.
    #[default]
    MostCredits,
    /// Completion with the fewest outcomes spent.
    FewestOutcomes,
}

impl Apply {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            let bank = self.connection.connect(self.caller.required()?).await?;
            self.act(&bank).await?;
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn act(&self, bank: &Bank) -> Result<()> {
        match &self.action {
            Action::Simulate { aim, uses, date } => {
                let evaluation = simulate(bank, aim, uses, date).await?;
                self.told(print::evaluation_json(&evaluation), || {
                    print::evaluation(&evaluation, self.language);
                });
            }
            Action::Plan { aim, goal, date } => {
                let planned = plan(bank, aim, *goal, date).await?;
                self.told(print::plan_json(&planned), || {
                    print::plan(&planned, self.language);
                });
            }
            Action::Submit {
                aim,
                uses,
                plan,
                goal,
                note,
            } => {
                let proposed = propose(bank, aim, uses, plan.then_some(*goal)).await?;
                self.submit(bank, aim, proposed, note).await?;
            }
            Action::Show { application } => self.show(bank, *application).await?,
            Action::List {
                learner,
                state,
                limit,
            } => {
                let request = v1::ListApplicationsRequest {
                    states: common::application_states(state)?,
                    learner: common::wire_code(common::learner_code(learner)?),
                    ..Default::default()
                };
                let files = common::applications(bank, request, *limit).await?;
                match self.json {
                    true => print::applications_json(&files),
                    false => print::applications(&files),
                }
            }
            Action::Appeal {
                application,
                reason,
            }
            | Action::Withdraw {
                application,
                reason,
            } => {
                self.step(bank, *application, reason).await?;
                self.show(bank, *application).await?;
            }
        }
        Ok(())
    }

    fn told(&self, json: serde_json::Value, text: impl FnOnce()) {
        match self.json {
            true => print::json(&json),
            false => text(),
        }
    }

    /// Applies, waits for a decision that needs no panel, and prints what became of it.
    async fn submit(&self, bank: &Bank, aim: &Aim, proposed: Proposed, note: &str) -> Result<()> {
        let learner = common::learner_code(&aim.learner)?;
        let form = v1::Application {
            programme: aim.programme.clone(),
            uses: proposed.uses,
            note: note.to_owned(),
        };
        let set = proposed.evaluation.rule_set_hash.clone();
        let hash = set[..].try_into();
        let Ok(hash) = hash else {
            bail!("the bank gave no rule set's hash");
        };
        let attempt = attempts(bank, &common::wire_code(learner), &set, &form).await?;
        let key = common::natural_key(&[
            b"application",
            common::wire_code(learner).as_bytes(),
            &set,
            &form.encode_to_vec(),
            &attempt.to_be_bytes(),
        ]);
        let record = common::maker(bank)?.application(&key, learner, &hash, form);
        let placed = common::deposit(&self.connection, bank, record).await?;
        let mut file = common::decided(bank, placed.leaf_index).await?;
        file.evaluation.get_or_insert(proposed.evaluation);
        if self.json {
            let mut json = print::application_json(&file);
            json["duplicate"] = json!(placed.duplicate);
            print::json(&json);
            return Ok(());
        }
        if placed.duplicate {
            print::out("applied for this before 此前已经申请");
        }
        print::application(&file, self.language);
        Ok(())
    }

    /// The learner appeals or withdraws.
    async fn step(&self, bank: &Bank, application: u64, reason: &str) -> Result<()> {
        let file = common::application(bank, application).await?;
        let (learner, target) = (common::applicant(&file)?, named(bank, application).await?);
        let maker = common::maker(bank)?;
        let leaf = application.to_be_bytes();
        let record = match self.action {
            Action::Appeal { .. } => {
                let key = common::natural_key(&[b"appeal", &leaf, reason.as_bytes()]);
                maker.appeal(&key, learner, target, reason)
            }
            _ => {
                let key = common::natural_key(&[b"withdrawal", &leaf, reason.as_bytes()]);
                maker.withdrawal(&key, learner, target, reason)
            }
        };
        common::deposit(&self.connection, bank, record).await?;
        Ok(())
    }

    async fn show(&self, bank: &Bank, application: u64) -> Result<()> {
        let file = common::application(bank, application).await?;
        self.told(print::application_json(&file), || {
            print::application(&file, self.language);
        });
        Ok(())
    }
}

/// What is going to be applied for, and what it would be granted.
struct Proposed {
    uses: Vec<v1::Use>,
    evaluation: v1::Evaluation,
}

async fn propose(bank: &Bank, aim: &Aim, uses: &[v1::Use], goal: Option<Goal>) -> Result<Proposed> {
    let Some(goal) = goal else {
        let evaluation = simulate(bank, aim, uses, "").await?;
        let uses = uses.to_vec();
        return Ok(Proposed { uses, evaluation });
    };
    let planned = plan(bank, aim, goal, "").await?;
    ensure!(
        !planned.uses.is_empty(),
        "nothing in the archive can be recognised for this programme now; `apply plan` says what is missing"
    );
    Ok(Proposed {
        uses: planned.uses,
        evaluation: planned.evaluation.unwrap_or_default(),
    })
}

async fn simulate(bank: &Bank, aim: &Aim, uses: &[v1::Use], date: &str) -> Result<v1::Evaluation> {
    let (hash, rule_set) = common::named_set(&aim.rules);
    let request = v1::SimulateRequest {
        learner: common::wire_code(common::learner_code(&aim.learner)?),
        rule_set_hash: hash.into(),
        rule_set,
        programme: aim.programme.clone(),
        uses: uses.to_vec(),
        date: date.to_owned(),
    };
    let send = |line: Line, it| async move { line.recognition().simulate(it).await };
    Ok(bank.call(request, send).await?)
}

async fn plan(bank: &Bank, aim: &Aim, goal: Goal, date: &str) -> Result<v1::PlanResponse> {
    let (hash, rule_set) = common::named_set(&aim.rules);
    let goal = match goal {
        Goal::MostCredits => v1::PlanGoal::Unspecified,
        Goal::FewestOutcomes => v1::PlanGoal::FewestOutcomes,
    };
    let request = v1::PlanRequest {
        learner: common::wire_code(common::learner_code(&aim.learner)?),
        rule_set_hash: hash.into(),
        rule_set,
        programme: aim.programme.clone(),
        goal: goal.into(),
        date: date.to_owned(),
    };
    let send = |line: Line, it| async move { line.recognition().plan(it).await };
    Ok(bank.call(request, send).await?)
}

/// How often this very application was made and is over. A repeat of one that is under way is the same record; after a
/// return, a withdrawal, a reversal or a refusal it is a new one.
async fn attempts(bank: &Bank, learner: &str, set: &[u8], form: &v1::Application) -> Result<u64> {
    use v1::ApplicationState as S;
    let request = v1::ListApplicationsRequest {
        states: [S::Returned, S::Closed, S::Reversed, S::Withdrawn]
            .map(i32::from)
            .to_vec(),
        learner: learner.to_owned(),
        ..Default::default()
    };
    let over = common::applications(bank, request, 0).await?;
    let is_same =
        |file: &&v1::ApplicationFile| file.rule_set_hash == set && file.form.as_ref() == Some(form);
    Ok(over.iter().filter(is_same).count() as u64)
}
