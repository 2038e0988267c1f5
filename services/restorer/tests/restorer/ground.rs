//! A region with an archive, and ways to lose its database.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use archive::{layout, merkle::root_of};
use eventlog::{Expected, TreeHead};
use projector::ProjectorDeps;
use regions::{DatabaseRole, Region, Resident};
use replicator::{ReplicatorDeps, archive_tenant};
use restorer::{Named, RestorerDeps};
use runtime::{Clock, Ids};
use schemas::{
    Epoch, Hash, PersonId, Position, Recorded, StreamName, TenantId, TenantLogEvent, TicketId, Version,
    erasure::{ErasureEvent, KeysDestroyed},
    person::{PersonAdded, PersonEvent},
    tenant::{GroupAdded, TenantEvent, TenantRegistered},
    ticket::{CommentAdded, StatusSet, SubjectSet, TicketEvent, TicketOpened},
    values::{Channel, ErasureReason, Role, Status, Visibility},
};
use sqlx::{Connection, PgConnection};
use testkit::TestRegion;
use vault::{RegionKey, Scope, SigningKeyFolder};

pub(crate) struct Ground {
    pub(crate) test: TestRegion,
    pub(crate) deps: RestorerDeps,
}

/// Everything of a tenant that a restore must bring back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) events: Vec<Recorded>,
    pub(crate) root: Hash,
    pub(crate) head: (i64, i64, String, String),
    pub(crate) sealed: Option<(Position, Hash, Vec<Hash>, String)>,
    pub(crate) archived: Option<Position>,
    pub(crate) keys: Vec<(String, String)>,
    pub(crate) rows: Vec<(String, i64, String)>,
}

pub(crate) async fn ground() -> anyhow::Result<Ground> {
    let test = testkit::region().await?;
    let replicator = ReplicatorDeps {
        region: test.region.clone(),
        pool: test.pool(DatabaseRole::Replicator).await?,
        vault: test.vault(DatabaseRole::Replicator).await?,
        bucket: test.bucket().await?,
        signing: SigningKeyFolder::new(test.folder.path()),
        witnesses: replicator::Witnesses::default(),
        clock: Arc::clone(&test.clock) as Arc<dyn Clock>,
        ids: Arc::clone(&test.ids) as Arc<dyn Ids>,
        metrics: test.metrics.clone(),
        interval: Duration::from_millis(20),
    };
    let region_key = RegionKey::load(&test.folder.path().join("region.key"))?;
    let command = "domicile restore".to_owned();
    Ok(Ground { deps: RestorerDeps { replicator, region_key, names: BTreeMap::new(), command }, test })
}

impl Ground {
    /// A tenant the directory knows, with a name, a group, a person and two tickets: 13 events.
    pub(crate) async fn tenant(&mut self, slug: &str) -> anyhow::Result<Resident> {
        let tenant = self.test.tenant(slug).await?;
        self.deps.names.insert(tenant.tenant_id(), Named { slug: slug.parse()?, epoch: Epoch::FIRST });
        let registered = TenantRegistered { slug: slug.parse()?, company: format!("{slug} GmbH").into() };
        let group = GroupAdded { group: schemas::GroupId::new(4), name: "Support".to_owned().into() };
        let of_tenant: [TenantEvent; 2] = [registered.into(), group.into()];
        self.append(&tenant, StreamName::Tenant, 0, of_tenant.map(Into::into).to_vec()).await?;
        let person = PersonAdded {
            person: PersonId::new(7),
            name: "Ann Example".to_owned().into(),
            email: Some("ann@example.com".to_owned()).into(),
            role: Role::Agent,
        };
        let added: PersonEvent = person.into();
        self.append(&tenant, StreamName::Person(PersonId::new(7)), 0, vec![added.into()]).await?;
        for number in [1, 2] {
            self.ticket(&tenant, number, 5).await?;
        }
        Ok(tenant)
    }

    /// `count` more events on a ticket.
    pub(crate) async fn ticket(&self, tenant: &Resident, number: i64, count: usize) -> anyhow::Result<()> {
        let stream = StreamName::Ticket(TicketId::new(number));
        let mut owner = self.owner().await?;
        let before = eventlog::read_stream(&mut owner, tenant, &stream, Version::ZERO, 10_000).await?.len();
        let events = (before..before + count).map(|version| ticket_event(version).into()).collect();
        self.append(tenant, stream, before as i64, events).await
    }

