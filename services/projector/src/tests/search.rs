//! The projection `search`: which texts it holds, and that nothing of what is gone stays.

use domain::search::{Sought, lexeme};
use regions::{DatabaseRole, Resident};
use schemas::{
    TicketFieldId,
    organization::{OrganizationAdded, OrganizationDetailSet, OrganizationEvent},
    person::{PersonDetailSet, PersonEvent, PersonRenamed},
    ticket::{CustomFieldsSet, SubjectSet, TagsSet},
    ticket_field::{FieldSet, FieldValue},
    values::{OrganizationDetail, PersonDetail},
};

use super::{
    people,
    world::{Draft, World, comment, opened, ticket},
};
use crate::{Selection, check, rebuild};

/// What the desk's role finds of a tenant, by kind, thing and part.
async fn found(world: &World, tenant: &Resident, (of, sought): (&Resident, &str)) -> anyhow::Result<Vec<String>> {
    let pool = world.test.pool(DatabaseRole::Desk).await?;
    let models = regions::ReadModels::new(crate::shapes());
    let mut transaction = regions::begin_reading(&pool, tenant, &models).await?;
    let sought = Sought::of(sought, false).expect("a word");
    let forms = sought.0[0].forms.iter().map(|form| format!("'{}'", lexeme(of.tenant_id(), form)));
    let beginnings = sought.0[0].beginnings.iter().map(|form| format!("'{}':*", lexeme(of.tenant_id(), form)));
    let query = forms.chain(beginnings).collect::<Vec<_>>().join(" | ");
    let (mut found, mut without_rank) = (Vec::new(), Vec::new());
    for kind in ["ticket", "user", "organization"] {
        let texts = sqlx::query_scalar!(
            r#"select concat_ws(' ', $1::text, thing_id, part) as "text!" from texts_with($1, $2::text::tsquery) order by 1"#,
            kind,
            query,
        );
        without_rank.extend(texts.fetch_all(&mut *transaction).await?);
        let texts = sqlx::query_scalar!(
            r#"select concat_ws(' ', $1::text, thing_id, part) as "text!" from found_texts($1, $2::text::tsquery) order by 1"#,
            kind,
            query,
        );
        found.extend(texts.fetch_all(&mut *transaction).await?);
    }
    assert_eq!(found, without_rank, "both functions find the same");
    Ok(found)
}

fn person(event: impl Into<PersonEvent>) -> Draft {
    let event: PersonEvent = event.into();
    event.into()
}

fn organization(event: impl Into<OrganizationEvent>) -> Draft {
    let event: OrganizationEvent = event.into();
    event.into()
}

fn field(value: Option<&str>) -> Draft {
    let value = value.map(|value| FieldValue::Text(value.to_owned()));
    ticket(CustomFieldsSet { fields: vec![FieldSet { field: TicketFieldId::new(9), value }].into() })
}

fn life() -> Vec<(&'static str, Vec<Draft>)> {
    vec![
        ("ticket-1", vec![opened("Kettle smokes"), comment("The kettle is hot."), comment("Kettles, always.")]),
        ("ticket-1", vec![comment("No more kettle.")]),
        ("ticket-1", vec![ticket(SubjectSet { subject: "Toaster smokes".to_owned().into() })]),
        ("ticket-1", vec![ticket(TagsSet { tags: vec!["big_kettle".to_owned()].into() })]),
        ("ticket-1", vec![field(Some("kettle"))]),
        ("ticket-12", vec![opened("Kettle of another"), comment("")]),
        ("ticket-12", vec![field(Some("kettle"))]),
        ("ticket-12", vec![field(None)]),
        ("person-3", vec![people::added(3, "Ann Kettle", Some("ann@a.example"))]),
        ("person-3", vec![person(PersonRenamed { name: "Ann Pot".to_owned().into() })]),
        (
            "person-3",
            vec![person(PersonDetailSet {
                detail: PersonDetail::Notes,
                value: Some("Likes kettles".to_owned()).into(),
            })],
        ),
        (
            "organization-12",
            vec![
                organization(OrganizationAdded {
                    organization: schemas::OrganizationId::new(12),
                    name: "Kettles Ltd".to_owned().into(),
                }),
                organization(OrganizationDetailSet {
                    detail: OrganizationDetail::Details,
                    value: Some("Makers of kettles".to_owned()).into(),
                }),
            ],
        ),
    ]
}

const ALL: [&str; 9] = [
    "ticket 1 comment",
    "ticket 1 comment",
    "ticket 1 description",
    "ticket 1 field",
    "ticket 1 tag",
    "ticket 12 subject",
    "user 3 notes",
    "organization 12 details",
    "organization 12 name",
];

