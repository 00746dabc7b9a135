//! `satchel-mock`: starts the imitation server and says in one line of JSON where it is.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use satchel_mock::{Leniency, MockServer, Policy, Quirks, Scenario, TlsFault, TlsOptions, World};
use serde_json::{Value, json};

/// An imitation SMART on FHIR server for testers, with synthetic people. Listens on 127.0.0.1,
/// if nothing else is said.
#[derive(Parser)]
#[command(name = "satchel-mock", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Imitates a vendor's habits (see `satchel-mock quirks`)
    #[arg(long, value_name = "NAME")]
    quirks: Option<String>,
    /// Starts in a named situation (see `satchel-mock scenarios`), or in those of a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    scenario: Vec<String>,
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
    /// What is wrong with TLS: a certificate that is expired, for the wrong-host or by an
    /// unknown-authority, or tls-1.1-only
    #[arg(long, value_name = "WHAT", requires = "tls", value_parser = tls_fault)]
    tls_fault: Option<TlsFault>,
    /// Lifetime of an access token; a backend service's too, up to a year (31536000)
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    token_lifetime: i64,
    /// Lifetime of a refresh token
    #[arg(long, value_name = "SECONDS", default_value_t = 31_536_000)]
    refresh_lifetime: i64,
    /// Nobody can register: the server has no registration endpoint
    #[arg(long)]
    registration_closed: bool,
    /// Client secrets have letters that need encoding in a Basic header
    #[arg(long)]
    odd_secrets: bool,
    /// Listens on this address too, for other machines of a test network; needs --password
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<std::net::IpAddr>,
    /// Under which name other machines find it
    #[arg(long, value_name = "NAME", requires = "listen")]
    host: Option<String>,
    /// Everybody's password, in place of the well-known one
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Clients that were agreed on by hand: a JSON list of RFC 7591 metadata with client_id and client_secret
    #[arg(long, value_name = "FILE")]
    clients: Option<PathBuf>,
    /// Takes what a standard forbids but real clients do; may be given more than once
    #[arg(long, value_name = "WHAT", value_parser = leniency)]
    lenient: Vec<Leniency>,
    /// Private-use scheme to which the callback page under /app/ hands over
    #[arg(long, value_name = "SCHEME", default_value = "org.satchel.app")]
    app_scheme: String,
    /// An app waits for the practice's approval (practice portal) before anybody may use it
    #[arg(long)]
    practice_approval: bool,
    /// Nobody registers without this token (RFC 7591, initial access token)
    #[arg(long, value_name = "TOKEN")]
    initial_access_token: Option<String>,
    /// Whose software statements count: a JWK set
    #[arg(long, value_name = "FILE")]
    software_statement_keys: Option<PathBuf>,
    #[command(flatten)]
    policy: Policy,
}

#[derive(Subcommand)]
enum Command {
    /// List the situations that come with the server
    Scenarios,
    /// List the vendors whose habits can be imitated
    Quirks,
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
    match arguments.command {
        Some(Command::Scenarios) => {
            return list(Scenario::shipped().map(|all| {
                let both = |one: Scenario| (one.name, one.about);
                all.into_iter().map(both).collect()
            }));
        }
        Some(Command::Quirks) => {
            return list(Quirks::shipped().map(|all| {
                let both = |(name, one): (String, Quirks)| (name, one.about);
                all.into_iter().map(both).collect()
            }));
        }
        None => {}
    }
    let reachable = arguments
        .listen
        .is_some_and(|address| !address.is_loopback());
    let world = match world(arguments) {
        Ok(world) => world,
        Err(message) => {
            tracing::error!("{message}");
            return ExitCode::FAILURE;
        }
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
    if reachable {
        tracing::warn!(
            "other machines can reach this server: it is for tests, never for anybody's real data"
        );
    }
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

/// What the arguments ask for.
fn world(arguments: Arguments) -> Result<World, String> {
    let clients = read_list(arguments.clients.as_deref(), None)?;
    let software_statement_keys =
        read_list(arguments.software_statement_keys.as_deref(), Some("keys"))?;
    let mut world = World {
        patients: arguments
            .patients
            .unwrap_or(if arguments.load.is_some() { 0 } else { 8 }),
        seed: arguments.seed,
        load: arguments.load,
        port: arguments.port,
        tls: arguments.tls.then_some(TlsOptions {
            ca_out: arguments.ca_out,
            fault: arguments.tls_fault,
        }),
        token_lifetime_seconds: arguments.token_lifetime,
        refresh_lifetime_seconds: arguments.refresh_lifetime,
        registration_closed: arguments.registration_closed,
        odd_secrets: arguments.odd_secrets,
        listen: arguments.listen,
        host: arguments.host,
        password: arguments.password,
        clients,
        practice_approval: arguments.practice_approval,
        app_scheme: arguments.app_scheme,
        lenient: arguments.lenient,
        initial_access_token: arguments.initial_access_token,
        software_statement_keys,
        policy: arguments.policy,
        ..World::default()
    };
    if let Some(name) = &arguments.quirks {
        world.quirks = Quirks::shipped()?
            .remove(name)
            .ok_or_else(|| format!("there are no quirks {name}: satchel-mock quirks lists them"))?;
    }
    for name in &arguments.scenario {
        set_up(name, &mut world)?;
    }
    Ok(world)
}

fn tls_fault(name: &str) -> Result<TlsFault, String> {
    let known = TlsFault::ALL.iter().find(|(known, _)| *known == name);
    known
        .map(|(_, fault)| *fault)
        .ok_or_else(|| "known are expired, wrong-host, unknown-authority, tls-1.1-only".to_owned())
}

/// Names and what they mean, a line each.
fn list(all: Result<Vec<(String, String)>, String>) -> ExitCode {
    let mut out = std::io::stdout();
    let written = all.map_err(std::io::Error::other).and_then(|all| {
        all.iter()
            .try_for_each(|(name, about)| writeln!(out, "{name:<32}{about}"))
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Sets the world up for a scenario by name, or for all scenarios of a file.
fn set_up(name: &str, world: &mut World) -> Result<(), String> {
    let shipped = Scenario::shipped()?;
    if let Some(scenario) = shipped.iter().find(|one| one.name == name) {
        return scenario.apply(world);
    }
    if !Path::new(name).exists() {
        return Err(format!(
            "there is no scenario and no file {name}: satchel-mock scenarios lists them"
        ));
    }
    let text =
        std::fs::read_to_string(name).map_err(|error| format!("cannot read {name}: {error}"))?;
    let read = Scenario::read(&text).map_err(|error| format!("cannot read {name}: {error}"))?;
    read.iter().try_for_each(|scenario| scenario.apply(world))
}

fn leniency(name: &str) -> Result<Leniency, String> {
    let known = Leniency::ALL.iter().find(|(known, _)| *known == name);
    known.map(|(_, leniency)| *leniency).ok_or_else(|| {
        let names: Vec<&str> = Leniency::ALL.iter().map(|(name, _)| *name).collect();
        format!("known are {}", names.join(", "))
    })
}

/// The list in a JSON file, or that in its member `name`; empty without a file.
fn read_list(path: Option<&Path>, name: Option<&str>) -> Result<Vec<Value>, String> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let wrong = |reason: String| format!("cannot read {}: {reason}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let list = name.map_or(&value, |name| &value[name]);
    list.as_array()
        .cloned()
        .ok_or_else(|| wrong("it holds no list".to_owned()))
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
                "role": account.role,
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
