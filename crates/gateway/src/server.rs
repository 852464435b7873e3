//! The port: routes, limits, and what stands around every handler.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::app::{App, GatewayError};
use crate::failure::Failure;
use crate::form::FORM_BYTES_MAX;
use crate::health::Probe;
use crate::issuer::Keys;
use crate::options::Options;
use crate::{
    api, assets, compress, connections, frame, guard, health, measure, pages, session, tiles,
    transcript,
};

/// A gateway that serves.
#[derive(Debug)]
pub struct Serving {
    /// Where; a port that was given as 0 is known now.
    pub address: SocketAddr,
    /// For whoever watches it.
    pub probe: Probe,
    /// For whoever replaces the bank's keys.
    pub keys: Keys,
}

/// Serves until `stop` resolves; `ready` is told where, once the ledger has answered.
///
/// # Errors
/// If the options do not fit together, the ledger refuses, or the port cannot be had.
pub async fn serve(
    mut options: Options,
    ready: impl FnOnce(Serving),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), GatewayError> {
    let address = options.listen;
    let port = |error| GatewayError::Port { address, error };
    let listener = TcpListener::bind(address).await.map_err(port)?;
    let address = listener.local_addr().map_err(port)?;
    options.settle(address)?;
    let (bounds, tls) = (options.bounds(), options.tls.clone());
    measure::describe();
    let mut stop = Box::pin(stop);
    let app = tokio::select! {
        app = App::connect(options) => app?,
        () = &mut stop => return Ok(()),
    };
    let probe = Probe(Arc::clone(&app));
    let keys = Keys(Arc::clone(&app));
    ready(Serving {
        address,
        probe,
        keys,
    });
    let knowing = tokio::spawn(Arc::clone(&app).keep_known());
    connections::serve(listener, routes(&app), bounds, tls, stop).await;
    knowing.abort();
    Ok(())
}

fn routes(app: &Arc<App>) -> Router {
    let state = Arc::clone(app);
    macro_rules! around {
        ($of:path) => {
            middleware::from_fn_with_state(Arc::clone(app), $of)
        };
    }
    Router::new()
        .merge(pages::routes())
        .merge(transcript::routes())
        .nest("/v1", api::routes())
        .merge(tiles::routes())
        .merge(health::routes())
        .merge(assets::routes())
        .fallback(async || Failure::NotFound)
        .method_not_allowed_fallback(async || Failure::Method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        // From the inside out: what is below sees what is above.
        .layer(around!(renew))
        .layer(around!(pages::still_acts))
        .layer(around!(guard::guard))
        .layer(around!(frame::tell))
        .layer(around!(guard::headers))
        .layer(middleware::from_fn(compress::compress))
        // What the layer above leaves: of brotli and gzip, too, most of the gain is in the first pass.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(around!(measure::measure))
        .with_state(state)
}

/// The panic itself is in the log already.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Failure::Internal.into_response()
}

/// Seals a session's cookie again while it is used.
async fn renew(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let session = session::read(&parts, &app);
    let headers = parts.headers.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let renewed = session.and_then(|it| session::renewed(&app, &it));
    match renewed {
        Some(session)
            if !response
                .headers()
                .contains_key(axum::http::header::SET_COOKIE) =>
        {
            let jar = session::jar(&app, &headers).add(session::cookie(&app, &session));
            (jar, response).into_response()
        }
        _ => response,
    }
}
