//! Which archive a command reads: a tenant's in its region's bucket, or a copied folder with nothing else.

use std::path::{Path, PathBuf};

use archive::{
    Verifier,
    checkpoint::{origin, region_name},
    layout,
};
use auditor::{Folder, Source, bundle, source};
use bytes::Bytes;
use clap::Args;
use desk::published_keys;
use futures::{FutureExt, future::BoxFuture};
use regions::{BucketRole, DatabaseRole, Resident};
use replicator::TenantObjects;
use schemas::{RegionId, Slug};

use crate::{
    cli::Place,
    deployment::Deployment,
    directory_option::GivenDirectory,
    exit::{Failure, Outcome},
};

/// `--region` and `--tenant`, or `--from`; and the key to trust.
#[derive(Debug, Args)]
pub struct ArchiveOption {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION", required_unless_present = "from", requires = "tenant")]
    pub region: Option<RegionId>,
    /// The tenant's name in its address.
    #[arg(long, value_name = "NAME", requires = "region")]
    pub tenant: Option<Slug>,
    /// A copied archive folder instead, or (to verify) a bundle: no network, no database, no keys. Or, to verify, prove and export, the
    /// tenant's address, such as https://acme.example.com, with --grant.
    #[arg(long, value_name = "FOLDER|URL", conflicts_with_all = ["region", "tenant"])]
    pub from: Option<PathBuf>,
    /// The token of the grant that an admin of the tenant has given you, for its address.
    #[arg(long, env = "DOMICILE_GRANT", hide_env_values = true, value_name = "TOKEN")]
    pub grant: Option<String>,
    /// The verifier key to trust, as published. The directory's for a bucket; the archive's own for a folder, and said so.
    #[arg(long, value_name = "KEY")]
    pub verifier: Option<Verifier>,
    /// The verifier key of another region, to check its cosignatures with; can be given again. Those the directory publishes for a
    /// bucket.
    #[arg(long, value_name = "KEY")]
    pub witness: Vec<Verifier>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: GivenDirectory,
}

/// An archive to read, and what is known of it from elsewhere.
pub(super) struct Archive {
    pub(super) source: Box<dyn Source>,
    /// The key to trust. Nothing: the one that the archive names.
    pub(super) verifier: Option<Verifier>,
    /// The keys of other regions.
    pub(super) witnesses: Vec<Verifier>,
    /// How far the archive has been: one that ends before has lost its end.
    pub(super) archived: u64,
    /// What to call it.
    pub(super) name: String,
    /// Whether it is a bundle rather than an archive.
    pub(super) is_bundle: bool,
}

impl ArchiveOption {
    /// The address in the place of a folder, if it is one.
    pub(super) fn address(&self) -> Option<&str> {
        let from = self.from.as_deref()?.to_str()?;
        ["https://", "http://"].iter().any(|scheme| from.starts_with(scheme)).then_some(from)
    }

    /// Refuses an address, where what is done with an archive takes more than one look at it.
    pub(super) fn is_no_address(&self) -> Outcome {
        match self.address() {
            Some(address) => Err(Failure::usage(format!(
                "--from: takes a folder here; `domicile audit export --from {address} --bundle FOLDER` brings one, with the archive in \
                 FOLDER/archive"
            ))),
            None => Ok(()),
        }
    }

    pub(super) async fn open(&self, place: &Place) -> Result<Archive, Failure> {
        self.is_no_address()?;
        match (&self.from, &self.region, &self.tenant) {
            (Some(folder), _, _) if folder.is_dir() => Ok(self.folder(folder)),
            (Some(folder), _, _) => Err(Failure::usage(format!("--from: {} is no folder", folder.display()))),
            (None, Some(region), Some(tenant)) => {
                let deployment = Deployment::open_with(place, &self.directory)?;
                let archive = published(&deployment, region, tenant, self.verifier.as_ref()).await?;
                let witnesses = [archive.witnesses, self.witness.clone()].concat();
                Ok(Archive { witnesses, ..archive })
            }
            _ => Err(Failure::usage("takes --region and --tenant, or --from")),
        }
    }

