//! The pages of a desk: one file a place.

mod allowed;
mod applications;
mod health;
mod institutions;
mod projects;
mod requests;
mod scan;
mod submissions;
mod window;

use std::sync::Arc;

use axum::Router;
use serde::Deserialize;

use super::app::{DeskApp, Office};
use crate::frame::Frame;

/// Something to do at a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Codes that learners show.
    Scan,
    /// What the institution deposited.
    Submissions,
    /// Recognition: public notice, votes, the bank's steps.
    Applications,
    /// What institutions have admitted.
    Projects,
    /// Corrections and erasure wishes of learners.
    Requests,
    /// Institutions and their keys.
    Institutions,
    /// What is done for people who came to a window.
    Window,
    /// How the ledger is.
    Health,
}

impl Place {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Scan => "/scan",
            Self::Submissions => "/submissions",
            Self::Applications => "/applications",
            Self::Projects => "/projects",
            Self::Requests => "/requests",
            Self::Institutions => "/institutions",
            Self::Window => "/window",
            Self::Health => "/health",
        }
    }

    /// What it is called at this desk.
    pub(crate) fn name(&self, f: &Frame, office: &Office) -> String {
        match (self, office) {
            (Self::Scan, _) => f.t("desk-scan"),
            (Self::Submissions, _) => f.t("desk-submissions"),
            (Self::Applications, Office::Institution) => f.t("desk-notices"),
            (Self::Applications, Office::Reviewer) => f.t("desk-reviews"),
            (Self::Applications, _) => f.t("desk-applications"),
            (Self::Projects, _) => f.t("desk-projects"),
            (Self::Requests, Office::Institution) => f.t("desk-corrections"),
            (Self::Requests, _) => f.t("desk-requests"),
            (Self::Institutions, _) => f.t("desk-institutions"),
            (Self::Window, _) => f.t("desk-window"),
            (Self::Health, _) => f.t("desk-health"),
        }
    }

    pub(crate) fn routes(self) -> Router<Arc<DeskApp>> {
        match self {
            Self::Scan => scan::routes(),
            Self::Submissions => submissions::routes(),
            Self::Applications => applications::routes(),
            Self::Projects => projects::routes(),
            Self::Requests => requests::routes(),
            Self::Institutions => institutions::routes(),
            Self::Window => window::routes(),
            Self::Health => health::routes(),
        }
    }
}

/// Which page of a list, and which part of it.
#[derive(Debug, Default, Deserialize)]
struct ListQuery {
    #[serde(default)]
    page: String,
    #[serde(default)]
    show: String,
}

/// A part of a list that can be chosen.
#[derive(Debug)]
struct Tab {
    slug: &'static str,
    name: String,
    is_here: bool,
}

/// The parts of a list; the first is shown where none is asked for.
fn tabs(parts: Vec<(&'static str, String)>, asked: &str) -> Vec<Tab> {
    let is_known = parts.iter().any(|(slug, _)| *slug == asked);
    let first = parts.first().map_or("", |(slug, _)| *slug);
    let here = if is_known { asked } else { first };
    let tab = |(slug, name): (&'static str, String)| Tab {
        is_here: slug == here,
        slug,
        name,
    };
    parts.into_iter().map(tab).collect()
}

/// The part that is shown.
fn here(tabs: &[Tab]) -> &'static str {
    tabs.iter().find(|it| it.is_here).map_or("", |it| it.slug)
}
