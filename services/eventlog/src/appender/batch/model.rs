//! A property: whatever batches come, the stored function answers as a small model does, and the log ends up as the model's.

use std::collections::HashMap;

use proptest::{collection::vec, prelude::*};
use regions::{DatabaseRole, Resident};
use runtime::{Clock, Ids};
use schemas::{
    Actor, CommandId, Envelope, EventId, Hash, KeyId, Position, Recorded, Sealed, StreamName, TicketId, Version,
};
use sqlx::PgConnection;
use testkit::TestRegion;

use super::together;
use crate::append::{Append, Expected, Idempotency, StreamAppend};

/// One caller, before it is known what the streams are at.
#[derive(Debug, Clone)]
struct Caller {
    tenant: usize,
    is_of_old_epoch: bool,
    /// Key and request, each one of a few.
    idempotency: Option<(u8, u8)>,
    /// Stream, expected version (as generated: how far it is off), how many events.
    streams: Vec<(i64, i64, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Appended(i64, i64),
    Replayed(i64, i64),
    KeyReused,
    NotAtHome,
    Wrong { stream: i64, actual: i64 },
}

#[derive(Default)]
struct Model {
    head: i64,
    versions: HashMap<i64, i64>,
    keys: HashMap<u8, (u8, i64, i64)>,
    log: Vec<(i64, i64)>,
}

impl Model {
    fn append(&mut self, caller: &Caller) -> Answer {
        if caller.is_of_old_epoch {
            return Answer::NotAtHome;
        }
        if let Some((key, request)) = caller.idempotency
            && let Some((known, first, last)) = self.keys.get(&key)
        {
            return if *known == request { Answer::Replayed(*first, *last) } else { Answer::KeyReused };
        }
        for (stream, expected, _) in &caller.streams {
            let actual = self.versions.get(stream).copied().unwrap_or_default();
            if *expected != actual {
                return Answer::Wrong { stream: *stream, actual };
            }
        }
        let first = self.head + 1;
        for (stream, _, count) in &caller.streams {
            for _ in 0..*count {
                let version = self.versions.entry(*stream).or_default();
                *version += 1;
                self.head += 1;
                self.log.push((*stream, *version));
            }
        }
        if let Some((key, request)) = caller.idempotency {
            self.keys.insert(key, (request, first, self.head));
        }
        Answer::Appended(first, self.head)
    }
}

fn caller() -> impl Strategy<Value = Caller> {
    let off_by = prop_oneof![6 => Just(0_i64), 1 => 1..3_i64];
    let streams = vec((0..4_i64, off_by, 1..4_usize), 1..4);
    (0..3_usize, prop::bool::weighted(0.1), prop::option::weighted(0.2, (0..4_u8, 0..2_u8)), streams).prop_map(
        |(tenant, is_of_old_epoch, idempotency, mut streams)| {
            // A caller names a stream once.
            streams.sort_by_key(|(stream, ..)| *stream);
            streams.dedup_by_key(|(stream, ..)| *stream);
            Caller { tenant, is_of_old_epoch, idempotency, streams }
        },
    )
}

struct World {
    test: TestRegion,
    desk: PgConnection,
    residents: Vec<Resident>,
    /// The same tenants as proven before they moved in again.
    old_residents: Vec<Resident>,
}

impl World {
    async fn new() -> anyhow::Result<Self> {
        let test = testkit::region().await?;
        let desk = regions::connection(&test.region, DatabaseRole::Desk).await?;
        Ok(Self { test, desk, residents: Vec::new(), old_residents: Vec::new() })
    }

    /// Three tenants of this case's own, in the second epoch.
    async fn settle(&mut self) -> anyhow::Result<()> {
        (self.residents, self.old_residents) = Default::default();
        for _ in 0..3 {
            let slug = format!("t{}", self.test.ids.uuid().simple());
            self.old_residents.push(self.test.tenant(&slug).await?);
        }
        let mut owner = regions::connection(&self.test.region, DatabaseRole::Owner).await?;
        sqlx::query!("update log.tenant set epoch = 2 where epoch = 1").execute(&mut owner).await?;
        for old in &self.old_residents {
            let now = Resident::prove_id(&mut owner, old.region(), old.tenant_id()).await?;
            self.residents.push(now.expect("it was just made"));
        }
        Ok(())
    }

    fn append(&self, caller: &Caller) -> Append {
        let proofs = if caller.is_of_old_epoch { &self.old_residents } else { &self.residents };
        let resident = proofs[caller.tenant].clone();
        let command_id = CommandId::new(self.test.ids.uuid());
        let stream = |(stream, expected, count): &(i64, i64, usize)| {
            let stream = StreamName::Ticket(TicketId::new(*stream));
            let count = i64::try_from(*count).expect("few");
            let envelope = |version| Envelope {
                tenant_id: resident.tenant_id(),
                stream: stream.clone(),
                version: Version::new(version),
                event_id: EventId::new(self.test.ids.uuid()),
                event_type: "ticket_opened".to_owned(),
                schema_version: 1,
                recorded_at: self.test.clock.now(),
                actor: Actor::System,
                command_id,
                causation_id: None,
                trace_parent: None,
                key_id: KeyId::new(self.test.ids.uuid()),
                blob: None,
            };
            let events = (expected + 1..=expected + count)
                .map(|version| Sealed::new(envelope(version), self.test.ids.secret().to_vec()))
                .collect();
            StreamAppend { stream: stream.clone(), expected: Expected::Exact(Version::new(*expected)), events }
        };
        Append {
            command_id,
            idempotency: caller
                .idempotency
                .map(|(key, request)| Idempotency { key: format!("key-{key}"), fingerprint: Hash::of(&[&[request]]) }),
            streams: caller.streams.iter().map(stream).collect(),
            resident: resident.clone(),
        }
    }

