//! Agreements between the credit banks of two regions.

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
