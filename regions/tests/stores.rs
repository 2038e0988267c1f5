//! Clients of a region's stores, and proof of residence, over real stores.

use std::{sync::Arc, time::Duration};

use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, CreateBucketConfiguration, DefaultRetention,
    ExpirationStatus, LifecycleRuleFilter, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode,
    ObjectLockRule, VersioningConfiguration,
};
use bytes::Bytes;
use regions::{
    Bucket, BucketRole, DatabaseRole, Endpoints, Error, Patience, PostgresEndpoint, Put, Region, Resident, S3Endpoint,
};
use runtime::{Clock, SystemClock};
use schemas::Slug;
use sqlx::{Connection as _, PgConnection, PgPool, Row as _};
use testkit::TestRegion;
use vault::Scope;

async fn owner(test: &TestRegion) -> anyhow::Result<PgConnection> {
    Ok(regions::connection(&test.region, DatabaseRole::Owner).await?)
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

async fn reader(region: &Region) -> Result<Bucket, Error> {
    regions::bucket(region, BucketRole::Reader, &clock()).await
}

fn slug(text: &str) -> Slug {
    text.parse().expect("a slug")
}

#[tokio::test]
async fn each_role_works_under_its_own_name() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    for (role, expected) in [
        (DatabaseRole::Owner, None),
        (DatabaseRole::Desk, Some("domicile_desk")),
        (DatabaseRole::Projector, Some("domicile_projector")),
        (DatabaseRole::Replicator, Some("domicile_replicator")),
    ] {
        let mut connection = regions::connection(&test.region, role).await?;
        let row = sqlx::query!(
            r#"select current_user::text as "user!", current_setting('application_name') as "application!""#
        )
        .fetch_one(&mut connection)
        .await?;
        let user = expected.unwrap_or(&test.region.postgres().expect("an endpoint").user);
        assert_eq!(row.user, user);
        assert!(row.application.starts_with("domicile "), "{}", row.application);
        connection.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_login_that_may_only_be_one_role_is_that_role_and_no_other() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let statement = "create role only_desk login password 'secret' nosuperuser noinherit in role domicile_desk";
    sqlx::raw_sql(statement).execute(&mut owner(&test).await?).await?;
    let Endpoints { postgres, s3 } = test.region.endpoints().expect("a test region has endpoints");
    let postgres = PostgresEndpoint::new(postgres.host, postgres.port, postgres.database, "only_desk", "secret");
    let region = test.region.clone().with_endpoints(Endpoints { postgres, s3 });

    let mut desk = regions::connect(&region, DatabaseRole::Desk, 1).await?.acquire().await?.detach();
    let row = sqlx::query!(r#"select session_user::text as "login!", current_user::text as "user!""#);
    let row = row.fetch_one(&mut desk).await?;
    assert_eq!((row.login.as_str(), row.user.as_str()), ("only_desk", "domicile_desk"));
    let acme = test.tenant("acme").await?;
    let proven = Resident::prove(&mut desk, &region.id, acme.slug()).await?;
    assert_eq!(proven, Some(acme), "it works with it");

    for role in [DatabaseRole::Projector, DatabaseRole::Replicator] {
        let error = regions::connection(&region, role).await.expect_err("it is not a member");
        assert!(matches!(error, Error::Connect { .. }), "{role:?} {error}");
    }
    Ok(())
}

#[tokio::test]
async fn the_desk_gives_up_what_somebody_else_holds_and_migrations_do_not() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let patience = Patience { lock: Duration::from_millis(20), ..Patience::DESK };
    let mut hasty = regions::connection_with(&test.region, DatabaseRole::Desk, patience).await?;
    let mut desk = regions::connection(&test.region, DatabaseRole::Desk).await?;
    let mut owner = owner(&test).await?;
    for (connection, lock, statement) in [(&mut hasty, "20ms", "20s"), (&mut desk, "5s", "20s"), (&mut owner, "0", "0")]
    {
        let row = sqlx::query!(
            r#"select current_setting('lock_timeout') as "lock!", current_setting('statement_timeout') as "statement!""#
        );
        let row = row.fetch_one(connection).await?;
        assert_eq!((row.lock.as_str(), row.statement.as_str()), (lock, statement));
    }

    sqlx::query!("select pg_advisory_lock(1)").fetch_one(&mut owner).await?;
    let error = sqlx::query!("select pg_advisory_lock(1)").fetch_one(&mut hasty).await.expect_err("it is held");
    assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("55P03"));
    Ok(())
}

