//! `satchel-mock`: starts the imitation server and says in one line of JSON where it is.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use satchel_mock::population::AccountRole;
use satchel_mock::{MockServer, TlsOptions, World};
use serde_json::json;

/// An imitation SMART on FHIR server for testers, with synthetic people. Listens on 127.0.0.1 only.
#[derive(Parser)]
#[command(name = "satchel-mock", version)]
struct Arguments {
    /// Port; 0 lets the system pick one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Synthetic people to make (default 8, or none with --load)
    #[arg(long)]
    patients: Option<usize>,
    /// The same seed makes the same people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Serve the FHIR files of this folder: *.json (bundles are taken apart) and *.ndjson
    #[arg(long, value_name = "DIR")]
    load: Option<PathBuf>,
    /// Serve HTTPS with a certificate authority made for this run
    #[arg(long)]
    tls: bool,
    /// Where to write the authority's certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_out: Option<PathBuf>,
    /// Lifetime of an access token
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    token_lifetime: i64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let started = tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SATCHEL_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .try_init();
    drop(started);
    let arguments = Arguments::parse();
    let world = World {
        patients: arguments
            .patients
            .unwrap_or(if arguments.load.is_some() { 0 } else { 8 }),
        seed: arguments.seed,
        load: arguments.load,
        port: arguments.port,
        tls: arguments.tls.then_some(TlsOptions {
            ca_out: arguments.ca_out,
        }),
        token_lifetime_seconds: arguments.token_lifetime,
        ..World::default()
    };
    let server = match MockServer::start(world).await {
        Ok(server) => server,
        Err(error) => {
            tracing::error!(
                "{error}: {:?}",
                std::error::Error::source(&error).map(ToString::to_string)
            );
            return ExitCode::FAILURE;
        }
    };
    if announce(&server).is_err() {
        return ExitCode::FAILURE;
    }
    match tokio::signal::ctrl_c().await {
        Ok(()) => {
            server.stop().await;
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// ONE line on standard output, for scripts; the warning for people goes to standard error.
fn announce(server: &MockServer) -> std::io::Result<()> {
    writeln!(
        std::io::stderr(),
        "satchel-mock: synthetic data only. This is no server for real people's records."
    )?;
    let accounts: Vec<_> = server
        .accounts()
        .iter()
        .map(|account| {
            json!({
                "username": account.username,
                "password": account.password,
                "role": match account.role {
                    AccountRole::Patient => "patient",
                    AccountRole::Provider => "provider",
                },
                "patient_ids": account.patient_ids,
                "display_name": account.display_name,
            })
        })
        .collect();
    let line = json!({
        "fhir_base": server.fhir_base(),
        "issuer": server.issuer(),
        "control": server.control(),
        "accounts": accounts,
        "ca_certificate": server.ca_certificate(),
    });
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}