    /// Puts a scope's key on the erasure list and destroys it.
    pub(crate) async fn erase(&self, tenant: &Resident, scope: Scope) -> anyhow::Result<()> {
        self.record_erasure(tenant, scope).await?;
        anyhow::ensure!(self.carry_out(tenant).await? == 1);
        Ok(())
    }

    /// Puts a scope's keys on the erasure list, which is empty.
    pub(crate) async fn record_erasure(&self, tenant: &Resident, scope: Scope) -> anyhow::Result<()> {
        let keys = self.test.vault(DatabaseRole::Desk).await?.living(tenant, &[scope]).await?;
        let destroyed: ErasureEvent = KeysDestroyed { reason: ErasureReason::PersonErased, keys }.into();
        self.append(tenant, StreamName::Erasures, 0, vec![destroyed.into()]).await
    }

    /// Destroys what the erasure list names. How many keys lived.
    pub(crate) async fn carry_out(&self, tenant: &Resident) -> anyhow::Result<u64> {
        let mut owner = self.owner().await?;
        let listed = eventlog::read_stream(&mut owner, tenant, &StreamName::Erasures, Version::ZERO, 9).await?;
        Ok(self.test.vault(DatabaseRole::Desk).await?.carry_out(tenant, &listed).await?)
    }

    pub(crate) async fn append(
        &self,
        tenant: &Resident,
        stream: StreamName,
        version: i64,
        events: Vec<TenantLogEvent>,
    ) -> anyhow::Result<()> {
        let expected = if version == 0 { Expected::NoStream } else { Expected::Exact(Version::new(version)) };
        self.test.append(tenant, stream, expected, events).await?;
        Ok(())
    }

    pub(crate) async fn owner(&self) -> anyhow::Result<PgConnection> {
        Ok(regions::connection(&self.test.region, DatabaseRole::Owner).await?)
    }

    /// Archives a tenant and makes its read models.
    pub(crate) async fn settle(&self, tenant: &Resident) -> anyhow::Result<()> {
        archive_tenant(&self.deps.replicator, tenant, None).await?;
        self.project(tenant).await
    }

    pub(crate) async fn project(&self, tenant: &Resident) -> anyhow::Result<()> {
        let pool = self.test.pool(DatabaseRole::Projector).await?;
        let deps = ProjectorDeps {
            region: self.test.region.clone(),
            vault: self.test.vault(DatabaseRole::Projector).await?,
            pool,
            clock: Arc::clone(&self.test.clock) as Arc<dyn Clock>,
            metrics: self.test.metrics.clone(),
        };
        projector::catch_up(&deps, tenant).await?;
        Ok(())
    }

    /// Everything of a tenant, as it is now.
    pub(crate) async fn seen(&self, tenant: &Resident) -> anyhow::Result<Seen> {
        let mut owner = self.owner().await?;
        let id = tenant.tenant_id().get();
        let events = eventlog::read_log(&mut owner, tenant, Position::ZERO, 100_000).await?;
        let leaves: Vec<_> = events.iter().map(|event| event.sealed.leaf).collect();
        let head = sqlx::query!("select position, epoch, slug, state from log.tenant where tenant_id = $1", id);
        let head = head.fetch_one(&mut owner).await?;
        let sealed = eventlog::tree_head(&mut owner, tenant).await?;
        let sealed = sealed.map(|TreeHead { size, root, frontier, note, .. }| (size, root, frontier, note));
        let keys = sqlx::query!(
            r#"select key_id::text as "key!", coalesce(md5(wrapped), 'destroyed') as "wrapped!" from vault.data_key where tenant_id = $1 order by key_id"#,
            id
        );
        let keys = keys.fetch_all(&mut owner).await?.into_iter().map(|row| (row.key, row.wrapped)).collect();
        Ok(Seen {
            events,
            root: root_of(&leaves),
            head: (head.position, head.epoch, head.slug, head.state),
            sealed,
            archived: eventlog::marks(&mut owner, tenant).await?.archived.map(|mark| mark.position),
            keys,
            rows: read_models(&mut owner, tenant.tenant_id()).await?,
        })
    }

