//! What is measured of the gateway: requests by route and status, and how long they took. A route is named by its pattern, so
//! that no address of a share or a record is in a label.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use creditbank_client::trace::{self, TARGET};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};
use tracing::{Instrument as _, trace_span};

use crate::app::App;
use crate::clock;
use crate::proxies::{Network, is_among};

/// What every request of a route that there is not is counted under.
const OTHER: &str = "other";

/// Connections that are open.
pub(crate) const CONNECTIONS: &str = "creditbank_gateway_connections";
/// Connections of a client that had as many as it may.
pub(crate) const REFUSED: &str = "creditbank_gateway_connections_refused_total";
/// Connections that ended because nothing was read.
pub(crate) const UNREAD: &str = "creditbank_gateway_connections_unread_total";

/// What each name means.
pub(crate) fn describe() {
    let requests = "creditbank_gateway_requests_total";
    describe_counter!(
        requests,
        "Requests that were answered, by route, method and status."
    );
    let seconds = "creditbank_gateway_request_seconds";
    describe_histogram!(seconds, Unit::Seconds, "A request until its answer began.");
    describe_gauge!(CONNECTIONS, "Connections that are open.");
    let refused = "Connections refused, because their client had as many as it may.";
    describe_counter!(REFUSED, refused);
    let unread = "Connections cut off, because their client took no byte in time.";
    describe_counter!(UNREAD, unread);
    for name in [REFUSED, UNREAD] {
        // Seen from the start.
        counter!(name).absolute(0);
    }
}

/// Counts and times a request, as a part of a trace where there is one.
pub(crate) async fn measure(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let since = clock::instant();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => OTHER,
    };
    let route = route.map_or(OTHER.to_owned(), |it| it.as_str().to_owned());
    let span = trace_span!(target: TARGET, "request", otel.name = %route, otel.kind = "server");
    let trusted = &app.options.trusted_proxies;
    trace::adopt(&span, begun(peer.ip(), request.headers(), trusted));
    let response = next.run(request).instrument(span).await;
    let status = response.status().as_u16().to_string();
    histogram!("creditbank_gateway_request_seconds", "route" => route.clone())
        .record(clock::instant().duration_since(since));
    let name = "creditbank_gateway_requests_total";
    counter!(name, "route" => route, "method" => method, "status" => status).increment(1);
    response
}

/// The trace that a trusted proxy has begun. Anybody else could write into ours, or have everything traced.
fn begun<'a>(peer: IpAddr, headers: &'a HeaderMap, trusted: &[Network]) -> Option<&'a str> {
    let mut lines = headers.get_all(trace::HEADER).into_iter();
    let line = lines.next().filter(|_| is_among(trusted, peer));
    // Two are none (W3C Trace Context §3.2).
    line.filter(|_| lines.next().is_none())?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_on_from_a_trusted_proxy_alone() {
        let trusted: [Network; 1] = ["10.0.0.1".parse().expect("an address")];
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for (peer, lines, found) in [
            ("10.0.0.1", &[trace][..], Some(trace)),
            ("::ffff:10.0.0.1", &[trace], Some(trace)),
            ("10.0.0.2", &[trace], None),
            ("10.0.0.1", &[], None),
            ("10.0.0.1", &[trace, trace], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(trace::HEADER, line.parse().expect("a value"));
            }
            let peer = peer.parse().expect("an address");
            assert_eq!(begun(peer, &headers, &trusted), found, "{peer} {lines:?}");
        }
    }
}
