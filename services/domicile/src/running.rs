//! `running.json`: how commands reach the `up` that uses a data folder. It holds addresses and no secret.

use std::{collections::BTreeMap, net::SocketAddr};

use nix::{sys::signal, unistd::Pid};
use schemas::RegionId;
use serde::{Deserialize, Serialize};

use crate::data_folder::{DataFolder, write_atomically};

/// Addresses of a running `up`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub process: i32,
    /// Where people reach the router.
    pub listen: SocketAddr,
    /// Where people reach the router by TLS.
    pub listen_tls: SocketAddr,
    /// The host and port of the landing page, as people type it.
    pub apex: String,
    /// The directory's address.
    pub directory: String,
    /// The port of the directory's database.
    pub directory_postgres: u16,
    /// Each region's addresses.
    pub regions: BTreeMap<RegionId, RunningRegion>,
}

/// Addresses of one region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningRegion {
    /// The port of its database.
    pub postgres: u16,
    /// Its object store.
    pub s3: String,
    /// Where its desk takes connections from a router.
    pub desk: SocketAddr,
    /// The same by TLS.
    pub desk_tls: SocketAddr,
    /// `/healthz`, `/readyz` and `/metrics`.
    pub operations: SocketAddr,
}

impl Running {
    /// The `up` that uses the folder, if one runs.
    pub fn find(data: &DataFolder) -> Option<Self> {
        let text = std::fs::read(data.running()).ok()?;
        let running: Self = serde_json::from_slice(&text).ok()?;
        signal::kill(Pid::from_raw(running.process), None).is_ok().then_some(running)
    }

    /// Tells commands how to reach this process.
    pub fn publish(&self, data: &DataFolder) -> anyhow::Result<()> {
        Ok(write_atomically(&data.running(), &serde_json::to_vec_pretty(self)?)?)
    }

    /// This process is gone.
    pub fn withdraw(data: &DataFolder) {
        // It may never have been published.
        let _ = std::fs::remove_file(data.running());
    }
}
