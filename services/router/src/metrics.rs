//! What the router counts. Labels are listeners and outcomes, never names.

use prometheus::{Encoder, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

const STATIC: &str = "the metric's name and labels are literals that Prometheus accepts";

/// The router's registry. Clones share it.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    pub(crate) connections: IntCounterVec,
    pub(crate) connections_open: IntGauge,
    pub(crate) map_version: IntGauge,
    pub(crate) map_refusals: IntCounterVec,
    pub(crate) directory_failures: IntCounter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let counters = |name, help, labels| IntCounterVec::new(Opts::new(name, help), labels).expect(STATIC);
        let metrics = Self {
            registry: Registry::new(),
            connections: counters(
                "domicile_router_connections_total",
                "Connections, by listener (plain, tls) and outcome.",
                &["listener", "outcome"],
            ),
            connections_open: IntGauge::new("domicile_router_connections_open", "Connections open now.").expect(STATIC),
            map_version: IntGauge::new("domicile_router_map_version", "Version of the map in use.").expect(STATIC),
            map_refusals: counters("domicile_router_map_refusals_total", "Maps refused, by reason.", &["reason"]),
            directory_failures: IntCounter::new(
                "domicile_router_directory_failures_total",
                "Requests for the map that the directory did not answer.",
            )
            .expect(STATIC),
        };
        metrics.register();
        metrics
    }

    /// The page for Prometheus, text format 0.0.4.
    pub fn page(&self) -> String {
        let mut page = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut page).expect("writing to memory does not fail");
        String::from_utf8(page).expect("the text format is UTF-8")
    }

    pub(crate) fn count(&self, listener: &str, outcome: &str) {
        self.connections.with_label_values(&[listener, outcome]).inc();
    }

    fn register(&self) {
        let collectors: [Box<dyn prometheus::core::Collector>; 5] = [
            Box::new(self.connections.clone()),
            Box::new(self.connections_open.clone()),
            Box::new(self.map_version.clone()),
            Box::new(self.map_refusals.clone()),
            Box::new(self.directory_failures.clone()),
        ];
        for collector in collectors {
            self.registry.register(collector).expect("every metric has a name of its own");
        }
    }
}
