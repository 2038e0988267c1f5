//! A region with a log to write and projections to read.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use eventlog::{Append, Appended, Expected, StreamAppend};
use regions::{DatabaseRole, Resident};
use runtime::{Clock, Ids};
use schemas::{
    Actor, CommandId, Envelope, EventId, GroupId, Hash, PersonId, Position, Sealed, StreamName, TenantId,
    TenantLogEvent, Version,
    ticket::{CommentAdded, TicketEvent, TicketOpened},
    values::{Channel, Visibility},
};
use sqlx::PgConnection;
use testkit::TestRegion;
use vault::{Scope, Vault};

use crate::{
    BuildState, ProjectionStatus, ProjectorDeps,
    build::{self, Build},
    catch_up, checkpoint,
    projections::{self, Projection},
    table::Fingerprint,
};

pub(super) struct World {
    pub(super) test: TestRegion,
    pub(super) deps: ProjectorDeps,
    desk_vault: Vault,
    versions: Mutex<HashMap<(TenantId, StreamName), Version>>,
}

/// An event to be written: a real one, or bytes that claim to be one.
pub(super) struct Draft {
    event_type: String,
    schema_version: u16,
    payload: Vec<u8>,
}

impl Draft {
    pub(super) fn raw(event_type: &str, schema_version: u16, payload: &str) -> Self {
        Self { event_type: event_type.to_owned(), schema_version, payload: payload.as_bytes().to_vec() }
    }
}

impl<E: Into<TenantLogEvent>> From<E> for Draft {
    fn from(event: E) -> Self {
        let event = event.into();
        Self {
            event_type: event.event_type().to_owned(),
            schema_version: event.schema_version(),
            payload: event.encode(),
        }
    }
}

impl World {
    pub(super) async fn new() -> anyhow::Result<Self> {
        let test = testkit::region().await?;
        let deps = ProjectorDeps {
            region: test.region.clone(),
            pool: test.pool(DatabaseRole::Projector).await?,
            vault: test.vault(DatabaseRole::Projector).await?,
            clock: test.clock.clone(),
            metrics: test.metrics.clone(),
        };
        let desk_vault = test.vault(DatabaseRole::Desk).await?;
        Ok(Self { test, deps, desk_vault, versions: Mutex::default() })
    }

    pub(super) async fn tenant(&self, slug: &str) -> anyhow::Result<Resident> {
        self.test.tenant(slug).await
    }

    /// Appends one command's events to one stream, by person 7.
    pub(super) async fn say(&self, resident: &Resident, stream: &str, drafts: Vec<Draft>) -> anyhow::Result<Appended> {
        self.say_on(resident, vec![(stream, drafts)]).await
    }

    /// Appends one command's events to several streams.
    pub(super) async fn say_on(
        &self,
        resident: &Resident,
        streams: Vec<(&str, Vec<Draft>)>,
    ) -> anyhow::Result<Appended> {
        let command_id = CommandId::new(self.test.ids.uuid());
        let mut appends = Vec::new();
        for (stream, drafts) in streams {
            appends.push(self.seal(resident, command_id, (stream.parse()?, drafts)).await?);
        }
        let append = Append { resident: resident.clone(), command_id, idempotency: None, streams: appends };
        Ok(self.test.appender().await?.append(append).await?)
    }

    async fn seal(
        &self,
        resident: &Resident,
        command_id: CommandId,
        (stream, drafts): (StreamName, Vec<Draft>),
    ) -> anyhow::Result<StreamAppend> {
        let before = self.advance(resident, &stream, drafts.len());
        let mut version = before;
        let mut events = Vec::new();
        for draft in drafts {
            version = version.next();
            let event_id = EventId::new(self.test.ids.uuid());
            let scope = scope(&stream, &draft, event_id);
            let key = self.desk_vault.data_keys(resident, &[scope]).await?.pop().context("a key")?;
            let envelope = Envelope {
                tenant_id: resident.tenant_id(),
                stream: stream.clone(),
                version,
                event_id,
                event_type: draft.event_type,
                schema_version: draft.schema_version,
                recorded_at: self.test.clock.now(),
                actor: Actor::Person(PersonId::new(7)),
                command_id,
                causation_id: None,
                trace_parent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
                key_id: key.id(),
                blob: matches!(stream, StreamName::Upload(_)).then(|| Hash::of(&[b"ciphertext"])),
            };
            let payload = key.seal(&envelope.associated_data(), &draft.payload);
            events.push(Sealed::new(envelope, payload));
        }
        let expected = if before == Version::ZERO { Expected::NoStream } else { Expected::Exact(before) };
        Ok(StreamAppend { stream, expected, events })
    }

