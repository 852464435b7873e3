//! Agreements between the credit banks of two regions.

use jiff::civil::Date;

use super::set::{Period, Place, Wording};
use crate::Category;

/// Outcomes of one region count in another, in one direction or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Its id, such as `sh-js`.
    pub id: String,
    /// Its name.
    pub title: Wording,
    /// Province digits of the origin (`34`).
    pub from: String,
    /// Province digits of the receiver (`31`).
    pub to: String,
    /// Whether it holds in the other direction too.
    pub mutual: bool,
    /// Categories it covers; empty covers all.
    pub categories: Vec<Category>,
    /// Its versions with the completion dates they are for.
    pub versions: Vec<(String, Period)>,
    /// Clause.
    pub clause: String,
    /// Where it stands.
    pub place: Place,
}

impl Agreement {
    /// The version under which an outcome of one region counts in another, by its day of completion; regions by their
    /// province digits.
    #[must_use]
    pub fn covers(
        &self,
        origin: &str,
        receiver: &str,
        category: Category,
        completed_on: Date,
    ) -> Option<&str> {
        let forth = origin == self.from && receiver == self.to;
        let back = self.mutual && origin == self.to && receiver == self.from;
        let of_category = self.categories.is_empty() || self.categories.contains(&category);
        let mut versions = self.versions.iter();
        let (version, _) = versions.find(|(_, days)| days.contains(completed_on))?;
        ((forth || back) && of_category).then_some(version)
    }
}
