//! The broker itself does what the other tests take for granted.

use std::process::Command;

use anyhow::Context;
use system_tests::{folder::Folder, kafka::Broker, process::processes_of, repository, wait};

#[tokio::test]
async fn a_broker_comes_back_as_it_was_and_a_replaced_one_is_another_and_empty() -> anyhow::Result<()> {
    let test = "a_broker_comes_back_as_it_was_and_a_replaced_one_is_another_and_empty";
    let Some(mut broker) = Broker::start(test).await? else { return Ok(()) };
    broker.create_topic("kept", 3).await?;
    let (address, cluster) = (broker.address(), broker.cluster().to_owned());
    broker.kill().await?;
    broker.begin().await?;
    assert_eq!((broker.address(), broker.cluster()), (address.clone(), cluster.as_str()));
    assert_eq!(broker.written("kept").await?, [0, 0, 0]);

    broker.replace().await?;
    assert_eq!(broker.address(), address);
    assert_ne!(broker.cluster(), cluster);
    assert_eq!(broker.partitions("kept").await?, 0);
    broker.create_topic("gone", 1).await?;
    broker.delete_topic("gone").await?;
    assert_eq!(broker.partitions("gone").await?, 0);

    broker.freeze()?;
    let folder = broker.folder().to_owned();
    assert_eq!(processes_of(&folder).len(), 1);
    drop(broker);
    let ended = async || Ok(processes_of(&folder).is_empty().then_some(()));
    wait::until("a broker that is stopped where it stands ends with its owner", ended).await
}

#[test]
fn a_machine_without_java_is_told_what_to_install() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    for tool in ["sh", "sed", "dirname"] {
        let path = std::env::var_os("PATH").context("a path")?;
        let tool_path = std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|path| path.exists());
        std::os::unix::fs::symlink(tool_path.context(tool)?, folder.path().join(tool))?;
    }
    let fetch = Command::new(repository().join("infra/kafka/fetch.sh")).env("PATH", folder.path()).output()?;
    assert_eq!(fetch.status.code(), Some(69));
    assert_eq!(String::from_utf8(fetch.stderr)?, "no Java 17 (install default-jre-headless and maven)\n");
    Ok(())
}
