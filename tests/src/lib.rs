//! Whole-system tests: the real program, as a process of its own, on stores of its own.
//!
//! The tests lie in `tests/`, one file per concern. This library is what they share: it starts and kills deployments, speaks to
//! them as clients do, and runs commands as people do. It asks the product's own libraries only for what a file or an address
//! means, never for an answer that a test is about.
//!
//! Reading order: [`setup`] and [`deployment`] (a running `domicile up`), [`client`] and [`tenant`] (who speaks to it), [`command`] (every
//! other verb), [`roles`] and [`proxy`] (each role as a process of its own), [`faulty_store`], [`history`] (what was asked, held against what is there), [`browser`] (people), [`wait`] (the only place that waits), [`process`], [`folder`], [`canary`] and [`populate`], [`kafka`], [`others`], [`vectors`].

pub mod browser;
pub mod canary;
pub mod client;
pub mod command;
pub mod deployment;
pub mod disk;
pub mod faulty_store;
pub mod folder;
pub mod history;
pub mod kafka;
pub mod others;
pub mod populate;
pub mod process;
pub mod proxy;
pub mod roles;
pub mod setup;
pub mod tenant;
pub mod vectors;
pub mod wait;

pub use browser::{Browser, CONTROL_ENTER, Theme};
pub use client::{Answer, Client};
pub use command::Ran;
pub use deployment::{Begun, Deployment};
pub use setup::Setup;
pub use tenant::Tenant;

/// The repository's root.
pub fn repository() -> std::path::PathBuf {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("this crate lies in a folder of the repository").to_owned()
}