    /// Another event in the place of one, as a log that was lost may have held it.
    pub(super) async fn lost(&self, resident: &Resident, place: &Envelope, draft: Draft) -> anyhow::Result<Sealed> {
        let event_id = EventId::new(self.test.ids.uuid());
        let scope = scope(&place.stream, &draft, event_id);
        let key = self.desk_vault.data_keys(resident, &[scope]).await?.pop().context("a key")?;
        let envelope = Envelope { event_id, event_type: draft.event_type, key_id: key.id(), ..place.clone() };
        let payload = key.seal(&envelope.associated_data(), &draft.payload);
        Ok(Sealed::new(envelope, payload))
    }

    fn advance(&self, resident: &Resident, stream: &StreamName, by: usize) -> Version {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let version = versions.entry((resident.tenant_id(), stream.clone())).or_insert(Version::ZERO);
        let before = *version;
        *version = Version::new(before.get() + i64::try_from(by).expect("few events"));
        before
    }

    pub(super) async fn catch_up(&self, resident: &Resident) -> anyhow::Result<Position> {
        Ok(catch_up(&self.deps, resident).await?)
    }

    /// Makes a tenant's checkpoints, as any round does.
    pub(super) async fn prepare(&self, resident: &Resident) -> anyhow::Result<()> {
        let mut conn = self.deps.pool.acquire().await?;
        let builds = build::serving(&mut conn, projections::ALL).await?;
        checkpoint::prepare(&mut conn, resident.tenant_id(), &builds, self.test.clock.now()).await?;
        Ok(())
    }

    /// What all tables of a tenant look like, in the builds that serve.
    pub(super) async fn fingerprints(&self, resident: &Resident) -> anyhow::Result<Vec<(&'static str, Fingerprint)>> {
        let mut conn = self.deps.pool.acquire().await?;
        let mut fingerprints = Vec::new();
        for build in build::serving(&mut conn, projections::ALL).await? {
            for table in build.projection.tables {
                let fingerprint = table.fingerprint(&mut conn, (&build, resident.tenant_id())).await?;
                fingerprints.push((table.name, fingerprint));
            }
        }
        Ok(fingerprints)
    }

    /// A connection that reads the builds that serve.
    pub(super) async fn reader(&self) -> anyhow::Result<PgConnection> {
        self.serving(regions::connection(&self.test.region, DatabaseRole::Projector).await?).await
    }

    async fn owner(&self) -> anyhow::Result<PgConnection> {
        self.serving(regions::connection(&self.test.region, DatabaseRole::Owner).await?).await
    }

    async fn serving(&self, mut conn: PgConnection) -> anyhow::Result<PgConnection> {
        let (names, shapes) = projections::names_and_shapes();
        sqlx::query!("select set_config('search_path', read.path_of($1, $2), false)", names as _, shapes)
            .fetch_one(&mut conn)
            .await?;
        Ok(conn)
    }

    /// The build of a projection that serves.
    pub(super) async fn build(&self, projection: &'static Projection) -> anyhow::Result<Build> {
        let mut conn = self.deps.pool.acquire().await?;
        build::serving(&mut conn, &[projection]).await?.pop().context("a build serves")
    }

    pub(super) async fn builds(&self) -> anyhow::Result<Vec<Build>> {
        Ok(build::serving(&mut *self.deps.pool.acquire().await?, projections::ALL).await?)
    }

    pub(super) async fn status(&self, resident: &Resident, projection: &str) -> anyhow::Result<ProjectionStatus> {
        let all = crate::status(&mut *self.deps.pool.acquire().await?).await?;
        let is_ours = |one: &ProjectionStatus| crate::shapes().contains(&(one.projection.as_str(), one.shape));
        let is_meant = |one: &ProjectionStatus| one.tenant_id == resident.tenant_id() && one.projection == projection;
        let found = all.into_iter().find(|one| is_meant(one) && is_ours(one) && one.state == BuildState::Serving);
        found.context("every tenant has every projection")
    }

