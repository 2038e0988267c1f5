//! Folds the log into memory: at the start, after each write, and when another process has written.

use std::{sync::PoisonError, time::Duration};

use domain::{Aggregate as _, name::Name};
use eventlog::Wakeups;
use regions::DatabaseRole;
use runtime::Shutdown;
use schemas::{Envelope, Position, Recorded, Slug, StreamName, TenantLogEvent, name::NameEvent};

use crate::{error::Error, service::Directory};

const READ_LENGTH: i64 = 1000;
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Directory {
    /// Follows what other processes append. What fails is tried again: the map only grows old meanwhile.
    pub(crate) async fn follow(&self, shutdown: &Shutdown) {
        while !shutdown.is_requested() {
            if let Err(error) = self.follow_wakeups(shutdown).await {
                tracing::warn!(error = runtime::chain(&error), "the directory does not follow its log");
                shutdown.sleep(RETRY_PAUSE).await;
            }
        }
    }

    async fn follow_wakeups(&self, shutdown: &Shutdown) -> Result<(), Error> {
        let mut wakeups = Wakeups::listen(&self.0.deps.region, DatabaseRole::Desk).await?;
        // What was appended before we listened is not heard.
        self.catch_up().await?;
        loop {
            tokio::select! {
                // A wake-up only says that it is worth looking.
                _ = wakeups.changed(SWEEP_INTERVAL) => self.catch_up().await?,
                () = shutdown.requested() => return Ok(()),
            }
        }
    }

    /// Folds in what the log has beyond memory.
    pub(crate) async fn catch_up(&self) -> Result<(), Error> {
        let _following = self.0.following.lock().await;
        loop {
            let position = self.names().position();
            let recorded = self.read_after(position).await?;
            let read = recorded.len();
            self.fold(recorded).await?;
            if i64::try_from(read).unwrap_or(i64::MAX) < READ_LENGTH {
                break;
            }
        }
        let position = self.names().position();
        self.0.version.send_if_modified(|version| std::mem::replace(version, position) != position);
        Ok(())
    }

    async fn read_after(&self, position: Position) -> Result<Vec<Recorded>, Error> {
        let mut transaction = regions::begin(&self.0.deps.pool, &self.0.resident).await.map_err(Error::Read)?;
        Ok(eventlog::read_log(&mut transaction, &self.0.resident, position, READ_LENGTH).await?)
    }

    async fn fold(&self, recorded: Vec<Recorded>) -> Result<(), Error> {
        let opened = self.0.deps.vault.open_all(&self.0.resident, &recorded).await?;
        for (recorded, payload) in recorded.iter().zip(opened) {
            let (slug, event) = decode(recorded, payload.as_deref().map(Vec::as_slice))?;
            let mut names = self.0.names.write().unwrap_or_else(PoisonError::into_inner);
            names.evolve(recorded.position, slug, recorded.sealed.envelope.recorded_at, &event);
        }
        Ok(())
    }
}

fn decode(recorded: &Recorded, payload: Option<&[u8]>) -> Result<(Slug, NameEvent), Error> {
    let Recorded { position, sealed } = recorded;
    let unreadable = |source| Error::Decode { position: *position, source };
    let StreamName::Name(slug) = &sealed.envelope.stream else { return Err(unreadable(None)) };
    let payload = payload.ok_or_else(|| unreadable(None))?;
    let Envelope { event_type, schema_version, .. } = &sealed.envelope;
    let event =
        TenantLogEvent::decode(event_type, *schema_version, payload).map_err(|source| unreadable(Some(source)))?;
    Name::pick(event).map(|event| (slug.clone(), event)).ok_or_else(|| unreadable(None))
}
