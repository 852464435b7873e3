//! What stands before every handler: where a request comes from, and what a browser may do with the answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::failure::Failure;
use crate::limits;
use crate::proxies::{Network, is_among, is_private};

/// Nothing but what this site serves itself; no inline script, no inline style, no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'";

pub(crate) const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self), geolocation=(), microphone=(), payment=()",
    ),
];

/// What other sites' pages may read: it is public, and is checked there.
const PUBLIC: [&str; 5] = [
    "/checkpoint",
    "/tile/",
    "/v1/log/",
    "/v1/status/",
    "/v1/issuer",
];

/// Most bytes of a request's body.
const REQUEST_BYTES_MAX: u64 = 256 << 10;
/// How long a request may take until its answer begins.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

/// Says with every answer what a browser may do with it.
pub(crate) async fn headers(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_public = PUBLIC.into_iter().any(|it| path.starts_with(it));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        // A page whose address is a secret says more strictly what of it goes along.
        if name != header::REFERRER_POLICY || !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if is_public {
        let anybody = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    }
    if app.is_secure() {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

/// Lets through what is not too often, too large, too slow, or asked for by another site.
pub(crate) async fn guard(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(failure) = admit(&app, peer, &request) {
        return failure.into_response();
    }
    let answer = tokio::time::timeout(REQUEST_TIME_MAX, next.run(request)).await;
    answer.unwrap_or_else(|_| Failure::Late.into_response())
}

fn admit(app: &App, peer: SocketAddr, request: &Request) -> Result<(), Failure> {
    let headers = request.headers();
    if !names_host(request.version(), headers) {
        return Err(Failure::Unreadable);
    }
    if app.options.development_login && !is_own_host(headers, &app.options.base_url) {
        return Err(Failure::NotFound);
    }
    let trusted = &app.options.trusted_proxies;
    if headers.contains_key("x-forwarded-for") && is_strange(peer.ip(), trusted) {
        tell_strange(peer.ip());
    }
    let client = limits::client(peer.ip(), headers, trusted);
    app.limits.request(client, request.uri().path())?;
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|it| it > REQUEST_BYTES_MAX) {
        return Err(Failure::TooLarge);
    }
    let is_read = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if is_read || is_same_site(headers, &app.options.base_url) {
        Ok(())
    } else {
        Err(Failure::ForeignForm)
    }
}

/// Whether whoever speaks for others here is a proxy of ours that nobody has named.
fn is_strange(peer: IpAddr, trusted: &[Network]) -> bool {
    is_private(peer) && !is_among(trusted, peer)
}

/// Tells it once: whatever such a proxy passes on counts as one client, which then asks too often for all of them.
fn tell_strange(proxy: IpAddr) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            %proxy,
            "it sends X-Forwarded-For and is not among trusted_proxies: all who ask through it count as one client"
        );
    });
}

/// Whether a request says whom it asks as RFC 9112 §3.2 demands: one `Host`, a host with or without a port. Of two a proxy in
/// front may have taken the other.
fn names_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => {
            let host = host.to_str().ok().and_then(|it| it.parse().ok());
            host.is_some_and(|it: Authority| !it.host().is_empty() && !it.as_str().contains('@'))
        }
        (None, _) => version < Version::HTTP_11,
        _ => false,
    }
}

/// Whether a browser asked for this address by its own name. Where anybody may sign in, another site must not lead its
/// name here and have the browser take both for one.
fn is_own_host(headers: &HeaderMap, base_url: &str) -> bool {
    let own = base_url.split_once("://").map_or(base_url, |it| it.1);
    headers.get(header::HOST).is_some_and(|it| it == own)
}

/// Browsers say who asks: `Sec-Fetch-Site`, or the older `Origin`. What says neither is no browser, and carries no cookie
/// that somebody else could use.
pub(crate) fn is_same_site(headers: &HeaderMap, base_url: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    headers.get(header::ORIGIN).is_none_or(|it| it == base_url)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Version};

    use super::{is_own_host, is_same_site, is_strange, names_host};

    #[test]
    fn a_request_names_one_host() {
        for (version, hosts, taken) in [
            (Version::HTTP_11, &["bank.example"][..], true),
            (Version::HTTP_11, &["127.0.0.1:7400"], true),
            (Version::HTTP_11, &["[::1]:7400"], true),
            (Version::HTTP_11, &[], false),
            (Version::HTTP_10, &[], true),
            (Version::HTTP_11, &["bank.example", "bank.example"], false),
            (Version::HTTP_11, &["bank.example", "evil.example"], false),
            (Version::HTTP_10, &["bank.example", "evil.example"], false),
            (Version::HTTP_11, &[""], false),
            (Version::HTTP_11, &[":80"], false),
            (Version::HTTP_11, &["a b"], false),
            (Version::HTTP_11, &["a, b"], false),
            (Version::HTTP_11, &["a/b"], false),
            (Version::HTTP_11, &["user@bank.example"], false),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append("host", host.parse().expect("a value"));
            }
            assert_eq!(
                names_host(version, &headers),
                taken,
                "{version:?} {hosts:?}"
            );
        }
    }

    #[test]
    fn no_other_name_leads_to_a_development_login() {
        for (host, taken) in [
            ("127.0.0.1:7400", true),
            ("localhost:7400", false),
            ("evil.example:7400", false),
            ("evil.example", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("host", host.parse().expect("a value"));
            assert_eq!(
                is_own_host(&headers, "http://127.0.0.1:7400"),
                taken,
                "{host}"
            );
        }
        assert!(!is_own_host(&HeaderMap::new(), "http://127.0.0.1:7400"));
    }

    #[test]
    fn a_proxy_of_ours_that_nobody_named_is_strange() {
        let trusted = ["10.244.0.0/16".parse().expect("a network")];
        for (peer, strange) in [
            ("10.244.7.1", false),
            ("10.245.0.1", true),
            ("::ffff:192.168.1.1", true),
            ("127.0.0.1", true),
            ("fd12::1", true),
            // Anybody may write the header.
            ("198.51.100.7", false),
            ("2001:db8::1", false),
        ] {
            let address = peer.parse().expect("an address");
            assert_eq!(is_strange(address, &trusted), strange, "{peer}");
        }
    }

    #[test]
    fn no_other_site_changes_anything() {
        let base = "https://bank.example";
        for (name, value, taken) in [
            ("sec-fetch-site", "same-origin", true),
            ("sec-fetch-site", "none", true),
            ("sec-fetch-site", "same-site", false),
            ("sec-fetch-site", "cross-site", false),
            ("origin", base, true),
            ("origin", "https://evil.example", false),
            ("origin", "null", false),
            ("x-other", "1", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a value"));
            assert_eq!(is_same_site(&headers, base), taken, "{name}: {value}");
        }
    }
}
