//! `creditbank requests`: what learners ask of institutions and of the bank.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use creditbank_client::{Bank, Line};
use creditbank_wire::v1;
use serde_json::{Value, json};

use super::learner;
use crate::connection::{Connection, Key, block_on};
use crate::print;

/// Most requests of a page.
const PAGE: u32 = 200;

/// Read and answer what learners ask: corrections (更正申请) and erasure (注销申请).
#[derive(clap::Args)]
#[command(after_help = "\
An institution sees and answers what concerns the records that it deposited; operators everything. An
answer changes no record: who agrees deposits an amendment or a revocation (`creditbank import`), or
erases the archive (`creditbank learner erase`).

Examples:
  export CREDITBANK_KEY=fudan.key CREDITBANK_BANK=bank.pub
  creditbank requests list --state open
  creditbank requests answer 8f14e45fceea167a5a36dedd4bea2543 --agree --text 已于11月26日更正
  creditbank requests answer 8f14e45fceea167a5a36dedd4bea2543 --decline --text 经核对，成绩无误
  creditbank requests list --learner 1234567890123456 --key bank/operator.key")]
pub(crate) struct Requests {
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
    /// Print requests, newest first.
    List {
        /// Only of this learner. Operators only.
        #[arg(long, value_name = "CODE")]
        learner: Option<String>,
        /// Only in these states, with commas: open, agreed, declined, withdrawn.
        #[arg(long, value_delimiter = ',')]
        state: Vec<String>,
        /// At most so many; 0 means all.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Answer a request, once.
    Answer {
        /// Id of the request, 32 hexadecimal digits.
        request: String,
        /// It is right, and will be done.
        #[arg(long, required_unless_present = "decline", conflicts_with = "decline")]
        agree: bool,
        /// It is not right, or will not be done.
        #[arg(long)]
        decline: bool,
        /// What the learner is told, at most 500 characters.
        #[arg(long)]
        text: String,
    },
}

impl Requests {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            let bank = self.connection.connect(self.caller.required()?).await?;
            match &self.action {
                Action::List {
                    learner,
                    state,
                    limit,
                } => self.list(&bank, learner.as_deref(), state, *limit).await?,
                Action::Answer {
                    request,
                    agree,
                    text,
                    ..
                } => self.answer(&bank, request, *agree, text).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn list(
        &self,
        bank: &Bank,
        learner: Option<&str>,
        states: &[String],
        limit: usize,
    ) -> Result<()> {
        let states = states.iter().map(|name| state(name));
        let mut request = v1::ListRequestsRequest {
            learner: learner.map(learner::code).transpose()?.unwrap_or_default(),
            states: states.collect::<Result<_>>()?,
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut requests = Vec::new();
        loop {
            let send = |line: Line, it| async move { line.requests().list_requests(it).await };
            let page = bank.call(request.clone(), send).await?;
            requests.extend(page.requests);
            request.page_token = page.next_page_token;
            let is_enough = limit > 0 && requests.len() >= limit;
            if request.page_token.is_empty() || is_enough {
                break;
            }
        }
        if limit > 0 {
            requests.truncate(limit);
        }
        if self.json {
            print::json(&requests.iter().map(to_json).collect());
        } else {
            let header = [
                "request", "state", "asked", "learner", "leaf", "text", "answer",
            ];
            print::table(header, &requests.iter().map(to_row).collect::<Vec<_>>());
        }
        Ok(())
    }

    async fn answer(&self, bank: &Bank, id: &str, agree: bool, text: &str) -> Result<()> {
        let request_id = print::from_hex(id).filter(|it| it.len() == 16);
        let request_id = request_id.with_context(|| format!("{id:?} is no id of a request"))?;
        let request = v1::AnswerRequestRequest {
            request_id: request_id.into(),
            agree,
            answer: text.to_owned(),
        };
        let send = |line: Line, it| async move { line.requests().answer_request(it).await };
        let answered = bank.call(request, send).await?;
        if self.json {
            print::json(&to_json(&answered));
        } else {
            print::out(&format!("{id}  {}", state_name(answered.state)));
        }
        Ok(())
    }
}

/// What is asked, and the leaf of the record that it is about.
fn asked(request: &v1::LearnerRequest) -> (String, Option<u64>) {
    use v1::learner_request::Content;
    match &request.content {
        None => (String::new(), None),
        Some(Content::Correction(it)) => (it.text.clone(), Some(it.leaf_index)),
        Some(Content::Erasure(it)) => (
            format!("注销 erasure {}", it.text).trim_end().to_owned(),
            None,
        ),
    }
}

fn to_row(request: &v1::LearnerRequest) -> [String; 7] {
    let (text, leaf) = asked(request);
    [
        print::hex(&request.request_id),
        state_name(request.state),
        print::moment(request.created_at_ms),
        request.learner.clone(),
        print::or_dash(leaf),
        text,
        request.answer.clone(),
    ]
}

fn to_json(request: &v1::LearnerRequest) -> Value {
    use v1::learner_request::Content;
    let content = match &request.content {
        None => Value::Null,
        Some(Content::Correction(it)) => json!({
            "correction": {
                "leaf_index": it.leaf_index,
                "issuer": it.issuer,
                "record_id": print::hex(&it.record_id),
                "text": it.text,
            },
        }),
        Some(Content::Erasure(it)) => json!({ "erasure": { "text": it.text } }),
    };
    json!({
        "request": print::hex(&request.request_id),
        "state": state_name(request.state),
        "learner": request.learner,
        "asked_at": print::moment(request.created_at_ms),
        "content": content,
        "answer": request.answer,
        "answered_at": request.answered_at_ms.map(print::moment),
    })
}

fn state_name(number: i32) -> String {
    let state = v1::RequestState::try_from(number).unwrap_or_default();
    print::word(state.as_str_name(), "REQUEST_STATE_")
}

fn state(name: &str) -> Result<i32> {
    use v1::RequestState::{Agreed, Declined, Open, Withdrawn};
    let states = [Open, Agreed, Declined, Withdrawn].map(i32::from);
    let known = states.into_iter().find(|it| state_name(*it) == name);
    known.with_context(|| format!("no state {name:?}; there are open, agreed, declined, withdrawn"))
}
