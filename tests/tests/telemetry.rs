//! Spans, log lines and metrics tell what the system does, and nothing of what people wrote.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::{Router, body::Bytes, extract::State, routing::post};
use runtime::Shutdown;
use system_tests::{Client, Deployment, Setup, canary::occurs, populate::populated, wait};
use tokio::net::TcpListener;

/// Takes spans as an OpenTelemetry collector does, and keeps the bytes.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<u8>>>);

impl Collector {
    /// Starts one; gives its base URL.
    async fn start(&self, shutdown: &Shutdown) -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let take = async |State(Self(kept)): State<Self>, body: Bytes| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&body);
        };
        let routes = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        shutdown.spawn(async move { axum::serve(listener, routes).await });
        Ok(url)
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn holds(&self, text: &str) -> bool {
        occurs(&self.bytes(), text.as_bytes())
    }
}

/// A span of each role.
const SPANS: [&str; 4] = ["desk.request", "eventlog.append", "projection.", "replicator."];

#[tokio::test]
async fn telemetry_tells_what_happened_and_nothing_of_what_people_wrote() -> anyhow::Result<()> {
    let (collector, shutdown) = (Collector::default(), Shutdown::new());
    let url = collector.start(&shutdown).await?;
    let setup = Setup::regions(&["eu"]).with("OTEL_EXPORTER_OTLP_ENDPOINT", &url).with("DOMICILE_LOG", "trace");
    let deployment = Deployment::start(setup).await?;
    let (tenant, canaries) = populated(&deployment, "eu").await?;
    tenant.archived().await?;
    let metrics = metrics(&deployment).await?;
    for span in SPANS {
        wait::until(&format!("a span {span}"), async || Ok(collector.holds(span).then_some(()))).await?;
    }
    deployment.interrupt().await?;

    let log = deployment.log()?;
    assert!(log.contains("\"level\":\"DEBUG\""), "there is a log at this level: {log}");
    assert_log_is_json(&log)?;
    assert!(metrics.contains("domicile_append_seconds_count{region=\"eu\"}"), "{metrics}");
    assert!(metrics.contains("domicile_mark_age_seconds"), "{metrics}");
    let postgres = |place: &str| std::fs::read(deployment.data().join(place).join("postgres/postgres.log"));
    let said = [
        ("spans", collector.bytes()),
        ("log lines", log.into_bytes()),
        ("output", deployment.output()?.into_bytes()),
        ("metrics", metrics.into_bytes()),
        ("log of the region's Postgres", postgres("eu")?),
        ("log of the directory's Postgres", postgres("directory")?),
    ];
    for (what, bytes) in &said {
        assert_eq!(canaries.found_in(bytes), Vec::<String>::new(), "in {what}");
        assert!(!occurs(bytes, tenant.token.as_bytes()), "the admin's token is in {what}");
        // The control: what is looked through would show one.
        let planted = [bytes, canaries.of("subject").as_bytes()].concat();
        assert_eq!(canaries.found_in(&planted).len(), 1, "in {what}");
    }
    Ok(())
}

/// The region's page, on its host and on the port for ops.
async fn metrics(deployment: &Deployment) -> anyhow::Result<String> {
    let region = "eu".parse()?;
    let operations = deployment.running()?.regions.get(&region).context("the region runs")?.operations;
    let on_port = Client::new(operations, "localhost")?.get("/metrics").await?.expect(200)?.text();
    let on_host = deployment.client("eu")?.get("/metrics").await?.expect(200)?.text();
    Ok(on_port + on_host.as_str())
}

fn assert_log_is_json(log: &str) -> anyhow::Result<()> {
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))?;
        anyhow::ensure!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    Ok(())
}
