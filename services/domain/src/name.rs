//! Names of tenants, in the directory: claimed while somebody signs up, confirmed once the tenant exists in its region.
//!
//! ```text
//!   free --claim--> claimed --confirm--> confirmed   (final here: a tenant keeps its name)
//!     ^                |
//!     +----release-----+
//! ```

use schemas::{
    Epoch, RegionId, Slug, TenantId, TenantLogEvent,
    name::{NameClaimed, NameConfirmed, NameEvent, NameReleased},
};

use crate::aggregate::Aggregate;

/// A name, held by a tenant or by nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    holding: Option<Holding>,
}

/// Who holds a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The tenant.
    pub tenant: TenantId,
    /// Where it is at home, or will be.
    pub region: RegionId,
    /// The epoch of that home.
    pub epoch: Epoch,
    /// Whether the tenant exists in its region, so that the router may send people there.
    pub is_confirmed: bool,
}

impl Name {
    /// Who holds the name.
    pub const fn holding(&self) -> Option<&Holding> {
        self.holding.as_ref()
    }
}

/// What may be asked of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Take it for a tenant that is signing up.
    Claim {
        /// The name.
        slug: Slug,
        /// The tenant.
        tenant: TenantId,
        /// Where it will be at home.
        region: RegionId,
        /// The epoch of that home.
        epoch: Epoch,
    },
    /// The tenant exists now.
    Confirm {
        /// The tenant.
        tenant: TenantId,
    },
    /// The signup never finished.
    Release {
        /// The tenant.
        tenant: TenantId,
    },
}

/// Why a name refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Another tenant holds it.
    #[error("subdomain: takes a name that no other tenant has")]
    Taken,
    /// Nobody holds it: the claim was released, or never made.
    #[error("the name is not claimed")]
    NotClaimed,
    /// A tenant that exists keeps its name.
    #[error("the name is confirmed and cannot be released")]
    Confirmed,
}

impl Aggregate for Name {
    type Command = Command;
    type Event = NameEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<NameEvent>, Rejection> {
        match (command, &self.holding) {
            // free -> claimed
            (Command::Claim { slug, tenant, region, epoch }, None) => {
                let (slug, region) = (slug.clone(), region.clone());
                Ok(vec![NameClaimed { slug, tenant: *tenant, region, epoch: *epoch }.into()])
            }
            // The same claim again: the answer to the first was lost.
            (Command::Claim { tenant, region, epoch, .. }, Some(holding))
                if (tenant, region, epoch) == (&holding.tenant, &holding.region, &holding.epoch) =>
            {
                Ok(Vec::new())
            }
            (Command::Claim { .. }, Some(_)) => Err(Rejection::Taken),
            (Command::Confirm { .. }, None) => Err(Rejection::NotClaimed),
            (Command::Release { .. }, None) => Ok(Vec::new()),
            (Command::Confirm { tenant } | Command::Release { tenant }, Some(holding)) if *tenant != holding.tenant => {
                Err(Rejection::Taken)
            }
            // claimed -> confirmed
            (Command::Confirm { .. }, Some(holding)) if holding.is_confirmed => Ok(Vec::new()),
            (Command::Confirm { tenant }, Some(_)) => Ok(vec![NameConfirmed { tenant: *tenant }.into()]),
            // claimed -> free
            (Command::Release { .. }, Some(holding)) if holding.is_confirmed => Err(Rejection::Confirmed),
            (Command::Release { tenant }, Some(_)) => Ok(vec![NameReleased { tenant: *tenant }.into()]),
        }
    }

    fn evolve(&mut self, event: &NameEvent) {
        match event {
            NameEvent::NameClaimed(claimed) => {
                let (tenant, region, epoch) = (claimed.tenant, claimed.region.clone(), claimed.epoch);
                self.holding = Some(Holding { tenant, region, epoch, is_confirmed: false });
            }
            NameEvent::NameConfirmed(_) => {
                if let Some(holding) = &mut self.holding {
                    holding.is_confirmed = true;
                }
            }
            NameEvent::NameReleased(_) => self.holding = None,
        }
    }

    fn pick(event: TenantLogEvent) -> Option<NameEvent> {
        match event {
            TenantLogEvent::Name(event) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::scenario::given;

    const ACME: TenantId = TenantId::new(Uuid::from_u128(1));
    const OTHER: TenantId = TenantId::new(Uuid::from_u128(2));

    fn claim(tenant: TenantId) -> Command {
        let (slug, region) = ("acme".parse().expect("a slug"), "eu".parse().expect("a region"));
        Command::Claim { slug, tenant, region, epoch: Epoch::FIRST }
    }

    fn claimed(tenant: TenantId) -> NameEvent {
        let (slug, region) = ("acme".parse().expect("a slug"), "eu".parse().expect("a region"));
        NameClaimed { slug, tenant, region, epoch: Epoch::FIRST }.into()
    }

    fn confirmed(tenant: TenantId) -> NameEvent {
        NameConfirmed { tenant }.into()
    }

    fn released(tenant: TenantId) -> NameEvent {
        NameReleased { tenant }.into()
    }

    #[test]
    fn a_free_name_is_claimed() {
        given::<Name>([]).when(claim(ACME)).then([claimed(ACME)]);
        given::<Name>([claimed(ACME), released(ACME)]).when(claim(OTHER)).then([claimed(OTHER)]);
    }

    #[test]
    fn of_two_tenants_the_second_is_refused() {
        given::<Name>([claimed(ACME)]).when(claim(OTHER)).then_refused(Rejection::Taken);
        given::<Name>([claimed(ACME)]).when(Command::Confirm { tenant: OTHER }).then_refused(Rejection::Taken);
        given::<Name>([claimed(ACME)]).when(Command::Release { tenant: OTHER }).then_refused(Rejection::Taken);
    }

    #[test]
    fn what_is_asked_twice_happens_once() {
        given::<Name>([claimed(ACME)]).when(claim(ACME)).then_nothing();
        given::<Name>([claimed(ACME), confirmed(ACME)]).when(Command::Confirm { tenant: ACME }).then_nothing();
        given::<Name>([claimed(ACME), released(ACME)]).when(Command::Release { tenant: ACME }).then_nothing();
    }

    #[test]
    fn a_claim_is_confirmed_or_released() {
        given::<Name>([claimed(ACME)]).when(Command::Confirm { tenant: ACME }).then([confirmed(ACME)]);
        given::<Name>([claimed(ACME)]).when(Command::Release { tenant: ACME }).then([released(ACME)]);
    }

    #[test]
    fn a_released_claim_cannot_be_confirmed() {
        let history = [claimed(ACME), released(ACME)];
        given::<Name>(history).when(Command::Confirm { tenant: ACME }).then_refused(Rejection::NotClaimed);
    }

    #[test]
    fn a_confirmed_name_is_kept() {
        let history = [claimed(ACME), confirmed(ACME)];
        given::<Name>(history).when(Command::Release { tenant: ACME }).then_refused(Rejection::Confirmed);
    }
}
