//! Institutions: a list, and one with its keys and the ranges of the log in which they sign.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use creditbank_domain::identifier::InstitutionId;
use creditbank_wire::v1;
use serde::Deserialize;

use super::{ListQuery, Place};
use crate::desk::app::DeskApp;
use crate::desk::names;
use crate::desk::staff::{Desk, Signed, Staff};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::show;

/// Institutions of a page.
const PAGE: u32 = 50;

pub(super) fn routes() -> Router<Arc<DeskApp>> {
    Router::new()
        .route("/institutions", get(list))
        .route("/institutions/{id}", get(one))
        .route("/institutions/{id}/suspend", post(suspend))
        .route("/institutions/{id}/revoke", post(revoke))
}

struct Admitted {
    id: String,
    name: String,
    role: &'static str,
    suspended: bool,
    keys: usize,
    categories: Vec<String>,
    admitted_at: u64,
}

impl Admitted {
    fn of(f: &Frame, it: &v1::Institution) -> Self {
        let profile = it.profile.clone().unwrap_or_default();
        let valid = it.keys.iter().filter(|it| it.valid_until.is_none());
        let categories = it.categories.iter();
        Self {
            role: names::role(f.view.lang, profile.role()),
            id: profile.institution_id,
            name: profile.display_name,
            suspended: it.suspended,
            keys: valid.count(),
            categories: categories
                .map(|it| show::category(f.view.lang, *it))
                .collect(),
            admitted_at: it.admitted_at,
        }
    }
}

#[derive(Template)]
#[template(path = "desk/institutions.html")]
struct ListPage {
    f: Frame,
    d: Desk,
    institutions: Vec<Admitted>,
    next: String,
}

async fn list(
    State(app): State<Arc<DeskApp>>,
    staff: Staff,
    Query(query): Query<ListQuery>,
) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Institutions);
    let ask = v1::ListInstitutionsRequest {
        page_size: PAGE,
        page_token: query.page,
    };
    let found = app.institutions(ask).await?;
    let institutions = found.institutions.iter();
    page(&ListPage {
        institutions: institutions.map(|it| Admitted::of(&f, it)).collect(),
        next: found.next_page_token,
        f,
        d,
    })
}

struct Key {
    id: String,
    purpose: &'static str,
    from: u64,
    until: Option<u64>,
    /// The first leaf that is doubted.
    doubtful_from: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/institution.html")]
struct OnePage {
    f: Frame,
    d: Desk,
    it: Admitted,
    uscc: String,
    school_code: String,
    region: String,
    keys: Vec<Key>,
    /// Whether it is the institution of this very desk.
    is_own: bool,
}

async fn one(
    State(app): State<Arc<DeskApp>>,
    staff: Staff,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Institutions);
    let institution_id = known(&id)?;
    let ask = v1::GetInstitutionRequest { institution_id };
    let found = app.institution(ask).await?;
    let profile = found.profile.clone().unwrap_or_default();
    let key = |it: &v1::InstitutionKey| Key {
        id: show::hex(&it.key_id),
        purpose: it
            .key
            .as_ref()
            .map_or("", |it| names::key_purpose(f.view.lang, it.purpose())),
        from: it.valid_from,
        until: it.valid_until,
        doubtful_from: it.doubtful_from.map(|leaf| leaf.to_string()),
    };
    page(&OnePage {
        it: Admitted::of(&f, &found),
        uscc: profile.uscc,
        school_code: profile.school_code,
        region: profile.region,
        keys: found.keys.iter().map(key).collect(),
        is_own: id == app.id,
        f,
        d,
    })
}

#[derive(Deserialize)]
struct SuspendForm {
    /// `yes` to suspend, `no` to let it act again.
    suspended: String,
}

async fn suspend(
    State(app): State<Arc<DeskApp>>,
    Path(id): Path<String>,
    signed: Signed<SuspendForm>,
) -> Result<Redirect, Failure> {
    let suspended = match &*signed.form.suspended {
        "yes" => true,
        "no" => false,
        _ => return Err(Failure::Unreadable),
    };
    let institution_id = another(&app, &id)?;
    let back = format!("/institutions/{institution_id}");
    let ask = v1::SuspendInstitutionRequest {
        institution_id,
        suspended,
    };
    app.suspend(ask).await?;
    Ok(Redirect::to(&back))
}

#[derive(Deserialize)]
struct RevokeForm {
    key: String,
    /// The first leaf that must be doubted; empty where the key was not compromised.
    #[serde(default)]
    doubtful_from: String,
}

async fn revoke(
    State(app): State<Arc<DeskApp>>,
    Path(id): Path<String>,
    signed: Signed<RevokeForm>,
) -> Result<Redirect, Failure> {
    let institution_id = another(&app, &id)?;
    let key = show::from_hex::<32>(&signed.form.key).ok_or(Failure::Unreadable)?;
    let doubtful_from = match signed.form.doubtful_from.trim() {
        "" => None,
        leaf => Some(leaf.parse().map_err(|_| Failure::Unreadable)?),
    };
    let back = format!("/institutions/{institution_id}");
    let ask = v1::RevokeKeyRequest {
        institution_id,
        key_id: key.to_vec().into(),
        doubtful_from,
    };
    app.revoke_key(ask).await?;
    Ok(Redirect::to(&back))
}

/// An id as the registry writes it: what is put into an address is nothing else.
fn known(id: &str) -> Result<String, Failure> {
    let id = InstitutionId::parse(id).map_err(|_| Failure::NotFound)?;
    Ok(id.to_string())
}

/// Not the institution of this desk: whoever takes the key that they work with, locks themselves out.
fn another(app: &DeskApp, id: &str) -> Result<String, Failure> {
    match known(id)? {
        own if own == app.id => Err(Failure::NotFound),
        other => Ok(other),
    }
}
