//! What a deployment is started with, and what is right to send to it.

use std::{fs, path::Path};

use anyhow::Context;
use serde_json::{Value, json};

use crate::folder;

/// What a deployment is to be like.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    pub(crate) regions: Option<Vec<&'static str>>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Setup {
    /// The repository's four regions.
    pub fn four_regions() -> Self {
        Self::default()
    }

    /// These regions only; the first is the deployment's default. Fewer servers start sooner.
    pub fn regions(regions: &[&'static str]) -> Self {
        Self { regions: Some(regions.to_vec()), environment: Vec::new() }
    }

    /// With a variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A signup whose every field is right.
pub fn signup(region: &str, slug: &str) -> Value {
    json!({
        "subdomain": slug, "company": format!("{slug} Ltd"), "plan": "professional", "locality": region,
        "admin": {"name": "Grace Hopper", "email": format!("grace@{slug}.example"), "password": "correct horse battery"},
    })
}

/// The repository's files of these regions, with the first as the default.
pub(crate) fn write_regions(target: &Path, regions: &[&str]) -> anyhow::Result<()> {
    let source = crate::repository().join("regions");
    fs::create_dir_all(target)?;
    for region in regions {
        fs::copy(source.join(format!("{region}.toml")), target.join(format!("{region}.toml")))?;
    }
    let policy = fs::read_to_string(source.join("hosting-policy.toml"))?;
    let default = regions.first().context("a deployment has a region")?;
    let line = policy.lines().find(|line| line.starts_with("default_region")).context("the policy names a default")?;
    fs::write(target.join("hosting-policy.toml"), policy.replace(line, &format!("default_region = {default:?}")))?;
    Ok(())
}

/// Copies the region files of a deployment, to be broken by a test.
pub fn copy_regions(target: &Path) -> anyhow::Result<()> {
    Ok(folder::copy(&crate::repository().join("regions"), target)?)
}
