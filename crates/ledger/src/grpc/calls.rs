//! What stands around every call: it is counted and timed by method and status, and refused at once where too many are open.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use arc_swap::ArcSwap;
use creditbank_client::trace;
use creditbank_domain::Refusal;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_wire::{FILE_DESCRIPTOR_SET, Message as _};
use hyper::body::{Body, Frame, SizeHint};
use metrics::{Counter, Histogram, counter, histogram};
use prost_types::FileDescriptorSet;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::codegen::{Bytes, Service};
use tower::Layer;
use tracing::{Instrument as _, Span, trace_span};

use super::refuse;
use crate::measure::{begin, stages};

/// When whoever was refused should try again.
const RETRY_MS: u64 = 500;
/// The statuses of gRPC, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
/// The number of a call whose caller went away.
const CANCELLED: usize = 1;
const UNKNOWN: usize = 2;

/// How many calls may be open at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Of all callers together.
    pub calls: usize,
    /// Of one caller.
    pub calls_of_caller: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            calls: 8192,
            calls_of_caller: 2048,
        }
    }
}

/// The layer around all services.
#[derive(Clone)]
pub(crate) struct Calls(Arc<Shared>);

struct Shared {
    methods: HashMap<String, Method>,
    /// What no service of ours has.
    other: Method,
    limits: Arc<ArcSwap<CallLimits>>,
    open: AtomicUsize,
    /// Open calls of each caller that has any.
    callers: Mutex<HashMap<InstitutionNumber, usize>>,
}

/// Measures of one method; made when it is called first.
struct Method {
    service: String,
    name: String,
    seconds: OnceLock<Histogram>,
    ended: [OnceLock<Counter>; CODES.len()],
}

impl Method {
    fn new(service: &str, name: &str) -> Self {
        Self {
            service: service.to_owned(),
            name: name.to_owned(),
            seconds: OnceLock::new(),
            ended: [const { OnceLock::new() }; CODES.len()],
        }
    }

    fn end(&self, code: usize, since: Instant) {
        let labels = || {
            [
                ("service", self.service.clone()),
                ("method", self.name.clone()),
            ]
        };
        let seconds = || histogram!("creditbank_call_seconds", &labels());
        self.seconds
            .get_or_init(seconds)
            .record(begin().duration_since(since));
        let code = if code < CODES.len() { code } else { UNKNOWN };
        let ended = || {
            let [service, method] = labels();
            let labels = [service, method, ("code", CODES[code].to_owned())];
            counter!("creditbank_calls_total", &labels)
        };
        self.ended[code].get_or_init(ended).increment(1);
    }
}

impl Calls {
    pub(crate) fn new(limits: Arc<ArcSwap<CallLimits>>) -> Self {
        Self(Arc::new(Shared {
            methods: methods(),
            other: Method::new("other", "other"),
            limits,
            open: AtomicUsize::new(0),
            callers: Mutex::default(),
        }))
    }
}

impl Shared {
    /// The part of a trace that a call is; none where nobody collects traces.
    fn span<B>(&self, request: &Request<B>) -> Span {
        let method = self.methods.get(request.uri().path());
        let Method { service, name, .. } = method.unwrap_or(&self.other);
        let span = trace_span!(
            target: trace::TARGET, "call", otel.name = %name, otel.kind = "server", rpc.service = %service
        );
        let header = request.headers().get(trace::HEADER);
        trace::adopt(&span, header.and_then(|it| it.to_str().ok()));
        span
    }
}

/// Every method of this program by its path, from the descriptors that reflection serves: so labels have a bound.
fn methods() -> HashMap<String, Method> {
    let files =
        FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("descriptors of this program");
    let mut methods = HashMap::new();
    for file in &files.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                methods.insert(path, Method::new(service.name(), method.name()));
            }
        }
    }
    methods
}

/// One call while it is open. It lies in the extensions of its request, so that whoever finds out who calls can say so.
pub(crate) struct Call {
    shared: Arc<Shared>,
    /// Of [`Shared::methods`]; `None` for another.
    path: Option<String>,
    since: Instant,
    caller: OnceLock<InstitutionNumber>,
    ended: OnceLock<usize>,
}

impl Call {
    fn open(shared: &Arc<Shared>, path: &str) -> Self {
        stages().calls.increment(1.0);
        Self {
            shared: Arc::clone(shared),
            path: shared.methods.contains_key(path).then(|| path.to_owned()),
            since: begin(),
            caller: OnceLock::new(),
            ended: OnceLock::new(),
        }
    }

