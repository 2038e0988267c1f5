//! The projection `people`: identities, memberships, organizations.

use regions::Resident;
use schemas::{
    GroupId, IdentityId, MembershipId, OrganizationId,
    organization::{
        OrganizationAdded, OrganizationDetailSet, OrganizationDomainsSet, OrganizationEvent, OrganizationRenamed,
    },
    person::{
        DefaultOrganizationChosen, GroupJoined, IdentityAdded, IdentityChanged, IdentityRemoved, IdentityVerified,
        OrganizationJoined, OrganizationLeft, PersonDetailSet, PersonEvent, PersonSuspended, PersonTagsSet,
        PrimaryIdentityChosen,
    },
    values::{IdentityKind, OrganizationDetail, PersonDetail},
};

use super::{
    people,
    world::{Draft, World},
};

fn person(event: impl Into<PersonEvent>) -> Draft {
    let event: PersonEvent = event.into();
    event.into()
}

fn organization(event: impl Into<OrganizationEvent>) -> Draft {
    let event: OrganizationEvent = event.into();
    event.into()
}

fn identity(id: i64, value: &str) -> Draft {
    person(IdentityAdded { identity: IdentityId::new(id), kind: IdentityKind::Email, value: value.to_owned().into() })
}

fn joined(membership: i64, organization: i64) -> Draft {
    let (membership, organization) = (MembershipId::new(membership), OrganizationId::new(organization));
    person(OrganizationJoined { membership, organization })
}

fn told(detail: PersonDetail, text: &str) -> Draft {
    person(PersonDetailSet { detail, value: Some(text.to_owned()).into() })
}

/// What happens to a person and an organization, one after the other.
fn life() -> Vec<(&'static str, Draft)> {
    let value = |text: &str| text.to_owned().into();
    let noted = OrganizationDetailSet { detail: OrganizationDetail::Notes, value: Some("VIP".to_owned()).into() };
    let domains = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>().into();
    vec![
        (
            "organization-12",
            organization(OrganizationAdded { organization: OrganizationId::new(12), name: value("Engines") }),
        ),
        ("person-3", people::added(3, "Ann", Some("ann@a.example"))),
        ("person-3", identity(21, "ann@b.example")),
        ("person-3", identity(22, "ann@c.example")),
        ("person-3", person(IdentityVerified { identity: IdentityId::new(21) })),
        ("person-3", person(PrimaryIdentityChosen { identity: IdentityId::new(21) })),
        ("person-3", person(IdentityChanged { identity: IdentityId::new(21), value: value("ann@d.example") })),
        ("person-3", person(IdentityRemoved { identity: IdentityId::new(22) })),
        (
            "organization-12",
            organization(OrganizationDomainsSet { domain_names: domains(&["a.example", "b.example"]) }),
        ),
        ("organization-12", organization(OrganizationDomainsSet { domain_names: domains(&["b.example"]) })),
        ("organization-12", organization(noted)),
        ("organization-12", organization(OrganizationRenamed { name: value("Analytical Engines") })),
        ("person-3", joined(31, 12)),
        ("person-3", joined(32, 13)),
        ("person-3", joined(33, 14)),
        ("person-3", person(DefaultOrganizationChosen { organization: OrganizationId::new(13) })),
        ("person-3", person(DefaultOrganizationChosen { organization: OrganizationId::new(14) })),
        ("person-3", person(OrganizationLeft { membership: MembershipId::new(32) })),
        ("person-3", person(GroupJoined { membership: MembershipId::new(34), group: GroupId::new(5) })),
        ("person-3", told(PersonDetail::Phone, "1")),
        ("person-3", told(PersonDetail::Notes, "x")),
        ("person-3", person(PersonDetailSet { detail: PersonDetail::Notes, value: None.into() })),
        ("person-3", person(PersonTagsSet { tags: vec!["poet".to_owned()].into() })),
        ("person-3", person(PersonSuspended {})),
    ]
}

async fn left(world: &World, tenant: &Resident) -> anyhow::Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select concat_ws(' ', 'identity', identity_id, value, is_primary, is_verified) as "row!" from identity
           where tenant_id = $1
           union all
           select concat_ws(' ', 'membership', membership_id, organization_id, group_id, is_chosen) from membership
           where tenant_id = $1
           union all
           select concat_ws(' ', 'organization', organization_id, name, details, domain_names) from organization
           where tenant_id = $1
           union all select concat_ws(' ', 'domain', place, domain) from organization_domain where tenant_id = $1
           union all
           select concat_ws(' ', 'person', email, details, tags, suspended_at is not null) from person
           where tenant_id = $1
           order by 1"#,
        tenant.tenant_id().get()
    )
    .fetch_all(&mut world.reader().await?)
    .await?)
}

#[tokio::test]
async fn what_people_belong_to_is_the_same_in_one_batch_or_many() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (at_once, bit_by_bit) = (world.tenant("at-once").await?, world.tenant("bit-by-bit").await?);
    for ((stream, one), (_, other)) in life().into_iter().zip(life()) {
        world.say(&at_once, stream, vec![one]).await?;
        world.say(&bit_by_bit, stream, vec![other]).await?;
        world.catch_up(&bit_by_bit).await?;
    }
    world.catch_up(&at_once).await?;
    for tenant in [at_once, bit_by_bit] {
        assert_eq!(
            left(&world, &tenant).await?,
            [
                "domain 12:b.example b.example",
                "identity 21 ann@d.example t f",
                "identity 3 ann@a.example f f",
                "membership 31 12 f",
                "membership 33 14 t",
                "membership 34 5 f",
                "organization 12 Analytical Engines {\"notes\": \"VIP\"} {b.example}",
                "person ann@d.example {\"phone\": \"1\"} {poet} t",
            ],
            "{}",
            tenant.slug()
        );
    }
    Ok(())
}

#[tokio::test]
async fn whoever_and_whatever_is_erased_leaves_no_row_also_where_it_was_never_read() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (seen, unseen) = (world.tenant("seen").await?, world.tenant("unseen").await?);
    for ((stream, one), (_, other)) in life().into_iter().zip(life()) {
        world.say(&seen, stream, vec![one]).await?;
        world.say(&unseen, stream, vec![other]).await?;
    }
    world.catch_up(&seen).await?;
    for tenant in [&seen, &unseen] {
        for (stream, event) in
            [("person-3", "person_deleted"), ("person-3", "person_erased"), ("organization-12", "organization_deleted")]
        {
            world.say(tenant, stream, vec![Draft::raw(event, 1, "{}")]).await?;
        }
    }
    world.catch_up(&seen).await?;
    world.as_owner("delete from vault.data_key where scope <> 'general' and tenant_id = ", &unseen).await?;
    crate::catch_up(&world.restarted().await?, &unseen).await?;
    for tenant in [seen, unseen] {
        assert_eq!(left(&world, &tenant).await?, ["person {} {} f"], "{}", tenant.slug());
    }
    Ok(())
}
