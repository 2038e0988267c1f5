//! The database's own refusals, behind the code's.

use regions::DatabaseRole;
use schemas::{Position, Version};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use testkit::{TestRegion, region};

use crate::given;

/// Everything a worker or the desk must not do to what is recorded.
const FORBIDDEN: &[&str] = &[
    "update log.event set payload = '\\x00'",
    "delete from log.event",
    "truncate log.event",
    "insert into log.event select * from log.event",
    "update log.tenant set position = 0",
    "update log.tenant set state = 'active'",
    "delete from log.tenant",
    "delete from log.idempotency",
    "insert into log.idempotency select * from log.idempotency",
    "update log.home set region = 'us'",
    "alter table log.event disable row level security",
    "set session_replication_role = replica",
];

async fn refusals(connection: &mut PgConnection) -> Vec<(&'static str, Option<String>)> {
    let mut refusals = Vec::new();
    for statement in FORBIDDEN {
        let undone = format!("begin; {statement}; rollback");
        let result = connection.execute(sqlx::raw_sql(AssertSqlSafe(undone))).await;
        let code = result.err().and_then(|error| Some(error.as_database_error()?.code()?.into_owned()));
        let _ = connection.execute("rollback").await;
        refusals.push((*statement, code));
    }
    refusals
}

#[tokio::test]
async fn no_role_of_the_product_can_change_or_delete_what_is_recorded() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    eu.appender().await?.append(given::append(&eu, &acme, given::ticket(1), 0)).await?;
    for role in [DatabaseRole::Desk, DatabaseRole::Projector, DatabaseRole::Replicator] {
        let mut connection = regions::connection(&eu.region, role).await?;
        for (statement, code) in refusals(&mut connection).await {
            assert_eq!(code.as_deref(), Some("42501"), "{role:?}: {statement}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_owner_can_so_the_check_above_can_fail() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    eu.appender().await?.append(given::append(&eu, &acme, given::ticket(1), 0)).await?;
    for (statement, code) in refusals(&mut given::owner(&eu).await?).await {
        assert_ne!(code.as_deref(), Some("42501"), "{statement}");
    }
    Ok(())
}

#[tokio::test]
async fn the_desk_makes_tenants_but_never_one_with_a_history() -> anyhow::Result<()> {
    let eu = region().await?;
    let mut desk = regions::connection(&eu.region, DatabaseRole::Desk).await?;
    let result = desk
        .execute(
            "insert into log.tenant (tenant_id, slug, region, epoch, state, created_at, position)
            values (gen_random_uuid(), 'forged', 'eu', 1, 'active', now(), 7)",
        )
        .await;
    let error = result.expect_err("refused");
    assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("42501"));
    Ok(())
}

#[tokio::test]
async fn only_the_desk_appends_and_allocates() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    for role in [DatabaseRole::Projector, DatabaseRole::Replicator] {
        let mut connection = regions::connection(&eu.region, role).await?;
        let refused = eventlog::allocate_ticket(&mut connection, &acme).await;
        assert!(matches!(refused, Err(eventlog::Error::Allocate(_))), "{role:?}: {refused:?}");
        let may_append = sqlx::query_scalar!(
            r#"select bool_or(has_function_privilege(current_user, p.oid, 'execute')) as "may!" from pg_proc p
            where p.pronamespace = 'log'::regnamespace and p.proname in ('append', 'append_alone')"#
        )
        .fetch_one(&mut connection)
        .await?;
        assert!(!may_append, "{role:?}");
    }
    Ok(())
}

async fn visible_events(test: &TestRegion, role: DatabaseRole, see: Option<&regions::Resident>) -> anyhow::Result<i64> {
    let pool = test.pool(role).await?;
    let mut transaction = match see {
        Some(resident) => regions::begin(&pool, resident).await?,
        None => regions::begin_with(&pool, "begin").await?,
    };
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from log.event"#).fetch_one(&mut *transaction).await?)
}

#[tokio::test]
async fn the_desk_sees_the_tenant_it_named_and_no_other() -> anyhow::Result<()> {
    let eu = region().await?;
    let (acme, other) = (eu.tenant("acme").await?, eu.tenant("other").await?);
    let appender = eu.appender().await?;
    appender.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2)])).await?;
    appender.append(given::append_to(&eu, &other, &[(given::ticket(1), 0, 3)])).await?;

    assert_eq!(visible_events(&eu, DatabaseRole::Desk, Some(&acme)).await?, 2);
    assert_eq!(visible_events(&eu, DatabaseRole::Desk, Some(&other)).await?, 3);
    assert_eq!(visible_events(&eu, DatabaseRole::Desk, None).await?, 0);
    // The fence is the role's, not the table's: workers see all.
    assert_eq!(visible_events(&eu, DatabaseRole::Projector, None).await?, 5);

    // Even a query that asks for the wrong tenant finds nothing.
    let mut as_acme = regions::begin(&eu.pool(DatabaseRole::Desk).await?, &acme).await?;
    assert!(eventlog::read_log(&mut as_acme, &other, Position::ZERO, 10).await?.is_empty());
    let stream = eventlog::read_stream(&mut as_acme, &other, &given::ticket(1), Version::ZERO, 10).await?;
    assert!(stream.is_empty());
    Ok(())
}

#[tokio::test]
async fn idempotency_keys_tree_heads_and_marks_are_fenced_as_well() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let append = given::with_key(given::append(&eu, &acme, given::ticket(1), 0), "key", "r");
    eu.appender().await?.append(append).await?;
    let pool = eu.pool(DatabaseRole::Desk).await?;
    let mut unnamed = pool.acquire().await?;
    assert_eq!(eventlog::find_idempotent(&mut unnamed, &acme, "key").await?, None);
    let mut named = regions::begin(&pool, &acme).await?;
    assert!(eventlog::find_idempotent(&mut named, &acme, "key").await?.is_some());

    let unfenced = sqlx::query_scalar!(
        r#"select c.relname::text as "name!" from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'log'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'tenant_id'
            and not c.relrowsecurity and not c.relispartition
        order by 1"#
    )
    .fetch_all(&mut given::owner(&eu).await?)
    .await?;
    // The head row holds routing data: the desk looks tenants up by name.
    assert_eq!(unfenced, ["tenant"]);
    Ok(())
}

#[tokio::test]
async fn a_database_of_one_region_is_never_another_regions() -> anyhow::Result<()> {
    let eu = region().await?;
    let mut owner = given::owner(&eu).await?;
    eventlog::migrate(&mut owner, &"eu".parse()?).await?;
    let refused = eventlog::migrate(&mut owner, &"us".parse()?).await;
    assert!(matches!(refused, Err(eventlog::Error::AnotherHome { found, .. }) if found == "eu"));
    Ok(())
}
