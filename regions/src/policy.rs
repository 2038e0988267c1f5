//! The hosting policy: who may choose where its data lives, and what may leave that place.

use std::{borrow::Cow, collections::BTreeSet};

use schemas::{DataClass, RegionId, values::Plan};

use crate::{rate_limits::RateLimits, storage::Deletion};

/// The policy a deployment runs under, as `hosting-policy.toml` states it.
#[derive(Debug, Clone)]
pub struct HostingPolicy {
    pub(crate) version: u32,
    pub(crate) default_region: RegionId,
    pub(crate) regions: Vec<RegionId>,
    pub(crate) plans_with_choice: BTreeSet<Plan>,
    pub(crate) eea_members: BTreeSet<String>,
    pub(crate) egress: Vec<EgressRule>,
    pub(crate) deletion: Deletion,
    pub(crate) access_log_days: u32,
    pub(crate) auditor_grant_days: u32,
    pub(crate) rate_limits: RateLimits,
}

/// One cell of the matrix of data class and destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressRule {
    /// Which data.
    pub class: DataClass,
    /// Where to, outside the home region.
    pub destination: String,
    /// Whether it may go there.
    pub allowed: bool,
    /// Why.
    pub reason: String,
}

/// What the policy decided about a tenant's locality. `entitled`, `selected` and `committed` are three things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalityDecision {
    /// The region it asked for.
    pub requested: Option<RegionId>,
    /// Its home region.
    pub granted: RegionId,
    /// The version of the policy that decided.
    pub policy_version: u32,
    /// Whether its plan may choose.
    pub entitled: bool,
    /// Whether it chose, being entitled.
    pub selected: bool,
    /// Whether the place is promised.
    pub committed: bool,
}

/// Why a locality is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocalityRefusal {
    /// No such region.
    #[error("locality: takes one of {takes}")]
    Unknown {
        /// What was asked for.
        requested: String,
        /// The regions there are.
        takes: String,
    },
    /// The plan has no choice of locality.
    #[error("locality: plan {plan} keeps data in {default_region}; a choice of locality comes with plan {from_plan}")]
    NotEntitled {
        /// The plan.
        plan: Plan,
        /// What was asked for.
        requested: RegionId,
        /// Where the plan's data lives.
        default_region: RegionId,
        /// The smallest plan with a choice.
        from_plan: Plan,
    },
}

/// Whether data may leave its region, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict<'policy> {
    /// Whether it may.
    pub allowed: bool,
    /// The policy's reason, in words for people.
    pub reason: Cow<'policy, str>,
}

impl HostingPolicy {
    /// The destination that stands for every other region.
    pub const ANOTHER_REGION: &'static str = "another-region";
    /// The destination that stands for another region as a witness of logs.
    pub const WITNESS: &'static str = "witness";
    /// The destination that stands for a server that an admin of the tenant named to be told of events. A policy that says nothing of it
    /// lets nothing go there.
    pub const WEBHOOK: &'static str = "webhook";
    /// Every destination outside the home region that a policy must judge.
    pub const DESTINATIONS: [&'static str; 4] = [Self::ANOTHER_REGION, "directory", "telemetry", Self::WITNESS];

    /// Its version; signup records it.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The home of tenants whose plan has no choice.
    pub const fn default_region(&self) -> &RegionId {
        &self.default_region
    }

    /// Whether a plan may choose.
    pub fn is_entitled(&self, plan: Plan) -> bool {
        self.plans_with_choice.contains(&plan)
    }

    /// How long what was deleted may live on, and where.
    pub const fn deletion(&self) -> Deletion {
        self.deletion
    }

    /// How many days an entry of the access log can be read.
    pub const fn access_log_days(&self) -> u32 {
        self.access_log_days
    }

    /// How many days an auditor is let in for, at most.
    pub const fn auditor_grant_days(&self) -> u32 {
        self.auditor_grant_days
    }

    /// How many requests a tenant is answered.
    pub const fn rate_limits(&self) -> &RateLimits {
        &self.rate_limits
    }

    /// The whole matrix, for reports.
    pub fn egress(&self) -> &[EgressRule] {
        &self.egress
    }

    /// Decides a tenant's locality at signup.
    ///
    /// A plan without a choice is served in the default region and promised nothing; asking for that very region is
    /// granted without a promise, asking for another is refused rather than ignored.
    ///
    /// # Errors
    /// If the region is unknown, or the plan not entitled to it.
    pub fn decide(&self, plan: Plan, requested: Option<&RegionId>) -> Result<LocalityDecision, LocalityRefusal> {
        if let Some(requested) = requested {
            self.check_known(requested)?;
        }
        let entitled = self.is_entitled(plan);
        let granted = requested.unwrap_or(&self.default_region);
        if !entitled && granted != &self.default_region {
            return Err(LocalityRefusal::NotEntitled {
                plan,
                requested: granted.clone(),
                default_region: self.default_region.clone(),
                from_plan: self.smallest_plan_with_choice(),
            });
        }
        let selected = entitled && requested.is_some();
        Ok(LocalityDecision {
            requested: requested.cloned(),
            granted: granted.clone(),
            policy_version: self.version,
            entitled,
            selected,
            committed: selected,
        })
    }

    /// Whether a country (ISO 3166-1, two letters) is in the European Economic Area.
    pub fn is_eea(&self, country: &str) -> bool {
        self.eea_members.contains(country)
    }

    /// Whether data of a class may go from its home region to `destination`: a region's id, or one of
    /// [`Self::DESTINATIONS`]. What the policy does not name is refused.
    pub fn may_leave(&self, class: DataClass, from: &RegionId, destination: &str) -> Verdict<'_> {
        if destination == from.as_str() {
            return Verdict { allowed: true, reason: "it stays in its region".into() };
        }
        let is_region = self.regions.iter().any(|region| region.as_str() == destination);
        let destination = if is_region { Self::ANOTHER_REGION } else { destination };
        match self.egress.iter().find(|rule| rule.class == class && rule.destination == destination) {
            Some(rule) => Verdict { allowed: rule.allowed, reason: rule.reason.as_str().into() },
            None => Verdict { allowed: false, reason: "the policy does not name this destination".into() },
        }
    }

