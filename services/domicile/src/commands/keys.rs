//! `domicile keys`: the key files of a region.

use clap::Subcommand;
use schemas::RegionId;

use crate::{
    cli::{Place, RegionOption},
    deployment::Deployment,
    exit::Outcome,
};

/// `domicile keys`.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make the region key and the signing key of a region whose stores are not embedded. Keys that are there stay.
    Create(RegionOption),
    /// Print the region's verifier key: what auditors check its archives against.
    Verifier(RegionOption),
}

/// Runs it.
pub fn run(place: &Place, command: &Keys) -> Outcome {
    let deployment = Deployment::open(place)?;
    let (Keys::Create(RegionOption { region }) | Keys::Verifier(RegionOption { region })) = command;
    let is_directory = region.as_str() == "directory";
    let id: &RegionId = if is_directory { region } else { &deployment.region_file(region)?.id };
    if matches!(command, Keys::Create(_)) {
        deployment.create_keys(id)?;
    }
    println!("{}", deployment.verifier(id)?);
    Ok(())
}
