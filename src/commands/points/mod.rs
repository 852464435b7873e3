//! `creditbank points`: what learners have earned, and its redemption.

mod show;

use std::process::ExitCode;

use anyhow::Result;
use creditbank_client::{Bank, points};
use creditbank_wire::v1;
use serde_json::{Value, json};

use crate::connection::{Connection, Key, block_on};
use crate::print::{self, Language, hex};
use crate::recognition::{learner_code, named_set, wire_code};

/// Award points to learners, show them, and redeem them.
#[derive(clap::Args)]
#[command(after_help = "\
Points are a ledger of their own, never mixed with credits. An operator awards what the earning
rules of a published set give for the outcomes of an archive: each outcome earns once, so awarding
again enters only what is new. Points are used up in the order in which they expire. An outcome
that is revoked or amended takes its points back by itself; what was redeemed already is then owed,
and nothing can be redeemed until it has been earned again.

A redemption (兑换) goes reserve, then confirm or cancel. It is named by the counter's own number,
and asking again is always safe: nothing is set aside twice. Gateways, learner agents and operators
show and redeem; only operators award.

Examples:
  export CREDITBANK_KEY=bank/operator.key CREDITBANK_BANK=bank/bank.pub
  creditbank points award 1234567890123456 --rules elder-and-community --validate-only
  creditbank points award 1234567890123456 --rules elder-and-community
  creditbank points show 1234567890123456 --language zh
  creditbank points reserve 1234567890123456 --redemption DH-2026-0001 --points 20 --for 图书一册
  creditbank points confirm 1234567890123456 --redemption DH-2026-0001")]
pub(crate) struct Points {
    #[command(subcommand)]
    action: Action,
    /// The language of messages.
    #[arg(long, global = true, value_enum, default_value = "en")]
    language: Language,
    /// Print JSON, in both languages.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Print balances, lots, honours, open redemptions and the history, newest first.
    Show {
        /// The learner's code.
        learner: String,
        /// The set whose honours are told, by id or hash; that of the last award if not given.
        #[arg(long, value_name = "ID|HASH", default_value = "")]
        rules: String,
        /// At most so many records of the history; 0 means all.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Enter what the learner's outcomes have earned; print what earned nothing, and why. Operators only.
    Award {
        /// The learner's code.
        learner: String,
        /// The set whose earning rules are used, by id or hash; it must be in force.
        #[arg(long, value_name = "ID|HASH")]
        rules: String,
        /// Only say what would be entered.
        #[arg(long)]
        validate_only: bool,
    },
    /// Set points aside for a redemption.
    Reserve {
        #[command(flatten)]
        redemption: Redemption,
        /// How many.
        #[arg(long)]
        points: u32,
        /// What they are redeemed for.
        #[arg(long = "for", value_name = "TEXT")]
        purpose: String,
    },
    /// Say that a redemption took place.
    Confirm {
        #[command(flatten)]
        redemption: Redemption,
    },
    /// Say that a redemption did not take place: the points go back, each with its own last day.
    Cancel {
        #[command(flatten)]
        redemption: Redemption,
    },
}

/// Whose redemption, and which.
#[derive(clap::Args)]
struct Redemption {
    /// The learner's code.
    learner: String,
    /// The counter's own number of the redemption, or the 32 hexadecimal digits that `show` prints.
    #[arg(long, value_name = "NUMBER", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    redemption: String,
}

impl Redemption {
    fn id(&self) -> [u8; 16] {
        let given = print::from_hex(&self.redemption);
        let given = given.and_then(|bytes| bytes.try_into().ok());
        given.unwrap_or_else(|| points::redemption_id(&self.redemption))
    }
}

impl Points {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            let bank = self.connection.connect(self.caller.required()?).await?;
            self.act(&bank).await?;
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn act(&self, bank: &Bank) -> Result<()> {
        match &self.action {
            Action::Show {
                learner,
                rules,
                limit,
            } => {
                let (hash, rule_set) = named_set(rules);
                let request = v1::GetPointsRequest {
                    learner: wire_code(learner_code(learner)?),
                    rule_set_hash: hash.into(),
                    rule_set,
                    ..Default::default()
                };
                let purse = show::whole(bank, request, *limit).await?;
                if self.json {
                    print::json(&show::json(&purse));
                } else {
                    show::print(&purse, self.language);
                }
            }
            Action::Award {
                learner,
                rules,
                validate_only,
            } => {
                let (hash, rule_set) = named_set(rules);
                let request = v1::AwardPointsRequest {
                    learner: wire_code(learner_code(learner)?),
                    rule_set_hash: hash.into(),
                    rule_set,
                    validate_only: *validate_only,
                };
                self.awarded(&points::award(bank, request).await?);
            }
            Action::Reserve {
                redemption: it,
                points,
                purpose,
            } => {
                let learner = learner_code(&it.learner)?;
                let reserved = points::reserve(bank, learner, it.id(), *points, purpose);
                self.redeemed(&reserved.await?);
            }
            Action::Confirm { redemption: it } => {
                let learner = learner_code(&it.learner)?;
                self.redeemed(&points::confirm(bank, learner, it.id()).await?);
            }
            Action::Cancel { redemption: it } => {
                let learner = learner_code(&it.learner)?;
                self.redeemed(&points::cancel(bank, learner, it.id()).await?);
            }
        }
        Ok(())
    }

    fn awarded(&self, it: &v1::AwardPointsResponse) {
        if self.json {
            let withheld = |it: &v1::WithheldPoints| {
                json!({
                    "outcome": it.outcome, "rule": it.rule, "code": it.code,
                    "message": { "zh": it.message_zh, "en": it.message_en },
                })
            };
            return print::json(&json!({
                "movements": it.movements.iter().map(print::movement).collect::<Vec<_>>(),
                "withheld": it.withheld.iter().map(withheld).collect::<Vec<_>>(),
                "available": it.available,
                "owed": it.owed,
                "rule_set_hash": hex(&it.rule_set_hash),
                "leaf_indexes": it.leaf_indexes,
            }));
        }
        for movement in &it.movements {
            print::out(&show::line(movement, self.language));
        }
        for it in &it.withheld {
            let (zh, en) = (it.message_zh.clone(), it.message_en.clone());
            let why = self.language.say(zh, en);
            let (outcome, rule) = (it.outcome, &it.rule);
            let zh = format!("记录 {outcome}（{rule}）：{why}");
            let en = format!("record {outcome} ({rule}): {why}");
            print::out(&self.language.say(zh, en));
        }
        print::out(&self.left(it.available, it.owed));
    }

    fn redeemed(&self, it: &v1::RedemptionResponse) {
        let redemption = it.redemption.clone().unwrap_or_default();
        if self.json {
            let mut told = show::redemption_json(&redemption);
            told["available"] = Value::from(it.available);
            told["owed"] = Value::from(it.owed);
            return print::json(&told);
        }
        print::out(&show::redemption(&redemption, self.language));
        print::out(&self.left(it.available, it.owed));
    }

    fn left(&self, available: u64, owed: u64) -> String {
        let zh = format!("可用 {available} 分，欠 {owed} 分");
        let en = format!("{available} points available, {owed} owed");
        self.language.say(zh, en)
    }
}
