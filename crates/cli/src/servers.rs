//! `satchel servers`: directories of servers, and the search in them.

use crate::output::Output;
use clap::Subcommand;
use satchel_core::view::{DirectoryView, ServerView};
use satchel_core::{Engine, Result};
use serde_json::json;
use std::path::Path;

#[derive(Debug, Subcommand)]
pub(crate) enum ServersCommand {
    /// Import a list of servers (a User-access Brands bundle) from a file or URL
    Import {
        /// A file, or an address that begins with https://
        source: String,
    },
    /// Search the servers known by name and those of the imported lists
    Search {
        /// Words of the name, place, postal code or portal address; nothing lists those known by name
        words: Vec<String>,
    },
    /// Say that a server whose sign-in moved to another address is still the right one
    AcceptMove {
        /// FHIR base URL of the server
        fhir_base: String,
    },
    /// List the imported lists
    Lists,
    /// Forget an imported list; connections stay
    Forget {
        /// Identifier of a list
        list: String,
    },
}

pub(crate) async fn run(engine: &Engine, command: &ServersCommand, output: &Output) -> Result<()> {
    match command {
        ServersCommand::Import { source } => {
            let directory = if source.contains("://") {
                engine.directory_import_url(source).await?
            } else {
                engine.directory_import_file(Path::new(source)).await?
            };
            output.answer(&directory, || vec![directory_line(&directory)]);
        }
        ServersCommand::Search { words } => {
            let found = engine.servers_search(&words.join(" ")).await?;
            output.answer(&found, || found.iter().map(server_line).collect());
        }
        ServersCommand::AcceptMove { fhir_base } => {
            engine.server_accept_move(fhir_base).await?;
            output.answer(&json!({ "accepted": fhir_base }), || {
                vec!["Accepted.".to_owned()]
            });
        }
        ServersCommand::Lists => {
            let directories = engine.directories().await?;
            output.answer(&directories, || {
                directories.iter().map(directory_line).collect()
            });
        }
        ServersCommand::Forget { list } => {
            engine.directory_remove(list).await?;
            output.answer(&json!({ "forgotten": list }), || {
                vec!["Forgotten.".to_owned()]
            });
        }
    }
    Ok(())
}

fn server_line(server: &ServerView) -> String {
    let place = server.place.as_deref().unwrap_or_default();
    let portal = server.portal.as_deref().unwrap_or_default();
    format!("{}\t{}\t{place}\t{portal}", server.fhir_base, server.name)
}

fn directory_line(directory: &DirectoryView) -> String {
    let mut line = format!(
        "{}\t{}\t{} servers\t{} left out",
        directory.id, directory.source, directory.servers, directory.skipped
    );
    for reason in &directory.reasons {
        line.push_str(&format!("\t{} {}", reason.reason, reason.count));
    }
    line
}
