//! `domicile keys`: the key files of a region.

use archive::{KeyChain, Succession, Verifier, checkpoint};
use clap::Subcommand;
use jiff::Timestamp;
use replicator::signing;
use schemas::RegionId;
use serde::Serialize;

use crate::{
    cli::{Place, RegionFormatOption, RegionOption},
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Row, print_list, print_one},
};

/// `domicile keys`.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make the region key and the signing key of a region whose stores are not embedded. Keys that are there stay.
    Create(RegionOption),
    /// Print the region's verifier key: what auditors check its archives against.
    Verifier(RegionOption),
    /// List every signing key the region ever had, oldest first.
    List(RegionFormatOption),
    /// Put a new signing key to work. Running roles take it up by themselves; if the command is interrupted, call it again.
    Rotate(RegionFormatOption),
}

/// A signing key.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Listed {
    number: usize,
    state: &'static str,
    since: Option<Timestamp>,
    verifier: String,
}

impl Row for Listed {
    const HEADINGS: &'static [&'static str] = &["number", "state", "at work since", "verifier key"];

    fn cells(&self) -> Vec<String> {
        let since = self.since.map_or_else(|| "the beginning".to_owned(), |since| since.to_string());
        vec![self.number.to_string(), self.state.to_owned(), since, self.verifier.clone()]
    }
}

/// Runs it.
pub fn run(place: &Place, command: &Keys) -> Outcome {
    let deployment = Deployment::open(place)?;
    match command {
        Keys::Create(RegionOption { region }) => {
            let id = known(&deployment, region)?;
            deployment.create_keys(id)?;
            println!("{}", deployment.verifier(id)?);
        }
        Keys::Verifier(RegionOption { region }) => println!("{}", deployment.verifier(known(&deployment, region)?)?),
        Keys::List(options) => {
            let ring = deployment.key_ring(signing_region(&deployment, options)?)?;
            print_list(&listed(&options.region, ring.chain(), ring.successions()), options.format)?;
        }
        Keys::Rotate(options) => rotate(&deployment, options)?,
    }
    Ok(())
}

fn known<'id>(deployment: &'id Deployment, region: &'id RegionId) -> Result<&'id RegionId, Failure> {
    let is_directory = region.as_str() == "directory";
    if is_directory { Ok(region) } else { Ok(&deployment.region_file(region)?.id) }
}

/// The region; the directory signs its map with a key that routers are started with.
fn signing_region<'id>(deployment: &'id Deployment, options: &RegionFormatOption) -> Result<&'id RegionId, Failure> {
    Ok(&deployment.region_file(&options.region)?.id)
}

fn rotate(deployment: &Deployment, options: &RegionFormatOption) -> Outcome {
    let region = signing_region(deployment, options)?;
    let (folder, now) = (deployment.signing_keys(region), deployment.clock.now());
    let rotated = signing::rotate(region, &folder, deployment.ids.as_ref(), now);
    let Succession { number, old, new, at } = rotated.map_err(Failure::configuration)?;
    let said = serde_json::json!({
        "region": region, "number": number, "at": at, "old": old.to_string(), "new": new.to_string(),
    });
    print_one(&said, options.format, || {
        [
            format!("{region}: succession {number}"),
            format!("  retired      {old}"),
            format!("  at work      {new}"),
            "  from now on  every archive holds the succession with the next thing that is signed: both keys verify all of it".to_owned(),
            "  where roles run on other machines, copy signing.key and successions/ to each".to_owned(),
        ]
        .map(|line| line + "\n")
        .concat()
    })
}

fn listed(region: &RegionId, chain: &KeyChain, successions: &[std::sync::Arc<[u8]>]) -> Vec<Listed> {
    let name = checkpoint::region_name(region);
    let since = |number: usize| {
        let statement = successions.get(number.checked_sub(1)?)?;
        Succession::open(std::str::from_utf8(statement).ok()?).ok().map(|succession| succession.at)
    };
    let row = |(number, verifier): (usize, Verifier)| Listed {
        number,
        state: if number == chain.newest_number() { "at work" } else { "retired" },
        since: since(number),
        verifier: verifier.to_string(),
    };
    chain.verifiers(&name).enumerate().map(row).collect()
}
