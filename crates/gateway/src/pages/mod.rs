//! Pages: one file a family, the path of each beside its handler.

pub(crate) mod account;
pub(crate) mod archive;
pub(crate) mod code;
mod help;
mod recognition;
pub(crate) mod share;
mod statistics;
mod verify;

pub(crate) use self::share::still_acts;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .merge(account::routes())
        .merge(archive::routes())
        .merge(code::routes())
        .merge(help::routes())
        .merge(recognition::routes())
        .merge(share::routes())
        .merge(statistics::routes())
        .merge(verify::routes())
}