    fn check_known(&self, requested: &RegionId) -> Result<(), LocalityRefusal> {
        if self.regions.contains(requested) {
            return Ok(());
        }
        let takes: Vec<_> = self.regions.iter().map(RegionId::as_str).collect();
        Err(LocalityRefusal::Unknown { requested: requested.to_string(), takes: takes.join(", ") })
    }

    fn smallest_plan_with_choice(&self) -> Plan {
        *self.plans_with_choice.first().expect("a policy in which no plan may choose is refused when it is loaded")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> RegionId {
        text.parse().expect("a region id")
    }

    fn policy() -> HostingPolicy {
        HostingPolicy {
            version: 7,
            default_region: id("us"),
            regions: ["au", "eu", "jp", "us"].map(id).to_vec(),
            plans_with_choice: [Plan::Professional, Plan::Enterprise].into(),
            eea_members: ["DE".to_owned(), "NO".to_owned()].into(),
            egress: vec![EgressRule {
                class: DataClass::Routing,
                destination: "another-region".into(),
                allowed: true,
                reason: "routers answer anywhere".into(),
            }],
            deletion: Deletion::default(),
            access_log_days: 90,
            auditor_grant_days: 90,
            rate_limits: RateLimits::default(),
        }
    }

    /// What each plan gets for each request: granted region, entitled, selected, committed; or the refusal's kind.
    fn expected(plan: Plan, requested: Option<&str>) -> Result<(String, bool, bool, bool), &'static str> {
        let may_choose = matches!(plan, Plan::Professional | Plan::Enterprise);
        match (may_choose, requested) {
            (_, Some("xx")) => Err("unknown"),
            (false, None | Some("us")) => Ok(("us".into(), false, false, false)),
            (false, Some(_)) => Err("not entitled"),
            (true, None) => Ok(("us".into(), true, false, false)),
            (true, Some(region)) => Ok((region.into(), true, true, true)),
        }
    }

    #[test]
    fn every_plan_gets_for_every_request_what_the_policy_says() {
        for &plan in Plan::ALL {
            for requested in [None, Some("us"), Some("eu"), Some("au"), Some("jp"), Some("xx")] {
                let requested_id = requested.map(id);
                let decided = policy().decide(plan, requested_id.as_ref());
                if let Ok(decision) = &decided {
                    assert_eq!((decision.policy_version, &decision.requested), (7, &requested_id));
                }
                let decided = decided
                    .map(|it| (it.granted.to_string(), it.entitled, it.selected, it.committed))
                    .map_err(|refusal| match refusal {
                        LocalityRefusal::Unknown { .. } => "unknown",
                        LocalityRefusal::NotEntitled { .. } => "not entitled",
                    });
                assert_eq!(decided, expected(plan, requested), "{plan} asks for {requested:?}");
            }
        }
    }

    #[test]
    fn a_refusal_tells_the_field_and_what_it_takes() {
        let refusal = policy().decide(Plan::Trial, Some(&id("eu"))).expect_err("refused");
        assert_eq!(
            refusal.to_string(),
            "locality: plan trial keeps data in us; a choice of locality comes with plan professional"
        );
        let refusal = policy().decide(Plan::Enterprise, Some(&id("mars"))).expect_err("refused");
        assert_eq!(refusal.to_string(), "locality: takes one of au, eu, jp, us");
    }

    #[test]
    fn what_the_policy_does_not_allow_by_name_does_not_leave() {
        let policy = policy();
        assert!(policy.may_leave(DataClass::Personal, &id("eu"), "eu").allowed, "it does not leave");
        assert!(policy.may_leave(DataClass::Routing, &id("eu"), "us").allowed);
        for class in [DataClass::Personal, DataClass::Content, DataClass::Operational] {
            assert!(!policy.may_leave(class, &id("eu"), "us").allowed, "{class}");
        }
        assert!(!policy.may_leave(DataClass::Routing, &id("eu"), "a-mail-provider").allowed);
    }
}
