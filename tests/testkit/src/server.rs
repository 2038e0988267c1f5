//! The one Postgres server of a test binary. It ends with the binary; what it leaves in the temporary folder is removed by
//! the next one.

use std::{fs, path::PathBuf, sync::OnceLock};

use embedded::postgres::{Cluster, Config, Durability, USER};
use regions::{DatabaseRole, PostgresEndpoint, Region};
use sqlx::{AssertSqlSafe, Executor};

static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();

fn cluster() -> anyhow::Result<&'static Cluster> {
    let started = CLUSTER.get_or_init(|| {
        remove_leftovers();
        let config = Config { folder: folder_of(std::process::id()), durability: Durability::Test };
        Cluster::start(&config, "test").map_err(|error| error.to_string())
    });
    started.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
}

/// The server's process, for tests that kill it.
pub fn process_id() -> anyhow::Result<i32> {
    Ok(cluster()?.process_id())
}

/// Makes a database: an empty one, or a copy of another, which nobody may be connected to.
pub(crate) async fn database(name: &str, template: Option<&str>) -> anyhow::Result<PostgresEndpoint> {
    let cluster = tokio::task::spawn_blocking(cluster).await??;
    let endpoint =
        |database: &str| PostgresEndpoint::new("127.0.0.1", cluster.port(), database, USER, cluster.password());
    let mut maintenance =
        regions::connection(&Region::for_directory(endpoint("postgres")), DatabaseRole::Owner).await?;
    // Names are made of digits and a region's id. Copying files is quicker than copying through the log where fsync is off.
    let statement = match template {
        Some(template) => format!("create database {name} template {template} strategy file_copy"),
        None => format!("create database {name}"),
    };
    maintenance.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    Ok(endpoint(name))
}

fn tests_folder() -> PathBuf {
    // A user's own, because the folder of another cannot be written.
    std::env::temp_dir().join(format!("domicile-tests-{}", nix::unistd::getuid()))
}

fn folder_of(process: u32) -> PathBuf {
    tests_folder().join(process.to_string())
}

fn remove_leftovers() {
    for entry in fs::read_dir(tests_folder()).into_iter().flatten().flatten() {
        let process = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        if process.is_some_and(|process| !PathBuf::from(format!("/proc/{process}")).exists()) {
            // Another test binary may be removing it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
