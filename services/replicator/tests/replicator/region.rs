//! A region with a replicator, and a tenant to archive.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use archive::{Manifest, layout, segment};
use auditor::{Options, Report};
use eventlog::Expected;
use regions::{BucketRole, DatabaseRole, Resident};
use replicator::{ReplicatorDeps, Witnesses};
use runtime::{Clock, Ids};
use schemas::{
    Recorded, StreamName, TenantLogEvent, TicketId, Version,
    ticket::{StatusSet, SubjectSet, TicketEvent},
    values::Status,
};
use testkit::TestRegion;
use vault::SigningKeyFolder;

pub(crate) struct Archiving {
    pub(crate) test: TestRegion,
    pub(crate) deps: ReplicatorDeps,
}

pub(crate) async fn archiving() -> anyhow::Result<Archiving> {
    let test = testkit::region().await?;
    let deps = ReplicatorDeps {
        region: test.region.clone(),
        pool: test.pool(DatabaseRole::Replicator).await?,
        vault: test.vault(DatabaseRole::Replicator).await?,
        bucket: test.bucket_as(BucketRole::Replicator).await?,
        signing: SigningKeyFolder::new(test.folder.path()),
        witnesses: Witnesses::default(),
        clock: Arc::clone(&test.clock) as Arc<dyn Clock>,
        ids: Arc::clone(&test.ids) as Arc<dyn Ids>,
        metrics: test.metrics.clone(),
        interval: Duration::from_millis(20),
    };
    Ok(Archiving { test, deps })
}

impl Archiving {
    /// Appends `count` events to a ticket that has `version` events; two a command.
    pub(crate) async fn append(&self, tenant: &Resident, ticket: i64, from: i64, count: i64) -> anyhow::Result<()> {
        let stream = StreamName::Ticket(TicketId::new(ticket));
        let mut version = from;
        while version < from + count {
            let expected = if version == 0 { Expected::NoStream } else { Expected::Exact(Version::new(version)) };
            let take = (from + count - version).min(2);
            let events = (version..version + take).map(event).collect();
            self.test.append(tenant, stream.clone(), expected, events).await?;
            version += take;
        }
        Ok(())
    }

    /// Verifies a tenant's archive with the region's key pinned.
    pub(crate) async fn report(&self, tenant: &Resident) -> anyhow::Result<Report> {
        let name = format!("domicile/eu/{}", tenant.tenant_id());
        let verifier = archive::Verifier::new(name, self.test.signing_key.public_key());
        let options = Options { verifier: Some(verifier), ..Options::default() };
        Ok(auditor::verify(&self.deps.objects(tenant), &options, &mut |_| ()).await?)
    }

    pub(crate) async fn manifest(&self, tenant: &Resident, generation: u64) -> anyhow::Result<Manifest> {
        let key = format!("{}{}", layout::tenant_prefix(tenant.tenant_id()), layout::manifest(generation));
        let object = self.deps.bucket.get(&key).await?.context("the manifest is there")?;
        Ok(Manifest::claimed(&object.body)?)
    }

    /// Every object below a prefix, with its bytes.
    pub(crate) async fn objects(&self, prefix: &str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut objects = Vec::new();
        for listed in self.deps.bucket.list(prefix).await? {
            let object = self.deps.bucket.get(&listed.key).await?.context("listed")?;
            objects.push((listed.key, object.body.to_vec()));
        }
        Ok(objects)
    }

    /// The objects of a tenant's archive.
    pub(crate) async fn archive(&self, tenant: &Resident) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        self.objects(&layout::tenant_prefix(tenant.tenant_id())).await
    }

    /// The events of a tenant's archive.
    pub(crate) async fn archived_events(&self, tenant: &Resident) -> anyhow::Result<Vec<Recorded>> {
        let mut archived = Vec::new();
        for (_, object) in self.archive(tenant).await?.iter().filter(|(key, _)| key.ends_with(".seg.zst")) {
            archived.extend(segment::read(object)?.1);
        }
        archived.sort_by_key(|event| event.position);
        Ok(archived)
    }

    /// The folder of the embedded S3 endpoint, for what no client of a bucket may do.
    pub(crate) fn s3_folder(&self) -> std::path::PathBuf {
        self.test.folder.path().join("s3")
    }
}

fn event(version: i64) -> TenantLogEvent {
    let event: TicketEvent = match version % 2 {
        0 => SubjectSet { subject: format!("subject {version}").into() }.into(),
        _ => StatusSet { status: Status::Open }.into(),
    };
    event.into()
}

/// Every file below a folder whose path ends so.
pub(crate) fn files_ending(folder: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_ending(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}
