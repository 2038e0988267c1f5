//! Builds: what they are made of, and how a new one comes into the world.

use std::{collections::BTreeSet, time::Duration};

use runtime::Shutdown;
use schemas::Position;
use sqlx::PgConnection;

use super::{
    checking::lived_in,
    world::{Draft, World, comment, opened, ticket},
};
use crate::{
    BuildState, Projector, Selection, build, drop_build, projections, rebuild,
    rebuild::{Purpose, Workshop},
};

/// Everything the catalogue says about the tables of a schema: columns, keys, indexes, privileges, policies, comments.
async fn shape(conn: &mut PgConnection, schema: &str) -> anyhow::Result<BTreeSet<String>> {
    let parts = sqlx::query_scalar!(
        r#"with tables as (
               select class.oid, class.relname, class.relrowsecurity,
                      (select array_agg(item::text order by item::text) from unnest(class.relacl) as item) as relacl
               from pg_class as class
               where class.relnamespace = $1::text::regnamespace and class.relkind = 'r'
           )
           select format('column %s.%s %s %s %s: %s', relname, attname, format_type(atttypid, atttypmod), attnotnull,
                         pg_get_expr(adbin, adrelid), col_description(tables.oid, attnum)) as "part!"
           from tables join pg_attribute on attrelid = tables.oid and attnum > 0
           left join pg_attrdef on adrelid = tables.oid and adnum = attnum
           union all select format('index %s', replace(pg_get_indexdef(indexrelid), $1 || '.', ''))
           from tables join pg_index on indrelid = tables.oid
           union all select format('constraint %s %s', conname, pg_get_constraintdef(pg_constraint.oid))
           from tables join pg_constraint on conrelid = tables.oid
           union all select format('table %s %s %s: %s', relname, relrowsecurity, relacl, obj_description(oid)) from tables
           union all select format('policy %s %s %s %s %s %s', relname, policyname, roles, cmd, qual, with_check)
           from tables join pg_policies on schemaname = $1 and tablename = relname
           union all select format('schema %s', (select array_agg(item::text order by item::text) from unnest(nspacl) as item))
           from pg_namespace where nspname = $1"#,
        schema,
    );
    Ok(parts.fetch_all(conn).await?.into_iter().collect())
}

#[tokio::test]
async fn a_new_build_has_everything_the_migrated_one_has() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut workshop = Workshop::open(&world.deps, projections::ALL).await?;
    for projection in projections::ALL {
        let build = workshop.create(projection, Purpose::Serve, world.deps.clock.now()).await?;
        assert_eq!(build.version, 2);
        workshop.complete(&build, world.deps.clock.now()).await?;
        let migrated = shape(workshop.conn(), &format!("read_{}_1", projection.name)).await?;
        assert!(migrated.len() > 10 && migrated.iter().any(|part| part.starts_with("policy")), "{migrated:?}");
        assert_eq!(shape(workshop.conn(), &build.schema()).await?, migrated, "{}", projection.name);
    }
    world.alter("alter table read_account_2.account alter column slug drop not null").await?;
    let (one, two) = (shape(workshop.conn(), "read_account_1").await?, shape(workshop.conn(), "read_account_2").await?);
    assert_eq!(one.symmetric_difference(&two).count(), 2, "one column differs, and is seen");
    Ok(())
}

