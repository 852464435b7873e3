//! What of an archive is shown: filters as a form sends them, and the way from page to page.
//!
//! The ledger's page tokens lead to older records alone. The way back is the trail: the tokens of the pages before this
//! one, the newest of them, so that its length is bounded however long an archive is.

use creditbank_domain::outcome::Category;
use creditbank_wire::v1;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::ask::institutions::Names;

/// Pages that "newer" leads back through; beyond it leads to the first page.
const TRAIL_MAX: usize = 40;
/// Most characters of a token that is passed on.
const TOKEN_CHARS_MAX: usize = 64;
/// Institutions to choose from where several have the name that was written.
pub(super) const INSTITUTIONS_MAX: usize = 20;

/// A page of the archive, as the form and the links ask for it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// Number of the category; empty for all.
    pub(crate) category: String,
    /// `active`, `amended`, `revoked`, `disputed`; empty for all.
    pub(crate) state: String,
    /// Name or id of an institution.
    pub(crate) institution: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Token of this page; empty for the first.
    pub(crate) page: String,
    /// Tokens of the pages before, without the first; the last is the nearest.
    pub(crate) trail: String,
    /// Number of this page; what is no number is the first.
    pub(crate) n: String,
}

/// A state as addresses and forms have it.
const STATES: [(&str, v1::RecordState); 4] = [
    ("active", v1::RecordState::Active),
    ("amended", v1::RecordState::Amended),
    ("revoked", v1::RecordState::Revoked),
    ("disputed", v1::RecordState::Disputed),
];

impl Asked {
    /// Whether anything is left out.
    pub(crate) fn is_filtered(&self) -> bool {
        [
            &self.category,
            &self.state,
            &self.institution,
            &self.from,
            &self.to,
        ]
        .iter()
        .any(|it| !it.trim().is_empty())
    }

    /// Whether this is the page of the newest records.
    pub(crate) fn is_first(&self) -> bool {
        self.page.is_empty()
    }

    /// The institutions that may be meant: none, the one, or several to choose from.
    pub(crate) fn issuers<'a>(&self, names: &'a Names) -> Vec<(&'a str, &'a str)> {
        names.search(&self.institution, INSTITUTIONS_MAX)
    }

    /// What the ledger is asked, of one learner and at most one institution. Without a category of all categories: so
    /// that other records than outcomes are left out.
    pub(crate) fn request(&self, learner: &str, issuer: &str, size: u32) -> v1::ListRecordsRequest {
        let numbers = Category::ALL.map(Category::number);
        let chosen = self.category.trim().parse::<u32>().ok();
        let chosen = chosen.filter(|it| numbers.contains(it));
        let categories: Vec<u32> = chosen.map_or_else(|| numbers.to_vec(), |it| vec![it]);
        let state = STATES.iter().find(|(name, _)| *name == self.state);
        v1::ListRecordsRequest {
            learner: learner.to_owned(),
            page_size: size,
            page_token: self.page.clone(),
            categories: categories.into_iter().map(|it| it as i32).collect(),
            states: state.map(|(_, it)| *it as i32).into_iter().collect(),
            issuer: issuer.to_owned(),
            completed_from: self.from.trim().to_owned(),
            completed_to: self.to.trim().to_owned(),
            ..Default::default()
        }
    }

    /// The filters as the query of an address; empty where there are none.
    pub(crate) fn filters(&self) -> String {
        let parts = [
            ("category", &self.category),
            ("state", &self.state),
            ("institution", &self.institution),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let parts = parts
            .iter()
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(key, value)| {
                format!(
                    "{key}={}",
                    utf8_percent_encode(value.trim(), NON_ALPHANUMERIC)
                )
            });
        parts.collect::<Vec<_>>().join("&")
    }

    /// Queries of the older and the newer page, and whether the newer is only the first.
    pub(crate) fn ways(&self, next: &str) -> Ways {
        let number = self.n.parse::<u64>().unwrap_or_default().max(1);
        let trail: Vec<&str> = self.trail.split('.').filter(|it| is_token(it)).collect();
        let older = is_token(next).then(|| {
            let mut trail = trail.clone();
            if is_token(&self.page) {
                trail.push(&self.page);
            }
            let trail = &trail[trail.len().saturating_sub(TRAIL_MAX)..];
            self.place(next, trail, number.saturating_add(1))
        });
        let newer = (!self.is_first()).then(|| match trail.split_last() {
            Some((page, before)) => self.place(page, before, number.saturating_sub(1)),
            None => self.filters(),
        });
        Ways {
            older,
            newer,
            is_far: !self.is_first() && number > 2,
            first: self.filters(),
            number,
        }
    }

    fn place(&self, page: &str, trail: &[&str], number: u64) -> String {
        let filters = self.filters();
        let and = if filters.is_empty() { "" } else { "&" };
        let trail = match trail {
            [] => String::new(),
            _ => format!("&trail={}", trail.join(".")),
        };
        format!("{filters}{and}page={page}{trail}&n={number}")
    }
}

