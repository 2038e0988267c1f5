//! The rules of tenants.

use schemas::tenant::{AdminWithdrawn, LocalityChosen, PlanChosen, TenantEvent, TenantRegistered};

use super::{Command, Decision, Register, Rejection, Tenant, group};
use crate::text;

pub(super) fn decide(tenant: &Tenant, command: &Command) -> Result<Vec<TenantEvent>, Rejection> {
    if let Command::Register(register) = command {
        return decide_register(tenant, register);
    }
    let account = tenant.account.as_ref().ok_or(Rejection::Unknown)?;
    match command {
        Command::Register(_) => Err(Rejection::AlreadyExists),
        Command::ChangePlan(change) if account.plan == Some(change.plan) => Ok(Vec::new()),
        Command::ChangePlan(change) => Ok(vec![PlanChosen { plan: change.plan }.into()]),
        Command::WithdrawAdmin(withdraw) => Ok(vec![AdminWithdrawn { person: withdraw.person }.into()]),
        Command::AddGroup(add) => group::decide_add(account, add),
        Command::ChangeGroup(change) => group::decide_change(account, change),
        Command::DeleteGroup(deleted) => group::decide_delete(account, *deleted),
        Command::Note(operation) => Ok(account.operations.decide(operation).into_iter().collect()),
    }
}

/// A tenant's first events say who it is, what it pays for, and what was promised about its home under which policy.
fn decide_register(tenant: &Tenant, register: &Register) -> Result<Vec<TenantEvent>, Rejection> {
    if tenant.account.is_some() {
        return Err(Rejection::AlreadyExists);
    }
    let company = text::company(register.company.expose())?.into();
    Ok(vec![
        TenantRegistered { slug: register.slug.clone(), company }.into(),
        PlanChosen { plan: register.plan }.into(),
        locality_chosen(&register.decision)?.into(),
    ])
}

fn locality_chosen(decision: &Decision) -> Result<LocalityChosen, Rejection> {
    let Decision { requested, granted, policy_version, entitled, selected, committed } = decision.clone();
    // Whatever the policy said, nothing is promised that was not chosen, and nothing chosen turns out otherwise.
    let is_granted_as_requested = requested.as_ref().is_none_or(|requested| *requested == granted);
    if committed != (entitled && selected) || !is_granted_as_requested {
        return Err(Rejection::DishonestDecision);
    }
    Ok(LocalityChosen { requested, granted, policy_version, entitled, selected, committed })
}

#[cfg(test)]
mod tests {
    use schemas::{RegionId, values::Plan};

    use super::*;
    use crate::{scenario::given, tenant::ChangePlan};

    fn eu() -> RegionId {
        "eu".parse().expect("a region")
    }

    fn decision() -> Decision {
        Decision {
            requested: Some(eu()),
            granted: eu(),
            policy_version: 1,
            entitled: true,
            selected: true,
            committed: true,
        }
    }

    fn register(company: &str, decision: Decision) -> Register {
        let slug = "acme".parse().expect("a slug");
        Register { slug, company: company.to_owned().into(), plan: Plan::Professional, decision }
    }

    fn registered() -> [TenantEvent; 3] {
        [
            TenantRegistered { slug: "acme".parse().expect("a slug"), company: "Acme".to_owned().into() }.into(),
            PlanChosen { plan: Plan::Professional }.into(),
            locality_chosen(&decision()).expect("honest").into(),
        ]
    }

    #[test]
    fn a_signup_records_name_plan_and_the_policy_decision() {
        given::<Tenant>([]).when(register("Acme ", decision())).then(registered());
    }

    #[test]
    fn a_tenant_registers_once() {
        given::<Tenant>(registered()).when(register("Acme", decision())).then_refused(Rejection::AlreadyExists);
    }

    #[test]
    fn a_bad_company_name_names_its_field() {
        given::<Tenant>([]).when(register("A\u{7}cme", decision())).then_refused_field("company");
        given::<Tenant>([]).when(register("", decision())).then_refused_field("company");
    }

    #[test]
    fn nothing_is_promised_that_was_not_chosen() {
        for lie in [
            Decision { entitled: false, ..decision() },
            Decision { selected: false, ..decision() },
            Decision { committed: false, ..decision() },
            Decision { granted: "us".parse().expect("a region"), ..decision() },
        ] {
            given::<Tenant>([]).when(register("Acme", lie)).then_refused(Rejection::DishonestDecision);
        }
    }

    #[test]
    fn a_tenant_without_a_choice_gets_a_home_without_a_promise() {
        let default = Decision { requested: None, entitled: false, selected: false, committed: false, ..decision() };
        assert!(decide(&Tenant::default(), &register("Acme", default).into()).is_ok());
    }

    #[test]
    fn the_plan_changes_only_when_it_differs() {
        given::<Tenant>(registered()).when(ChangePlan { plan: Plan::Professional }).then_nothing();
        let other = PlanChosen { plan: Plan::Team }.into();
        given::<Tenant>(registered()).when(ChangePlan { plan: Plan::Team }).then([other]);
        given::<Tenant>([]).when(ChangePlan { plan: Plan::Team }).then_refused(Rejection::Unknown);
    }
}
