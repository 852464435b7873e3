//! Rule sets, simulation, plans, applications; and one record that the learner's agent signs.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use creditbank_client::receipt::Verifier;
use creditbank_client::submit::{Placed, submit_one};
use creditbank_client::{Bank, ClientError, Line, RecordMaker};
use creditbank_wire::v1;
use serde::Deserialize;

use crate::app::App;
use crate::words::Lang;

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

impl Wording {
    /// In this language, else in the other, else the id.
    pub(crate) fn pick(&self, lang: Lang, id: &str) -> String {
        wording(lang, &self.zh, &self.en, id)
    }
}

/// A text in the language, or in the other, or the id.
pub(crate) fn wording(lang: Lang, zh: &str, en: &str, id: &str) -> String {
    let (first, second) = lang.pick((zh, en), (en, zh));
    let mut texts = [first, second, id].into_iter();
    texts
        .find(|it| !it.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// What a set and its things are called: all that a page needs of its documents.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Names {
    /// The set itself.
    #[serde(skip)]
    pub(crate) title: Wording,
    #[serde(skip)]
    pub(crate) version: String,
    /// Unit standards.
    #[serde(rename = "standard")]
    standards: Vec<Named>,
    #[serde(rename = "programme")]
    pub(crate) programmes: Vec<ProgrammeName>,
    #[serde(rename = "rule")]
    rules: Vec<Named>,
    /// Rules by which points are earned.
    #[serde(rename = "earning")]
    earnings: Vec<Named>,
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
    /// Of a set with its documents. A document that cannot be read lends no names; the set still decides as it says.
    fn of(set: v1::RuleSet) -> Self {
        let mut names = Self {
            title: Wording {
                zh: set.title_zh,
                en: set.title_en,
            },
            version: set.version,
            ..Self::default()
        };
        for file in &set.documents {
            let Ok(read) = toml::from_str::<Self>(&file.text) else {
                continue;
            };
            names.programmes.extend(read.programmes);
            names.rules.extend(read.rules);
            names.earnings.extend(read.earnings);
            names.standards.extend(read.standards);
        }
        names
    }

    /// A programme.
    pub(crate) fn programme(&self, id: &str) -> Option<&ProgrammeName> {
        self.programmes.iter().find(|it| it.id == id)
    }

    /// What a programme is called; its id where that is all that is known.
    pub(crate) fn programme_title(&self, lang: Lang, id: &str) -> String {
        let title = self.programme(id).map(|it| &it.title);
        title.map_or_else(|| id.to_owned(), |it| it.pick(lang, id))
    }

    /// What a unit standard is called; its id where that is all that is known.
    pub(crate) fn standard_title(&self, lang: Lang, id: &str) -> String {
        title(&self.standards, lang, id)
    }

    /// What a rule of recognition is called; its id where that is all that is known.
    pub(crate) fn rule_title(&self, lang: Lang, id: &str) -> String {
        title(&self.rules, lang, id)
    }

    /// What a rule of earning is called; its id where that is all that is known.
    pub(crate) fn earning_title(&self, lang: Lang, id: &str) -> String {
        title(&self.earnings, lang, id)
    }
}

fn title(all: &[Named], lang: Lang, id: &str) -> String {
    let found = all.iter().find(|it| it.id == id);
    found.map_or_else(|| id.to_owned(), |it| it.title.pick(lang, id))
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

/// What a published set and its things are called; where that cannot be read, ids stand for names.
pub(crate) async fn names_of(bank: &Bank, hash: &[u8]) -> Arc<Names> {
    if hash.is_empty() {
        return Arc::default();
    }
    if let Some(names) = kept(hash) {
        return names;
    }
    let request = v1::GetRuleSetRequest {
        hash: hash.to_vec().into(),
        ..Default::default()
    };
    let send = |line: Line, it| async move { line.rules().get_rule_set(it).await };
    match bank.call(request, send).await {
        Ok(set) => keep(hash, Names::of(set)),
        Err(error) => {
            tracing::warn!(%error, "the names of a rule set cannot be read");
            Arc::default()
        }
    }
}

/// Names of several sets by their hashes, each read once.
#[derive(Debug, Default)]
pub(crate) struct SetNames(HashMap<Vec<u8>, Arc<Names>>);

impl SetNames {
    /// Of the sets that a page names.
    pub(crate) async fn read(bank: &Bank, hashes: impl Iterator<Item = &[u8]>) -> Self {
        let mut all = HashMap::new();
        for hash in hashes {
            if !all.contains_key(hash) {
                all.insert(hash.to_vec(), names_of(bank, hash).await);
            }
        }
        Self(all)
    }

    /// Of one of them.
    pub(crate) fn of(&self, hash: &[u8]) -> Arc<Names> {
        self.0.get(hash).cloned().unwrap_or_default()
    }
}

fn keep(hash: &[u8], names: Names) -> Arc<Names> {
    let names = Arc::new(names);
    let mut all = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= NAMES_MAX {
        all.clear();
    }
    all.insert(hash.to_vec(), Arc::clone(&names));
    names
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
        let documents = vec![
            file(include_str!(
                "../../../../deploy/rules/elder-and-community/programmes.toml"
            )),
            file(include_str!(
                "../../../../deploy/rules/elder-and-community/classes.toml"
            )),
            file(include_str!(
                "../../../../deploy/rules/elder-and-community/points.toml"
            )),
            file(include_str!(
                "../../../../deploy/rules/elder-and-community/standards.toml"
            )),
            file("this is not TOML"),
        ];
        let names = Names::of(v1::RuleSet {
            documents,
            ..Default::default()
        });
        let programme = names.programme("citizen-certificate").expect("there");
        assert_eq!(programme.title.zh, "市民终身学习证书");
        assert_eq!(programme.kind, "non-degree");
        let rule = names.rule_title(Lang::En, "elder-class");
        assert_eq!(rule, "Elder classes, 16 hours for 1 credit");
        assert_ne!(names.earning_title(Lang::Zh, "walk"), "walk");
        assert_eq!(names.rule_title(Lang::Zh, "none"), "none");
        for (lang, id, title) in [
            (Lang::Zh, "elder-course", "老年教育课程"),
            (Lang::En, "elder-course", "Elder course"),
            (Lang::En, "none", "none"),
        ] {
            assert_eq!(names.standard_title(lang, id), title);
        }
        let half = Wording {
            zh: "甲".to_owned(),
            en: String::new(),
        };
        assert_eq!(half.pick(Lang::En, "a"), "甲");
    }
}