#[tokio::test]
async fn texts_are_found_by_their_words_in_one_batch_or_many() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (at_once, bit_by_bit) = (world.tenant("at-once").await?, world.tenant("bit-by-bit").await?);
    for ((stream, one), (_, other)) in life().into_iter().zip(life()) {
        world.say(&at_once, stream, one).await?;
        world.say(&bit_by_bit, stream, other).await?;
        world.catch_up(&bit_by_bit).await?;
    }
    world.catch_up(&at_once).await?;
    for tenant in [&at_once, &bit_by_bit] {
        assert_eq!(found(&world, tenant, (tenant, "kettle")).await?, ALL, "{}", tenant.slug());
        assert_eq!(found(&world, tenant, (tenant, "toaster")).await?, ["ticket 1 subject"]);
    }
    assert!(check(&world.deps, &Selection::all(), &|_| {}).await?.is_clean());
    rebuild(&world.deps, &Selection::all(), &|_| {}).await?;
    assert_eq!(found(&world, &at_once, (&at_once, "kettle")).await?, ALL, "a new build has the functions too");
    Ok(())
}

#[tokio::test]
async fn a_function_with_the_owners_rights_looks_into_its_own_build_and_last_into_what_is_temporary()
-> anyhow::Result<()> {
    let world = World::new().await?;
    rebuild(&world.deps, &Selection::named(&["search"])?, &|_| {}).await?;
    let functions = sqlx::query!(
        r#"select pg_namespace.nspname as "build!", array_to_string(proconfig, ' ') as "settings!"
           from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
           where nspname like 'read\_search\_%' and prosecdef order by nspname, proname"#
    );
    let functions = functions.fetch_all(&mut world.reader().await?).await?;
    assert_eq!(functions.len(), 4, "two of the build that was migrated, two of the build that was made");
    for function in functions {
        assert_eq!(function.settings, format!("search_path={}, pg_temp", function.build));
    }
    Ok(())
}

#[tokio::test]
async fn a_long_text_is_found_by_all_of_it_and_goes_as_a_whole() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (seen, unseen) = (world.tenant("seen").await?, world.tenant("unseen").await?);
    let long = format!("{} kettle", (0..40_000).map(|number| format!("{number} ")).collect::<String>());
    for tenant in [&seen, &unseen] {
        world.say(tenant, "ticket-1", vec![opened("Long"), comment(&long), field(Some(&long))]).await?;
        // Its place begins alike.
        let other = FieldSet { field: TicketFieldId::new(90), value: Some(FieldValue::Text("kettle".to_owned())) };
        world.say(tenant, "ticket-1", vec![ticket(CustomFieldsSet { fields: vec![other].into() })]).await?;
    }
    world.catch_up(&seen).await?;
    let all = ["ticket 1 description", "ticket 1 field", "ticket 1 field"];
    assert_eq!(found(&world, &seen, (&seen, "kettle")).await?, all);
    for tenant in [&seen, &unseen] {
        world.say(tenant, "ticket-1", vec![field(Some("toaster"))]).await?;
        world.catch_up(tenant).await?;
        assert_eq!(found(&world, tenant, (tenant, "kettle")).await?, all[..2], "{}", tenant.slug());
        let rows = sqlx::query_scalar!(
            "select place from searched_text where tenant_id = $1 and part = 'field' order by place",
            tenant.tenant_id().get()
        );
        let rows = rows.fetch_all(&mut world.reader().await?).await?;
        assert_eq!(rows, ["ticket-1/field-9", "ticket-1/field-90"], "{}", tenant.slug());
    }
    Ok(())
}

#[tokio::test]
async fn nobody_finds_texts_of_another_tenant() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (left, right) = (world.tenant("left").await?, world.tenant("right").await?);
    world.say(&left, "ticket-1", vec![opened("Kettle")]).await?;
    world.say(&right, "ticket-1", vec![opened("Toaster")]).await?;
    world.catch_up(&left).await?;
    world.catch_up(&right).await?;
    assert_eq!(found(&world, &left, (&left, "kettle")).await?, ["ticket 1 subject"]);
    assert!(found(&world, &right, (&right, "kettle")).await?.is_empty());
    assert!(found(&world, &right, (&left, "kettle")).await?.is_empty(), "not with the other's words either");
    Ok(())
}

#[tokio::test]
async fn what_is_erased_is_not_found_and_its_neighbours_are() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (seen, unseen) = (world.tenant("seen").await?, world.tenant("unseen").await?);
    for ((stream, one), (_, other)) in life().into_iter().zip(life()) {
        world.say(&seen, stream, one).await?;
        world.say(&unseen, stream, other).await?;
    }
    world.catch_up(&seen).await?;
    for tenant in [&seen, &unseen] {
        for (stream, event, payload) in [
            ("ticket-1", "ticket_erased", r#"{"attachments":[]}"#),
            ("person-3", "person_erased", "{}"),
            ("organization-12", "organization_deleted", "{}"),
        ] {
            world.say(tenant, stream, vec![Draft::raw(event, 1, payload)]).await?;
        }
        world.catch_up(tenant).await?;
        assert_eq!(found(&world, tenant, (tenant, "kettle")).await?, ["ticket 12 subject"], "{}", tenant.slug());
        let rows = sqlx::query_scalar!(
            "select place from searched_text where tenant_id = $1 order by place",
            tenant.tenant_id().get()
        );
        let rows = rows.fetch_all(&mut world.reader().await?).await?;
        assert_eq!(rows, ["ticket-12/subject", "ticket-12/tags"]);
    }
    Ok(())
}
