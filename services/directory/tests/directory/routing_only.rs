//! The directory holds routing data and nothing else: every declared field, every key of the map, every stored byte.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request},
};
use regions::{DatabaseRole, Resident};
use runtime::Shutdown;
use schemas::{DataClass, Position, name::NameEvent};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use tower::ServiceExt as _;

use crate::support::{TOKEN, World, client, region, slug};

/// A mark that no honest byte of the directory holds.
const CANARY: &str = "zqcanary7c1e";

#[test]
fn every_field_of_every_event_is_of_class_routing() {
    let fields: Vec<_> = NameEvent::TYPES.iter().flat_map(|event| event.fields).collect();
    assert!(!fields.is_empty());
    for field in fields {
        assert_eq!(field.class, DataClass::Routing, "{}", field.name);
    }
}

#[tokio::test]
async fn the_map_has_these_fields_and_no_others() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let client = client(world.directory().await?, &shutdown).await?;
    client.claim(&slug("acme"), world.tenant(), &region("eu"), schemas::Epoch::FIRST).await?;
    let bytes = client.map(None, None, Duration::ZERO).await?.expect("a map");
    let document: Value = serde_json::from_slice(&bytes)?;
    let keys = |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<BTreeSet<_>>());
    let set = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    assert_eq!(keys(&document), set(&["payload", "signature"]));
    assert_eq!(keys(&document["payload"]), set(&["version", "regions", "names"]));
    assert_eq!(keys(&document["payload"]["names"]["acme"]), set(&["tenant_id", "region", "epoch", "state"]));
    Ok(())
}

#[tokio::test]
async fn a_mark_in_every_part_of_every_request_leaves_no_trace() -> anyhow::Result<()> {
    let world = World::new().await?;
    let directory = world.directory().await?;
    let (acme, shutdown) = (world.tenant(), Shutdown::new());
    let claim = format!(r#"{{"tenant_id":"{acme}","region":"eu","epoch":1}}"#);
    let hold = format!(r#"{{"tenant_id":"{acme}"}}"#);
    for (method, path, body) in [
        (Method::POST, "/names/acme/claim".to_owned(), claim.clone()),
        (Method::POST, "/names/acme/confirm".to_owned(), hold.clone()),
        (
            Method::POST,
            format!("/names/acme/claim?email={CANARY}"),
            claim.replace('}', &format!(r#","email":"{CANARY}"}}"#)),
        ),
        (Method::POST, "/names/acme/claim".to_owned(), claim.replace("eu", CANARY)),
        (Method::POST, format!("/names/{CANARY}!/release"), hold),
        (Method::GET, format!("/names/{CANARY}"), String::new()),
        (Method::GET, format!("/pending?region={CANARY}"), String::new()),
        (Method::GET, format!("/map?after={CANARY}"), String::new()),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("user-agent", CANARY)
            .header("cookie", format!("session={CANARY}"))
            .header("traceparent", format!("00-{CANARY}"))
            .body(Body::from(body))?;
        directory.router(shutdown.clone()).oneshot(request).await?;
    }
    let found = places_with(&world, CANARY).await?;
    assert!(found.is_empty(), "{found:?}");
    assert!(!places_with(&world, "acme").await?.is_empty(), "the name itself is found, so the search works");
    Ok(())
}

/// The twin of the test above: the search must find what it is there to find, in the open and sealed.
#[tokio::test]
async fn a_planted_leak_is_found() -> anyhow::Result<()> {
    let world = World::new().await?;
    let directory = world.directory().await?;
    directory.claim(slug(CANARY), world.tenant(), region("eu"), schemas::Epoch::FIRST).await?;
    let found = places_with(&world, CANARY).await?;
    assert!(found.contains("log.event"), "{found:?}");
    assert!(found.contains("opened payloads"), "{found:?}");
    Ok(())
}

/// Where a mark is found: every row of every table, as text, and every payload, opened.
async fn places_with(world: &World, mark: &str) -> anyhow::Result<BTreeSet<String>> {
    let owner = world.test.pool(DatabaseRole::Owner).await?;
    let mut found = BTreeSet::new();
    for table in tables(&owner).await? {
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("select row::text from {table} as row")))
            .fetch_all(&owner)
            .await?;
        // Bytes are shown in hex.
        if rows.iter().any(|row| row.contains(mark) || row.contains(&hex_of(mark))) {
            found.insert(table);
        }
    }
    if opened_payloads(world).await?.iter().any(|payload| String::from_utf8_lossy(payload).contains(mark)) {
        found.insert("opened payloads".to_owned());
    }
    Ok(found)
}

async fn tables(owner: &PgPool) -> anyhow::Result<Vec<String>> {
    let tables = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema') order by 1",
    );
    Ok(tables.fetch_all(owner).await?)
}

async fn opened_payloads(world: &World) -> anyhow::Result<Vec<Vec<u8>>> {
    let pool = world.test.pool(DatabaseRole::Replicator).await?;
    let mut connection = pool.acquire().await?;
    let resident = Resident::prove_id(&mut connection, &world.test.region.id, directory::TENANT_ID).await?;
    let resident = resident.expect("the directory's own tenant");
    let recorded = eventlog::read_log(&mut connection, &resident, Position::ZERO, 1000).await?;
    let opened = world.test.vault(DatabaseRole::Replicator).await?.open_all(&resident, &recorded).await?;
    Ok(opened.into_iter().flatten().map(|payload| payload.to_vec()).collect())
}

fn hex_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
