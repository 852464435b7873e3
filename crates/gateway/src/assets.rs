//! Style and scripts, compiled in. Their address holds a digest of what they are, so that they may be kept for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Name, type and content of a file.
struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
    digest: String,
}

/// Every file; style sheets of page families follow the base.
static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let style = concat!(
        include_str!("../assets/base.css"),
        include_str!("../assets/archive.css"),
        include_str!("../assets/recognition.css"),
        include_str!("../assets/code.css"),
        include_str!("../assets/share.css"),
        include_str!("../assets/verify.css"),
        include_str!("../assets/statistics.css"),
        include_str!("../assets/desk.css"),
    );
    [
        ("style.css", CSS, style),
        ("code.js", JS, include_str!("../assets/code.js")),
        ("desk.js", JS, include_str!("../assets/desk.js")),
        ("verify.js", JS, include_str!("../assets/verify.js")),
        (
            "verify-page.js",
            JS,
            include_str!("../assets/verify-page.js"),
        ),
        (
            "icon.svg",
            "image/svg+xml",
            include_str!("../assets/icon.svg"),
        ),
    ]
    .into_iter()
    .map(|(name, kind, body)| Asset {
        name,
        kind,
        body,
        digest: Sha256::digest(body)[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    })
    .collect()
});

/// The address of a file, such as `/assets/0123456789abcdef/style.css`.
pub(crate) fn address(name: &str) -> String {
    let asset = ASSETS.iter().find(|it| it.name == name);
    let digest = asset.map(|it| it.digest.as_str()).unwrap_or_default();
    format!("/assets/{digest}/{name}")
}

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{digest}/{name}", get(serve))
}

async fn serve(Path((digest, name)): Path<(String, String)>) -> Response {
    let asset = ASSETS
        .iter()
        .find(|it| it.name == name && it.digest == digest);
    match asset {
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, asset.kind),
                (header::CACHE_CONTROL, FOR_EVER),
            ];
            (headers, asset.body).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
