//! An archive of any length, written without a database: sealed events go from memory into generations as long as a backlog's.
//!
//! All are sealed under one key, which makes no difference to who verifies: nothing is opened.

use std::{
    fs,
    path::{Path, PathBuf},
};

use archive::{Generation, Signer, checkpoint::origin, generation::Step, guide, layout, tile::Tail};
use regions::Resident;
use schemas::{CommandId, EventId, Hash, Position, Recorded, StreamName, TenantLogEvent, TicketId, Version};
use vault::{DataKey, Scope, SigningKey};

use crate::{
    ground::Store,
    history::EVENTS_PER_TICKET,
    writer::{body, comment, opened, seal},
};

const TICKETS_PER_GENERATION: i64 = 2_000;

/// Writes the archive of a tenant with so many tickets into a folder.
pub(super) async fn write(store: &Store, folder: PathBuf, tickets: i64) -> anyhow::Result<()> {
    let resident = store.tenant().await?;
    let key = store.vault.data_keys(&resident, &[Scope::Ticket(TicketId::new(1))]).await?.remove(0);
    let signing = SigningKey::load_or_create(&folder.with_extension("key"), store.ids.as_ref())?;
    let public_key = signing.public_key();
    let name = origin(&store.region.id, resident.tenant_id());
    let signer = Signer::new(name, public_key, move |bytes| signing.sign(bytes));
    put(&folder, layout::GUIDE, guide::text(signer.verifier()).as_bytes())?;
    let mut written = Written { store, resident, key, signer, folder, tail: Tail::default(), last: None };
    for first in (1..=tickets).step_by(TICKETS_PER_GENERATION as usize) {
        written.generation(first..=tickets.min(first + TICKETS_PER_GENERATION - 1))?;
    }
    Ok(())
}

/// An archive as far as it is written.
struct Written<'a> {
    store: &'a Store,
    resident: Resident,
    key: DataKey,
    signer: Signer,
    folder: PathBuf,
    tail: Tail,
    /// The newest generation and the hash of its manifest.
    last: Option<(u64, Hash)>,
}

impl Written<'_> {
    fn generation(&mut self, tickets: std::ops::RangeInclusive<i64>) -> anyhow::Result<()> {
        let events: Vec<_> = tickets.flat_map(|ticket| self.ticket(ticket)).collect();
        let generation = self.last.map_or(1, |(last, _)| last + 1);
        let step = Step {
            tenant_id: self.resident.tenant_id(),
            region: self.store.region.id.clone(),
            generation,
            previous_sha256: self.last.map(|(_, manifest)| manifest),
            tail: std::mem::take(&mut self.tail),
            sealed_at: self.store.clock.now(),
        };
        let built = Generation::build(step, &events, &self.signer)?;
        let objects = [&built.segment, &built.checkpoint]
            .into_iter()
            .chain(&built.audit)
            .chain(built.schemas.values())
            .chain(&built.tree);
        for object in objects {
            put(&self.folder, &object.key, &object.bytes)?;
        }
        self.tail = built.tail.clone();
        let manifest = built.manifest(Vec::new(), &self.signer);
        put(&self.folder, &manifest.key, &manifest.bytes)?;
        self.last = Some((generation, Hash::of(&[&manifest.bytes])));
        Ok(())
    }

    /// What happened to one ticket, at its place in the log.
    fn ticket(&self, number: i64) -> Vec<Recorded> {
        let stream = StreamName::Ticket(TicketId::new(number));
        let comments = std::iter::repeat_with(|| comment(body())).take(EVENTS_PER_TICKET as usize - 1);
        let mut version = Version::ZERO;
        let recorded = |event: TenantLogEvent| {
            version = version.next();
            let ids = (CommandId::new(self.store.ids.uuid()), EventId::new(self.store.ids.uuid()), &self.key);
            let sealed = seal(self.store, (&self.resident, &stream, version), ids, &event);
            Recorded { position: Position::new((number - 1) * EVENTS_PER_TICKET + version.get()), sealed }
        };
        std::iter::once(opened(&stream)).chain(comments).map(recorded).collect()
    }
}

fn put(folder: &Path, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(key);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, bytes)?)
}
