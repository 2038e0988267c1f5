//! The hosting policy's file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use schemas::{DataClass, RegionId, values::Plan};

use super::{
    ConfigError,
    document::{Document, Table},
    region_file::is_country,
};
use crate::{
    policy::{EgressRule, HostingPolicy},
    rate_limits::{EndpointLimit, LimitedEndpoint, RateLimits},
    storage::Deletion,
};

const COUNTRY: &str = "takes country codes of two upper-case letters";

/// What `drills_days` is at the least: as long as the longest time between two drills by the clock, and a day.
const DRILLS_DAYS_MIN: u16 = 32;

/// For how long a day of an access log opens under a policy that says nothing of it: as under the repository's.
const ACCESS_LOG_DAYS: u32 = 90;

/// How long an auditor is let in for at most under such a policy.
const AUDITOR_GRANT_DAYS: u32 = 90;

/// The policy as its file has it, before it meets the regions.
pub(super) struct PolicyFile<'text> {
    policy: HostingPolicy,
    /// Country by cloud region.
    cloud_regions: BTreeMap<String, String>,
    path: &'text Path,
    text: &'text str,
}

pub(super) fn parse<'text>(path: &'text Path, text: &'text str) -> Result<PolicyFile<'text>, ConfigError> {
    let document = Document::parse(path, text)?;
    let file = document.root();
    file.only(&[
        "version",
        "default_region",
        "eea_members",
        "cloud_regions",
        "plans",
        "egress",
        "deletion",
        "access_log",
        "auditor_grant",
        "endpoint_limits",
    ])?;
    let policy = HostingPolicy {
        version: file.number("version", "takes a number from 1, raised with every change")?,
        default_region: file.parsed("default_region", "takes the id of a region file")?,
        regions: Vec::new(),
        plans_with_choice: plans(&file.table("plans")?)?,
        eea_members: file.texts("eea_members", COUNTRY, is_country)?.into_iter().map(str::to_owned).collect(),
        egress: egress(&file)?,
        deletion: file.optional_table("deletion")?.map_or_else(|| Ok(Deletion::default()), |table| deletion(&table))?,
        access_log_days: file.optional_table("access_log")?.map_or(Ok(ACCESS_LOG_DAYS), |table| days(&table))?,
        auditor_grant_days: file
            .optional_table("auditor_grant")?
            .map_or(Ok(AUDITOR_GRANT_DAYS), |table| days(&table))?,
        rate_limits: RateLimits {
            requests_per_minute: requests_per_minute(&file.table("plans")?)?,
            endpoints: file
                .optional_table("endpoint_limits")?
                .map_or_else(|| Ok(BTreeMap::new()), |table| endpoint_limits(&table))?,
        },
    };
    Ok(PolicyFile { policy, cloud_regions: cloud_regions(&file.table("cloud_regions")?)?, path, text })
}

/// The promise, and the spans that have to fit in: keys that expire are versions for a while before they are gone.
fn deletion(table: &Table<'_>) -> Result<Deletion, ConfigError> {
    table.only(&["promise_days", "keys_days", "drills_days", "noncurrent_days", "incomplete_days"])?;
    let days = |field| table.number(field, "takes a number of days, from 1");
    let deletion = Deletion {
        promise_days: days("promise_days")?,
        keys_days: days("keys_days")?,
        // A policy from before there was an end to them.
        drills_days: if table.has("drills_days") { days("drills_days")? } else { Deletion::default().drills_days },
        noncurrent_days: days("noncurrent_days")?,
        incomplete_days: days("incomplete_days")?,
    };
    if deletion.keys_days < 2 {
        return Err(table.wrong("keys_days", "takes 2 days or more: keys that live are exported anew at half of it"));
    }
    if deletion.drills_days < DRILLS_DAYS_MIN {
        let takes = format!("takes {DRILLS_DAYS_MIN} days or more: a region may be drilled once in 31 days");
        return Err(table.wrong("drills_days", &takes));
    }
    let (promise, noncurrent) = (deletion.promise_days, deletion.noncurrent_days);
    if u32::from(deletion.keys_days) + u32::from(noncurrent) >= u32::from(promise) {
        let takes = format!(
            "takes fewer days: with noncurrent_days = {noncurrent}, a destroyed key would lie in the bucket for \
             promise_days = {promise} or longer"
        );
        return Err(table.wrong("keys_days", &takes));
    }
    Ok(deletion)
}

fn days(table: &Table<'_>) -> Result<u32, ConfigError> {
    table.only(&["days"])?;
    table.number("days", "takes a number of days, from 1")
}

impl PolicyFile<'_> {
    /// How long what was deleted may live on.
    pub(super) const fn deletion(&self) -> Deletion {
        self.policy.deletion
    }

    /// The cloud regions that lie in a jurisdiction.
    pub(super) fn cloud_regions_in(&self, jurisdiction: &str) -> Vec<&str> {
        let inside = |country: &str| match jurisdiction {
            "EEA" => self.policy.is_eea(country),
            _ => country == jurisdiction,
        };
        self.cloud_regions.iter().filter(|(_, country)| inside(country)).map(|(name, _)| name.as_str()).collect()
    }

    /// The policy for these regions, of which one must be the default.
    pub(super) fn for_regions(self, regions: Vec<RegionId>) -> Result<HostingPolicy, ConfigError> {
        if regions.contains(&self.policy.default_region) {
            return Ok(HostingPolicy { regions, ..self.policy });
        }
        let known: Vec<_> = regions.iter().map(RegionId::as_str).collect();
        let document = Document::parse(self.path, self.text)?;
        Err(document.root().wrong("default_region", &format!("takes the id of a region file: {}", known.join(", "))))
    }
}