    async fn run(&mut self, batches: Vec<Vec<Caller>>) -> anyhow::Result<()> {
        self.settle().await?;
        let mut models = [Model::default(), Model::default(), Model::default()];
        for mut batch in batches {
            batch.sort_by_key(|caller| self.residents[caller.tenant].tenant_id());
            // From "off by" to the expected version, as a caller that read before the batch would have it.
            for caller in &mut batch {
                for (stream, expected, _) in &mut caller.streams {
                    *expected += models[caller.tenant].versions.get(stream).copied().unwrap_or_default();
                }
            }
            let appends: Vec<_> = batch.iter().map(|caller| self.append(caller)).collect();
            let outcomes = super::append(&mut self.desk, &appends.iter().collect::<Vec<_>>()).await?;
            for ((caller, append), outcome) in batch.iter().zip(&appends).zip(&outcomes) {
                assert_eq!(answer(outcome.result(append)), models[caller.tenant].append(caller), "{caller:?}");
            }
        }
        for (resident, model) in self.residents.clone().iter().zip(&models) {
            self.compare(resident, model).await?;
        }
        Ok(())
    }

    async fn compare(&self, resident: &Resident, model: &Model) -> anyhow::Result<()> {
        let mut projector = regions::connection(&self.test.region, DatabaseRole::Projector).await?;
        assert_eq!(crate::head(&mut projector, resident).await?, Position::new(model.head));
        let log = crate::read_log(&mut projector, resident, Position::ZERO, 10_000).await?;
        let positions: Vec<_> = log.iter().map(|recorded| recorded.position.get()).collect();
        assert_eq!(positions, (1..=model.head).collect::<Vec<_>>());
        let place = |recorded: &Recorded| match recorded.sealed.envelope.stream {
            StreamName::Ticket(ticket) => (ticket.get(), recorded.sealed.envelope.version.get()),
            ref other => panic!("{other}"),
        };
        assert_eq!(log.iter().map(place).collect::<Vec<_>>(), model.log);
        Ok(())
    }
}

fn answer(result: Result<crate::Appended, crate::Error>) -> Answer {
    match result {
        Ok(appended) if appended.replayed => Answer::Replayed(appended.first.get(), appended.last.get()),
        Ok(appended) => Answer::Appended(appended.first.get(), appended.last.get()),
        Err(crate::Error::IdempotencyKeyReused) => Answer::KeyReused,
        Err(crate::Error::NotAtHome { .. }) => Answer::NotAtHome,
        Err(crate::Error::WrongExpectedVersion { stream: StreamName::Ticket(ticket), actual, .. }) => {
            Answer::Wrong { stream: ticket.get(), actual: actual.get() }
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn any_batches_are_answered_as_the_model_answers_them() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut world = runtime.block_on(World::new())?;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 32, ..ProptestConfig::default() });
    let world = std::cell::RefCell::new(&mut world);
    let batch = prop_oneof![2 => vec(caller(), 1..12), 1 => vec(caller(), 1..2)];
    runner.run(&vec(batch, 1..8), |batches| {
        runtime.block_on(world.borrow_mut().run(batches)).map_err(|error| TestCaseError::fail(error.to_string()))
    })?;
    Ok(())
}

#[tokio::test]
async fn new_keys_take_the_short_way_and_known_ones_the_long_one() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    world.settle().await?;
    let keyed = |tenant, stream, key| Caller {
        tenant,
        is_of_old_epoch: false,
        idempotency: Some((key, 0)),
        streams: vec![(stream, 0, 2)],
    };
    let mut batch = [keyed(0, 1, 1), keyed(0, 2, 2), keyed(1, 1, 1)];
    batch.sort_by_key(|caller| world.residents[caller.tenant].tenant_id());
    let appends: Vec<_> = batch.iter().map(|caller| world.append(caller)).collect();
    let appends: Vec<_> = appends.iter().collect();
    assert!(together::append(&mut world.desk, &appends).await?.is_some());
    assert!(together::append(&mut world.desk, &appends).await?.is_none());

    let again = super::append(&mut world.desk, &appends).await?;
    let replayed: Vec<_> = again.iter().zip(&appends).map(|(outcome, append)| answer(outcome.result(append))).collect();
    let places = batch.iter().map(|caller| if caller.streams[0].0 == 2 { (3, 4) } else { (1, 2) });
    assert_eq!(replayed, places.map(|(first, last)| Answer::Appended(first, last)).collect::<Vec<_>>());
    Ok(())
}
