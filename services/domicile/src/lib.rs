//! The one binary: it knows every service, wires them together, and holds no rule of its own.
//!
//! Reading order: [`cli`] (every verb), [`commands`] (a file a verb), [`up`] (everything in one process), [`deployment`],
//! [`directory_option`] and [`data_folder`] (where things are), [`mail`] and [`import`] (mail into tickets), [`residency`] (marks in files),
//! [`output`], [`progress`], [`exit`] (what people see).

pub mod cli;
pub mod commands;
pub mod data_folder;
pub mod deployment;
pub mod directory_option;
pub mod exit;
pub mod import;
pub mod mail;
pub mod operations;
pub mod output;
pub mod progress;
pub mod residency;
pub mod running;
pub mod up;

use cli::{Cli, Command};
use exit::Outcome;

/// Runs a command to its end.
pub async fn run(cli: Cli) -> Outcome {
    let place = &cli.place;
    match &cli.command {
        Command::Up(options) => up::run(place, options).await,
        Command::Tenant(command) => commands::tenant::run(place, command).await,
        Command::Audit(command) => commands::audit::run(place, command).await,
        Command::Backup(command) => commands::backup::run(place, command).await,
        Command::Restore(command) => commands::restore::run(place, command).await,
        Command::Drill(options) => commands::drill::run(place, options).await,
        Command::Projections(command) => commands::projections::run(place, command).await,
        Command::Residency(command) => commands::residency::run(place, command).await,
        Command::Import(command) => commands::import::run(place, command).await,
        Command::Demo(options) => commands::demo::run(place, options).await,
        Command::Doctor(options) => commands::doctor::run(place, options).await,
        Command::Keys(command) => commands::keys::run(place, command),
        Command::Directory(options) => commands::role::directory(place, options).await,
        Command::Router(options) => commands::role::router(place, options).await,
        Command::Desk(options) => commands::role::desk(place, options).await,
        Command::Projector(options) => commands::role::projector(place, options).await,
        Command::Replicator(options) => commands::role::replicator(place, options).await,
        Command::Relay(options) => commands::role::relay(place, options).await,
        Command::Console(options) => commands::role::console(place, options).await,
        Command::Operator(command) => commands::operator::run(place, command),
        Command::Topic(command) => commands::topic::run(place, command).await,
    }
}
