//! Log lines to standard error; spans to an OpenTelemetry collector, if one is named.
//!
//! Neither ever holds personal data or content: fields are ids, positions, names of types and times.
//!
//! The exporter works on threads of its own, with a blocking HTTP client that panics when it is built or dropped on a
//! thread of the async runtime; [`init`] and [`Telemetry::shutdown`] therefore each step onto a thread of their own.

use std::{io, thread, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkError,
    trace::{SdkTracerProvider, Tracer},
};
use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt as _, ParseError, dynamic_filter_fn},
    fmt::MakeWriter,
    layer::{Context, Filter, SubscriberExt as _},
    registry::LookupSpan,
    util::{SubscriberInitExt as _, TryInitError},
};

pub use trace_context::{link, trace_parent};

mod trace_context;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// One line of text, for people at a terminal.
    Text,
}

/// What telemetry a process gives.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// How log lines look.
    pub format: Format,
    /// Which of them are written: directives as in `info,sqlx=warn`.
    pub filter: String,
    /// The base URL of an OTLP/HTTP collector. Without: no span leaves the process.
    pub otlp_endpoint: Option<String>,
    /// Which program speaks.
    pub service_name: String,
    /// For which region, if it is one's.
    pub region: Option<String>,
}

/// Why telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter's directives are wrong.
    #[error("log filter: takes directives as in info,sqlx=warn")]
    Filter(#[source] ParseError),
    /// The exporter refuses its configuration.
    #[error("OTLP endpoint: takes the base URL of an OTLP/HTTP collector")]
    Exporter(#[source] ExporterBuildError),
    /// Somebody has set up tracing already.
    #[error("telemetry is set up already")]
    Twice(#[source] TryInitError),
}

/// Running telemetry; spans still held are sent at [`Telemetry::shutdown`].
#[must_use = "spans that wait to be exported are lost without a shutdown"]
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// What makes and carries spans; exporting their requests would make traces of traces.
const EXPORT_TARGETS: [&str; 5] = ["hyper", "hyper_util", "reqwest", "h2", "opentelemetry"];
/// Our crates. What they write is theirs to answer for, at every level.
const OURS: [&str; 15] = [
    "archive",
    "auditor",
    "desk",
    "directory",
    "domain",
    "domicile",
    "embedded",
    "eventlog",
    "projector",
    "regions",
    "replicator",
    "router",
    "runtime",
    "schemas",
    "vault",
];
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts telemetry for this process.
///
/// # Errors
/// If the filter or the endpoint is wrong, or it was started before.
pub fn init(config: TelemetryConfig) -> Result<Telemetry, Error> {
    let filter = EnvFilter::builder().parse(&config.filter).map_err(Error::Filter)?;
    let provider = config.otlp_endpoint.as_deref().map(|endpoint| provider(endpoint, &config)).transpose()?;
    let tracer = provider.as_ref().map(|provider| provider.tracer("domicile"));
    tracing_subscriber::registry()
        .with(log_lines(config.format, io::stderr).with_filter(filter.and(each_time(is_written, LevelFilter::TRACE))))
        .with(tracer.map(exported_spans))
        .try_init()
        .map_err(Error::Twice)?;
    Ok(Telemetry { provider })
}

impl Telemetry {
    /// Sends what is held, at most a few seconds long, and stops. What could not be sent is lost, and logged.
    pub fn shutdown(self) {
        let Some(provider) = self.provider else { return };
        if let Err(error) = off_the_runtime(|| provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT))
            && !matches!(error, OTelSdkError::AlreadyShutdown)
        {
            tracing::warn!(%error, "spans were lost at the end of the process");
        }
    }
}

fn provider(endpoint: &str, config: &TelemetryConfig) -> Result<SdkTracerProvider, Error> {
    let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let region = config.region.iter().map(|region| KeyValue::new("region", region.clone()));
    let resource = Resource::builder_empty()
        .with_service_name(config.service_name.clone())
        .with_attributes(region.collect::<Vec<_>>())
        .build();
    off_the_runtime(|| {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .map_err(Error::Exporter)?;
        Ok(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
    })
}

fn log_lines<S, W>(format: Format, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        Format::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        Format::Text => lines.with_ansi(false).boxed(),
    }
}

fn exported_spans<S>(tracer: Tracer) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(LevelFilter::INFO.and(each_time(is_exported, LevelFilter::INFO)))
}

