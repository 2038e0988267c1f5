//! `infra/alerts` alarms on metrics that a region has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use runtime::RegionMetrics;
use system_tests::repository;

/// Every alarm that there has to be, and what it is about.
const ALARMS: [(&str, &str); 20] = [
    ("DomicileAppendsRefused", "domicile_append_refusals_total"),
    ("DomicileAppendsSlow", "domicile_append_seconds_bucket"),
    ("DomicileArchiveBehind", "domicile_mark_age_seconds"),
    ("DomicileBackupIncomplete", "domicile_backup_incomplete_tenants"),
    ("DomicileBackupOverdue", "domicile_backup_age_seconds"),
    ("DomicileDrillFailed", "domicile_drill_wrong_tenants"),
    ("DomicileDrillOverdue", "domicile_drill_age_seconds"),
    ("DomicileKeyExportsEnd", "domicile_key_export_age_seconds"),
    ("DomicileLogForked", "domicile_witness_forks_total"),
    ("DomicileLogNotCosigned", "domicile_witness_refused_logs"),
    ("DomicileLogUnproven", "domicile_witness_unproven_seconds"),
    ("DomicileQueueFull", "domicile_queue_refusals_total"),
    ("DomicileReplicatorSilent", "domicile_mark_age_seconds"),
    ("DomicileSubscriptionBehind", "domicile_subscription_lag_seconds"),
    ("DomicileSubscriptionSilent", "domicile_subscription_lag_seconds"),
    ("DomicileTenantHalted", "domicile_subscription_halted_tenants"),
    ("DomicileTopicAway", "domicile_topic_connected"),
    ("DomicileTopicNotBelieved", "domicile_topic_records_refused_total"),
    ("DomicileVerificationBehind", "domicile_mark_age_seconds"),
    ("DomicileWitnessSilent", "domicile_witness_silent_seconds"),
];

/// What the names of a histogram end with on the page.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_count", "_sum"];

/// The alarms of the rules, each with its expression.
fn alarms(rules: &str) -> BTreeMap<&str, &str> {
    let mut lines = rules.lines().map(str::trim);
    let mut alarms = BTreeMap::new();
    while let Some(line) = lines.next() {
        let Some(alert) = line.strip_prefix("- alert: ") else { continue };
        let expression = lines.next().and_then(|line| line.strip_prefix("expr: ")).expect("the expression follows");
        alarms.insert(alert, if expression == ">-" { lines.next().expect("it is below") } else { expression });
    }
    alarms
}

/// The metrics that rules name.
fn named_in(rules: &str) -> BTreeSet<&str> {
    let words = rules.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("domicile_")).collect()
}

/// Those of them that a region does not have.
fn missing(rules: &str) -> Vec<String> {
    let known = RegionMetrics::new("eu").names();
    let is_known = |name: &str| {
        let of_histogram = OF_HISTOGRAMS.iter().filter_map(|suffix| name.strip_suffix(suffix));
        of_histogram.chain([name]).any(|name| known.iter().any(|known| known == name))
    };
    named_in(rules).into_iter().filter(|name| !is_known(name)).map(str::to_owned).collect()
}

#[test]
fn every_rule_is_about_a_metric_that_a_region_has() -> anyhow::Result<()> {
    let rules = fs::read_to_string(repository().join("infra/alerts/domicile.yml"))?;
    assert_eq!(missing(&rules), Vec::<String>::new());
    let rules_of = alarms(&rules);
    assert_eq!(rules_of.keys().copied().collect::<Vec<_>>(), ALARMS.map(|(alert, _)| alert));
    for (alert, metric) in ALARMS {
        assert!(named_in(rules_of[alert]).contains(metric), "{alert} is not about {metric}");
    }
    // The control: a metric that was renamed.
    let renamed = rules.replace("domicile_mark_age_seconds", "domicile_mark_delay_seconds");
    assert_eq!(missing(&renamed), ["domicile_mark_delay_seconds"]);
    Ok(())
}