#[tokio::test]
async fn another_regions_database_is_refused() -> anyhow::Result<()> {
    let test = testkit::region_named("eu").await?;
    let mistaken = test.region.clone().with_id("us".parse()?);
    for role in [DatabaseRole::Owner, DatabaseRole::Desk, DatabaseRole::Projector, DatabaseRole::Replicator] {
        let error = regions::connect(&mistaken, role, 2).await.expect_err("it belongs to eu");
        assert_eq!(error.to_string(), "region us: this database belongs to region eu", "{role:?}");
    }
    assert!(matches!(regions::listener(&mistaken, DatabaseRole::Desk).await, Err(Error::AnotherHome { .. })));
    Ok(())
}

#[tokio::test]
async fn a_database_that_becomes_another_regions_gets_no_new_connection() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let pool = regions::connect(&test.region, DatabaseRole::Desk, 2).await?;
    let held = pool.acquire().await?;
    sqlx::query!("update log.home set region = 'us'").execute(&mut owner(&test).await?).await?;
    let refused = tokio::time::timeout(Duration::from_millis(500), pool.acquire()).await;
    assert!(!matches!(refused, Ok(Ok(_))), "a second connection would be one to another region");
    drop(held);
    Ok(())
}

#[tokio::test]
async fn a_database_that_nobody_was_given_is_for_its_owner_only() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    sqlx::query!("delete from log.home").execute(&mut owner(&test).await?).await?;
    assert!(regions::connection(&test.region, DatabaseRole::Owner).await.is_ok());
    let error = regions::connection(&test.region, DatabaseRole::Desk).await.expect_err("refused");
    assert_eq!(error.to_string(), "region eu: this database belongs to region nobody");
    Ok(())
}

#[tokio::test]
async fn a_server_that_loses_acknowledged_data_is_refused_by_those_who_acknowledge() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    // Tests run on such a server and say so; without that word it is refused.
    let mut owner = owner(&test).await?;
    let database = &test.region.postgres().expect("an endpoint").database;
    let statement = format!("alter database {database} set domicile.test_cluster = 'off'");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut owner).await?;

    for role in [DatabaseRole::Owner, DatabaseRole::Desk] {
        let error = regions::connect(&test.region, role, 1).await.expect_err("refused");
        assert!(matches!(error, Error::UnsafeSetting { setting: "fsync", .. }), "{error}");
    }
    for role in [DatabaseRole::Projector, DatabaseRole::Replicator] {
        assert!(regions::connect(&test.region, role, 1).await.is_ok(), "{role:?} acknowledges nothing");
    }
    Ok(())
}

#[tokio::test]
async fn a_region_without_endpoints_has_no_clients() -> anyhow::Result<()> {
    let regions = regions::Regions::load(std::path::Path::new(env!("CARGO_MANIFEST_DIR")))?;
    let eu = regions.get(&"eu".parse()?).expect("eu");
    let error = regions::connect(eu, DatabaseRole::Desk, 1).await.expect_err("refused");
    assert_eq!(error.to_string(), "region eu: no postgres endpoint is configured");
    let error = reader(eu).await.expect_err("refused");
    assert_eq!(error.to_string(), "region eu: no s3 endpoint is configured");
    Ok(())
}

#[tokio::test]
async fn stores_that_are_down_are_named() -> anyhow::Result<()> {
    let nobody_listens = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let regions = regions::Regions::load(std::path::Path::new(env!("CARGO_MANIFEST_DIR")))?;
    let eu: Region = regions.get(&"eu".parse()?).expect("eu").clone().with_endpoints(Endpoints {
        postgres: PostgresEndpoint::new("127.0.0.1", nobody_listens, "domicile", "domicile", ""),
        s3: S3Endpoint::new(format!("http://127.0.0.1:{nobody_listens}"), "key", "secret"),
    });
    let error = regions::connect(&eu, DatabaseRole::Desk, 1).await.expect_err("refused");
    assert_eq!(error.to_string(), "region eu: cannot connect to Postgres as desk");
    let error = reader(&eu).await.expect_err("refused");
    assert_eq!(error.to_string(), "bucket domicile-eu: cannot ask where it is");
    Ok(())
}

