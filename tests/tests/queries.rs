//! `.sqlx/` is what builds without a database believe; here it is held against a database with every migration.

use std::{fs, path::PathBuf};

use anyhow::Context;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr};

/// A query as the macros cached it.
struct Cached {
    file: PathBuf,
    query: String,
    describe: Value,
}

fn cached() -> anyhow::Result<Vec<Cached>> {
    let folder = system_tests::repository().join(".sqlx");
    let entries = fs::read_dir(&folder)
        .with_context(|| format!("{} is missing: make it with `make generate`", folder.display()))?;
    let mut cached = Vec::new();
    for entry in entries {
        let file = entry?.path();
        let mut json: Value = serde_json::from_slice(&fs::read(&file)?)?;
        let query = json["query"].as_str().with_context(|| format!("{} has no query", file.display()))?.to_owned();
        cached.push(Cached { file, query, describe: json["describe"].take() });
    }
    Ok(cached)
}

/// What is wrong with a cached query, if something is.
///
/// Whether a column may be null is left out: for joins it is read from a plan, and plans follow statistics.
async fn fault(database: &mut PgConnection, cached: &Cached) -> anyhow::Result<Option<String>> {
    let described = database.describe(AssertSqlSafe(cached.query.clone()).into_sql_str()).await;
    let fault = match described {
        Err(error) => Some(error.to_string()),
        Ok(described) => {
            let described = serde_json::to_value(described)?;
            let differs = ["columns", "parameters"].into_iter().find(|part| described[part] != cached.describe[part]);
            differs.map(|part| {
                format!("the database says\n  {}\nand the cache\n  {}", described[part], cached.describe[part])
            })
        }
    };
    Ok(fault.map(|fault| format!("{}: {}\n{fault}", cached.file.display(), cached.query)))
}

async fn database() -> anyhow::Result<PgConnection> {
    Ok(PgConnection::connect(&testkit::database_url().await?).await?)
}

#[tokio::test]
async fn every_cached_query_fits_the_database() -> anyhow::Result<()> {
    let (mut database, cached) = (database().await?, cached()?);
    anyhow::ensure!(cached.len() > 50, "only {} queries are cached: run `make generate`", cached.len());
    let mut faults = Vec::new();
    for cached in &cached {
        faults.extend(fault(&mut database, cached).await?);
    }
    assert!(faults.is_empty(), "run `make generate`:\n{}", faults.join("\n"));
    Ok(())
}

#[tokio::test]
async fn a_cached_query_that_does_not_fit_is_found() -> anyhow::Result<()> {
    let mut database = database().await?;
    let query = "select slug from log.tenant where position = $1".to_owned();
    let described = database.describe(AssertSqlSafe(query.clone()).into_sql_str()).await?;
    let mut fits = Cached { file: PathBuf::from("query.json"), query, describe: serde_json::to_value(described)? };
    assert_eq!(fault(&mut database, &fits).await?, None);
    fits.describe["columns"][0]["type_info"] = "Int4".into();
    assert!(fault(&mut database, &fits).await?.is_some_and(|fault| fault.contains("Int4")));
    fits.query = "select no_such_column from log.tenant".to_owned();
    assert!(fault(&mut database, &fits).await?.is_some_and(|fault| fault.contains("no_such_column")));
    Ok(())
}
