//! The metrics of one region. Each region has a registry of its own, so that a page of one never shows another's.
//!
//! Labels are ids of subscriptions and steps, never tenants' data.

mod queue;

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

pub use queue::{QueueMeter, Queued};

/// Everything a region measures about itself.
#[derive(Debug, Clone)]
pub struct RegionMetrics {
    registry: Registry,
    /// Seconds from an append's arrival at its lane to its acknowledgement.
    pub append_seconds: Histogram,
    /// Callers per group commit.
    pub append_batch_size: Histogram,
    /// Appends refused, by reason.
    pub append_refusals: IntCounterVec,
    /// What waits in each bounded queue of the process, by its name.
    pub queue_length: IntGaugeVec,
    /// What a full queue refused or let fall, by its name.
    pub queue_refusals: IntCounterVec,
    /// Positions between the log's heads and a subscription's checkpoints, summed over tenants.
    pub subscription_lag_positions: IntGaugeVec,
    /// Age in seconds of the oldest event a subscription has not handled.
    pub subscription_lag_seconds: GaugeVec,
    /// Tenants halted in a subscription.
    pub subscription_halted: IntGaugeVec,
    /// Events a subscription has handled.
    pub subscription_events: IntCounterVec,
    /// Records the brokers have acknowledged.
    pub topic_records_published: IntCounter,
    /// Records of the topic that were not believed, by reason.
    pub topic_records_refused: IntCounterVec,
    /// Events a subscription has taken from the topic instead of the log.
    pub topic_events: IntCounterVec,
    /// Whether a client of the topic works: 1, or 0 while it does not. By client.
    pub topic_connected: IntGaugeVec,
    /// Age in seconds of the oldest event that a mark has not reached: `sealed`, `archived` or `verified`.
    pub mark_age_seconds: GaugeVec,
    /// Objects written to the region's bucket, by kind.
    pub archive_objects: IntCounterVec,
    /// Age in seconds of the oldest whole export of a tenant's keys.
    pub key_export_age_seconds: Gauge,
    /// How long exported keys live, in seconds.
    pub key_export_life_seconds: Gauge,
    /// Age in seconds of the newest backup's cut, or of the first tenant where there is none.
    pub backup_age_seconds: Gauge,
    /// How often the region is to be backed up, in seconds; 0 if only on request.
    pub backup_interval_seconds: Gauge,
    /// Tenants that the newest backup could not bring to its cut.
    pub backup_incomplete_tenants: IntGauge,
    /// Age in seconds of the newest restore drill, or of the first tenant where there is none.
    pub drill_age_seconds: Gauge,
    /// Seconds since that living tenant was drilled whose drill is longest ago; since it came, where one never was.
    pub drill_oldest_age_seconds: Gauge,
    /// How often a drill is to be done, in seconds; 0 if only on request.
    pub drill_interval_seconds: Gauge,
    /// Tenants that did not come back as they live, the last time they were drilled.
    pub drill_wrong_tenants: IntGauge,
    /// Entries of the access log that were never written: their tenant went elsewhere, or the process ended first.
    pub accesses_lost: IntCounter,
    /// Tree heads of another region's logs beside others of the same size, by that region.
    pub witness_forks: IntCounterVec,
    /// For how long another region has not shown that a tree head of its logs follows on what was cosigned, by that region.
    pub witness_unproven_seconds: GaugeVec,
    /// Logs of this region that another one does not cosign, by that one.
    pub witness_refusals: IntGaugeVec,
    /// Seconds since all that is new was shown to another region, by that one.
    pub witness_silent_seconds: GaugeVec,
    /// Requests answered 421: the tenant is not at home here.
    pub misdirected_requests: IntCounter,
    /// Requests, by status class.
    pub http_requests: IntCounterVec,
    /// Seconds to answer a request.
    pub http_seconds: Histogram,
}

