//! Pages for browsers that take zstd: compressed in one pass, by a compressor that each thread keeps.
//!
//! It makes them smaller than a first pass of brotli or gzip does, in a fraction of the time. Those remain, in the layer
//! around this one, for browsers that take no zstd and for answers that come in pieces.

use std::cell::RefCell;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use zstd::bulk::Compressor;

/// Of zstd: a page is made for one learner and sent once, and most of the gain is in the first pass.
const LEVEL: i32 = 1;
/// Sizes that are worth it; a page has some thousands of bytes.
const BYTES_MIN: u64 = 256;
const BYTES_MAX: u64 = 1 << 20;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses a page that is there as a whole.
pub(crate) async fn compress(request: Request, next: Next) -> Response {
    let is_taken = takes_zstd(request.headers());
    let response = next.run(request).await;
    if !is_taken || !is_page(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return Response::from_parts(parts, Body::empty());
    };
    let page = body.to_bytes();
    let Some(small) = compressed(&page) else {
        return Response::from_parts(parts, Body::from(page));
    };
    let headers = &mut parts.headers;
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("zstd"));
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(small))
}

/// Whether a browser takes zstd.
fn takes_zstd(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let mut codings = lines.flat_map(|it| it.to_str().unwrap_or_default().split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        // A weight of nothing refuses it.
        let is_refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|it| it.bytes().all(|byte| byte == b'0' || byte == b'.'));
        name.trim().eq_ignore_ascii_case("zstd") && !is_refused
    })
}

/// Whether it is a page as a whole, of a size that is worth it.
fn is_page(response: &Response) -> bool {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE);
    let size = response.body().size_hint().exact();
    kind.is_some_and(|it| it.as_bytes().starts_with(b"text/html"))
        && !headers.contains_key(header::CONTENT_ENCODING)
        && size.is_some_and(|it| (BYTES_MIN..=BYTES_MAX).contains(&it))
}

/// Nothing where this thread cannot have a compressor.
fn compressed(page: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(LEVEL).ok()?),
        };
        compressor.compress(page).ok()
    })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::{HeaderMap, header};
    use axum::response::Html;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::{compress, compressed, takes_zstd};

    #[test]
    fn zstd_is_for_whoever_asks_for_it() {
        for (line, taken) in [
            ("gzip, deflate, br, zstd", true),
            ("ZSTD;q=0.5", true),
            ("zstd;q=1.0", true),
            ("gzip, br", false),
            ("zstd;q=0", false),
            ("gzip, zstd; q=0.000", false),
            ("xzstd", false),
            ("*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, line.parse().expect("a value"));
            assert_eq!(takes_zstd(&headers), taken, "{line}");
        }
    }

    #[tokio::test]
    async fn whole_pages_are_compressed_and_nothing_else() {
        let page = "学习档案".repeat(100);
        let html = page.clone();
        let routes = Router::new()
            .route("/page", get(async move || Html(html)))
            .route("/short", get(async || Html("短")))
            .route("/text", get(async || "text".repeat(100)))
            .layer(axum::middleware::from_fn(compress));
        for (path, coding, is_small) in [
            ("/page", "br, zstd", true),
            ("/page", "br", false),
            ("/short", "zstd", false),
            ("/text", "zstd", false),
        ] {
            let request = Request::builder().uri(path);
            let request = request.header(header::ACCEPT_ENCODING, coding);
            let request = request.body(Body::empty()).expect("a request");
            let response = routes.clone().oneshot(request).await.expect("an answer");
            let said = response.headers().get(header::CONTENT_ENCODING).cloned();
            assert_eq!(
                said.is_some_and(|it| it == "zstd"),
                is_small,
                "{path} {coding}"
            );
            let varies = response.headers().get(header::VARY).cloned();
            assert_eq!(varies.is_some(), is_small);
            let body = response
                .into_body()
                .collect()
                .await
                .expect("a body")
                .to_bytes();
            if is_small {
                let back = zstd::bulk::decompress(&body, page.len()).expect("zstd");
                assert_eq!(back, page.as_bytes());
            }
        }
    }

    #[test]
    fn a_compressor_that_is_used_again_makes_whole_pages() {
        for page in ["学习档案".repeat(900), "a".repeat(300), "学分".repeat(4000)] {
            let small = compressed(page.as_bytes()).expect("a compressor");
            assert!(small.len() < page.len() / 2);
            let back = zstd::bulk::decompress(&small, page.len()).expect("its own");
            assert_eq!(back, page.as_bytes());
        }
    }
}