    /// Says who calls. Refused where this caller has too many calls open.
    pub(crate) fn of(&self, caller: InstitutionNumber) -> Result<(), Refusal> {
        if self.caller.get().is_some() {
            return Ok(());
        }
        let mut callers = lock(&self.shared.callers);
        let open = callers.entry(caller).or_default();
        if *open >= self.shared.limits.load().calls_of_caller {
            return Err(Refusal::QueueFull { retry_ms: RETRY_MS });
        }
        if self.caller.set(caller).is_ok() {
            *open += 1;
        }
        Ok(())
    }

    /// Takes the status from headers or trailers, where it is in them.
    fn see(&self, headers: &HeaderMap) {
        let status = headers.get("grpc-status").and_then(|it| it.to_str().ok());
        if let Some(code) = status.and_then(|it| it.parse().ok()) {
            // Only the first is sent.
            let _ = self.ended.set(code);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::AcqRel);
        stages().calls.decrement(1.0);
        if let Some(caller) = self.caller.get() {
            let mut callers = lock(&self.shared.callers);
            if let Some(open) = callers.get_mut(caller) {
                *open -= 1;
                if *open == 0 {
                    callers.remove(caller);
                }
            }
        }
        let method = self
            .path
            .as_ref()
            .and_then(|path| self.shared.methods.get(path));
        let code = self.ended.get().copied().unwrap_or(CANCELLED);
        method.unwrap_or(&self.shared.other).end(code, self.since);
    }
}

impl<S> Layer<S> for Calls {
    type Service = Around<S>;

    fn layer(&self, inner: S) -> Around<S> {
        Around {
            inner,
            shared: Arc::clone(&self.0),
        }
    }
}

/// A service with [`Calls`] around it.
#[derive(Clone)]
pub(crate) struct Around<S> {
    inner: S,
    shared: Arc<Shared>,
}

type Answered<E> = Pin<Box<dyn Future<Output = Result<Response<Watched>, E>> + Send>>;

impl<S, B> Service<Request<B>> for Around<S>
where
    S: Service<Request<B>, Response = Response<tonic::body::Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Watched>;
    type Error = S::Error;
    type Future = Answered<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let open = self.shared.open.fetch_add(1, Ordering::AcqRel);
        let call = Arc::new(Call::open(&self.shared, request.uri().path()));
        if open >= self.shared.limits.load().calls {
            let status = refuse(Refusal::QueueFull { retry_ms: RETRY_MS }, "");
            let response = status.into_http::<tonic::body::Body>();
            return Box::pin(std::future::ready(Ok(watch(call, Span::none(), response))));
        }
        let span = self.shared.span(&request);
        request.extensions_mut().insert(Arc::clone(&call));
        let answer = span.in_scope(|| self.inner.call(request));
        let answer = answer.instrument(span.clone());
        Box::pin(async move { answer.await.map(|response| watch(call, span, response)) })
    }
}

fn watch(call: Arc<Call>, span: Span, response: Response<tonic::body::Body>) -> Response<Watched> {
    call.see(response.headers());
    response.map(|body| Watched {
        body,
        call,
        _span: span,
    })
}

/// The body of an answer; the call ends with it.
pub(crate) struct Watched {
    body: tonic::body::Body,
    call: Arc<Call>,
    /// Part of a trace, until the last byte.
    _span: Span,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.see(trailers);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_services_has_measures_of_its_own() {
        let methods = methods();
        for path in [
            "/creditbank.v1.SubmissionService/SubmitBatch",
            "/creditbank.v1.LogService/GetCheckpoint",
        ] {
            assert!(methods.contains_key(path), "{path}");
        }
        assert!(methods.len() > 50);
    }

    #[test]
    fn one_caller_does_not_take_the_room_of_all() {
        let limits = CallLimits {
            calls: 8,
            calls_of_caller: 2,
        };
        let Calls(shared) = Calls::new(Arc::new(ArcSwap::from_pointee(limits)));
        let open = |number| {
            shared.open.fetch_add(1, Ordering::AcqRel);
            let call = Call::open(&shared, "/x");
            call.of(number).map(|()| call)
        };
        let (one, other) = (InstitutionNumber(1), InstitutionNumber(2));
        let (first, second) = (open(one).expect("room"), open(one).expect("room"));
        assert!(matches!(open(one), Err(Refusal::QueueFull { .. })));
        let third = open(other).expect("another caller has room");
        drop(first);
        let fourth = open(one).expect("room again");
        drop((second, third, fourth));
        assert!(lock(&shared.callers).is_empty());
        assert_eq!(shared.open.load(Ordering::Acquire), 0);
    }
}
