//! Traces across programs: a call carries the trace that it is part of, as a W3C `traceparent`. Where nobody collects traces,
//! no span is made and nothing is carried.

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use tonic::metadata::{Ascii, MetadataValue};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of every span that is part of a trace. Spans hold counts and names of the program's own, nothing of a record.
pub const TARGET: &str = "creditbank::trace";

/// The header that carries a trace.
pub const HEADER: &str = "traceparent";

/// The trace that goes on from here, if there is one.
pub(crate) fn current() -> Option<MetadataValue<Ascii>> {
    let span = Span::current();
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let within = context.span().span_context().clone();
    let text = within.is_valid().then(|| {
        let (trace, span, flags) = (within.trace_id(), within.span_id(), within.trace_flags());
        format!("00-{trace}-{span}-{:02x}", flags.to_u8())
    });
    text?.parse().ok()
}

/// Makes a span part of the trace that a call carries.
pub fn adopt(span: &Span, header: Option<&str>) {
    if let Some(within) = header.filter(|_| !span.is_disabled()).and_then(parse) {
        // A span that nobody collects has no parent.
        drop(span.set_parent(Context::new().with_remote_span_context(within)));
    }
}

fn parse(header: &str) -> Option<SpanContext> {
    let mut parts = header.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_known = version == "00" && parts.next().is_none();
    let is_whole = trace.len() == 32 && span.len() == 16 && flags.len() == 2;
    if !is_known || !is_whole {
        return None;
    }
    let within = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    within.is_valid().then_some(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_not_a_trace_is_none() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let read =
            parse(&format!("00-{trace}-{span}-01")).expect("the example of the specification");
        assert_eq!(read.trace_id().to_string(), trace);
        assert_eq!(read.span_id().to_string(), span);
        assert!(read.is_sampled() && read.is_remote());
        for wrong in [
            String::new(),
            format!("01-{trace}-{span}-01"),
            format!("00-{trace}-{span}-01-x"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{trace}-{span}-0"),
            format!("00-{}-{span}-01", "é".repeat(16)),
        ] {
            assert!(parse(&wrong).is_none(), "{wrong}");
        }
    }
}
