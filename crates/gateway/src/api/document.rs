//! The OpenAPI document of `/v1`, written from the types and handlers themselves.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, HttpMethod, OpenApi, Ref, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema};

use super::extract::public;
use super::{
    applications, code, credentials, export, grants, log, looks, me, points, records, requests,
    status,
};
use crate::app::App;
use crate::session;

/// Seconds for which the document may be kept.
const KEPT_S: u32 = 300;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/openapi.json", get(document))
}

/// Why a request was not answered as asked (RFC 9457).
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    /// about:blank
    r#type: String,
    /// The status of the answer.
    status: u16,
    /// Stable: programs go by it.
    code: String,
    /// English.
    title: String,
    /// Chinese.
    title_zh: String,
    /// Path of the field at fault; empty if none is.
    field: String,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "creditbank gateway",
        version = "1",
        description = "A learner's archive at a credit bank (学分银行), and what anybody may ask to check a record. \
            Amounts are integers in hundredths, times milliseconds since 1970, days ISO 8601, binary values base64. \
            Whoever is signed in (cookie) asks for their own archive; every change carries the token that GET /v1/me \
            tells in the header X-CSRF-Token.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        me::me, records::list_records, records::record, records::totals, credentials::receipt, credentials::credential,
        credentials::clr, export::export, points::points, code::code, grants::list_grants, grants::create_grant,
        grants::withdraw_grant, looks::list_looks, requests::list_requests, requests::create_request,
        requests::withdraw_request, applications::list_applications, applications::application, status::issuer,
        status::status_list, log::checkpoint, log::inclusion, log::leaf_receipt, log::consistency,
    ),
    components(schemas(Problem, super::status::StatusPurpose)),
    tags(
        (name = "me", description = "Who is signed in."),
        (name = "archive", description = "The records of whoever is signed in."),
        (name = "sharing", description = "What others may see, and who looked."),
        (name = "requests", description = "Corrections and erasure."),
        (name = "recognition", description = "Applications for recognition."),
        (name = "public", description = "For anybody: issuer, status lists, the log."),
    ),
)]
struct Written;

/// The document of this gateway.
fn written(cookie: &str) -> OpenApi {
    let mut document = Written::openapi();
    let components = document.components.get_or_insert_default();
    let session = ApiKeyValue::with_description(cookie, "The cookie that signing in gives.");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    let token = ApiKeyValue::with_description("X-CSRF-Token", "The token that GET /v1/me tells.");
    components.add_security_scheme("csrf", SecurityScheme::ApiKey(ApiKey::Header(token)));
    for path in document.paths.paths.values_mut() {
        let methods = [
            (HttpMethod::Get, &mut path.get),
            (HttpMethod::Post, &mut path.post),
            (HttpMethod::Delete, &mut path.delete),
        ];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                answer(&method, operation);
            }
        }
    }
    document
}

/// What any operation of its kind may answer.
fn answer(method: &HttpMethod, operation: &mut Operation) {
    let is_signed_in = operation
        .security
        .as_ref()
        .is_some_and(|all| all.iter().any(|it| *it != Default::default()));
    let mut told = vec![
        ("400", "What was asked cannot be read, or breaks a rule."),
        ("404", "There is nothing here that the caller may see."),
        (
            "429",
            "Too many requests; Retry-After says when to ask again.",
        ),
        ("503", "The ledger does not answer now."),
        ("504", "The ledger did not answer in time."),
    ];
    if is_signed_in {
        told.push(("401", "Nobody is signed in."));
    }
    if *method != HttpMethod::Get {
        told.push((
            "403",
            "The token is not of this session, or another site asks.",
        ));
        told.push(("409", "What was done before stands against it."));
    }
    if operation.request_body.is_some() {
        told.push(("408", "The body did not come in time."));
        told.push(("413", "The body is too large."));
        told.push(("415", "The body is no JSON."));
    }
    for (status, description) in told {
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", problem);
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_owned())
            .or_insert_with(|| response.build().into());
    }
}

async fn document(State(app): State<Arc<App>>) -> Response {
    public(&written(session::name(&app)), KEPT_S)
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn every_operation_tells_its_failures_and_who_may_ask() {
        let document = serde_json::to_value(written("session")).expect("JSON");
        assert_eq!(document["openapi"], "3.1.0");
        let mut operations = 0;
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                operations += 1;
                let answers = operation["responses"].as_object().expect("answers");
                let is_own = path.starts_with("/v1/me");
                assert_eq!(answers.contains_key("401"), is_own, "{method} {path}");
                assert!(answers.contains_key("429"), "{method} {path}");
                let needs = operation["security"].to_string();
                assert_eq!(needs.contains("csrf"), method != "get", "{method} {path}");
            }
        }
        assert_eq!(operations, 25);
    }
}
