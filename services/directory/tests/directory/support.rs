//! A directory over a database of its own.

use std::collections::BTreeMap;

use directory::{Client, Deps, Directory, RegionKeys};
use regions::DatabaseRole;
use runtime::{Ids, Shutdown};
use schemas::{RegionId, Slug, TenantId};
use testkit::TestRegion;
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "token-of-the-test";

pub(crate) struct World {
    pub(crate) test: TestRegion,
}

impl World {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Ok(Self { test: testkit::directory_database().await? })
    }

    /// A directory process; several may serve one log.
    pub(crate) async fn directory(&self) -> anyhow::Result<Directory> {
        let verifiers = ["us", "eu", "mars"].map(|id| (region(id), format!("domicile/{id}+00000000+AAAA")));
        let deps = Deps {
            region: self.test.region.clone(),
            pool: self.test.pool(DatabaseRole::Desk).await?,
            vault: self.test.vault(DatabaseRole::Desk).await?,
            appender: self.test.appender().await?,
            signing_key: self.signing_key()?,
            token: TOKEN.to_owned(),
            keys: RegionKeys { verifiers: BTreeMap::from(verifiers), ..RegionKeys::default() },
            clock: self.test.clock.clone(),
            ids: self.test.ids.clone(),
        };
        Ok(Directory::start(deps).await?)
    }

    pub(crate) fn tenant(&self) -> TenantId {
        TenantId::new(self.test.ids.uuid())
    }

    fn signing_key(&self) -> anyhow::Result<vault::SigningKey> {
        let path = self.test.folder.path().join("directory.key");
        Ok(vault::SigningKey::load_or_create(&path, self.test.ids.as_ref())?)
    }
}

/// Serves a directory and gives its address.
pub(crate) async fn serve(directory: Directory, shutdown: &Shutdown) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    shutdown.spawn(directory.run(listener, shutdown.clone()));
    Ok(url)
}

/// Serves a directory and gives a client of it.
pub(crate) async fn client(directory: Directory, shutdown: &Shutdown) -> anyhow::Result<Client> {
    Ok(Client::new(&serve(directory, shutdown).await?, TOKEN)?)
}

pub(crate) fn slug(text: &str) -> Slug {
    text.parse().expect("a slug")
}

pub(crate) fn region(text: &str) -> RegionId {
    text.parse().expect("a region")
}