#[tokio::test]
async fn a_tenant_is_proven_only_where_and_while_it_is_at_home() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let (eu, us) = (test.region.id.clone(), "us".parse()?);
    let mut desk = regions::connection(&test.region, DatabaseRole::Desk).await?;

    let proven = Resident::prove(&mut desk, &eu, &slug("acme")).await?.expect("at home");
    assert_eq!(proven, acme);
    assert_eq!(Resident::prove_id(&mut desk, &eu, acme.tenant_id()).await?.expect("at home"), acme);
    assert_eq!(Resident::prove(&mut desk, &eu, &slug("nobody")).await?, None);
    assert_eq!(Resident::prove(&mut desk, &us, &slug("acme")).await?, None);
    assert_eq!(Resident::prove_id(&mut desk, &us, acme.tenant_id()).await?, None);

    for state in ["moving", "closed"] {
        sqlx::query!("update log.tenant set state = $1", state).execute(&mut owner(&test).await?).await?;
        assert_eq!(Resident::prove(&mut desk, &eu, &slug("acme")).await?, None, "{state}");
        assert_eq!(Resident::prove_id(&mut desk, &eu, acme.tenant_id()).await?, None, "{state}");
    }
    Ok(())
}

async fn keys_seen(connection: &mut PgConnection) -> Result<Vec<uuid::Uuid>, sqlx::Error> {
    sqlx::query_scalar!("select tenant_id from vault.data_key").fetch_all(connection).await
}

#[tokio::test]
async fn a_transaction_sees_its_own_tenant_and_leaves_nothing_behind() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (acme, twin) = (test.tenant("acme").await?, test.tenant("twin").await?);
    let vault = test.vault(DatabaseRole::Desk).await?;
    for tenant in [&acme, &twin] {
        vault.data_keys(tenant, &[Scope::General]).await?;
    }
    let pool: PgPool = regions::connect(&test.region, DatabaseRole::Desk, 1).await?;
    for tenant in [&acme, &twin] {
        let mut transaction = regions::begin(&pool, tenant).await?;
        assert_eq!(keys_seen(&mut transaction).await?, [tenant.tenant_id().get()]);
        transaction.commit().await?;
    }
    drop(regions::begin(&pool, &acme).await?);
    let seen = keys_seen(&mut *pool.acquire().await?).await?;
    assert!(seen.is_empty(), "the same connection, with no tenant named");
    Ok(())
}

/// Slow enough that the answer is not there when it is given up.
const SLOW_BEGIN: &str = "begin; select pg_sleep(0.05)";

/// Whether what is written on a free connection of the pool is there for others at once.
async fn is_kept(pool: &PgPool, owner: &mut PgConnection) -> anyhow::Result<bool> {
    let count = || sqlx::raw_sql("select count(*) from kept");
    let before: i64 = count().fetch_one(&mut *owner).await?.get(0);
    sqlx::raw_sql("insert into kept values (1)").execute(pool).await?;
    let after: i64 = count().fetch_one(owner).await?.get(0);
    Ok(after == before + 1)
}

#[tokio::test]
async fn a_transaction_nobody_waits_for_is_not_left_open_in_the_pool() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let mut owner = owner(&test).await?;
    sqlx::raw_sql("create table kept (number integer); grant all on kept to domicile_desk").execute(&mut owner).await?;
    let pool: PgPool = regions::connect(&test.region, DatabaseRole::Desk, 1).await?;
    pool.acquire().await?;
    for polls in 1..6 {
        let mut begin = Box::pin(regions::begin_with(&pool, SLOW_BEGIN));
        for _ in 0..polls {
            if futures::poll!(&mut begin).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(begin);
        assert!(is_kept(&pool, &mut owner).await?, "given up after {polls} polls");
    }
    // The twin: sqlx's own, given up in the middle, leaves the transaction in the pool.
    let slow = sqlx::SqlSafeStr::into_sql_str(SLOW_BEGIN);
    let mut begin = sqlx::Transaction::begin(pool.acquire().await?, Some(slow));
    assert!(futures::poll!(&mut begin).is_pending(), "it is sent, and not answered yet");
    drop(begin);
    assert!(!is_kept(&pool, &mut owner).await?, "or the reason for all this is gone");
    Ok(())
}

