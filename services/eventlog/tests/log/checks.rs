//! What must hold of any log, as a check, and controls that show that the check can fail.

use std::collections::HashMap;

use schemas::{Envelope, Position, Recorded, Version};
use testkit::region;

use crate::given;

/// Positions are dense from 1, versions are dense from 1 in each stream, and leaves fit what they stand for.
pub(crate) fn whole(log: &[Recorded]) -> Result<(), String> {
    let mut position = Position::ZERO;
    let mut versions = HashMap::new();
    for Recorded { position: found, sealed } in log {
        position = position.next();
        if *found != position {
            return Err(format!("position {found} where {position} belongs"));
        }
        let version = versions.entry(&sealed.envelope.stream).or_insert(Version::ZERO);
        *version = version.next();
        if sealed.envelope.version != *version {
            return Err(format!("position {position}: version {} where {version} belongs", sealed.envelope.version));
        }
        if Envelope::leaf_of_entry(&sealed.envelope.entry(&sealed.payload)) != sealed.leaf {
            return Err(format!("position {position}: the leaf belongs to something else"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_event_is_found() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    appender.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 3)])).await?;
    assert_eq!(whole(&given::log(&eu, &acme).await?), Ok(()));

    let mut owner = given::owner(&eu).await?;
    sqlx::query!("delete from log.event where tenant_id = $1 and position = 2", acme.tenant_id().get())
        .execute(&mut owner)
        .await?;
    assert_eq!(whole(&given::log(&eu, &acme).await?), Err("position 3 where 2 belongs".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_version_that_was_skipped_is_found() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    eu.appender().await?.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2)])).await?;
    let mut owner = given::owner(&eu).await?;
    sqlx::query!("update log.event set version = 7 where tenant_id = $1 and position = 2", acme.tenant_id().get())
        .execute(&mut owner)
        .await?;
    assert_eq!(whole(&given::log(&eu, &acme).await?), Err("position 2: version 7 where 2 belongs".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_changed_payload_is_found() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    eu.appender().await?.append(given::append(&eu, &acme, given::ticket(1), 0)).await?;
    let mut owner = given::owner(&eu).await?;
    sqlx::query!("update log.event set payload = '\\x00' where tenant_id = $1", acme.tenant_id().get())
        .execute(&mut owner)
        .await?;
    assert_eq!(whole(&given::log(&eu, &acme).await?), Err("position 1: the leaf belongs to something else".to_owned()));
    Ok(())
}
