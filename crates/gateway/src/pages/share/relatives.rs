//! Relatives and carers: whom a learner lets act, and for whom a learner may act.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;
use serde::Deserialize;

use super::grant::{Card, Kind, scope};
use super::{own, term};
use crate::app::App;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::session::Learner;
use crate::show;

#[derive(Template)]
#[template(path = "relatives.html")]
struct ListPage {
    f: Frame,
    granted: Vec<Card>,
    received: Vec<Received>,
    /// Said to whoever is to act.
    own_code: String,
}

/// Somebody who lets this learner act.
struct Received {
    /// 32 hexadecimal digits.
    id: String,
    name: String,
    scope: String,
    expires: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
) -> Result<Response, Failure> {
    let learner = own(&session)?;
    let ask = v1::ListGrantsRequest {
        learner: learner.to_owned(),
        page_size: 200,
        page_token: String::new(),
    };
    let (granted, received) = tokio::join!(app.grants(ask), app.delegations(learner));
    let granted = granted?.grants;
    let cards = granted.iter().filter_map(|it| Card::of(&f, it));
    let received = received?;
    page(&ListPage {
        granted: cards
            .filter(|it| it.kind == Kind::Relative && it.is_open)
            .collect(),
        received: received
            .iter()
            .filter_map(|it| Received::of(&f, it))
            .collect(),
        own_code: show::learner_code(learner),
        f: f.at("sharing"),
    })
}

impl Received {
    fn of(f: &Frame, grant: &v1::Grant) -> Option<Self> {
        let Some(v1::grant::Content::Delegation(it)) = &grant.content else {
            return None;
        };
        Some(Self {
            id: show::hex(&grant.grant_id),
            name: it.masked_name.clone(),
            scope: scope(f, it.scope),
            expires: show::day(grant.expires_at_ms),
        })
    }
}

#[derive(Template)]
#[template(path = "relatives-new.html")]
struct NewPage {
    f: Frame,
}

pub(super) async fn ask(Learner(session): Learner, f: Frame) -> Result<Response, Failure> {
    own(&session)?;
    page(&NewPage { f: f.at("sharing") })
}

#[derive(Deserialize)]
pub(super) struct RelativeForm {
    delegate: String,
    label: String,
    /// `view` or `act`.
    scope: String,
    term: String,
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    checked: Checked<RelativeForm>,
) -> Result<Response, Failure> {
    let learner = own(&checked.session)?.to_owned();
    let form = checked.form;
    let refused = |refusal| Failure::Refused {
        refusal,
        field: "delegate",
    };
    let delegate = LearnerCode::parse(&form.delegate).map_err(refused)?;
    let scope = match form.scope.as_str() {
        "view" => v1::DelegationScope::View,
        "act" => v1::DelegationScope::Act,
        _ => return Err(Failure::Unreadable),
    };
    let delegation = v1::Delegation {
        delegate: format!("{:016}", delegate.as_u64()),
        scope: scope as i32,
        label: form.label.trim().to_owned(),
        ..Default::default()
    };
    let ask = v1::CreateGrantRequest {
        learner,
        expires_at_ms: term::expires_at_ms(&term::RELATIVE, &form.term)?,
        content: Some(v1::create_grant_request::Content::Delegation(delegation)),
    };
    app.create_grant(ask).await?;
    Ok(Redirect::to("/sharing/relatives").into_response())
}