#[tokio::test]
async fn an_object_is_written_once() -> anyhow::Result<()> {
    let bucket = testkit::region().await?;
    let bucket = bucket.bucket().await?;
    assert_eq!(bucket.put_new("a/1", Bytes::from_static(b"first")).await?, Put::Written);
    assert_eq!(bucket.put_new("a/1", Bytes::from_static(b"second")).await?, Put::Existed);
    assert_eq!(bucket.get("a/1").await?.expect("it is there").body.as_ref(), b"first");
    assert_eq!((bucket.head("a/1").await?, bucket.head("a/2").await?), (Some(5), None));
    assert!(bucket.get("a/2").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn an_object_moves_only_from_the_version_that_was_read() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let bucket = test.bucket().await?;
    let body = |text: &'static str| Bytes::from_static(text.as_bytes());
    let first = bucket.put_if_match("checkpoint", body("1"), None).await?.expect("it was not there");
    let second = bucket.put_if_match("checkpoint", body("2"), Some(&first)).await?.expect("nobody moved it");
    assert_eq!(bucket.put_if_match("checkpoint", body("3"), Some(&first)).await?, None, "it moved on");
    assert_eq!(bucket.put_if_match("checkpoint", body("3"), None).await?, None, "it is there");
    // A writer whose answer was lost asks again, and finds its own write.
    assert_eq!(bucket.put_if_match("checkpoint", body("2"), Some(&first)).await?, Some(second));
    Ok(())
}

#[tokio::test]
async fn a_bucket_in_another_place_is_refused() -> anyhow::Result<()> {
    let test = testkit::region_named("eu").await?;
    let mut moved = test.region.clone();
    moved.cloud_region = "us-east-1".to_owned();
    let error = reader(&moved).await.expect_err("it says eu-central-1");
    assert_eq!(
        error.to_string(),
        "bucket domicile-eu: is in eu-central-1, and the region's data must stay in us-east-1"
    );
    Bucket::set_up(&test.region, &clock()).await?;
    test.bucket().await?.check_location().await?;
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_ends_lives_otherwise_than_the_policy_says_is_found() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (raw, name) = (test.raw_bucket(), &test.region.bucket);
    Bucket::set_up(&test.region, &clock()).await?;
    let bucket = reader(&test.region).await?;
    bucket.check_life_cycle().await?;
    let whole = raw.get_bucket_lifecycle_configuration().bucket(name).send().await?.rules.unwrap_or_default();
    for (rule, what) in whole.iter().zip([
        "keys/* after 30 days",
        "drills/* after 400 days",
        "backups/* after 1 days where domicile-life is over",
        "what was replaced in * after 7 days",
    ]) {
        let mut disabled = rule.clone();
        disabled.status = ExpirationStatus::Disabled;
        let rest = whole.iter().filter(|other| other.id() != rule.id()).cloned().chain([disabled]).collect();
        let life = BucketLifecycleConfiguration::builder().set_rules(Some(rest)).build()?;
        raw.put_bucket_lifecycle_configuration().bucket(name).lifecycle_configuration(life).send().await?;
        let error = bucket.check_life_cycle().await.expect_err("a rule is missing").to_string();
        assert!(error.ends_with(&format!("; missing: ends {what}; too many: ends nothing")), "{error}");
    }
    let mut tenants = whole[1].clone();
    (tenants.id, tenants.filter) =
        (Some("foreign".to_owned()), Some(LifecycleRuleFilter::builder().prefix("tenants/").build()));
    let more = whole.into_iter().chain([tenants]).collect();
    let life = BucketLifecycleConfiguration::builder().set_rules(Some(more)).build()?;
    raw.put_bucket_lifecycle_configuration().bucket(name).lifecycle_configuration(life).send().await?;
    let error = bucket.check_life_cycle().await.expect_err("a rule too many").to_string();
    assert!(error.ends_with("; missing: ends nothing; too many: ends tenants/* after 400 days"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_keeps_objects_otherwise_than_the_file_says_is_refused() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let raw = test.raw_bucket();
    let place = CreateBucketConfiguration::builder().location_constraint("eu-central-1".into()).build();
    raw.create_bucket().bucket("plain").create_bucket_configuration(place).send().await?;
    let mut region = test.unlimited();
    region.bucket = "plain".to_owned();
    let refused = async |region: &Region| {
        let error = reader(region).await.expect_err("refused");
        assert!(error.is_refused_bucket(), "{error}");
        Ok::<_, anyhow::Error>(error.to_string())
    };
    assert!(refused(&region).await?.starts_with("object_lock: bucket plain keeps no versions; enable versioning"));

    let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    raw.put_bucket_versioning().bucket("plain").versioning_configuration(versions).send().await?;
    assert!(refused(&region).await?.starts_with("object_lock: bucket plain has no object lock; enable it"));

    let by_default = DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(1).build();
    let rule = ObjectLockRule::builder().default_retention(by_default).build();
    let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).rule(rule).build();
    raw.put_object_lock_configuration().bucket("plain").object_lock_configuration(lock).send().await?;
    let error = refused(&region).await?;
    assert!(error.starts_with("object_lock: bucket plain locks every object by default, wrapped keys too"), "{error}");

    region.storage.lock = None;
    assert!(reader(&region).await.is_ok(), "the file asks for none");
    region.storage.is_encrypted_by_kms = true;
    let error = reader(&region).await.expect_err("nobody answers for it");
    assert!(error.to_string().contains("the region file's encryption.kms"), "{error}");
    Ok(())
}
