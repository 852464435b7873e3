//! From identities to learner codes, with a bounded memory of those that were asked for.

use std::collections::{HashMap, HashSet};

use creditbank_client::{Bank, ClientError, learners};
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;

use crate::mapping::{Identity, Learner};
use crate::table::Reject;

/// The most learners remembered, in two generations.
const REMEMBERED_MAX: usize = 200_000;

/// What is known of an identity.
type Known = Result<LearnerCode, Reject>;

/// Remembers codes in two generations: when the young one is full it becomes the old one, and the old one is forgotten.
#[derive(Default)]
pub(super) struct Cache {
    young: HashMap<String, LearnerCode>,
    old: HashMap<String, LearnerCode>,
}

impl Cache {
    pub(super) fn code(&mut self, key: &str) -> Option<LearnerCode> {
        if let Some(code) = self.young.get(key) {
            return Some(*code);
        }
        let (key, code) = self.old.remove_entry(key)?;
        self.remember(key, code);
        Some(code)
    }

    pub(super) fn remember(&mut self, key: String, code: LearnerCode) {
        if self.young.len() >= REMEMBERED_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, code);
    }
}

/// The codes of many rows, in their order; learners that the bank does not know are enrolled.
pub(super) async fn resolve(
    bank: &Bank,
    cache: &std::sync::Mutex<Cache>,
    rows: &[&Learner],
) -> Result<Vec<Known>, ClientError> {
    let mut codes: HashMap<&str, Known> = HashMap::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut missing: Vec<&Identity> = Vec::new();
    {
        let mut cache = cache.lock().expect("no holder of this lock panics");
        for row in rows {
            let Learner::Identity(identity) = row else {
                continue;
            };
            if !seen.insert(identity.key.as_str()) {
                continue;
            }
            match cache.code(&identity.key) {
                Some(code) => drop(codes.insert(&identity.key, Ok(code))),
                None => missing.push(identity),
            }
        }
    }
    let results = if missing.is_empty() {
        Vec::new()
    } else {
        learners::resolve(bank, missing.iter().map(|it| request(it)).collect(), true).await?
    };
    if results.len() != missing.len() {
        return Err(ClientError::Contract("other than one result an identity"));
    }
    let mut cache = cache.lock().expect("no holder of this lock panics");
    for (identity, result) in missing.into_iter().zip(results) {
        let known = known(result)?;
        if let Ok(code) = &known {
            cache.remember(identity.key.clone(), *code);
        }
        codes.insert(&identity.key, known);
    }
    let code = |learner: &&Learner| match learner {
        Learner::Code(code) => Ok(*code),
        Learner::Identity(identity) => codes[identity.key.as_str()].clone(),
    };
    Ok(rows.iter().map(code).collect())
}

fn known(result: v1::ResolveResult) -> Result<Known, ClientError> {
    if result.code.is_empty() {
        let code = LearnerCode::parse(&result.learner);
        return code
            .map(Ok)
            .map_err(|_| ClientError::Contract("a learner without a code"));
    }
    let field = match result.field.rsplit('.').next() {
        Some("name") => "learner_name",
        Some("kind") => "identity_kind",
        Some("issuer") => "identity_issuer",
        _ => "identity_number",
    };
    Ok(Err(Reject {
        field: field.to_owned(),
        code: result.code,
        message_zh: result.message_zh,
        message_en: result.message_en,
    }))
}

/// An identity as the bank asks for it.
fn request(identity: &Identity) -> v1::EnrolLearnerRequest {
    let message = v1::Identity {
        kind: identity.kind.number().cast_signed(),
        number: identity.number.clone(),
        issuer: identity.issuer.clone(),
    };
    v1::EnrolLearnerRequest {
        identity: Some(message),
        name: identity.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_again_stays_remembered() {
        let mut cache = Cache::default();
        let code = |number| LearnerCode::from_random(number).unwrap();
        cache.remember("kept".into(), code(1));
        for number in 2..REMEMBERED_MAX as u64 * 2 {
            cache.remember(number.to_string(), code(number));
            if number % 1_000 == 0 {
                assert_eq!(cache.code("kept"), Some(code(1)));
            }
        }
        assert_eq!(cache.code("2"), None, "forgotten");
        assert!(cache.young.len() + cache.old.len() <= REMEMBERED_MAX);
    }
}
