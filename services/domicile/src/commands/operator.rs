//! `domicile operator`: who may sign in to the console of a region.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use ops_console::OperatorsError;
use schemas::RegionId;
use serde::Serialize;

use crate::{
    cli::{Place, RegionFormatOption},
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, Row, print_list, print_one},
};

/// `domicile operator`.
#[derive(Debug, Subcommand)]
pub enum Operator {
    /// Let somebody operate a region. Prints the key with which they sign in at /ops; it cannot be shown again.
    Add(Named),
    /// Who operates a region, and who once did.
    List(RegionFormatOption),
    /// Somebody operates a region no more: the key opens nothing from now on, and whoever is signed in with it is not.
    End(Named),
}

/// `domicile operator add` and `end`.
#[derive(Debug, Args)]
pub struct Named {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION")]
    pub region: RegionId,
    /// The name under which the region's log lines tell what they ask for.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Serialize)]
struct OperatorRow {
    region: RegionId,
    name: String,
    added_at: Timestamp,
    ended_at: Option<Timestamp>,
}

impl Row for OperatorRow {
    const HEADINGS: &'static [&'static str] = &["region", "name", "since", "until"];

    fn cells(&self) -> Vec<String> {
        let ended_at = self.ended_at.map_or_else(String::new, |at| at.to_string());
        vec![self.region.to_string(), self.name.clone(), self.added_at.to_string(), ended_at]
    }
}

/// Runs it.
pub fn run(place: &Place, command: &Operator) -> Outcome {
    let deployment = Deployment::open(place)?;
    match command {
        Operator::Add(Named { region, name, format }) => {
            let region = &deployment.region_file(region)?.id;
            let (ids, now) = (deployment.ids.as_ref(), deployment.clock.now());
            let key = deployment.operators(region).add(name, ids, now).map_err(said)?;
            let made = serde_json::json!({ "region": region, "name": name, "key": key });
            print_one(&made, *format, || format!("{key}\n"))
        }
        Operator::List(options) => {
            let region = &deployment.region_file(&options.region)?.id;
            let operators = deployment.operators(region).list().map_err(said)?.into_iter();
            let rows = operators.map(|operator| OperatorRow {
                region: region.clone(),
                name: operator.name,
                added_at: operator.added_at,
                ended_at: operator.ended_at,
            });
            print_list(&rows.collect::<Vec<_>>(), options.format)
        }
        Operator::End(Named { region, name, .. }) => {
            let region = &deployment.region_file(region)?.id;
            deployment.operators(region).end(name, deployment.clock.now()).map_err(said)
        }
    }
}

fn said(error: OperatorsError) -> Failure {
    match error {
        OperatorsError::BadName | OperatorsError::Known(_) | OperatorsError::Unknown(_) => {
            Failure::usage(format!("--name: {error}"))
        }
        OperatorsError::File { .. } | OperatorsError::NotOurs { .. } => Failure::configuration(error),
    }
}