    /// Waits for a position, as the desk does.
    pub(super) async fn reaches(&self, tenant: &Resident, projection: &str, position: i64) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        let reached = async {
            loop {
                match self.status(tenant, projection).await {
                    Ok(status) if status.position >= Position::new(position) => return,
                    // Not yet, or not served yet.
                    _ => ticks.tick().await,
                };
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.with_context(|| format!("{projection} {position}"))
    }

    /// Does what no role of the product may: as the database's owner.
    pub(super) async fn as_owner(&self, statement: &'static str, resident: &Resident) -> anyhow::Result<u64> {
        let mut owner = self.owner().await?;
        let mut query = sqlx::QueryBuilder::<sqlx::Postgres>::new(statement);
        query.push_bind(resident.tenant_id().get());
        Ok(query.build().execute(&mut owner).await?.rows_affected())
    }

    /// Changes the database's shape, as its owner.
    pub(super) async fn alter(&self, statement: &'static str) -> anyhow::Result<()> {
        let mut owner = self.owner().await?;
        sqlx::raw_sql(statement).execute(&mut owner).await?;
        Ok(())
    }

    /// The deps of a process that has just started: nothing is cached, and its connections are its own.
    pub(super) async fn restarted(&self) -> anyhow::Result<ProjectorDeps> {
        let (vault, pool) =
            (self.test.vault(DatabaseRole::Projector).await?, self.test.pool(DatabaseRole::Projector).await?);
        Ok(ProjectorDeps { vault, pool, ..self.deps.clone() })
    }
}

fn scope(stream: &StreamName, draft: &Draft, event_id: EventId) -> Scope {
    match stream {
        _ if matches!(
            draft.event_type.as_str(),
            "ticket_erased" | "person_deleted" | "person_erased" | "organization_deleted"
        ) =>
        {
            Scope::General
        }
        StreamName::Tenant
        | StreamName::Email(_)
        | StreamName::Claim(_)
        | StreamName::Erasures
        | StreamName::Name(_) => Scope::General,
        StreamName::Person(person) => Scope::Person(*person),
        StreamName::Organization(organization) => Scope::Organization(*organization),
        StreamName::Ticket(_) if draft.event_type == "comment_added" => Scope::Comment(event_id),
        StreamName::Ticket(ticket) => Scope::Ticket(*ticket),
        StreamName::Upload(attachment) => Scope::Attachment(*attachment),
        StreamName::Access(day) => Scope::Access(*day),
        StreamName::Session(_) => session_of(draft).map_or(Scope::General, Scope::Person),
        StreamName::Rule(_) => owner(draft).map_or(Scope::General, Scope::Person),
        StreamName::Audit(_) | StreamName::Job(_) | StreamName::TicketField(_) | StreamName::Webhook(_) => {
            Scope::General
        }
    }
}

/// Whose a session is.
fn session_of(draft: &Draft) -> Option<PersonId> {
    let payload: serde_json::Value = serde_json::from_slice(&draft.payload).ok()?;
    payload["person"].as_i64().map(PersonId::new)
}

/// Whose own a rule is.
fn owner(draft: &Draft) -> Option<PersonId> {
    let payload: serde_json::Value = serde_json::from_slice(&draft.payload).ok()?;
    payload["audience"]["person"].as_i64().map(PersonId::new)
}

/// A ticket that person 3 wants something with.
pub(super) fn opened(subject: &str) -> Draft {
    let opened = TicketOpened {
        requester: PersonId::new(3),
        submitter: PersonId::new(7),
        subject: subject.to_owned().into(),
        priority: None,
        ticket_type: None,
        assignee: None,
        group: Some(GroupId::new(5)),
        tags: vec!["a".to_owned(), "b \"c\"".to_owned()].into(),
        channel: Channel::Web,
        external_id: None.into(),
    };
    TicketEvent::from(opened).into()
}

pub(super) fn comment(body: &str) -> Draft {
    comment_of(body, Visibility::Public, &[])
}

pub(super) fn comment_of(body: &str, visibility: Visibility, attachments: &[i64]) -> Draft {
    let comment = CommentAdded {
        author: PersonId::new(7),
        visibility,
        body: body.to_owned().into(),
        html_body: None.into(),
        attachments: attachments.iter().copied().map(schemas::AttachmentId::new).collect(),
        channel: Channel::Web,
    };
    TicketEvent::from(comment).into()
}

pub(super) fn ticket(event: impl Into<TicketEvent>) -> Draft {
    let event: TicketEvent = event.into();
    event.into()
}
