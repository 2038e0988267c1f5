//! The command line: every verb, every option, and what the environment may say instead.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use schemas::{RegionId, Slug};

use crate::{commands, output::Format};

/// An event-sourced ticket platform in which every tenant has one home region.
#[derive(Debug, Parser)]
#[command(name = "domicile", version, about, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// Where the deployment lies.
    #[command(flatten)]
    pub place: Place,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Folder that holds an embedded deployment's data.
    #[arg(long, env = "DOMICILE_DATA", default_value = ".domicile", global = true, value_name = "FOLDER")]
    pub data: PathBuf,
    /// Folder with the region files and hosting-policy.toml.
    #[arg(long, env = "DOMICILE_REGIONS", default_value = "regions", global = true, value_name = "FOLDER")]
    pub regions: PathBuf,
    /// Which log lines to write to standard error, as `level` or `target=level,...`.
    #[arg(long, env = "DOMICILE_LOG", global = true, value_name = "FILTER", hide_default_value = true)]
    pub log: Option<String>,
    /// Where to send spans (OTLP over HTTP); nowhere when absent.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine: four regions, the directory and the router.
    Up(Up),
    /// Create and look at tenants.
    #[command(subcommand)]
    Tenant(commands::tenant::Tenant),
    /// Replay, look at, verify, prove and export a tenant's event history.
    #[command(subcommand)]
    Audit(Box<commands::audit::Audit>),
    /// Back a region up, and look at its backups.
    #[command(subcommand)]
    Backup(commands::backup::Backup),
    /// Bring a region or a tenant back from its archive.
    Restore(commands::restore::Restore),
    /// Restore a sample of a region's tenants beside the living ones, compare them, and sign what was found.
    Drill(commands::drill::Drill),
    /// Look at and rebuild read models.
    #[command(subcommand)]
    Projections(commands::projections::Projections),
    /// Prove where data lies.
    #[command(subcommand)]
    Residency(commands::residency::Residency),
    /// Bring data in.
    #[command(subcommand)]
    Import(commands::import::Import),
    /// Load mail as tickets into four regions, then verify each.
    Demo(commands::demo::Demo),
    /// Check that this machine and the running deployment are as they must be.
    Doctor(commands::doctor::Doctor),
    /// Make and show the key files of a region.
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    /// Run the directory alone.
    Directory(commands::role::DirectoryRole),
    /// Run the router alone.
    Router(commands::role::RouterRole),
    /// Run one region's API and pages alone.
    Desk(commands::role::DeskRole),
    /// Run one region's projections alone.
    Projector(commands::role::WorkerRole),
    /// Run one region's archive writer alone.
    Replicator(commands::role::WorkerRole),
    /// Copy one region's log to its Kafka topic.
    Relay(commands::role::WorkerRole),
    /// Run the console of one region's operators alone.
    Console(commands::role::ConsoleRole),
    /// Who operates a region: may sign in to its console at /ops.
    #[command(subcommand)]
    Operator(commands::operator::Operator),
    /// Look at a region's Kafka topic, and move it to another cluster.
    #[command(subcommand)]
    Topic(commands::topic::Topic),
}

/// `domicile up`.
#[derive(Debug, Clone, Args)]
pub struct Up {
    /// Where people reach the router: address and port.
    #[arg(long, env = "DOMICILE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Where people reach the router by TLS; 0 takes a free port.
    #[arg(long, env = "DOMICILE_LISTEN_TLS", default_value = "127.0.0.1:8443", value_name = "ADDRESS:PORT")]
    pub listen_tls: SocketAddr,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub rate_limits: RateLimitsOption,
}

/// `--rate-limits`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct RateLimitsOption {
    /// Whether requests are limited as hosting-policy.toml says, or not at all.
    #[arg(long, env = "DOMICILE_RATE_LIMITS", value_enum, default_value_t)]
    pub rate_limits: RateLimits,
}

/// What `--rate-limits` takes.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub enum RateLimits {
    /// As many requests a minute as the plan and the endpoint allow, in each process.
    #[default]
    Policy,
    /// As many as come: for loading much.
    Off,
}

impl From<RateLimitsOption> for desk::RateLimits {
    fn from(option: RateLimitsOption) -> Self {
        match option.rate_limits {
            RateLimits::Policy => Self::Policy,
            RateLimits::Off => Self::Off,
        }
    }
}

/// `--format` alone.
#[derive(Debug, Clone, Copy, Args)]
pub struct FormatOption {
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `--region`.
#[derive(Debug, Clone, Args)]
pub struct RegionOption {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION")]
    pub region: RegionId,
}

/// `--region` and `--format`.
#[derive(Debug, Args)]
pub struct RegionFormatOption {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION")]
    pub region: RegionId,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `--region` and `--tenant`.
#[derive(Debug, Clone, Args)]
pub struct TenantOption {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION")]
    pub region: RegionId,
    /// The tenant's name in its address.
    #[arg(long, value_name = "NAME")]
    pub tenant: Slug,
}

impl Command {
    /// Whether the command serves until it is stopped.
    pub const fn is_role(&self) -> bool {
        matches!(
            self,
            Self::Up(_)
                | Self::Directory(_)
                | Self::Router(_)
                | Self::Desk(_)
                | Self::Projector(_)
                | Self::Replicator(_)
                | Self::Relay(_)
                | Self::Console(_)
        )
    }

    /// The one region a role serves, if it serves one.
    pub const fn region(&self) -> Option<&RegionId> {
        match self {
            Self::Desk(role) => Some(&role.region.region),
            Self::Console(role) => Some(&role.region.region),
            Self::Projector(role) | Self::Replicator(role) | Self::Relay(role) => Some(&role.region.region),
            _ => None,
        }
    }
}