    /// Puts an empty database in the place of the region's, as after a disaster.
    pub(crate) async fn lose_database(&self) -> anyhow::Result<()> {
        let mut owner = self.owner().await?;
        sqlx::raw_sql(
            "truncate log.tenant, log.event, log.restore, log.restored, log.set_aside, vault.tenant_key, read.checkpoint cascade",
        )
        .execute(&mut owner)
        .await?;
        for (schema, table) in tables(&mut owner).await? {
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("truncate {schema}.{table}"))).execute(&mut owner).await?;
        }
        Ok(())
    }

    /// Puts one tenant's log back to an older position, as a bad restore of the database would.
    pub(crate) async fn put_back(&self, tenant: &Resident, position: i64) -> anyhow::Result<()> {
        let mut owner = self.owner().await?;
        let id = tenant.tenant_id().get();
        let mut transaction = owner.begin().await?;
        sqlx::query!("delete from log.event where tenant_id = $1 and position > $2", id, position)
            .execute(&mut *transaction)
            .await?;
        sqlx::query!("update log.tenant set position = $2 where tenant_id = $1", id, position)
            .execute(&mut *transaction)
            .await?;
        sqlx::query!("delete from log.tree_head where tenant_id = $1", id).execute(&mut *transaction).await?;
        sqlx::query!("delete from log.mark where tenant_id = $1", id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        projector::forget(&mut owner, tenant.tenant_id()).await?;
        self.project(tenant).await
    }

    /// Where the bucket keeps an object of the tenant: for what no client of a bucket may do.
    pub(crate) fn file(&self, tenant: &Resident, key: &str) -> PathBuf {
        self.object(&layout::tenant_prefix(tenant.tenant_id())).join(key)
    }

    /// Where it keeps the tenant's exported keys.
    pub(crate) fn keys_folder(&self, tenant: &Resident) -> PathBuf {
        self.object(&layout::keys_prefix(tenant.tenant_id()))
    }

    /// Where it keeps an object.
    pub(crate) fn object(&self, key: &str) -> PathBuf {
        self.test.folder.path().join("s3").join(&self.test.region.bucket).join(key)
    }

    /// The region as it is in a copy's database.
    pub(crate) fn copy_of_region(&self, name: &str) -> anyhow::Result<Region> {
        let living = &self.test.region.postgres().context("a region with a database")?.database;
        Ok(self.test.region.clone().in_database(&format!("{living}_beside_{name}")))
    }

    /// Flips a bit in the middle of an object.
    pub(crate) fn flip(&self, tenant: &Resident, key: &str) -> anyhow::Result<()> {
        let path = self.file(tenant, key);
        let mut bytes = fs::read(&path)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        Ok(fs::write(path, bytes)?)
    }
}

fn ticket_event(version: usize) -> TicketEvent {
    match version % 3 {
        0 if version == 0 => TicketOpened {
            requester: PersonId::new(7),
            submitter: PersonId::new(7),
            subject: "subject 0".to_owned().into(),
            priority: None,
            ticket_type: None,
            assignee: None,
            group: None,
            tags: Vec::new().into(),
            channel: Channel::Api,
            external_id: None.into(),
        }
        .into(),
        0 => SubjectSet { subject: format!("subject {version}").into() }.into(),
        1 => StatusSet { status: Status::Open }.into(),
        _ => CommentAdded {
            author: PersonId::new(7),
            visibility: Visibility::Public,
            body: format!("comment {version}").into(),
            html_body: Some(format!("<p>comment {version}</p>")).into(),
            attachments: Vec::new(),
            channel: Channel::Api,
        }
        .into(),
    }
}

/// The tables of all builds.
async fn tables(owner: &mut PgConnection) -> anyhow::Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"select schemaname as "schema!", tablename as "name!" from pg_tables
        where schemaname like 'read\_%' order by schemaname, tablename"#
    );
    Ok(rows.fetch_all(owner).await?.into_iter().map(|row| (row.schema, row.name)).collect())
}

/// A hash of a tenant's rows in each table of each build.
async fn read_models(owner: &mut PgConnection, tenant_id: TenantId) -> anyhow::Result<Vec<(String, i64, String)>> {
    let mut models = Vec::new();
    for (schema, table) in tables(owner).await? {
        let mut statement = sqlx::QueryBuilder::new(format!(
            "select count(*), coalesce(md5(string_agg(entry::text, '\n' order by entry::text)), '')
            from {schema}.{table} as entry where tenant_id = "
        ));
        let (rows, hash): (i64, String) =
            statement.push_bind(tenant_id.get()).build_query_as().fetch_one(&mut *owner).await?;
        models.push((format!("{schema}.{table}"), rows, hash));
    }
    Ok(models)
}
