//! Names of institutions. The registry is public and changes seldom, so all of it is kept for some minutes.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use creditbank_client::{Bank, ClientError, Line};
use creditbank_wire::v1;
use tokio::sync::Mutex;

use crate::app::App;
use crate::clock;

/// Institutions of one answer, and answers that are read: names beyond are shown as ids.
const INSTITUTIONS_AT_ONCE: u32 = 1000;
const ANSWERS_MAX: usize = 10;
/// How long what was read is good, and how soon it is read again for an id that it does not have.
const GOOD_MS: u64 = 300_000;
const MISSED_MS: u64 = 10_000;

/// The institutions as they were read last.
#[derive(Debug, Default)]
pub(crate) struct Institutions {
    known: ArcSwap<Names>,
    /// Held by whoever reads the registry again.
    turn: Mutex<()>,
}

/// Names by id.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_id: HashMap<String, String>,
    read_ms: u64,
}

impl Names {
    /// The name of an institution; its id where that is all that is known.
    pub(crate) fn of<'a>(&'a self, id: &'a str) -> &'a str {
        self.by_id.get(id).map_or(id, String::as_str)
    }

    /// Institutions whose name has these characters, by name; one that is called exactly so, or has this id, alone.
    pub(crate) fn search(&self, text: &str, most: usize) -> Vec<(&str, &str)> {
        let text = text.trim();
        if text.is_empty() {
            return Vec::new();
        }
        let exact = self
            .by_id
            .iter()
            .find(|(id, name)| *id == text || *name == text);
        if let Some((id, name)) = exact {
            return vec![(id, name)];
        }
        let lower = text.to_lowercase();
        let mut found: Vec<_> = self
            .by_id
            .iter()
            .filter(|(_, name)| name.to_lowercase().contains(&lower))
            .map(|(id, name)| (id.as_str(), name.as_str()))
            .collect();
        found.sort_unstable_by_key(|(id, name)| (*name, *id));
        found.truncate(most);
        found
    }

    fn is_good_for<'a>(&self, mut ids: impl Iterator<Item = &'a str>, now_ms: u64) -> bool {
        let age_ms = now_ms.saturating_sub(self.read_ms);
        age_ms < MISSED_MS || (age_ms < GOOD_MS && ids.all(|id| self.by_id.contains_key(id)))
    }
}

impl Institutions {
    /// The names of these institutions and of all others. Where the registry cannot be read, what was known before.
    pub(crate) async fn names<'a>(
        &self,
        bank: &Bank,
        ids: impl Iterator<Item = &'a str> + Clone,
    ) -> Arc<Names> {
        let known = self.known.load_full();
        if known.is_good_for(ids.clone(), clock::now_ms()) {
            return known;
        }
        let _turn = self.turn.lock().await;
        let known = self.known.load_full();
        if known.is_good_for(ids, clock::now_ms()) {
            return known;
        }
        match read_registry(bank).await {
            Ok(by_id) => {
                let read_ms = clock::now_ms();
                let names = Arc::new(Names { by_id, read_ms });
                self.known.store(Arc::clone(&names));
                names
            }
            Err(error) => {
                tracing::warn!(%error, "names of institutions cannot be read");
                known
            }
        }
    }
}

async fn read_registry(bank: &Bank) -> Result<HashMap<String, String>, ClientError> {
    let mut by_id = HashMap::new();
    let mut ask = v1::ListInstitutionsRequest {
        page_size: INSTITUTIONS_AT_ONCE,
        page_token: String::new(),
    };
    for _ in 0..ANSWERS_MAX {
        let send = |line: Line, it| async move { line.registry().list_institutions(it).await };
        let answer = bank.call(ask.clone(), send).await?;
        let profiles = answer.institutions.into_iter().filter_map(|it| it.profile);
        by_id.extend(profiles.map(|it| (it.institution_id, it.display_name)));
        if answer.next_page_token.is_empty() {
            break;
        }
        ask.page_token = answer.next_page_token;
    }
    Ok(by_id)
}

impl App {
    /// The names of these institutions and of all others.
    pub(crate) async fn institution_names<'a>(
        &self,
        ids: impl Iterator<Item = &'a str> + Clone,
    ) -> Arc<Names> {
        self.institutions.names(&self.bank, ids).await
    }

    /// An institution with its keys.
    pub(crate) async fn institution(&self, id: &str) -> Result<v1::Institution, ClientError> {
        let ask = v1::GetInstitutionRequest {
            institution_id: id.to_owned(),
        };
        let send = |line: Line, it| async move { line.registry().get_institution(it).await };
        self.bank.call(ask, send).await
    }
}

#[cfg(test)]
mod tests {
    use super::{GOOD_MS, Names};

    fn names() -> Names {
        let pairs = [
            ("fudan", "复旦大学"),
            ("tongji", "同济大学"),
            ("museum", "Shanghai Museum 上海博物馆"),
        ];
        let by_id = pairs.map(|(id, name)| (id.to_owned(), name.to_owned()));
        Names {
            by_id: by_id.into_iter().collect(),
            read_ms: 1_000,
        }
    }

    #[test]
    fn institutions_are_found_by_part_of_their_name() {
        let names = names();
        assert_eq!(names.search("大学", 20).len(), 2);
        assert_eq!(names.search("大学", 1).len(), 1);
        assert_eq!(names.search("museum", 20)[0].0, "museum");
        assert_eq!(names.search("shanghai", 20)[0].0, "museum");
        assert_eq!(names.search(" 复旦大学 ", 20), [("fudan", "复旦大学")]);
        assert!(names.search("  ", 20).is_empty());
        assert_eq!(names.of("nobody"), "nobody");
    }

    #[test]
    fn an_unknown_institution_is_asked_for_again_but_not_at_once() {
        let names = names();
        for (id, now_ms, good) in [
            ("fudan", 2_000, true),
            ("new", 2_000, true),
            ("new", 12_000, false),
            ("fudan", 12_000, true),
            ("fudan", 1_000 + GOOD_MS, false),
        ] {
            assert_eq!(
                names.is_good_for([id].into_iter(), now_ms),
                good,
                "{id} {now_ms}"
            );
        }
    }
}
