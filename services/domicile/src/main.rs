//! One executable for every role and every command.

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};
use domicile::{
    cli::{Cli, Command},
    exit::{Exit, Failure},
};
use runtime::telemetry::{self, Format, TelemetryConfig};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Printing to a closed terminal fails, and then there is nobody to tell.
            let _ = error.print();
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if is_help { ExitCode::SUCCESS } else { ExitCode::from(Exit::Usage as u8) };
        }
    };
    // Before any client or server: there is one TLS provider in this program.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    if cli.command.is_role() {
        raise_open_files_limit();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the machine lets a process start threads");
    match run(&runtime, cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// A router holds two descriptors a connection; the usual soft limit of 1,024 is soon used up.
fn raise_open_files_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Refused in some sandboxes; then the soft limit stays, and connections beyond it wait.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

fn run(runtime: &tokio::runtime::Runtime, cli: Cli) -> Result<(), Failure> {
    let telemetry = telemetry::init(telemetry_of(&cli)).map_err(Failure::configuration)?;
    let outcome = runtime.block_on(domicile::run(cli));
    telemetry.shutdown();
    outcome
}

/// Roles log what they do; commands for people only what is wrong.
fn telemetry_of(cli: &Cli) -> TelemetryConfig {
    let region = cli.command.region().map(ToString::to_string);
    let filter = if matches!(cli.command, Command::Up(_)) || !cli.command.is_role() { "warn" } else { "info" };
    TelemetryConfig {
        format: Format::Json,
        filter: cli.place.log.clone().unwrap_or_else(|| filter.to_owned()),
        otlp_endpoint: cli.place.otlp_endpoint.clone(),
        service_name: "domicile".to_owned(),
        region,
    }
}