    /// An archive or a bundle in a folder.
    pub(super) fn folder(&self, folder: &Path) -> Archive {
        Archive {
            source: Box::new(Folder::new(folder)),
            verifier: self.verifier.clone(),
            witnesses: self.witness.clone(),
            archived: 0,
            is_bundle: folder.join(bundle::LIST).is_file(),
            name: folder.canonicalize().as_deref().unwrap_or(folder).display().to_string(),
        }
    }
}

/// A tenant's archive in its bucket, with the key that the directory publishes unless another is given.
pub(super) async fn published(
    deployment: &Deployment,
    region: &RegionId,
    tenant: &Slug,
    pinned: Option<&Verifier>,
) -> Result<Archive, Failure> {
    let objects = objects(deployment, region, tenant).await?;
    let (key, statements, witnesses) = match pinned {
        Some(verifier) => (verifier.clone(), Vec::new(), Vec::new()),
        None => published_verifier(deployment, region).await?,
    };
    // The region's key speaks for every tenant of it; under this log's own name, another tenant's archive does not pass.
    let verifier = Verifier::new(origin(region, objects.resident.tenant_id()), *key.public_key());
    Ok(Archive {
        source: Box::new(WithSuccessions { archive: objects.source, statements }),
        verifier: Some(verifier),
        witnesses,
        archived: objects.archived,
        name: format!("{region}/{tenant}"),
        is_bundle: false,
    })
}

/// A tenant's objects, and what the region's database knows of them.
pub(super) struct Objects {
    pub(super) source: TenantObjects,
    resident: Resident,
    archived: u64,
}

/// The tenant's objects in its region's bucket.
pub(super) async fn objects(deployment: &Deployment, region: &RegionId, tenant: &Slug) -> Result<Objects, Failure> {
    let region = deployment.region(region)?;
    let pool = deployment.pool(&region, DatabaseRole::Replicator).await?;
    let mut connection = pool.acquire().await?;
    let resident = deployment.resident(&mut connection, &region.id, tenant).await?;
    let archived = eventlog::marks(&mut connection, &resident).await?.archived;
    let archived = archived.map_or(0, |mark| mark.position.get().unsigned_abs());
    let source = TenantObjects::new(deployment.bucket(&region, BucketRole::Reader).await?, resident.tenant_id());
    Ok(Objects { source, resident, archived })
}

/// A tenant's archive with the successions that the directory publishes. A key that has just taken over is published before
/// every archive holds the statement of it.
struct WithSuccessions {
    archive: TenantObjects,
    statements: Vec<String>,
}

impl WithSuccessions {
    fn published(&self, key: &str) -> Option<Bytes> {
        let place = usize::try_from(layout::succession_number(key)?).ok()?.checked_sub(1)?;
        self.statements.get(place).map(|statement| Bytes::from(statement.clone()))
    }
}

impl Source for WithSuccessions {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, source::Error>> {
        async move { Ok(self.archive.get(key).await?.or_else(|| self.published(key))) }.boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, source::Error>> {
        async move {
            let published = (1..=self.statements.len() as u64).map(layout::succession);
            Ok(self.archive.list().await?.into_iter().chain(published).collect())
        }
        .boxed()
    }
}

/// The region's public key and its successions, from the directory's signed map: not from the region that is being looked at.
async fn published_verifier(
    deployment: &Deployment,
    region: &RegionId,
) -> Result<(Verifier, Vec<String>, Vec<Verifier>), Failure> {
    let mut map = deployment.directory_map().await?;
    let text = map.regions.get(region).ok_or_else(|| anyhow::anyhow!("the directory knows no key of {region}"))?;
    let verifier = text.parse()?;
    let others = map.regions.keys().filter(|other| *other != region);
    let keys = others
        .filter_map(|other| Some(published_keys(&map, other)?.verifiers(&region_name(other)).collect::<Vec<_>>()));
    let witnesses = keys.flatten().collect();
    Ok((verifier, map.successions.remove(region).unwrap_or_default(), witnesses))
}

/// A key in words: who gave it.
pub(super) fn trust(is_key_pinned: bool) -> &'static str {
    if is_key_pinned {
        ""
    } else {
        " (named by the archive itself: compare it with the published one, or pass --verifier)"
    }
}
