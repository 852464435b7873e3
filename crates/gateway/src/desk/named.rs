//! What is told by its name, with the id small beside it: institutions, programmes, rules, sets, standards.
//!
//! A page asks for all names at once: the registry is kept for some minutes, and a published set for ever.

use std::sync::Arc;

use super::app::DeskApp;
use crate::ask::institutions::Names;
use crate::ask::recognition::SetNames;

/// A name, and its id beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    /// Empty where the id is all that is known, and stands as the name.
    pub(crate) id: String,
}

impl Named {
    /// A name that may be nothing but the id.
    pub(crate) fn new(name: impl Into<String>, id: impl Into<String>) -> Self {
        let (name, id) = (name.into(), id.into());
        let is_named = !name.is_empty() && name != id;
        Self {
            name: if is_named { name } else { id.clone() },
            id: if is_named { id } else { String::new() },
        }
    }

    /// An institution.
    pub(crate) fn institution(names: &Names, id: &str) -> Self {
        Self::new(names.of(id), id)
    }
}

impl DeskApp {
    /// The names of these institutions and of all others.
    pub(crate) async fn institution_names<'a>(
        &self,
        ids: impl Iterator<Item = &'a str> + Clone,
    ) -> Arc<Names> {
        self.institutions.names(&self.bank, ids).await
    }

    /// What these rule sets and their things are called.
    pub(crate) async fn set_names(&self, hashes: impl Iterator<Item = &[u8]>) -> SetNames {
        SetNames::read(&self.bank, hashes).await
    }
}

#[cfg(test)]
mod tests {
    use super::Named;

    #[test]
    fn an_id_stands_beside_its_name_and_never_twice() {
        for (name, id, shown) in [
            ("示例学院", "college", ("示例学院", "college")),
            ("college", "college", ("college", "")),
            ("", "college", ("college", "")),
        ] {
            let it = Named::new(name, id);
            assert_eq!((&*it.name, &*it.id), shown);
        }
    }
}
