//! `creditbank transfer`: outcomes across regions, from the learner's consent to the recognition.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use creditbank_client::recognition::named;
use creditbank_client::transfer::{notice_digest, recall, transfer, transfers};
use creditbank_client::{Bank, ClientError, Line};
use creditbank_domain::record::RecordRef;
use creditbank_domain::transfer::{Purpose, TransferId};
use creditbank_domain::{LeafIndex, LearnerCode};
use creditbank_wire::convert::transfer::step;
use creditbank_wire::v1;
use serde_json::json;

use crate::connection::{Connection, Key, block_on};
use crate::print::{self, Language};
use crate::recognition::{deposit, learner_code, maker, natural_key, wire_code};

/// Transfers a page.
const PAGE: u32 = 500;
/// Records a page, where an outcome is looked for.
const RECORDS: u32 = 1000;
/// How long a command waits for a transfer to come to rest, and how often it looks.
const WAIT: Duration = Duration::from_millis(300);

/// Move the right to use an outcome to another region's bank, with the learner's consent.
#[derive(clap::Args)]
#[command(after_help = "\
学分跨区转移。转出方（保存成果的银行）登记学习者的单独同意，得到一张转移凭条；转入方凭条申请。其余由两家银行
自动完成：预留、放行、核验、签收；成果进入转入方的学习档案后，按通常程序申请认定（creditbank apply）。
The consent names recipient, purpose, programme and kind of data; the notice that the learner was
shown is bound by its digest. It can be withdrawn until the outcome is released, and a released
outcome can be recalled until it is recognised. An outcome serves one purpose once, in all banks.

At the bank that holds the outcome, with the key of a learner agent or gateway:
  creditbank transfer consent 1234567890123456 --outcome 41 --to js.creditbank.example/log \\
    --recipient-learner 6543210987654321 --purpose degree --programme marketing-js \\
    --notice notice.txt
At the bank that is to recognise it:
  creditbank transfer request 6543210987654321 --ticket sh.creditbank.example/log:57:9f3c…:0f1e…
  creditbank transfer show 0f1e2d3c4b5a69788796a5b4c3d2e1f0 --wait 60
  creditbank apply submit 6543210987654321 --rules delta --programme marketing-js --plan

Exit code 0: done; 1: the bank refused; 2: wrong usage; 3: the bank could not be reached.")]
pub(crate) struct Transfer {
    #[command(subcommand)]
    action: Action,
    /// The language of reasons.
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
    /// Record the learner's consent, at the bank that holds the outcome. Prints the ticket.
    Consent(Consenting),
    /// Withdraw a consent, until the outcome is released.
    Withdraw {
        /// The learner's code, 16 digits.
        learner: String,
        /// Leaf of the consent, as its ticket has it.
        consent: u64,
        /// Why, at most 200 characters.
        #[arg(long, default_value = "学习者撤回同意")]
        reason: String,
    },
    /// Ask for an outcome of another bank, at the bank that is to recognise it.
    Request {
        /// The learner's code at this bank, 16 digits.
        learner: String,
        /// What the other bank's window printed: ORIGIN:LEAF:HASH:TRANSFER.
        #[arg(long)]
        ticket: Ticket,
    },
    /// Print a transfer with its steps.
    Show {
        /// The transfer's id, 32 hexadecimal digits.
        id: String,
        /// Wait up to so many seconds until it is not on its way any more.
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        wait: u64,
    },
    /// Print the transfers with a peer bank (operators and auditors).
    List {
        /// The peer bank's id.
        #[arg(long)]
        peer: String,
        /// Only in this state, such as under-review.
        #[arg(long, default_value = "")]
        state: String,
        /// At most so many; 0 means all.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Ask for a released outcome back, before it is recognised.
    Recall {
        /// The transfer's id, 32 hexadecimal digits.
        id: String,
    },
}

/// What a learner consents to.
#[derive(clap::Args)]
struct Consenting {
    /// The learner's code at this bank, 16 digits.
    learner: String,
    /// Leaf of the outcome, as `creditbank archive` prints it.
    #[arg(long, value_name = "LEAF")]
    outcome: u64,
    /// Origin of the recipient's log, as its bank.pub begins.
    #[arg(long, value_name = "ORIGIN")]
    to: String,
    /// The learner's code at the recipient, 16 digits.
    #[arg(long, value_name = "CODE")]
    recipient_learner: String,
    /// What the outcome is to be used for.
    #[arg(long, value_enum)]
    purpose: For,
    /// Programme at the recipient.
    #[arg(long, value_name = "ID")]
    programme: String,
    /// The notice that the learner was shown and has agreed to: recipient, contact, purpose, method, kind of data.
    #[arg(long, value_name = "FILE")]
    notice: PathBuf,
}

/// What an outcome is to be used for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum For {
    /// 学历教育学分.
    Degree,
    /// 非学历教育学分.
    NonDegree,
    /// 职业资格.
    Vocational,
}

