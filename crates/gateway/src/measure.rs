//! What is measured of the gateway: requests by route and status, and how long they took. A route is named by its pattern, so
//! that no address of a share or a record is in a label.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use creditbank_client::trace::TARGET;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};
use tracing::{Instrument as _, trace_span};

use crate::clock;

/// What every request of a route that there is not is counted under.
const OTHER: &str = "other";

/// What each name means.
pub(crate) fn describe() {
    let requests = "creditbank_gateway_requests_total";
    describe_counter!(
        requests,
        "Requests that were answered, by route, method and status."
    );
    let seconds = "creditbank_gateway_request_seconds";
    describe_histogram!(seconds, Unit::Seconds, "A request until its answer began.");
    let connections = "creditbank_gateway_connections";
    describe_gauge!(connections, "Connections that are open.");
}

/// Counts and times a request.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
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
    let response = next.run(request).instrument(span).await;
    let status = response.status().as_u16().to_string();
    histogram!("creditbank_gateway_request_seconds", "route" => route.clone())
        .record(clock::instant().duration_since(since));
    let name = "creditbank_gateway_requests_total";
    counter!(name, "route" => route, "method" => method, "status" => status).increment(1);
    response
}
