//! Who is signed in.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use creditbank_wire::v1;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use super::extract::{Asked, Me, Nothing, private};
use crate::app::App;
use crate::failure::Failure;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/me", get(me))
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct Profile {
    /// Learner code (申学码), 16 digits.
    learner_code: String,
    /// As in the document; may be empty.
    name: String,
    identities: Vec<MaskedIdentity>,
    /// What every change carries in the header X-CSRF-Token; as long as the session lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

/// An identity document with all but its last characters hidden.
#[derive(Serialize, ToSchema)]
pub(super) struct MaskedIdentity {
    kind: IdentityKind,
    masked_number: String,
}

/// Kinds of identity documents.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum IdentityKind {
    /// 居民身份证
    ResidentId,
    /// 护照
    Passport,
    /// 港澳台居民居住证
    ResidencePermit,
    /// 港澳居民来往内地通行证
    HongKongMacaoPermit,
    /// 台湾居民来往大陆通行证
    TaiwanPermit,
    /// 外国人永久居留身份证
    PermanentResidentId,
    /// 学号
    StudentNumber,
    /// One that this program does not know.
    Other,
}

impl IdentityKind {
    fn of(number: i32) -> Self {
        use v1::IdentityKind as Wire;
        match Wire::try_from(number).unwrap_or_default() {
            Wire::ResidentId => Self::ResidentId,
            Wire::Passport => Self::Passport,
            Wire::ResidencePermit => Self::ResidencePermit,
            Wire::HongKongMacaoPermit => Self::HongKongMacaoPermit,
            Wire::TaiwanPermit => Self::TaiwanPermit,
            Wire::PermanentResidentId => Self::PermanentResidentId,
            Wire::StudentNumber => Self::StudentNumber,
            Wire::Unspecified => Self::Other,
        }
    }
}

/// The profile of a learner, without the token of a session.
pub(super) async fn profile(app: &App, learner: String) -> Result<Profile, Failure> {
    let found = ask!(app, learner.get_learner, v1::GetLearnerRequest { learner }).await?;
    let identity = |it: v1::MaskedIdentity| MaskedIdentity {
        kind: IdentityKind::of(it.kind),
        masked_number: it.masked_number,
    };
    Ok(Profile {
        learner_code: found.learner,
        name: found.name,
        identities: found.identities.into_iter().map(identity).collect(),
        csrf_token: None,
    })
}

/// Who is signed in, and the token of the session.
#[utoipa::path(get, path = "/v1/me", tag = "me", operation_id = "get_me",
    responses((status = 200, description = "Who is signed in.", body = Profile)),
    security(("session" = [])))]
pub(super) async fn me(
    State(app): State<Arc<App>>,
    me: Me,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let mut profile = profile(&app, me.learner()).await?;
    profile.csrf_token = Some(me.0.csrf(&app));
    Ok(private(&profile))
}
