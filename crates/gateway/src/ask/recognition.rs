//! Rule sets, simulation, plans, applications; and one record that the learner's agent signs.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use creditbank_client::receipt::Verifier;
use creditbank_client::submit::{Placed, submit_one};
use creditbank_client::{Bank, ClientError, Line, RecordMaker};
use creditbank_wire::v1;
use serde::Deserialize;

use crate::app::App;

/// Rule sets of a page, and pages asked for.
const SETS_PAGE: u32 = 100;
const SETS_PAGES_MAX: usize = 10;
/// Applications of a page, and pages asked for: a page may be empty before the last.
const APPLICATIONS_PAGE: u32 = 200;
const APPLICATIONS_PAGES_MAX: usize = 50;
/// Applications of one learner that are read.
pub(crate) const APPLICATIONS_MAX: usize = 200;
/// Rule sets whose names are kept in memory.
const NAMES_MAX: usize = 64;

/// A text in both languages; either may be empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wording {
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// What things of a rule set are called: all that a page needs of its documents.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Names {
    #[serde(rename = "programme")]
    pub(crate) programmes: Vec<ProgrammeName>,
    #[serde(rename = "rule")]
    pub(crate) rules: Vec<Named>,
    /// Rules by which points are earned.
    #[serde(rename = "earning")]
    pub(crate) earnings: Vec<Named>,
}

/// An id and its title.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) title: Wording,
}

/// A programme and who awards it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProgrammeName {
    pub(crate) id: String,
    pub(crate) title: Wording,
    /// `degree`, else no degree.
    pub(crate) kind: String,
}

impl Names {
    /// Of the documents of a set. A document that cannot be read lends no names; the set still decides as it says.
    fn of(documents: &[v1::RuleFile]) -> Self {
        let mut names = Self::default();
        for file in documents {
            let Ok(read) = toml::from_str::<Self>(&file.text) else {
                continue;
            };
            names.programmes.extend(read.programmes);
            names.rules.extend(read.rules);
            names.earnings.extend(read.earnings);
        }
        names
    }

    /// A programme.
    pub(crate) fn programme(&self, id: &str) -> Option<&ProgrammeName> {
        self.programmes.iter().find(|it| it.id == id)
    }

    /// What a rule of recognition is called.
    pub(crate) fn rule(&self, id: &str) -> Option<&Wording> {
        let found = self.rules.iter().find(|it| it.id == id);
        found.map(|it| &it.title)
    }

    /// What a rule of earning is called.
    pub(crate) fn earning(&self, id: &str) -> Option<&Wording> {
        let found = self.earnings.iter().find(|it| it.id == id);
        found.map(|it| &it.title)
    }
}

/// Names by the hash of their set. A published set is public and never changes.
static NAMES: LazyLock<Mutex<HashMap<Vec<u8>, Arc<Names>>>> = LazyLock::new(Mutex::default);

/// What is to be used for which programme, under which rules.
#[derive(Debug, Clone)]
pub(crate) struct Aim {
    pub(crate) learner: String,
    /// The version of a set; empty for the one of `rule_set` that is in force.
    pub(crate) hash: Vec<u8>,
    /// Id of the set.
    pub(crate) rule_set: String,
    pub(crate) programme: String,
}

