//! What was done with the records, and how to undo all of it.

use crate::output::Output;
use crate::passphrase;
use satchel_core::view::AccessLogView;
use satchel_core::{Engine, EngineOptions, Result};

pub(crate) async fn show(engine: &Engine, limit: u32, output: &Output) -> Result<()> {
    let entries = engine.access_log(limit).await?;
    output.answer(&entries, || entries.iter().map(line).collect());
    Ok(())
}

fn line(entry: &AccessLogView) -> String {
    let server = match (&entry.server_name, &entry.host) {
        (Some(name), Some(host)) if name != host => format!("{name} ({host})"),
        (Some(name), _) => name.clone(),
        (None, _) if entry.act.is_local() => "this computer".to_owned(),
        (None, _) => "all servers".to_owned(),
    };
    let mut line = format!("{}\t{server}\t{}", entry.at, entry.title);
    if entry.records > 0 {
        line.push_str(&format!("\t{} records", entry.records));
    }
    if !entry.resource_types.is_empty() {
        line.push_str(&format!("\t{}", entry.resource_types.join(", ")));
    }
    match &entry.problem {
        Some(problem) => line.push_str(&format!("\t{}", problem.message)),
        None if !entry.complete => line.push_str("\tnot all of it"),
        None => {}
    }
    line
}

pub(crate) async fn erase(options: EngineOptions, from_stdin: bool, output: &Output) -> Result<()> {
    let passphrase = passphrase::for_erasing(&options, from_stdin).await?;
    let report = Engine::erase(options, passphrase.as_ref()).await?;
    output.answer(&report, || {
        let mut lines = vec!["Everything was erased.".to_owned()];
        if report.unread {
            let untold = "It was locked or could not be read, so no server was told: switch access off in the portals, or let it lapse.";
            lines.push(untold.to_owned());
        }
        lines.extend(report.servers_not_told.iter().map(|server| {
            format!("{server} could not be told: switch access off in its portal, or let it lapse.")
        }));
        lines
    });
    Ok(())
}