impl From<For> for Purpose {
    fn from(purpose: For) -> Self {
        match purpose {
            For::Degree => Self::Degree,
            For::NonDegree => Self::NonDegree,
            For::Vocational => Self::Vocational,
        }
    }
}

/// A consent as another bank names it (转移凭条). Who has it can ask; only the learner whom the consent names is answered.
#[derive(Clone, Debug)]
struct Ticket {
    origin: String,
    consent: RecordRef,
    id: TransferId,
}

impl std::fmt::Display for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hash = print::hex(&self.consent.leaf_hash);
        let (origin, leaf, id) = (&self.origin, self.consent.leaf_index, self.id);
        write!(f, "{origin}:{leaf}:{hash}:{id}")
    }
}

impl FromStr for Ticket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (rest, id) = text.trim().rsplit_once(':')?;
            let (rest, hash) = rest.rsplit_once(':')?;
            let (origin, leaf) = rest.rsplit_once(':')?;
            let leaf_hash = print::from_hex(hash)?.try_into().ok()?;
            let leaf_index = LeafIndex(leaf.parse().ok()?);
            Some(Self {
                origin: origin.to_owned(),
                consent: RecordRef {
                    leaf_index,
                    leaf_hash,
                },
                id: TransferId::parse(id).ok()?,
            })
        };
        parse().ok_or_else(|| {
            "a ticket is ORIGIN:LEAF:HASH:TRANSFER, as `transfer consent` prints it".into()
        })
    }
}

impl Transfer {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            let bank = self.connection.connect(self.caller.required()?).await?;
            self.act(&bank).await?;
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn act(&self, bank: &Bank) -> Result<()> {
        match &self.action {
            Action::Consent(form) => self.consent(bank, form).await,
            Action::Withdraw {
                learner,
                consent,
                reason,
            } => {
                let (learner, target) = (learner_code(learner)?, named(bank, *consent).await?);
                let key = natural_key(&[b"consent withdrawn", &consent.to_be_bytes()]);
                let record = maker(bank)?.revocation(&key, learner, target, reason);
                deposit(&self.connection, bank, record).await?;
                self.say(
                    "已撤回同意",
                    "the consent is withdrawn",
                    json!({ "withdrawn": consent }),
                );
                Ok(())
            }
            Action::Request { learner, ticket } => self.request(bank, learner, ticket).await,
            Action::Show { id, wait } => {
                let id = transfer_id(id)?;
                let mut view = if *wait == 0 {
                    transfer(bank, id).await?
                } else {
                    appeared(bank, id, *wait).await?
                };
                let looking = async {
                    while is_moving(&view) {
                        tokio::time::sleep(WAIT).await;
                        view = transfer(bank, id).await?;
                    }
                    Ok::<_, anyhow::Error>(())
                };
                let looked = tokio::time::timeout(Duration::from_secs(*wait), looking).await;
                looked.unwrap_or(Ok(()))?;
                self.show(&view)
            }
            Action::List { peer, state, limit } => self.list(bank, peer, state, *limit).await,
            Action::Recall { id } => {
                let view = recall(bank, transfer_id(id)?).await?;
                self.show(&view)
            }
        }
    }

