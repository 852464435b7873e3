//! What the commands about rule sets, projects and applications share: naming a rule set, putting one signed record into
//! the log, reading applications.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_client::receipt::Verifier;
pub(crate) use creditbank_client::record::natural_key;
use creditbank_client::submit::{Placed, submit_one};
use creditbank_client::{Bank, Line, RecordMaker};
use creditbank_domain::LearnerCode;
use creditbank_domain::rules::RuleSet;
use creditbank_rulebook::{Source, manifest, read};
use creditbank_wire::v1;

use crate::connection::Connection;
use crate::print;

/// Most applications a page.
const PAGE: u32 = 200;
/// How often, and how many times, it is asked whether the bank has decided.
const WAIT: Duration = Duration::from_millis(200);
const WAITS_MAX: u32 = 25;

/// A rule set as people name it: by its hash, or by its id for the version in force.
pub(crate) fn named_set(name: &str) -> (Vec<u8>, String) {
    match print::from_hex(name).filter(|hash| hash.len() == 32) {
        Some(hash) => (hash, String::new()),
        None => (Vec::new(), name.to_owned()),
    }
}

/// A published set with its documents; `date` chooses among the versions of an id, empty is today.
pub(crate) async fn rule_set(bank: &Bank, name: &str, date: &str) -> Result<v1::RuleSet> {
    let (hash, set_id) = named_set(name);
    let request = v1::GetRuleSetRequest {
        hash: hash.into(),
        set_id,
        date: date.to_owned(),
    };
    let send = |line: Line, it| async move { line.rules().get_rule_set(it).await };
    Ok(bank.call(request, send).await?)
}

/// The documents of a published set and what they say, held against the hash that addresses them: the bank is not
/// simply believed.
pub(crate) fn read_set(set: &v1::RuleSet) -> Result<(Vec<Source>, RuleSet)> {
    let source = |file: &v1::RuleFile| Source {
        name: file.name.clone(),
        text: file.text.clone(),
    };
    let sources: Vec<_> = set.documents.iter().map(source).collect();
    ensure!(
        manifest(&sources).hash()[..] == set.hash[..],
        "the documents that the bank gave are not those of {}",
        print::hex(&set.hash)
    );
    match read(sources.clone()) {
        Ok(said) => Ok((sources, said)),
        Err(findings) => {
            let first = findings.first().map(ToString::to_string);
            bail!(
                "this program cannot read the published set: {}",
                first.unwrap_or_default()
            )
        }
    }
}

/// A learner's code, in whatever groups it is written.
pub(crate) fn learner_code(text: &str) -> Result<LearnerCode> {
    LearnerCode::parse(text).with_context(|| format!("{text:?} is no learner code"))
}

/// A learner's code in the one spelling of the wire.
pub(crate) fn wire_code(code: LearnerCode) -> String {
    format!("{:016}", code.as_u64())
}

/// Makes records in the name of whom the connection belongs to.
pub(crate) fn maker(bank: &Bank) -> Result<RecordMaker> {
    Ok(RecordMaker::new(bank.keys().context("who signs?")?))
}

/// Puts a record into the log and, where the bank's public key is known, checks the proof of it.
pub(crate) async fn deposit(
    connection: &Connection,
    bank: &Bank,
    record: v1::SignedRecord,
) -> Result<Placed> {
    let placed = submit_one(bank, record).await?;
    if let Some(keys) = connection.log_keys()? {
        let it = &placed.acknowledgement;
        let verified = Verifier::new(keys).verify_acknowledgement(&it.request, &it.response);
        verified.context("the bank's receipt does not hold")?;
    }
    Ok(placed)
}

/// One application with everything that became of it.
pub(crate) async fn application(bank: &Bank, leaf: u64) -> Result<v1::ApplicationFile> {
    let request = v1::GetApplicationRequest { application: leaf };
    let send = |line: Line, it| async move { line.recognition().get_application(it).await };
    Ok(bank.call(request, send).await?)
}

/// The same, once an application that needs no panel is decided; what takes longer is shown as it stands.
pub(crate) async fn decided(bank: &Bank, leaf: u64) -> Result<v1::ApplicationFile> {
    let mut file = application(bank, leaf).await?;
    for _ in 0..WAITS_MAX {
        let is_automatic = file.due_step == "decide";
        if file.state() != v1::ApplicationState::Submitted || !is_automatic {
            break;
        }
        tokio::time::sleep(WAIT).await;
        file = application(bank, leaf).await?;
    }
    Ok(file)
}

/// Whose application it is; not every institution is told.
pub(crate) fn applicant(file: &v1::ApplicationFile) -> Result<LearnerCode> {
    ensure!(
        !file.learner.is_empty(),
        "the bank does not tell you whose application {} is: none of its outcomes is yours",
        file.application
    );
    learner_code(&file.learner)
}

/// Applications of the work queue, oldest first, at most `limit`; 0 means all.
pub(crate) async fn applications(
    bank: &Bank,
    mut request: v1::ListApplicationsRequest,
    limit: usize,
) -> Result<Vec<v1::ApplicationFile>> {
    let mut found = Vec::new();
    loop {
        request.page_size = PAGE;
        let send = |line: Line, it| async move { line.recognition().list_applications(it).await };
        let page = bank.call(request.clone(), send).await?;
        found.extend(page.applications);
        request.page_token = page.next_page_token;
        let is_enough = limit > 0 && found.len() >= limit;
        if is_enough || request.page_token.is_empty() {
            found.truncate(if limit == 0 { usize::MAX } else { limit });
            return Ok(found);
        }
    }
}

/// States of applications by their names.
pub(crate) fn application_states(names: &[String]) -> Result<Vec<i32>> {
    use v1::ApplicationState as S;
    const ALL: [S; 9] = [
        S::Submitted,
        S::Accepted,
        S::Returned,
        S::Noticed,
        S::Decided,
        S::Appealed,
        S::Closed,
        S::Reversed,
        S::Withdrawn,
    ];
    let name = |state: &S| print::word(state.as_str_name(), "APPLICATION_STATE_");
    let parse = |text: &String| match ALL.iter().find(|state| name(state) == *text) {
        Some(state) => Ok(*state as i32),
        None => bail!(
            "no state {text:?}; there are {}",
            ALL.each_ref().map(name).join(", ")
        ),
    };
    names.iter().map(parse).collect()
}
