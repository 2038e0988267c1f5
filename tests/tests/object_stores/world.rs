//! A region on some object store, with tenants that are archived there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use archive::{layout, segment};
use auditor::{Options, Report};
use bytes::Bytes;
use eventlog::Expected;
use jiff::ToSpan;
use regions::{Bucket, BucketRole, DatabaseRole, Endpoints, Region, Resident, S3Endpoint};
use replicator::{ReplicatorDeps, TenantObjects};
use runtime::{Clock, Ids};
use schemas::{
    AttachmentId, Hash, PersonId, Position, StreamName, TicketId, Version,
    upload::{UploadEvent, UploadReceived},
};
use testkit::TestRegion;
use vault::SigningKeyFolder;

/// The region, and a replicator that reaches its bucket by that store.
pub(crate) struct World {
    pub(crate) test: TestRegion,
    pub(crate) deps: ReplicatorDeps,
}

/// The test's region, with its bucket on another store.
pub(crate) fn region_on(test: &TestRegion, s3: S3Endpoint) -> Region {
    let Endpoints { postgres, .. } = test.region.endpoints().expect("a region with stores");
    test.region.clone().with_endpoints(Endpoints { postgres, s3 })
}

impl World {
    /// Locks begin by the clock that is handed in: the store's own is the machine's.
    pub(crate) async fn new(test: TestRegion, region: Region, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let deps = ReplicatorDeps {
            bucket: regions::bucket(&region, BucketRole::Replicator, &clock).await?,
            region,
            pool: test.pool(DatabaseRole::Replicator).await?,
            vault: test.vault(DatabaseRole::Replicator).await?,
            signing: SigningKeyFolder::new(test.folder.path()),
            witnesses: replicator::Witnesses::default(),
            clock: Arc::clone(&test.clock) as Arc<dyn Clock>,
            ids: Arc::clone(&test.ids) as Arc<dyn Ids>,
            metrics: test.metrics.clone(),
            interval: Duration::from_millis(20),
        };
        Ok(Self { test, deps })
    }

    /// Appends comments to the tenant's only ticket, which has `version` of them.
    pub(crate) async fn comment(&self, tenant: &Resident, version: i64, count: i64) -> anyhow::Result<()> {
        let expected = if version == 0 { Expected::NoStream } else { Expected::Exact(Version::new(version)) };
        let comments = (0..count).map(|number| testkit::comment(&format!("comment {number}"))).collect();
        self.test.append(tenant, StreamName::Ticket(TicketId::new(1)), expected, comments).await?;
        Ok(())
    }

    /// How many events its only ticket has.
    pub(crate) async fn comments(&self, tenant: &Resident) -> anyhow::Result<i64> {
        let stream = StreamName::Ticket(TicketId::new(1));
        let mut connection = self.deps.pool.acquire().await?;
        Ok(eventlog::read_stream(&mut connection, tenant, &stream, Version::ZERO, 10_000).await?.len() as i64)
    }

    /// Uploads a file: the event, and then, for an archive finds a file only where there is one, its bytes.
    pub(crate) async fn upload(&self, tenant: &Resident, number: i64) -> anyhow::Result<()> {
        let attachment = AttachmentId::new(number);
        let event: UploadEvent = UploadReceived {
            attachment,
            file_name: "a.txt".to_owned().into(),
            content_type: "text/plain".to_owned().into(),
            size_bytes: 36,
            uploader: PersonId::new(1),
            token_sha256: String::new(),
            expires_at: self.test.clock.now() + 1.hours(),
        }
        .into();
        self.test.append(tenant, StreamName::Upload(attachment), Expected::NoStream, vec![event.into()]).await?;
        let head = self.head(tenant).await?;
        let mut connection = self.deps.pool.acquire().await?;
        let log = eventlog::read_log(&mut connection, tenant, Position::new(head.get() - 1), 1).await?;
        let envelope = &log.first().context("it was just appended")?.sealed.envelope;
        // The test kit's ciphertext of a file is the text of its event's id.
        let bytes = Bytes::from(envelope.event_id.to_string());
        anyhow::ensure!(envelope.blob == Some(Hash::of(&[&bytes])));
        let key = layout::tenant_prefix(tenant.tenant_id()) + layout::attachment(Hash::of(&[&bytes])).as_str();
        self.keep_trying(async || {
            self.deps.bucket.put_new(&key, bytes.clone()).await?;
            self.deps.bucket.head(&key).await?.context("it is not there")
        })
        .await?;
        Ok(())
    }

