//! The projection `account`.

use schemas::{
    GroupId,
    tenant::{GroupAdded, LocalityChosen, PlanChosen, TenantEvent, TenantRegistered},
    values::Plan,
};

use super::world::{Draft, World};

fn tenant(event: impl Into<TenantEvent>) -> Draft {
    let event: TenantEvent = event.into();
    event.into()
}

pub(super) fn registered(company: &str) -> Draft {
    tenant(TenantRegistered { slug: "acme".parse().expect("a slug"), company: company.to_owned().into() })
}

#[tokio::test]
async fn a_signup_becomes_an_account_with_its_locality_and_groups() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let locality = LocalityChosen {
        requested: Some("eu".parse()?),
        granted: "eu".parse()?,
        policy_version: 3,
        entitled: true,
        selected: true,
        committed: true,
    };
    let signup = vec![registered("Acme Inc."), tenant(PlanChosen { plan: Plan::Professional }), tenant(locality)];
    world.say(&acme, "tenant", signup).await?;
    let support = GroupAdded { group: GroupId::new(4), name: "Support".to_owned().into() };
    world.say(&acme, "tenant", vec![tenant(support), tenant(PlanChosen { plan: Plan::Enterprise })]).await?;
    world.catch_up(&acme).await?;

    let account = sqlx::query!(
        "select slug, company, plan, requested, granted, policy_version, entitled, selected, committed from account
         where tenant_id = $1",
        acme.tenant_id().get()
    )
    .fetch_one(&mut world.reader().await?)
    .await?;
    assert_eq!((account.slug.as_str(), account.company.as_str()), ("acme", "Acme Inc."));
    assert_eq!(account.plan.as_deref(), Some("enterprise"), "the plan of now");
    assert_eq!((account.requested.as_deref(), account.granted.as_deref()), (Some("eu"), Some("eu")));
    assert_eq!(account.policy_version, Some(3));
    assert_eq!((account.entitled, account.selected, account.committed), (Some(true), Some(true), Some(true)));

    let groups = sqlx::query!("select group_id, name from agent_group where tenant_id = $1", acme.tenant_id().get())
        .fetch_all(&mut world.reader().await?)
        .await?;
    assert_eq!(groups.iter().map(|group| (group.group_id, group.name.as_str())).collect::<Vec<_>>(), [(4, "Support")]);
    Ok(())
}
