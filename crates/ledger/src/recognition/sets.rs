//! Published rule sets, compiled once and kept.

use std::sync::Arc;

use creditbank_domain::catalogue::PublishedSet;
use creditbank_domain::registry::Registry;
use creditbank_domain::rules::Compiled;
use creditbank_domain::{Digest32, Refusal};
use creditbank_rulebook::Source;
use creditbank_store::{Damage, Snapshot, StoreError};
use creditbank_wire::convert::record::canonical;
use creditbank_wire::v1;
use quick_cache::sync::Cache;

use crate::bank::Bank;
use crate::head::Head;

/// Compiled sets kept in memory.
const SETS_CACHED: usize = 64;

/// Compiled rule sets by their hash; a set never changes.
pub(crate) struct Sets(Cache<Digest32, Arc<Compiled>>);

impl Sets {
    pub(crate) fn new() -> Self {
        Self(Cache::new(SETS_CACHED))
    }

    /// A published set, compiled.
    pub(crate) fn get(
        &self,
        snapshot: &Snapshot,
        registry: &Registry,
        hash: &Digest32,
    ) -> Result<Result<Arc<Compiled>, Refusal>, StoreError> {
        if let Some(set) = self.0.get(hash) {
            return Ok(Ok(set));
        }
        let Some(published) = registry.catalogue().set(hash) else {
            return Ok(Err(Refusal::RuleSetUnknown));
        };
        let sources = documents(snapshot, registry, published)?;
        // What was published was read without a fault once; a newer program that reads it otherwise must say so.
        let Ok(set) = creditbank_rulebook::read(sources) else {
            tracing::error!(set = %published.id, version = %published.version, "a published rule set cannot be read");
            return Ok(Err(Refusal::Internal));
        };
        let set = Arc::new(Compiled::new(set));
        self.0.insert(*hash, Arc::clone(&set));
        Ok(Ok(set))
    }
}

/// The documents of a published set, as they were written.
pub(crate) fn documents(
    snapshot: &Snapshot,
    registry: &Registry,
    set: &PublishedSet,
) -> Result<Vec<Source>, StoreError> {
    use v1::statement::Content;
    let damaged = || StoreError::Damaged(Damage::Row("statements"));
    let document = |(name, digest): &(String, Digest32)| {
        let leaf = registry.catalogue().document(digest).ok_or_else(damaged)?;
        let bytes = snapshot.statement(leaf)?.ok_or_else(damaged)?;
        match canonical::<v1::Statement>(&bytes).map(|it| it.content) {
            Ok(Some(Content::RuleDocument(it))) => Ok(Source {
                name: name.clone(),
                text: it.text,
            }),
            _ => Err(damaged()),
        }
    };
    set.documents.iter().map(document).collect()
}

impl Bank {
    /// A published set by its hash, compiled.
    pub(crate) fn rule_set(
        &self,
        head: &Head,
        hash: &Digest32,
    ) -> Result<Result<Arc<Compiled>, Refusal>, StoreError> {
        self.sets().get(&head.snapshot, &head.registry, hash)
    }
}
