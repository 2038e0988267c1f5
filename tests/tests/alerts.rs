//! `infra/alerts` alarms on metrics that a region has.

use std::{collections::BTreeSet, fs};

use runtime::RegionMetrics;
use system_tests::repository;

/// What the names of a histogram end with on the page.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_count", "_sum"];

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
    let named = named_in(&rules);
    for must in [
        "domicile_subscription_halted_tenants",
        "domicile_mark_age_seconds",
        "domicile_queue_refusals_total",
        "domicile_drill_wrong_tenants",
    ] {
        assert!(named.contains(must), "nothing alarms on {must}");
    }
    // The control: a metric that was renamed.
    let renamed = rules.replace("domicile_mark_age_seconds", "domicile_mark_delay_seconds");
    assert_eq!(missing(&renamed), ["domicile_mark_delay_seconds"]);
    Ok(())
}