/// A token may be put into an address as it is.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= TOKEN_CHARS_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The way from page to page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ways {
    pub(crate) older: Option<String>,
    pub(crate) newer: Option<String>,
    /// Whether the first page is another one than the newer.
    pub(crate) is_far: bool,
    pub(crate) first: String,
    pub(crate) number: u64,
}

#[cfg(test)]
mod tests {
    use super::{Asked, TRAIL_MAX};

    fn follow(query: &str) -> Asked {
        serde_html_form::from_str(query).expect("a query of ours")
    }

    #[test]
    fn newer_leads_back_through_the_pages_that_led_here() {
        let mut page = Asked::default();
        let pages = 250;
        for n in 1..pages {
            let older = page.ways(&format!("token-{n}")).older.expect("older");
            page = follow(&older);
        }
        assert_eq!((&*page.page, &*page.n), ("token-249", "250"));
        assert!(page.trail.split('.').count() <= TRAIL_MAX);
        for n in (pages - TRAIL_MAX as u64 - 1..pages - 1).rev() {
            page = follow(&page.ways("x").newer.expect("newer"));
            assert_eq!(page.page, format!("token-{n}"));
        }
        let ways = page.ways("x");
        assert_eq!(ways.newer.as_deref(), Some(""), "the first page");
        assert!(ways.is_far);
    }

    #[test]
    fn filters_go_along_and_nothing_else_does() {
        let asked = Asked {
            category: "4".into(),
            institution: "复旦&x=1".into(),
            page: "a\"><b".into(),
            trail: "ok.not ok.fine".into(),
            ..Asked::default()
        };
        let ways = asked.ways("next");
        let older = ways.older.expect("older");
        let again = follow(&older);
        assert_eq!(
            (again.category.as_str(), again.institution.as_str()),
            ("4", "复旦&x=1")
        );
        assert_eq!(again.trail, "ok.fine");
        assert!(!older.contains(['"', '<', ' ']));
        assert_eq!(
            asked.ways("bad token").older,
            None,
            "a token that is none leads nowhere"
        );
    }

    #[test]
    fn without_a_category_all_nine_are_asked_for() {
        let all = Asked::default().request("1", "", 20);
        assert_eq!(all.categories, (1..=9).collect::<Vec<i32>>());
        let foreign = Asked {
            category: "99".into(),
            state: "odd".into(),
            ..Asked::default()
        };
        let foreign = foreign.request("1", "", 20);
        assert_eq!((foreign.categories.len(), foreign.states.len()), (9, 0));
        let one = Asked {
            category: "3".into(),
            state: "revoked".into(),
            ..Asked::default()
        };
        let one = one.request("1", "", 20);
        assert_eq!((one.categories, one.states), (vec![3], vec![3]));
    }
}