impl RegionMetrics {
    /// The metrics of a region, all zero. `region` becomes a label of each.
    pub fn new(region: &str) -> Self {
        let registry = Registry::new_custom(None, Some([("region".to_owned(), region.to_owned())].into()))
            .expect("the registry has no prefix, and one valid label");
        let metrics = Self {
            append_seconds: histogram("domicile_append_seconds", "Append latency.", seconds()),
            append_batch_size: histogram(
                "domicile_append_batch_size",
                "Callers per group commit.",
                vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0],
            ),
            append_refusals: counters("domicile_append_refusals_total", "Appends refused.", "reason"),
            queue_length: gauges("domicile_queue_length", "What waits in a bounded queue.", "queue"),
            queue_refusals: counters("domicile_queue_refusals_total", "What a full queue refused or dropped.", "queue"),
            subscription_lag_positions: gauges(
                "domicile_subscription_lag_positions",
                "Positions behind.",
                "subscription",
            ),
            subscription_lag_seconds: ages("domicile_subscription_lag_seconds", "Seconds behind.", "subscription"),
            subscription_halted: gauges("domicile_subscription_halted_tenants", "Tenants halted.", "subscription"),
            subscription_events: counters("domicile_subscription_events_total", "Events handled.", "subscription"),
            topic_records_published: IntCounter::new("domicile_topic_records_published_total", "Records published.")
                .expect(STATIC),
            topic_records_refused: counters("domicile_topic_records_refused_total", "Records not believed.", "reason"),
            topic_events: counters("domicile_topic_events_total", "Events taken from the topic.", "subscription"),
            topic_connected: gauges("domicile_topic_connected", "Whether a client of the topic works.", "client"),
            mark_age_seconds: ages("domicile_mark_age_seconds", "Age of the oldest event beyond a mark.", "mark"),
            archive_objects: counters("domicile_archive_objects_total", "Objects written to the bucket.", "kind"),
            key_export_age_seconds: age(
                "domicile_key_export_age_seconds",
                "Age of the oldest whole export of a tenant's keys.",
            ),
            key_export_life_seconds: age("domicile_key_export_life_seconds", "How long exported keys live."),
            backup_age_seconds: age("domicile_backup_age_seconds", "Age of the newest backup."),
            backup_interval_seconds: age("domicile_backup_interval_seconds", "How often a backup is to be made."),
            backup_incomplete_tenants: IntGauge::new(
                "domicile_backup_incomplete_tenants",
                "Tenants that are not whole in the newest backup.",
            )
            .expect(STATIC),
            drill_age_seconds: age("domicile_drill_age_seconds", "Age of the newest restore drill."),
            drill_oldest_age_seconds: age(
                "domicile_drill_oldest_age_seconds",
                "Age of the drill that is the newest of its tenant, and the oldest of all tenants'.",
            ),
            drill_interval_seconds: age("domicile_drill_interval_seconds", "How often a drill is to be done."),
            drill_wrong_tenants: IntGauge::new(
                "domicile_drill_wrong_tenants",
                "Tenants that their last drill did not bring back as they live.",
            )
            .expect(STATIC),
            accesses_lost: IntCounter::new(
                "domicile_accesses_lost_total",
                "Entries of the access log that were never written.",
            )
            .expect(STATIC),
            witness_forks: counters(
                "domicile_witness_forks_total",
                "Tree heads of another region's logs that contradict what was cosigned before.",
                "of",
            ),
            witness_unproven_seconds: ages(
                "domicile_witness_unproven_seconds",
                "Seconds for which another region has not shown that a tree head of its logs follows on what was cosigned.",
                "of",
            ),
            witness_refusals: gauges(
                "domicile_witness_refused_logs",
                "Logs that another region does not cosign.",
                "witness",
            ),
            witness_silent_seconds: ages(
                "domicile_witness_silent_seconds",
                "Seconds since another region was shown all that is new.",
                "witness",
            ),
            misdirected_requests: IntCounter::new("domicile_misdirected_requests_total", "Requests answered 421.")
                .expect(STATIC),
            http_requests: counters("domicile_http_requests_total", "Requests.", "status"),
            http_seconds: histogram("domicile_http_seconds", "Seconds to answer a request.", seconds()),
            registry,
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

    /// The names of all metrics, also of those that have shown nothing yet.
    pub fn names(&self) -> Vec<String> {
        let collectors = self.collectors();
        collectors.iter().flat_map(|collector| collector.desc()).map(|described| described.fq_name.clone()).collect()
    }

    fn register(&self) {
        for collector in self.collectors() {
            self.registry.register(collector).expect("every metric has a name of its own");
        }
    }

    fn collectors(&self) -> Vec<Box<dyn prometheus::core::Collector>> {
        vec![
            Box::new(self.append_seconds.clone()),
            Box::new(self.append_batch_size.clone()),
            Box::new(self.append_refusals.clone()),
            Box::new(self.queue_length.clone()),
            Box::new(self.queue_refusals.clone()),
            Box::new(self.subscription_lag_positions.clone()),
            Box::new(self.subscription_lag_seconds.clone()),
            Box::new(self.subscription_halted.clone()),
            Box::new(self.subscription_events.clone()),
            Box::new(self.topic_records_published.clone()),
            Box::new(self.topic_records_refused.clone()),
            Box::new(self.topic_events.clone()),
            Box::new(self.topic_connected.clone()),
            Box::new(self.mark_age_seconds.clone()),
            Box::new(self.archive_objects.clone()),
            Box::new(self.key_export_age_seconds.clone()),
            Box::new(self.key_export_life_seconds.clone()),
            Box::new(self.backup_age_seconds.clone()),
            Box::new(self.backup_interval_seconds.clone()),
            Box::new(self.backup_incomplete_tenants.clone()),
            Box::new(self.drill_age_seconds.clone()),
            Box::new(self.drill_oldest_age_seconds.clone()),
            Box::new(self.drill_interval_seconds.clone()),
            Box::new(self.drill_wrong_tenants.clone()),
            Box::new(self.accesses_lost.clone()),
            Box::new(self.witness_forks.clone()),
            Box::new(self.witness_unproven_seconds.clone()),
            Box::new(self.witness_refusals.clone()),
            Box::new(self.witness_silent_seconds.clone()),
            Box::new(self.misdirected_requests.clone()),
            Box::new(self.http_requests.clone()),
            Box::new(self.http_seconds.clone()),
        ]
    }
}

const STATIC: &str = "the metric's name and labels are literals that Prometheus accepts";

fn seconds() -> Vec<f64> {
    vec![0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0]
}

fn histogram(name: &str, help: &str, buckets: Vec<f64>) -> Histogram {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets)).expect(STATIC)
}

