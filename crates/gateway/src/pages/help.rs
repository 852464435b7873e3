//! How to: with a phone, without one, and with somebody's help.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::app::App;
use crate::failure::Failure;
use crate::frame::{Frame, page};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/help", get(help))
}

#[derive(Template)]
#[template(path = "help.html")]
struct Help {
    f: Frame,
}

async fn help(f: Frame) -> Result<Response, Failure> {
    page(&Help { f: f.at("help") })
}