    async fn consent(&self, bank: &Bank, form: &Consenting) -> Result<()> {
        let learner = learner_code(&form.learner)?;
        let notice = std::fs::read(&form.notice);
        let notice = notice.with_context(|| format!("cannot read {}", form.notice.display()))?;
        let outcome = named(bank, form.outcome).await?;
        let consent = v1::Consent {
            outcome: Some(v1::RecordRef {
                leaf_index: form.outcome,
                leaf_hash: outcome.leaf_hash.to_vec().into(),
            }),
            category: category_of(bank, learner, form.outcome).await?,
            recipient: form.to.clone(),
            recipient_learner: wire_code(learner_code(&form.recipient_learner)?),
            purpose: Purpose::from(form.purpose) as i32,
            programme: form.programme.clone(),
            notice_sha256: notice_digest(&notice).to_vec().into(),
        };
        let attempt = attempts(bank, learner, &consent).await?;
        let key = natural_key(&[
            b"consent",
            &creditbank_wire::Message::encode_to_vec(&consent),
            &attempt.to_be_bytes(),
        ]);
        let record = maker(bank)?.consent(&key, learner, consent);
        let salt: [u8; 32] = record.salt[..].try_into().context("a salt has 32 bytes")?;
        let placed = deposit(&self.connection, bank, record).await?;
        let consent = named(bank, placed.leaf_index).await?;
        let ticket = Ticket {
            id: TransferId::of(bank.origin(), &consent, &salt),
            origin: bank.origin().to_owned(),
            consent,
        };
        if self.json {
            print::json(&json!({
                "transfer": ticket.id.to_string(),
                "consent": placed.leaf_index,
                "ticket": ticket.to_string(),
                "duplicate": placed.duplicate,
            }));
            return Ok(());
        }
        print::out(&format!("transfer 转移编号  {}", ticket.id));
        print::out(&format!("consent  同意书    leaf {}", placed.leaf_index));
        print::out(&format!("ticket   转移凭条  {ticket}"));
        Ok(())
    }

    async fn request(&self, bank: &Bank, learner: &str, ticket: &Ticket) -> Result<()> {
        let learner = learner_code(learner)?;
        let leaf = ticket.consent.leaf_index.0.to_be_bytes();
        let hash = &ticket.consent.leaf_hash;
        let learners = wire_code(learner);
        let parts: [&[u8]; 5] = [
            b"transfer request",
            learners.as_bytes(),
            ticket.origin.as_bytes(),
            &leaf,
            hash,
        ];
        let key = natural_key(&parts);
        let record = maker(bank)?.transfer_request(
            &key,
            learner,
            &ticket.origin,
            &ticket.consent,
            ticket.id,
        );
        let placed = deposit(&self.connection, bank, record).await?;
        let id = ticket.id.to_string();
        self.say(
            &format!("已申请转移 {id}"),
            &format!("asked for transfer {id}"),
            json!({ "transfer": id, "request": placed.leaf_index, "duplicate": placed.duplicate }),
        );
        Ok(())
    }