fn age(name: &str, help: &str) -> Gauge {
    Gauge::new(name, help).expect(STATIC)
}

fn ages(name: &str, help: &str, label: &str) -> GaugeVec {
    GaugeVec::new(Opts::new(name, help), &[label]).expect(STATIC)
}

fn counters(name: &str, help: &str, label: &str) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), &[label]).expect(STATIC)
}

fn gauges(name: &str, help: &str, label: &str) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), &[label]).expect(STATIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_name_whether_it_shows_something_or_not() {
        let metrics = RegionMetrics::new("eu");
        let names = metrics.names();
        assert!(!metrics.page().contains("domicile_queue_refusals_total"), "no queue has refused anything");
        assert!(names.contains(&"domicile_queue_refusals_total".to_owned()), "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("domicile_")), "{names:?}");
    }

    #[test]
    fn a_region_shows_its_own_metrics_only() {
        let (eu, us) = (RegionMetrics::new("eu"), RegionMetrics::new("us"));
        eu.misdirected_requests.inc();
        assert!(eu.page().contains("domicile_misdirected_requests_total{region=\"eu\"} 1"));
        assert!(us.page().contains("domicile_misdirected_requests_total{region=\"us\"} 0"));
        assert!(!us.page().contains("\"eu\""));
    }
}