impl App {
    /// Published rule sets, newest first, without documents.
    pub(crate) async fn rule_sets(&self) -> Result<Vec<v1::RuleSet>, ClientError> {
        let mut request = v1::ListRuleSetsRequest {
            page_size: SETS_PAGE,
            ..Default::default()
        };
        let mut found = Vec::new();
        for _ in 0..SETS_PAGES_MAX {
            let send = |line: Line, it| async move { line.rules().list_rule_sets(it).await };
            let page = self.bank.call(request.clone(), send).await?;
            found.extend(page.rule_sets);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        Ok(found)
    }

    /// A published set with its documents: by hash, or by id the version that is in force.
    async fn rule_set(&self, hash: &[u8], set_id: &str) -> Result<v1::RuleSet, ClientError> {
        let request = v1::GetRuleSetRequest {
            hash: hash.to_vec().into(),
            set_id: set_id.to_owned(),
            date: String::new(),
        };
        let send = |line: Line, it| async move { line.rules().get_rule_set(it).await };
        self.bank.call(request, send).await
    }

    /// What things of a set are called.
    pub(crate) async fn names(&self, hash: &[u8]) -> Result<Arc<Names>, ClientError> {
        if let Some(names) = kept(hash) {
            return Ok(names);
        }
        let set = self.rule_set(hash, "").await?;
        let names = Arc::new(Names::of(&set.documents));
        let mut all = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= NAMES_MAX {
            all.clear();
        }
        all.insert(hash.to_vec(), Arc::clone(&names));
        Ok(names)
    }

    /// What uses of outcomes would be granted; none named: everything that the archive offers.
    pub(crate) async fn simulate(
        &self,
        aim: &Aim,
        uses: Vec<v1::Use>,
    ) -> Result<v1::Evaluation, ClientError> {
        let request = v1::SimulateRequest {
            learner: aim.learner.clone(),
            rule_set_hash: aim.hash.clone().into(),
            rule_set: aim.rule_set.clone(),
            programme: aim.programme.clone(),
            uses,
            date: String::new(),
        };
        let send = |line: Line, it| async move { line.recognition().simulate(it).await };
        self.bank.call(request, send).await
    }

    /// The best use of a learner's outcomes: the most credits.
    pub(crate) async fn plan(&self, aim: &Aim) -> Result<v1::PlanResponse, ClientError> {
        let request = v1::PlanRequest {
            learner: aim.learner.clone(),
            rule_set_hash: aim.hash.clone().into(),
            rule_set: aim.rule_set.clone(),
            programme: aim.programme.clone(),
            goal: v1::PlanGoal::Unspecified.into(),
            date: String::new(),
        };
        let send = |line: Line, it| async move { line.recognition().plan(it).await };
        self.bank.call(request, send).await
    }

    /// One application, whoever's it is: pages compare the learner.
    pub(crate) async fn application(&self, leaf: u64) -> Result<v1::ApplicationFile, ClientError> {
        let request = v1::GetApplicationRequest { application: leaf };
        let send = |line: Line, it| async move { line.recognition().get_application(it).await };
        self.bank.call(request, send).await
    }

    /// Applications of a learner, oldest first, at most [`APPLICATIONS_MAX`].
    pub(crate) async fn applications(
        &self,
        learner: &str,
    ) -> Result<Vec<v1::ApplicationFile>, ClientError> {
        let mut request = v1::ListApplicationsRequest {
            learner: learner.to_owned(),
            page_size: APPLICATIONS_PAGE,
            ..Default::default()
        };
        let mut found = Vec::new();
        for _ in 0..APPLICATIONS_PAGES_MAX {
            let send =
                |line: Line, it| async move { line.recognition().list_applications(it).await };
            let page = self.bank.call(request.clone(), send).await?;
            found.extend(page.applications);
            if page.next_page_token.is_empty() || found.len() >= APPLICATIONS_MAX {
                break;
            }
            request.page_token = page.next_page_token;
        }
        found.truncate(APPLICATIONS_MAX);
        Ok(found)
    }

    /// Signs a record with the keys of the learner's agent, puts it into the log, and checks the proof of it.
    pub(crate) async fn deposit(
        &self,
        agent: &Bank,
        make: impl FnOnce(&RecordMaker) -> v1::SignedRecord,
    ) -> Result<Placed, ClientError> {
        let keys = agent.keys().ok_or(ClientError::Configuration(
            "an agent signs with the keys of its connection",
        ))?;
        let placed = submit_one(agent, make(&RecordMaker::new(keys))).await?;
        let it = &placed.acknowledgement;
        let duplicates = it.response.duplicates.iter();
        let receipts = duplicates.filter_map(|it| it.receipt.as_ref());
        let created = it.response.created.iter().map(|it| &it.checkpoint);
        let mut checkpoints = created.chain(receipts.map(|it| &it.checkpoint));
        let checkpoint = checkpoints.next().map_or("", String::as_str);
        let keys = self.log_keys_for(checkpoint).await;
        let verified = Verifier::new(keys).verify_acknowledgement(&it.request, &it.response);
        verified.map_err(|_| ClientError::Contract("the bank's receipt does not hold"))?;
        Ok(placed)
    }
}

fn kept(hash: &[u8]) -> Option<Arc<Names>> {
    let all = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    all.get(hash).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_documents_as_they_are_published() {
        let file = |text: &str| v1::RuleFile {
            name: "a.toml".to_owned(),
            text: text.to_owned(),
        };
        let names = Names::of(&[
            file(include_str!(
                "../../../../deploy/rules/elder-and-community/programmes.toml"
            )),
            file(include_str!(
                "../../../../deploy/rules/elder-and-community/classes.toml"
            )),
            file(include_str!(
                "../../../../deploy/rules/elder-and-community/points.toml"
            )),
            file("this is not TOML"),
        ]);
        let programme = names.programme("citizen-certificate").expect("there");
        assert_eq!(programme.title.zh, "市民终身学习证书");
        assert_eq!(programme.kind, "non-degree");
        let rule = names.rule("elder-class").expect("there");
        assert_eq!(rule.en, "Elder classes, 16 hours for 1 credit");
        assert!(names.earning("walk").is_some());
        assert!(names.rule("none").is_none());
    }
}