    async fn list(&self, bank: &Bank, peer: &str, state: &str, limit: usize) -> Result<()> {
        let mut request = v1::ListTransfersRequest {
            peer: peer.to_owned(),
            state: state.to_owned(),
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut found = Vec::new();
        loop {
            let page = transfers(bank, request.clone()).await?;
            found.extend(page.transfers);
            request.page_token = page.next_page_token;
            let is_enough = limit > 0 && found.len() >= limit;
            if is_enough || request.page_token.is_empty() {
                break;
            }
        }
        found.truncate(if limit == 0 { usize::MAX } else { limit });
        if self.json {
            print::json(&found.iter().map(view_json).collect());
            return Ok(());
        }
        let rows: Vec<_> = found.iter().map(|it| self.row(it)).collect();
        let header = [
            "transfer",
            "side",
            "state",
            "acknowledged",
            "credits",
            "reason",
        ];
        print::table(header, &rows);
        Ok(())
    }

    fn row(&self, view: &v1::TransferView) -> [String; 6] {
        let credited = view
            .steps
            .iter()
            .find_map(|it| match it.step.as_ref()?.step.as_ref()? {
                v1::transfer_step::Step::Recognised(it) => Some(it.credits_hundredths),
                _ => None,
            });
        let reason = match self.language {
            Language::Zh => &view.reason_zh,
            Language::En => &view.reason_en,
        };
        [
            print::hex(&view.transfer_id),
            side(view.side),
            view.state.clone(),
            view.acknowledged.to_string(),
            credited
                .map(|it| print::hundredths(u64::from(it)))
                .unwrap_or_default(),
            reason.clone(),
        ]
    }

    fn show(&self, view: &v1::TransferView) -> Result<()> {
        if self.json {
            print::json(&view_json(view));
            return Ok(());
        }
        let reason = match self.language {
            Language::Zh => &view.reason_zh,
            Language::En => &view.reason_en,
        };
        print::out(&format!(
            "transfer {}  {} with {} as {}",
            print::hex(&view.transfer_id),
            view.state,
            view.peer,
            side(view.side)
        ));
        if !reason.is_empty() {
            print::out(&format!("{} {reason}", view.reason));
        }
        if let Some(record) = view.record {
            print::out(&format!("outcome in the archive: leaf {record}"));
        }
        let row = |it: &v1::TransferStepView| {
            let code = it.step.clone().and_then(|message| step(message).ok());
            [
                print::moment(it.at_ms),
                side(it.by),
                it.sequence.to_string(),
                code.map(|step| step.code().to_owned()).unwrap_or_default(),
                it.leaf_index.to_string(),
            ]
        };
        let rows: Vec<_> = view.steps.iter().map(row).collect();
        print::table(["at", "by", "sequence", "step", "leaf"], &rows);
        Ok(())
    }

    fn say(&self, zh: &str, en: &str, json: serde_json::Value) {
        match (self.json, self.language) {
            (true, _) => print::json(&json),
            (false, Language::Zh) => print::out(zh),
            (false, Language::En) => print::out(en),
        }
    }
}

/// A consent that was withdrawn, or whose transfer came to nothing, may be given again: how often is part of what names it.
async fn attempts(bank: &Bank, learner: LearnerCode, consent: &v1::Consent) -> Result<u64> {
    const ENDED: [&str; 5] = ["refused", "rejected", "declined", "recalled", "reversed"];
    let bytes = creditbank_wire::Message::encode_to_vec(consent);
    let mut same = Vec::new();
    each_record(bank, learner, |record| {
        let payload: v1::Payload = creditbank_wire::Message::decode(&record.payload[..])?;
        if let Some(v1::payload::Content::Consent(it)) = payload.content
            && creditbank_wire::Message::encode_to_vec(&it) == bytes
        {
            same.push((record.leaf_index, record.state(), record.salt.clone()));
        }
        Ok(true)
    })
    .await?;
    let mut ended = 0;
    for (leaf, state, salt) in same {
        let salt: [u8; 32] = salt[..].try_into().context("a salt has 32 bytes")?;
        let id = TransferId::of(bank.origin(), &named(bank, leaf).await?, &salt);
        let view = transfer(bank, id).await.ok();
        let is_over = view.is_some_and(|view| ENDED.contains(&view.state.as_str()));
        ended += u64::from(is_over || state == v1::RecordState::Revoked);
    }
    Ok(ended)
}

/// The category of an outcome in a learner's archive.
async fn category_of(bank: &Bank, learner: LearnerCode, outcome: u64) -> Result<i32> {
    let mut found = None;
    each_record(bank, learner, |record| {
        if record.leaf_index == outcome {
            found = print::outcome_of(&record.payload).map(|it| it.category() as i32);
        }
        Ok(found.is_none())
    })
    .await?;
    match found {
        Some(category) => Ok(category),
        None => bail!("leaf {outcome} is no outcome of this learner"),
    }
}

/// Visits a learner's records, newest first, as long as `visit` says so.
async fn each_record(
    bank: &Bank,
    learner: LearnerCode,
    mut visit: impl FnMut(&v1::ArchiveRecord) -> Result<bool>,
) -> Result<()> {
    let mut request = v1::ListRecordsRequest {
        learner: wire_code(learner),
        page_size: RECORDS,
        ..Default::default()
    };
    loop {
        let send = |line: Line, it| async move { line.archive().list_records(it).await };
        let page = bank.call(request.clone(), send).await?;
        for record in &page.records {
            if !visit(record)? {
                return Ok(());
            }
        }
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        request.page_token = page.next_page_token;
    }
}

/// A transfer once the bank has taken it up: right after a request it may not know it yet.
async fn appeared(bank: &Bank, id: TransferId, seconds: u64) -> Result<v1::TransferView> {
    let looking = async {
        loop {
            match transfer(bank, id).await {
                Err(ClientError::Refused(refused))
                    if refused.code.as_deref() == Some("TRANSFER_UNKNOWN") =>
                {
                    tokio::time::sleep(WAIT).await;
                }
                answer => return answer,
            }
        }
    };
    let looked = tokio::time::timeout(Duration::from_secs(seconds), looking).await;
    Ok(match looked {
        Ok(answer) => answer?,
        Err(_) => transfer(bank, id).await?,
    })
}

/// Whether the banks are still to take a step by themselves: what is under review waits for people.
fn is_moving(view: &v1::TransferView) -> bool {
    let is_waiting = view.state == "under-review";
    !is_waiting && view.state != "refused" && !view.acknowledged
}

fn transfer_id(text: &str) -> Result<TransferId> {
    TransferId::parse(text).with_context(|| format!("{text:?} is no id of a transfer"))
}

fn side(side: i32) -> String {
    match v1::TransferSide::try_from(side) {
        Ok(v1::TransferSide::Origin) => "origin".into(),
        Ok(v1::TransferSide::Receiver) => "receiver".into(),
        _ => "-".into(),
    }
}

fn view_json(view: &v1::TransferView) -> serde_json::Value {
    let step_json = |it: &v1::TransferStepView| {
        let code = it.step.clone().and_then(|message| step(message).ok());
        json!({
            "by": side(it.by),
            "sequence": it.sequence,
            "at": print::moment(it.at_ms),
            "step": code.map(|step| step.code()),
            "leaf": it.leaf_index,
        })
    };
    json!({
        "transfer": print::hex(&view.transfer_id),
        "peer": view.peer,
        "side": side(view.side),
        "state": view.state,
        "acknowledged": view.acknowledged,
        "reason": view.reason,
        "reason_zh": view.reason_zh,
        "reason_en": view.reason_en,
        "record": view.record,
        "request": view.request,
        "steps": view.steps.iter().map(step_json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_reads_as_it_was_printed() {
        let ticket = Ticket {
            origin: "sh.creditbank.example/log".into(),
            consent: RecordRef {
                leaf_index: LeafIndex(57),
                leaf_hash: [0x9f; 32],
            },
            id: TransferId([7; 16]),
        };
        let read: Ticket = ticket.to_string().parse().expect("a ticket");
        assert_eq!((read.id, read.consent), (ticket.id, ticket.consent));
        for wrong in ["", "sh:57", "sh:x:9f", "sh.example:57:9f9f"] {
            assert!(wrong.parse::<Ticket>().is_err(), "{wrong}");
        }
    }
}