/// A filter that is asked for every span and event anew.
///
/// What several layers have once and for all said yes to is not asked about again, and then the answer that a library asked
/// for and did not use (sqlx: whether somebody would read its statements) is taken for the next span, which is lost.
fn each_time<S>(is_wanted: fn(&Metadata<'_>) -> bool, most: LevelFilter) -> impl Filter<S> {
    dynamic_filter_fn(move |metadata, _: &Context<'_, S>| is_wanted(metadata)).with_max_level_hint(most)
}

fn is_exported(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    !EXPORT_TARGETS.iter().any(|target| root == *target || root.starts_with("opentelemetry"))
}

/// Below `info`, libraries tell what they handle: an HTML parser, every character that somebody wrote. No filter lets that
/// through.
fn is_written(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || OURS.contains(&root)
}

/// Runs `work` on a thread that belongs to no async runtime, and waits for it.
fn off_the_runtime<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no writer panics").write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines_of(format: Format) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry().with(log_lines(format, move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let _entered = tracing::info_span!("eventlog.append", tenant.id = 7).entered();
            tracing::info!(position = 42, "appended");
        });
        let bytes = lines.0.lock().expect("no writer panics").clone();
        String::from_utf8(bytes).expect("lines are UTF-8")
    }

    #[test]
    fn a_log_line_is_a_json_object_with_its_fields_and_its_span() {
        let line: serde_json::Value = serde_json::from_str(&lines_of(Format::Json)).expect("one JSON object");
        assert_eq!((&line["message"], &line["position"]), (&"appended".into(), &42.into()));
        assert_eq!((&line["span"]["name"], &line["span"]["tenant.id"]), (&"eventlog.append".into(), &7.into()));
    }

    #[test]
    fn a_text_line_is_one_line() {
        let text = lines_of(Format::Text);
        assert!(text.contains("appended position=42") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn what_a_library_handles_is_not_written_whatever_the_filter() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = log_lines(Format::Json, move || writer.clone());
        let subscriber =
            tracing_subscriber::registry().with(layer.with_filter(each_time(is_written, LevelFilter::TRACE)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "html5ever::tokenizer", "processing Characters(\"Dear Sir\")");
            tracing::info!(target: "html5ever::tokenizer", "parsed");
            tracing::trace!(target: "desk::execute", "decided");
        });
        let text = String::from_utf8(lines.0.lock().expect("no writer panics").clone()).expect("lines are UTF-8");
        assert!(text.contains("parsed") && text.contains("decided") && !text.contains("Dear Sir"), "{text}");
    }

    #[derive(Clone, Default)]
    struct Spans(Arc<Mutex<Vec<&'static str>>>);

    impl<S: Subscriber> Layer<S> for Spans {
        fn on_new_span(&self, attributes: &tracing::span::Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
            self.0.lock().expect("no layer panics").push(attributes.metadata().name());
        }
    }

    #[test]
    fn a_span_is_exported_after_a_library_asked_whether_anybody_listens() {
        let (lines, spans) = (Lines::default(), Spans::default());
        let writer = lines.clone();
        let written =
            log_lines(Format::Json, move || writer.clone()).with_filter(each_time(is_written, LevelFilter::TRACE));
        let exported = spans.clone().with_filter(LevelFilter::INFO.and(each_time(is_exported, LevelFilter::INFO)));
        let subscriber = tracing_subscriber::registry().with(written).with(exported);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..2 {
                // As sqlx does before every statement.
                let _ = tracing::enabled!(target: "desk::sqlx", Level::DEBUG);
                tracing::info_span!("eventlog.append").in_scope(|| ());
            }
        });
        assert_eq!(*spans.0.lock().expect("no layer panics"), ["eventlog.append", "eventlog.append"]);
    }

    #[test]
    fn a_wrong_filter_is_refused_with_what_it_takes() {
        let config = TelemetryConfig {
            format: Format::Json,
            filter: "domicile=loud".into(),
            otlp_endpoint: None,
            service_name: "domicile".into(),
            region: None,
        };
        let error = init(config).expect_err("refused");
        assert_eq!(error.to_string(), "log filter: takes directives as in info,sqlx=warn");
    }
}
