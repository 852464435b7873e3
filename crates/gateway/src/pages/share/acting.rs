//! Acting for somebody: it begins and ends by a button, and the ledger is asked again with every request whether it still
//! may. Who may no more is told so at once, and what was asked for is not done: not for the other, and not for oneself.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use creditbank_wire::v1;
use serde::Deserialize;

use super::grant::{id, unknown_is_nothing};
use crate::app::App;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::session::{self, Acting, Session};
use crate::show;

#[derive(Deserialize)]
pub(super) struct BeginForm {
    grant_id: String,
}

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    checked: Checked<BeginForm>,
) -> Result<Response, Failure> {
    let grant_id = id(&checked.form.grant_id)?;
    let delegate = &checked.session.learner;
    let delegation = app.use_delegation(delegate, grant_id, true).await;
    let delegation = delegation.map_err(unknown_is_nothing)?;
    let acting = acting(&grant_id, delegation);
    let changed = turned(&app, &checked.session, Some(acting));
    let jar = session::jar(&app, &headers).add(session::cookie(&app, &changed));
    Ok((jar, Redirect::to("/archive")).into_response())
}

fn acting(grant_id: &[u8], it: v1::Delegation) -> Acting {
    Acting {
        grant_id: show::hex(grant_id),
        learner: it.learner,
        may_act: it.scope == v1::DelegationScope::Act as i32,
        masked_name: it.masked_name,
    }
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn end(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    checked: Checked<Nothing>,
) -> Response {
    let Nothing {} = checked.form;
    let changed = turned(&app, &checked.session, None);
    let jar = session::jar(&app, &headers).add(session::cookie(&app, &changed));
    (jar, Redirect::to("/sharing/relatives")).into_response()
}

/// The session with other eyes. It gets another id: a form of one archive that is still open in another window must not be
/// taken for the other archive.
fn turned(app: &App, session: &Session, acting: Option<Acting>) -> Session {
    app.end(session);
    Session {
        id: session::random_text(),
        acting,
        ..session.clone()
    }
}

#[derive(Template)]
#[template(path = "relatives-ended.html")]
struct EndedPage {
    f: Frame,
}

pub(super) async fn ended(f: Frame) -> Result<Response, Failure> {
    page(&EndedPage { f })
}

/// Asks with every request of a session that acts whether it still may, and how far. JSON under `/v1` is of whoever is
/// signed in and acts for nobody.
pub(crate) async fn still_acts(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path();
    let needs_nobody = path.starts_with("/assets/")
        || path.starts_with("/v1/")
        || path == "/acting/end"
        || path == "/sign-out";
    let session = session::read(&parts, &app).filter(|_| !needs_nobody);
    let Some((session, acts)) = session.and_then(|it| Some((it.clone(), it.acting?))) else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    match again(&app, &session, &acts).await {
        Ok(Some(acting)) => {
            let acting = Some(acting);
            parts.extensions.insert(Session { acting, ..session });
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(None) => over(&app, &parts.headers, &session),
        Err(failure) => failure.into_response(),
    }
}

/// As whom the session acts now; nothing where it may no more.
async fn again(app: &App, session: &Session, acts: &Acting) -> Result<Option<Acting>, Failure> {
    let Some(grant_id) = show::from_hex::<16>(&acts.grant_id) else {
        return Ok(None);
    };
    match app.use_delegation(&session.learner, grant_id, false).await {
        Ok(delegation) => {
            let now = acting(&grant_id, delegation);
            // After a merge the archive has another code; any other archive is not the one that was chosen.
            Ok(Some(now).filter(|it| !it.learner.is_empty()))
        }
        Err(error) if error.code() == Some("GRANT_UNKNOWN") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn over(app: &App, headers: &HeaderMap, session: &Session) -> Response {
    let changed = turned(app, session, None);
    let jar = session::jar(app, headers).add(session::cookie(app, &changed));
    (jar, Redirect::to("/acting/ended")).into_response()
}
