//! `satchel`: what the app does, without a window. Same engine, same views, same problems.

mod arguments;
mod bulk;
mod commands;
mod connect;
mod log;
mod lookup;
mod output;
mod passphrase;
mod people;
mod registration;
mod schedule;
mod servers;
mod trace;

use arguments::Arguments;
use clap::Parser;
use output::Output;
use satchel_core::attachments::{READ_DOCUMENT, read_document_here};
use std::process::ExitCode;

fn main() -> ExitCode {
    // The engine calls this program again to read a document apart from everything else.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == READ_DOCUMENT)
    {
        return read_document_here();
    }
    let (arguments, tracing) = trace::taken_apart(Arguments::parse());
    start_log();
    let output = Output::new(arguments.json);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the program could not start");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(&arguments, tracing.as_ref(), &output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            output.problem(&problem);
            ExitCode::from(problem.code.exit_code())
        }
    }
}

/// Warnings to standard error; more with `SATCHEL_LOG`. No health data, no secrets.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SATCHEL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
    if started.is_err() {
        tracing::debug!("a log was running already");
    }
}