#[tokio::test]
async fn a_build_is_the_projectors_alone_and_takes_copies_until_it_is_complete() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut workshop = Workshop::open(&world.deps, projections::ALL).await?;
    let build = workshop.create(projections::ALL[3], Purpose::Serve, world.deps.clock.now()).await?;
    let desk = world.test.pool(regions::DatabaseRole::Desk).await?;
    let stands = async || {
        let readable = sqlx::query_scalar!(r#"select has_schema_privilege('read_ticket_thread_2', 'usage') as "is!""#);
        let copied = sqlx::query_scalar!(r#"select not row_security_active('read_ticket_thread_2.comment') as "is!""#);
        anyhow::Ok((readable.fetch_one(&desk).await?, copied.fetch_one(&world.deps.pool).await?))
    };
    assert_eq!(stands().await?, (false, true));
    workshop.complete(&build, world.deps.clock.now()).await?;
    assert_eq!(stands().await?, (true, false));
    Ok(())
}

#[tokio::test]
async fn a_program_from_before_builds_still_finds_version_1() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let desk = world.test.pool(regions::DatabaseRole::Desk).await?;
    let mut transaction = regions::begin(&desk, &acme).await?;
    let seen = sqlx::query_scalar!(r#"select count(*) as "count!" from read.ticket_list"#);
    assert_eq!(seen.fetch_one(&mut *transaction).await?, 12);
    let other = world.tenant("other").await?;
    let mut transaction = regions::begin(&desk, &other).await?;
    let seen = sqlx::query_scalar!(r#"select count(*) as "count!" from read.ticket_list"#);
    assert_eq!(seen.fetch_one(&mut *transaction).await?, 0, "the second fence stands behind the views too");
    let written = sqlx::query!(
        "insert into read.audit_ticket (tenant_id, ticket_id, attributes) values ($1, 1, '{}')
         on conflict (tenant_id, ticket_id) do update set attributes = excluded.attributes",
        acme.tenant_id().get(),
    );
    assert_eq!(written.execute(&world.deps.pool).await?.rows_affected(), 1);
    Ok(())
}

/// Makes the build that serves one that serves programs of another shape only.
async fn reshape(world: &World, projection: &str) -> anyhow::Result<()> {
    let mut conn = world.deps.pool.acquire().await?;
    sqlx::query!("update read.build set shape = 99 where projection = $1", projection).execute(&mut *conn).await?;
    sqlx::query!("update read.serving set shape = 99 where projection = $1", projection).execute(&mut *conn).await?;
    Ok(())
}

async fn states(world: &World, projection: &str) -> anyhow::Result<Vec<(i32, i32, BuildState)>> {
    let builds = crate::builds(&mut *world.deps.pool.acquire().await?).await?;
    let of = builds.into_iter().filter(|build| build.projection == projection);
    Ok(of.map(|build| (build.version, build.shape, build.state)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shape_nothing_serves_is_built_at_the_start_beside_the_old_one() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let before = world.fingerprints(&acme).await?;
    reshape(&world, "ticket_list").await?;
    assert_eq!(build::missing(&mut *world.deps.pool.acquire().await?).await?, ["ticket_list"]);
    assert_eq!(world.catch_up(&acme).await?, Position::new(38), "what is not served is not followed");

    let shutdown = Shutdown::new();
    shutdown.spawn(Projector::new(world.deps.clone()).run(shutdown.clone()));
    world.say(&acme, "ticket-1", vec![comment("While it is built.")]).await?;
    world.reaches(&acme, "ticket_list", 39).await?;
    assert!(shutdown.drain(Duration::from_secs(10)).await);

    let (old, new) = ((1, 99, BuildState::Serving), (2, 1, BuildState::Serving));
    assert_eq!(states(&world, "ticket_list").await?, [old, new], "each serves its own programs");
    assert_ne!(world.fingerprints(&acme).await?, before, "the new comment is there");
    let path = sqlx::query_scalar!("select read.path_of('{ticket_list,audits}', '{99,1}')");
    assert_eq!(path.fetch_one(&world.deps.pool).await?.as_deref(), Some("read_ticket_list_1, read_audits_1"));

    let refused = drop_build(&world.deps, ("ticket_list", 1), false).await.expect_err("old programs read it");
    assert_eq!(refused.to_string(), "version: ticket_list version 1 serves programs of shape 99");
    drop_build(&world.deps, ("ticket_list", 1), true).await?;
    assert_eq!(states(&world, "ticket_list").await?, [new]);
    Ok(())
}

#[tokio::test]
async fn a_first_build_serves_although_a_tenant_is_halted_in_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let other = world.tenant("other").await?;
    world.say(&other, "ticket-1", vec![opened("Kettle"), Draft::raw("comment_added", 9, "{}")]).await?;
    reshape(&world, "ticket_list").await?;
    let built = rebuild(&world.deps, &Selection::named(&["ticket_list"])?, &|_| {}).await?;
    assert!(built.builds[0].is_switched && built.builds[0].replaces.is_none(), "{built:?}");
    let refused: Vec<_> = built.refused.iter().map(|one| (one.tenant_id, one.position.get())).collect();
    assert_eq!(refused, [(other.tenant_id(), 2)]);
    assert_eq!(world.status(&acme, "ticket_list").await?.position, Position::new(38));
    assert!(world.status(&other, "ticket_list").await?.halted.is_some());
    Ok(())
}

#[tokio::test]
async fn a_build_that_is_further_than_the_one_that_serves_is_compared_when_that_has_come_as_far() -> anyhow::Result<()>
{
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let subject = schemas::ticket::SubjectSet { subject: "Teapot".to_owned().into() };
    world.say(&acme, "ticket-1", vec![ticket(subject)]).await?;
    // The projector is not there. The first attempt reaches the head and is broken off before it switches.
    let mut workshop = Workshop::open(&world.deps, projections::ALL).await?;
    let build = workshop.create(projections::ALL[2], Purpose::Serve, world.deps.clock.now()).await?;
    drop(workshop);
    let meter = crate::progress::Meter::new(&world.deps, &[], &[], &|_| {}).await?;
    crate::rebuild::fill(&world.deps, std::slice::from_ref(&acme), (&[build], crate::rebuild::Goal::Head), &meter)
        .await?;
    let rebuilt = rebuild(&world.deps, &Selection::named(&["ticket_list"])?, &|_| {}).await?;
    assert_eq!((rebuilt.builds[0].version, rebuilt.builds[0].rows, rebuilt.is_done()), (2, 12, true), "{rebuilt:?}");
    Ok(())
}
