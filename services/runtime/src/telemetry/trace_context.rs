//! Trace context between processes and through the log, as the W3C Trace Context recommendation writes it.

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The current span's `traceparent`, or `None` where nothing is traced.
pub fn trace_parent() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    let flags = span.trace_flags().to_u8();
    span.is_valid().then(|| format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id()))
}

/// Links a worker's span to the one that wrote `trace_parent` into the log. A text that is none is ignored: telemetry
/// never fails the work.
pub fn link(span: &Span, trace_parent: &str) {
    if let Some(context) = parse(trace_parent) {
        span.add_link(context);
    }
}

fn parse(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let has_right_lengths = [version.len(), trace_id.len(), span_id.len(), flags.len()] == [2, 32, 16, 2];
    // Version 00 ends here; a later version may say more, which is to be ignored. Version ff is forbidden.
    if !has_right_lengths || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace_id).ok()?,
        SpanId::from_hex(span_id).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_parent_is_read_as_the_recommendation_says() {
        let trace_id = "0af7651916cd43dd8448eb211c80319c";
        let good = [
            format!("00-{trace_id}-b7ad6b7169203331-01"),
            format!("cc-{trace_id}-b7ad6b7169203331-01-what-the-future-adds"),
        ];
        for text in good {
            assert_eq!(parse(&text).map(|context| context.trace_id().to_string()).as_deref(), Some(trace_id), "{text}");
        }
        let bad = [
            String::new(),
            "nonsense".to_owned(),
            format!("ff-{trace_id}-b7ad6b7169203331-01"),
            format!("00-{trace_id}-b7ad6b7169203331-01-more"),
            format!("00-{trace_id}-0000000000000000-01"),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01".to_owned(),
            format!("00-{trace_id}-b7ad6b71692033-01"),
            format!("00-{trace_id}-b7ad6b716920333x-01"),
        ];
        for text in bad {
            assert!(parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn nothing_is_traced_without_a_collector() {
        assert_eq!(trace_parent(), None);
    }
}
