//! The tenant itself: who signed up, on which plan, where it is at home, its groups of agents, and what the region's operator did to
//! all of it.

mod change;
mod command;
mod decide;
mod group;
mod operation;
mod rejection;

use std::collections::BTreeMap;

pub use command::{AddGroup, ChangeGroup, ChangePlan, Command, Decision, Register, WithdrawAdmin};
pub use group::{GROUPS_MAX, Group};
pub use operation::{Operation, Operations};
pub use rejection::Rejection;
use schemas::{
    GroupId, Personal, RegionId, Slug, TenantLogEvent,
    audit::ChangeNoted,
    tenant::{LocalityChosen, TenantEvent},
    values::Plan,
};

use crate::aggregate::Aggregate;

/// A tenant, or the stream of one that is not registered yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tenant {
    account: Option<Account>,
}

/// What is known about a registered tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The name in its address.
    pub slug: Slug,
    /// The company's name.
    pub company: Personal<String>,
    /// The plan. Chosen in the command that registers.
    pub plan: Option<Plan>,
    /// What was decided about its home, under which policy. Decided in the command that registers.
    pub locality: Option<LocalityChosen>,
    /// Its groups of agents, by id; deleted ones among them.
    pub groups: BTreeMap<GroupId, Group>,
    /// The group that was chosen to stand first.
    pub chosen_group: Option<GroupId>,
    /// What it was told of the operator's work.
    pub operations: Operations,
}

impl Account {
    /// Where the tenant is at home.
    pub fn region(&self) -> Option<&RegionId> {
        self.locality.as_ref().map(|locality| &locality.granted)
    }
}

impl Tenant {
    /// What is known about it, once registered.
    pub const fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }
}

impl Aggregate for Tenant {
    type Command = Command;
    type Event = TenantEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<TenantEvent>, Rejection> {
        decide::decide(self, command)
    }

    fn evolve(&mut self, event: &TenantEvent) {
        if let TenantEvent::TenantRegistered(registered) = event {
            let (slug, company) = (registered.slug.clone(), registered.company.clone());
            self.account = Some(Account {
                slug,
                company,
                plan: None,
                locality: None,
                groups: BTreeMap::new(),
                chosen_group: None,
                operations: Operations::default(),
            });
            return;
        }
        // The stream's expected version lets nothing precede the registration.
        let Some(account) = &mut self.account else { return };
        match event {
            // Who is an admin is on the people's own streams.
            TenantEvent::TenantRegistered(_) | TenantEvent::AdminWithdrawn(_) => {}
            TenantEvent::PlanChosen(chosen) => account.plan = Some(chosen.plan),
            TenantEvent::LocalityChosen(chosen) => {
                account.operations.policy_version = Some(chosen.policy_version);
                account.locality = Some(chosen.clone());
            }
            TenantEvent::SigningKeySucceeded(_)
            | TenantEvent::HostingPolicyReplaced(_)
            | TenantEvent::LogRestored(_) => account.operations.evolve(event),
            TenantEvent::GroupAdded(_)
            | TenantEvent::GroupRenamed(_)
            | TenantEvent::GroupDescribed(_)
            | TenantEvent::GroupMadePrivate(_)
            | TenantEvent::TenantGroupChosen(_)
            | TenantEvent::GroupDeleted(_) => group::evolve(account, event),
        }
    }

    fn change(&self, event: &TenantEvent) -> Option<ChangeNoted> {
        change::change(self, event)
    }

    fn pick(event: TenantLogEvent) -> Option<TenantEvent> {
        match event {
            TenantLogEvent::Tenant(event) => Some(event),
            _ => None,
        }
    }
}
