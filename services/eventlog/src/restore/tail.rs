//! What stands in the log beyond its archive: acknowledged, and not yet archived when the archive was read.

use std::collections::HashMap;

use schemas::{Envelope, Position, Recorded, StreamName, TenantId, Version};
use sqlx::{Connection as _, PgConnection};

use super::put::{Other, count_from, is_sound, lock, set_aside_from};
use crate::{error::Error, read::rows_between};

/// Rows read in one statement.
const PAGE: i64 = 1_000;

/// The events beyond the archive that stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    /// In order.
    pub events: Vec<Recorded>,
    /// Rows that had to be set aside.
    pub set_aside: u64,
}

/// Checks that the rows after the archive's last position follow it: none is missing or damaged, and each stream goes on where
/// it was. From the first that does not, they are refused or set aside.
///
/// # Errors
/// [`Error::TailDamaged`], [`Error::NotBeingRestored`], or if the database fails; the log is as it was then.
pub async fn check_tail(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    after: Position,
    other: Other,
) -> Result<Tail, Error> {
    let mut transaction = connection.begin().await.map_err(Error::Restore)?;
    lock(&mut transaction, tenant_id).await?;
    let (mut tail, mut versions, mut last) = (Tail::default(), Versions { after, known: HashMap::new() }, after);
    'read: loop {
        let page = rows_between(&mut transaction, tenant_id, (last, Position::new(last.get() + PAGE))).await;
        let page = page.map_err(Error::Restore)?;
        if page.is_empty() {
            break;
        }
        for row in page {
            let event =
                row.into_recorded().ok().filter(|event| event.position == last.next() && is_sound(&event.sealed));
            let Some(event) = event else { break 'read };
            if !versions.follows(&mut transaction, &event.sealed.envelope).await.map_err(Error::Restore)? {
                break 'read;
            }
            last = event.position;
            tail.events.push(event);
        }
    }
    // Nothing should stand beyond what could be followed.
    let broken_at = last.next();
    let events = count_from(&mut transaction, tenant_id, broken_at).await.map_err(Error::Restore)?;
    if events > 0 {
        let Other::SetAside(at) = other else {
            return Err(Error::TailDamaged { tenant_id, position: broken_at, events });
        };
        tail.set_aside = set_aside_from(&mut transaction, tenant_id, broken_at, at).await.map_err(Error::Restore)?;
    }
    transaction.commit().await.map_err(Error::Restore)?;
    Ok(tail)
}

/// Where each stream is, as far as it was asked for.
struct Versions {
    /// The archive's last position.
    after: Position,
    known: HashMap<StreamName, Version>,
}

impl Versions {
    /// Whether an event is the next of its stream.
    async fn follows(&mut self, connection: &mut PgConnection, envelope: &Envelope) -> Result<bool, sqlx::Error> {
        let before = match self.known.get(&envelope.stream) {
            Some(version) => *version,
            None => self.archived(connection, envelope).await?,
        };
        self.known.insert(envelope.stream.clone(), envelope.version);
        Ok(envelope.version == before.next())
    }

    async fn archived(&self, connection: &mut PgConnection, envelope: &Envelope) -> Result<Version, sqlx::Error> {
        let version = sqlx::query_scalar!(
            r#"select coalesce(max(version), 0) as "version!" from log.event
            where tenant_id = $1 and stream = $2 and position <= $3"#,
            envelope.tenant_id.get(),
            envelope.stream.to_string(),
            self.after.get()
        );
        version.fetch_one(connection).await.map(Version::new)
    }
}