fn plans(table: &Table<'_>) -> Result<BTreeSet<Plan>, ConfigError> {
    table.only(&Plan::ALL.iter().map(|plan| plan.as_str()).collect::<Vec<_>>())?;
    let mut with_choice = BTreeSet::new();
    for plan in Plan::ALL {
        let terms = table.table(plan.as_str())?;
        terms.only(&["locality_choice", "requests_per_minute"])?;
        if terms.boolean("locality_choice")? {
            with_choice.insert(*plan);
        }
    }
    if with_choice.is_empty() {
        return Err(table.wrong("enterprise", "takes locality_choice = true: some plan must have a choice"));
    }
    Ok(with_choice)
}

fn requests_per_minute(plans: &Table<'_>) -> Result<BTreeMap<Plan, u32>, ConfigError> {
    let mut limits = BTreeMap::new();
    for plan in Plan::ALL {
        let terms = plans.table(plan.as_str())?;
        if terms.has("requests_per_minute") {
            limits.insert(
                *plan,
                terms.number("requests_per_minute", "takes a number from 1; without it, there is no limit")?,
            );
        }
    }
    Ok(limits)
}

fn endpoint_limits(table: &Table<'_>) -> Result<BTreeMap<LimitedEndpoint, EndpointLimit>, ConfigError> {
    table.only(&LimitedEndpoint::ALL.map(LimitedEndpoint::as_str))?;
    let mut limits = BTreeMap::new();
    for endpoint in LimitedEndpoint::ALL {
        if let Some(limit) = table.optional_table(endpoint.as_str())? {
            limit.only(&["most", "seconds"])?;
            let most = limit.number("most", "takes a number of requests, from 1")?;
            let seconds = limit.number("seconds", "takes a number of seconds, from 1")?;
            limits.insert(endpoint, EndpointLimit { most, seconds });
        }
    }
    Ok(limits)
}

fn cloud_regions(table: &Table<'_>) -> Result<BTreeMap<String, String>, ConfigError> {
    table.names().map(|name| Ok((name.to_owned(), table.text(name, COUNTRY, is_country)?.to_owned()))).collect()
}

/// The matrix: every class against every destination, each once.
fn egress(file: &Table<'_>) -> Result<Vec<EgressRule>, ConfigError> {
    let mut rules: Vec<EgressRule> = Vec::new();
    for table in file.tables("egress")? {
        let rule = egress_rule(&table)?;
        if rules.iter().any(|known| known.class == rule.class && known.destination == rule.destination) {
            let takes = format!("takes each class once per destination; {} is there twice", rule.class);
            return Err(table.wrong("class", &takes));
        }
        rules.push(rule);
    }
    for class in DataClass::ALL {
        // A policy of before there were webhooks says nothing of them; one that says something says all.
        let has_webhooks = rules.iter().any(|rule| rule.destination == HostingPolicy::WEBHOOK);
        let webhook = has_webhooks.then_some(HostingPolicy::WEBHOOK);
        for destination in HostingPolicy::DESTINATIONS.into_iter().chain(webhook) {
            if !rules.iter().any(|rule| rule.class == class && rule.destination == destination) {
                let takes = format!("takes a rule for class {class} and destination {destination}");
                return Err(file.wrong("egress", &takes));
            }
        }
    }
    Ok(rules)
}

fn egress_rule(table: &Table<'_>) -> Result<EgressRule, ConfigError> {
    table.only(&["class", "destination", "allowed", "reason"])?;
    let classes = DataClass::ALL.map(DataClass::as_str).join(", ");
    let class = table.text("class", &format!("takes one of {classes}"), |text| class_of(text).is_some())?;
    let class = class_of(class).expect("it was just found");
    let destinations: Vec<&str> = HostingPolicy::DESTINATIONS.into_iter().chain([HostingPolicy::WEBHOOK]).collect();
    let takes = format!("takes one of {}", destinations.join(", "));
    let destination = table.text("destination", &takes, |text| destinations.contains(&text))?;
    let allowed = table.boolean("allowed")?;
    // No deployment may promise a locality and let this through: the product's first sentence would be untrue.
    // What a tenant's admin has sent to a server of the tenant's choice is theirs to send.
    if allowed && destination != HostingPolicy::WEBHOOK && matches!(class, DataClass::Personal | DataClass::Content) {
        return Err(table.wrong("allowed", &format!("takes false: data of class {class} never leaves its region")));
    }
    let reason = table.text("reason", "takes the reason, for people to read", |text| !text.trim().is_empty())?;
    Ok(EgressRule { class, destination: destination.to_owned(), allowed, reason: reason.to_owned() })
}

fn class_of(text: &str) -> Option<DataClass> {
    DataClass::ALL.into_iter().find(|class| class.as_str() == text)
}