    /// Tries until it works, a bounded number of times.
    pub(crate) async fn keep_trying<T>(&self, mut work: impl AsyncFnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let mut last = anyhow::anyhow!("nothing was tried");
        for _ in 0..TRIES_MAX {
            match work().await {
                Ok(done) => return Ok(done),
                Err(error) => last = error,
            }
        }
        Err(last.context("it never worked"))
    }

    pub(crate) async fn head(&self, tenant: &Resident) -> anyhow::Result<Position> {
        Ok(eventlog::head(&mut *self.deps.pool.acquire().await?, tenant).await?)
    }

    /// What an auditor says of the tenant's archive, with the region's key pinned.
    pub(crate) async fn report(&self, tenant: &Resident) -> anyhow::Result<Report> {
        self.report_by(&self.deps.bucket, tenant).await
    }

    /// The same by another way into the bucket.
    pub(crate) async fn report_by(&self, bucket: &Bucket, tenant: &Resident) -> anyhow::Result<Report> {
        let objects = TenantObjects::new(bucket.clone(), tenant.tenant_id());
        let origin = archive::checkpoint::origin(&self.deps.region.id, tenant.tenant_id());
        let verifier = archive::Verifier::new(origin, self.test.signing_key.public_key());
        let options = Options { verifier: Some(verifier), ..Options::default() };
        Ok(auditor::verify(&objects, &options, &mut |_| ()).await?)
    }

    /// Holds the archive against the log: whole, each event once, marked as far as it is.
    pub(crate) async fn holds_the_log(&self, tenant: &Resident) -> anyhow::Result<()> {
        let head = self.head(tenant).await?;
        let report = self.report(tenant).await?;
        anyhow::ensure!(report.findings.is_empty(), "{:?}", report.findings);
        let mut connection = self.deps.pool.acquire().await?;
        let log = eventlog::read_log(&mut connection, tenant, Position::ZERO, 10_000).await?;
        let log: Vec<_> = log.iter().map(|event| (event.position, event.sealed.leaf)).collect();
        let mut archived = Vec::new();
        let prefix = layout::tenant_prefix(tenant.tenant_id());
        for object in self.deps.bucket.list(&format!("{prefix}{}", layout::EVENTS)).await? {
            let object = self.deps.bucket.get(&object.key).await?.context("listed")?;
            archived.extend(segment::read(&object.body)?.1.iter().map(|event| (event.position, event.sealed.leaf)));
        }
        archived.sort_by_key(|(position, _)| *position);
        anyhow::ensure!(archived == log, "{} events are archived, {} are in the log", archived.len(), log.len());
        let marks = eventlog::marks(&mut connection, tenant).await?;
        for mark in [marks.sealed, marks.archived] {
            anyhow::ensure!(mark.map(|mark| mark.position) == Some(head), "{mark:?} is not at {head:?}");
        }
        Ok(())
    }

    /// How many versions each object has that has more than one.
    pub(crate) async fn rewritten(&self) -> anyhow::Result<BTreeMap<String, usize>> {
        let raw = self.test.raw_bucket();
        let mut versions: BTreeMap<String, usize> = BTreeMap::new();
        let mut pages = raw.list_object_versions().bucket(&raw.name).send().await?;
        loop {
            for version in pages.versions() {
                *versions.entry(version.key().unwrap_or_default().to_owned()).or_default() += 1;
            }
            if pages.is_truncated() != Some(true) {
                break;
            }
            let next = raw.list_object_versions().bucket(&raw.name).set_key_marker(pages.next_key_marker);
            pages = next.set_version_id_marker(pages.next_version_id_marker).send().await?;
        }
        versions.retain(|_, count| *count > 1);
        Ok(versions)
    }
}

const TRIES_MAX: u32 = 60;
