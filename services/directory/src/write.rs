//! The one write path: read, decide, seal, append.

use domain::{Aggregate as _, name::Command};
use eventlog::{Append, Expected, StreamAppend};
use schemas::{
    Actor, CommandId, Envelope, EventId, Position, Sealed, Slug, StreamName, TenantLogEvent, Version, name::NameEvent,
};
use vault::Scope;

use crate::{
    error::Error,
    service::{Deps, Directory, TENANT_ID},
};

/// How often a command is decided anew because somebody else wrote the same name meanwhile.
pub(crate) const ATTEMPTS_MAX: u32 = 5;

impl Directory {
    /// The one write path: read, decide, seal, append. A crash before the append leaves nothing; after it, the claim shows
    /// up in `pending` until its region confirms or releases it.
    #[tracing::instrument(name = "directory.execute", skip_all, fields(stream = %StreamName::Name(slug.clone())))]
    pub(crate) async fn execute(&self, slug: Slug, command: Command) -> Result<Position, Error> {
        for _ in 0..ATTEMPTS_MAX {
            // Another process may serve the same log, so what memory says may be old.
            self.catch_up().await?;
            let (name, version) = self.names().name(&slug);
            let events = name.decide(&command)?;
            if events.is_empty() {
                return Ok(self.names().position());
            }
            match self.append(&slug, version, events).await {
                Ok(position) => {
                    self.catch_up().await?;
                    return Ok(position);
                }
                Err(Error::Log(eventlog::Error::WrongExpectedVersion { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }

    async fn append(&self, slug: &Slug, version: Version, events: Vec<NameEvent>) -> Result<Position, Error> {
        let command_id = CommandId::new(self.0.deps.ids.uuid());
        let expected = if version == Version::ZERO { Expected::NoStream } else { Expected::Exact(version) };
        let stream = StreamName::Name(slug.clone());
        let events = self.seal(&stream, version, command_id, events).await?;
        let append = Append {
            resident: self.0.resident.clone(),
            command_id,
            idempotency: None,
            streams: vec![StreamAppend { stream, expected, events }],
        };
        Ok(self.0.deps.appender.append(append).await?.last)
    }

    async fn seal(
        &self,
        stream: &StreamName,
        after: Version,
        command_id: CommandId,
        events: Vec<NameEvent>,
    ) -> Result<Vec<Sealed>, Error> {
        let Deps { vault, clock, ids, .. } = &self.0.deps;
        let keys = vault.data_keys(&self.0.resident, &[Scope::General]).await?;
        let key = keys.first().expect("the vault gives one key for each scope asked for");
        let recorded_at = clock.now();
        let mut version = after;
        let sealed = events.into_iter().map(|event| {
            version = version.next();
            let event = TenantLogEvent::from(event);
            let envelope = Envelope {
                tenant_id: TENANT_ID,
                stream: stream.clone(),
                version,
                event_id: EventId::new(ids.uuid()),
                event_type: event.event_type().to_owned(),
                schema_version: event.schema_version(),
                recorded_at,
                actor: Actor::System,
                command_id,
                causation_id: None,
                trace_parent: None,
                key_id: key.id(),
                blob: None,
            };
            vault::seal_event(key, envelope, &event)
        });
        Ok(sealed.collect())
    }
}
