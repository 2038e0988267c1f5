//! A cluster's life, death and second life.

use std::{fs, path::Path};

use embedded::postgres::{Cluster, Config, Durability, Error, USER};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use regions::{DatabaseRole, PostgresEndpoint, Region};

fn config(folder: &Path) -> Config {
    Config { folder: folder.join("postgres"), durability: Durability::Durable }
}

fn reachable_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    // The server runs as another account when the tests run as root.
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("opened");
    folder
}

async fn execute(cluster: &Cluster, statement: &'static str) -> anyhow::Result<u64> {
    let endpoint = PostgresEndpoint::new("127.0.0.1", cluster.port(), "postgres", USER, cluster.password());
    let mut connection = regions::connection(&Region::for_directory(endpoint), DatabaseRole::Owner).await?;
    Ok(sqlx::Executor::execute(&mut connection, statement).await?.rows_affected())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() -> anyhow::Result<()> {
    let folder = reachable_folder();
    let cluster = Cluster::start(&config(folder.path()), "secret")?;
    execute(&cluster, "create table kept as select 1 as one").await?;
    signal::kill(Pid::from_raw(cluster.process_id()), Signal::SIGKILL)?;
    drop(cluster);
    let again = Cluster::start(&config(folder.path()), "ignored: the cluster has its password")?;
    assert_eq!(execute(&again, "delete from kept").await?, 1);
    Ok(())
}

/// The lock file of a killed server names a process; that there is one of that number and user says nothing.
#[test]
fn a_lock_file_that_names_another_cluster_is_no_obstacle() {
    let (folder, next_door) = (reachable_folder(), reachable_folder());
    drop(Cluster::start(&config(folder.path()), "secret").expect("started"));
    let other = Cluster::start(&config(next_door.path()), "secret").expect("started");
    let lock_file = |folder: &Path| folder.join("postgres/data/postmaster.pid");
    fs::copy(lock_file(next_door.path()), lock_file(folder.path())).expect("copied");
    Cluster::start(&config(folder.path()), "secret").expect("started all the same");
    assert!(!other.has_ended(), "the one next door was left alone");
}

#[test]
fn a_server_that_is_still_there_is_stopped_first() {
    let folder = reachable_folder();
    let first = Cluster::start(&config(folder.path()), "secret").expect("started");
    let second = Cluster::start(&config(folder.path()), "secret").expect("started again");
    assert!(!second.has_ended());
    assert!(first.has_ended());
}

#[test]
fn dropping_it_leaves_no_process() {
    let folder = reachable_folder();
    let cluster = Cluster::start(&config(folder.path()), "secret").expect("started");
    let server = Pid::from_raw(cluster.process_id());
    drop(cluster);
    assert_eq!(signal::kill(server, None), Err(nix::errno::Errno::ESRCH));
}

#[test]
fn data_of_another_version_is_refused() {
    let folder = reachable_folder();
    drop(Cluster::start(&config(folder.path()), "secret").expect("started"));
    fs::write(folder.path().join("postgres/data/PG_VERSION"), "9.6\n").expect("written");
    let refused = Cluster::start(&config(folder.path()), "secret").expect_err("refused");
    assert!(matches!(&refused, Error::OtherVersion { found, .. } if found == "9.6"), "{refused}");
}

#[test]
fn an_initdb_that_was_cut_off_is_done_again() {
    let folder = reachable_folder();
    fs::create_dir_all(folder.path().join("postgres/data/base")).expect("made");
    Cluster::start(&config(folder.path()), "secret").expect("started over");
}
