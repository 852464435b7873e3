//! `registry.proto`: institutions as the log has them.

use creditbank_domain::registry::Institution;

use super::record::{category_numbers, profile_message, public_key_message};
use crate::v1;

/// An institution with its history.
pub fn institution(institution: &Institution) -> v1::Institution {
    let keys = institution.keys.iter().map(|history| v1::InstitutionKey {
        key: Some(public_key_message(&history.key)),
        key_id: history.id.0.to_vec().into(),
        valid_from: history.valid_from.0,
        valid_until: history.valid_until.map(|index| index.0),
        doubtful_from: history.doubtful_from.map(|index| index.0),
    });
    let history =
        institution
            .categories
            .iter()
            .map(|(index, categories)| v1::PermittedCategories {
                valid_from: index.0,
                categories: category_numbers(categories),
            });
    v1::Institution {
        profile: Some(profile_message(&institution.profile)),
        suspended: institution.suspended,
        admitted_at: institution.admitted_at.0,
        keys: keys.collect(),
        categories: institution
            .categories
            .last()
            .map(|(_, now)| category_numbers(now))
            .unwrap_or_default(),
        category_history: history.collect(),
    }
}
