//! One function per command.

use crate::arguments::{Arguments, Command, KeysCommand, ListArguments};
use crate::bulk;
use crate::connect::{self, Connect, Server};
use crate::log;
use crate::lookup;
use crate::output::{Output, record_line, report_lines};
use crate::passphrase;
use crate::people;
use crate::registration;
use crate::schedule;
use crate::servers;
use crate::trace::{self, Tracing};
use satchel_core::view::{
    ConnectionView, RecordFilter, RecordSummaryView, Role, ScopePresetView, SyncReportView,
};
use satchel_core::{
    Engine, EngineOptions, ExportFormat, Problem, ProblemCode, RedirectKind, Result,
    default_data_dir,
};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};

const IDENTIFIER: &str = "org.satchel.desktop";
/// A callback is a URL of a few hundred characters.
const CALLBACK_LIMIT: u64 = 64 * 1024;

pub(crate) async fn run(
    arguments: &Arguments,
    tracing: Option<&Tracing>,
    output: &Output,
) -> Result<()> {
    if let Command::Problems = arguments.command {
        problems(output);
        return Ok(());
    }
    let mut options = options(arguments)?;
    let from_stdin = arguments.passphrase_stdin;
    if let Command::Erase { .. } = arguments.command {
        return log::erase(options, from_stdin, output).await;
    }
    if let Command::Passphrase { command } = &arguments.command {
        return passphrase::run(options, command.as_ref(), from_stdin, output).await;
    }
    options.trace = tracing.is_some();
    let engine = passphrase::open(options, from_stdin).await?;
    let work = dispatch(&engine, &arguments.command, output);
    let done = match tracing {
        Some(tracing) => trace::follow(tracing, &engine, work, output).await,
        None => work.await,
    };
    engine.close().await;
    done
}

async fn dispatch(engine: &Engine, command: &Command, output: &Output) -> Result<()> {
    match command {
        Command::Connect {
            fhir_base,
            role,
            redirect,
            scopes,
            no_browser,
            no_sync,
            agreed,
        } => {
            registration::hand_in(engine, fhir_base, (*role).into(), agreed).await?;
            let request = Connect {
                server: Server::Typed(fhir_base),
                role: (*role).into(),
                redirect: (*redirect).into(),
                preset: scopes.as_deref(),
                open_browser: !no_browser,
                sync: !no_sync,
            };
            connect::run(engine, &request, output).await
        }
        Command::Launch {
            link,
            yes,
            no_browser,
            no_sync,
        } => {
            let wanted = (*yes, !no_browser, !no_sync);
            launch(engine, link, wanted, output).await
        }
        Command::Scopes { fhir_base, role } => {
            scopes(engine, fhir_base, (*role).into(), output).await
        }
        Command::Access { connection } => access(engine, connection, output).await,
        Command::Callback => callback(engine, output).await,
        Command::Connections => connections(engine, output).await,
        Command::Sync { connection, due } => {
            sync(engine, connection.as_deref(), *due, output).await
        }
        Command::Schedule(wanted) => schedule::run(engine, wanted, output).await,
        Command::Bulk { command } => bulk::run(engine, command, output).await,
        Command::Import(import) => bulk::import(engine, import, output).await,
        Command::List(wanted) => list(engine, wanted, output).await,
        Command::Show { record, connection } => {
            show(engine, (record, connection.as_deref()), output).await
        }
        Command::People { command } => people::run(engine, command.as_ref(), output).await,
        Command::Apart(of) => people::group(engine, of.named(), true, output).await,
        Command::Together(of) => people::group(engine, of.named(), false, output).await,
        Command::Document { record, fetch } => {
            lookup::document(engine, record, *fetch, output).await
        }
        Command::DocumentLimit { megabytes } => {
            lookup::document_limit(engine, *megabytes, output).await
        }
        Command::Changes { connection } => {
            let id = connection_id(engine, connection).await?;
            lookup::changes(engine, &id, output).await
        }
        Command::Search { words } => lookup::search(engine, words, output).await,
        Command::Export {
            format,
            out,
            connection,
        } => {
            let id = optional_id(engine, connection.as_deref()).await?;
            export(engine, id.as_deref(), (*format).into(), out, output).await
        }
        Command::Registration { connection } => {
            let id = connection_id(engine, connection).await?;
            registration::show(engine, &id, output).await
        }
        Command::Keys(KeysCommand::Rotate { connection }) => {
            let id = connection_id(engine, connection).await?;
            registration::rotate(engine, &id, output).await
        }
        Command::Keys(KeysCommand::Public) => registration::public_keys(engine, output).await,
        Command::Remove {
            connection,
            sign_out,
        } => {
            let id = connection_id(engine, connection).await?;
            remove(engine, &id, *sign_out, output).await
        }
        Command::Patients(wanted) => {
            let id = connection_id(engine, &wanted.connection).await?;
            lookup::patients(engine, &id, wanted, output).await
        }
        Command::Log { limit } => log::show(engine, *limit, output).await,
        Command::Servers { command } => servers::run(engine, command, output).await,
        // The command that is traced stands in its place; the others need no engine.
        Command::Trace { .. }
        | Command::Problems
        | Command::Erase { .. }
        | Command::Passphrase { .. } => Ok(()),
    }
}

async fn list(engine: &Engine, wanted: &ListArguments, output: &Output) -> Result<()> {
    let filter = RecordFilter {
        connection_id: optional_id(engine, wanted.connection.as_deref()).await?,
        resource_type: wanted.resource_type.clone(),
        section: None,
    };
    if let Some(person) = &wanted.person {
        return people::records(engine, person, &filter, wanted.limit, output).await;
    }
    let page = engine.records_list(&filter, 0, wanted.limit).await?;
    output.answer(&page, || page.rows.iter().map(record_line).collect());
    Ok(())
}

async fn export(
    engine: &Engine,
    id: Option<&str>,
    format: ExportFormat,
    out: &Path,
    output: &Output,
) -> Result<()> {
    let report = engine.export(id, format, out).await?;
    let files = report.files.iter().map(|file| file.display().to_string());
    output.answer(&report, || files.collect());
    Ok(())
}

async fn remove(engine: &Engine, id: &str, sign_out: bool, output: &Output) -> Result<()> {
    let portal = match sign_out {
        true => engine.sign_out_address(id).await?,
        false => None,
    };
    engine.remove(id).await?;
    if let Some(address) = portal {
        connect::open_browser(&address, output);
    }
    output.answer(&json!({ "removed": id }), || vec!["Removed.".to_owned()]);
    Ok(())
}

fn options(arguments: &Arguments) -> Result<EngineOptions> {
    let profile: Option<PathBuf> = arguments
        .profile
        .clone()
        .or_else(|| default_data_dir().map(|data| data.join(IDENTIFIER)));
    let profile = profile.ok_or_else(|| {
        Problem::with_detail(ProblemCode::StoreFailed, "no home folder: use --profile")
    })?;
    let mut options = EngineOptions::new(profile);
    options.document_reader = std::env::current_exe().ok();
    if let Some(file) = &arguments.identity {
        options.identity = registration::identity(file)?;
    }
    if let Some(path) = &arguments.trust_certificate {
        let certificate = std::fs::read(path)
            .map_err(|error| Problem::with_detail(ProblemCode::NotTrusted, error))?;
        options.extra_root_certificates.push(certificate);
    }
    Ok(options)
}

async fn launch(
    engine: &Engine,
    link: &str,
    (yes, open_browser, sync): (bool, bool, bool),
    output: &Output,
) -> Result<()> {
    let link = match link {
        "-" => from_standard_input(ProblemCode::LaunchBadLink)?,
        link => link.to_owned(),
    };
    let request = Connect {
        server: Server::Launch { link: &link, yes },
        role: Role::Patient,
        redirect: RedirectKind::Loopback,
        preset: None,
        open_browser,
        sync,
    };
    connect::run(engine, &request, output).await
}

async fn scopes(engine: &Engine, fhir_base: &str, role: Role, output: &Output) -> Result<()> {
    let presets = engine.scope_presets(fhir_base, role).await?;
    let line = |preset: &ScopePresetView| {
        let (title, help, scopes) = (&preset.title, &preset.help, preset.scopes.join(" "));
        format!("{}\t{title}\n    {help}\n    {scopes}", preset.id)
    };
    output.answer(&presets, || presets.iter().map(line).collect());
    Ok(())
}

async fn access(engine: &Engine, connection: &str, output: &Output) -> Result<()> {
    let id = connection_id(engine, connection).await?;
    let told = engine.access_check(&id).await?;
    let words = match told.active {
        Some(true) => "Access is on.",
        Some(false) => "Access is off.",
        None => "The server does not say.",
    };
    output.answer(&told, || vec![words.to_owned()]);
    Ok(())
}

/// A link from standard input: it is a secret, and arguments can be read by others.
fn from_standard_input(otherwise: ProblemCode) -> Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(CALLBACK_LIMIT)
        .read_to_string(&mut text)
        .map_err(|error| Problem::with_detail(otherwise, error.kind()))?;
    Ok(text.trim().to_owned())
}

async fn callback(engine: &Engine, output: &Output) -> Result<()> {
    let link = from_standard_input(ProblemCode::LoginBadCallback)?;
    let id = engine.login_finish(&link).await?;
    let connection = engine.connection(&id).await?;
    output.answer(&connection, || vec![connection_line(&connection)]);
    Ok(())
}

async fn connections(engine: &Engine, output: &Output) -> Result<()> {
    let connections = engine.connections().await?;
    output.answer(&connections, || {
        connections.iter().map(connection_line).collect()
    });
    Ok(())
}

pub(crate) fn connection_line(connection: &ConnectionView) -> String {
    let state = serde_json::to_value(connection.state).ok();
    format!(
        "{}\t{}\t{}\t{}\t{} records\tas of {}",
        connection.id,
        connection.server_name,
        connection
            .patient_name
            .as_deref()
            .unwrap_or(match connection.role {
                Role::Backend => "all patients",
                Role::Patient | Role::Provider => "nobody yet",
            }),
        state
            .as_ref()
            .and_then(|state| state.as_str())
            .unwrap_or_default(),
        connection.record_count,
        connection.last_synced_at.as_deref().unwrap_or("never"),
    )
}

async fn sync(engine: &Engine, connection: Option<&str>, due: bool, output: &Output) -> Result<()> {
    // Connections that were removed while their server could not be reached.
    engine.revocations_retry().await?;
    if due {
        return schedule::sync_due(engine, output).await;
    }
    let ids = match connection {
        Some(beginning) => vec![connection_id(engine, beginning).await?],
        None => engine
            .connections()
            .await?
            .into_iter()
            .filter(|connection| !connection.imported)
            .map(|connection| connection.id)
            .collect(),
    };
    let mut reports = Vec::new();
    for id in ids {
        reports.push(sync_one(engine, &id, output).await?);
    }
    output.answer(&reports, || reports.iter().flat_map(report_lines).collect());
    failed(&reports)
}

/// Pulls one chart, with progress on standard error.
pub(crate) async fn sync_one(engine: &Engine, id: &str, output: &Output) -> Result<SyncReportView> {
    let mut events = engine.subscribe();
    let syncing = engine.sync(id);
    tokio::pin!(syncing);
    let report = loop {
        tokio::select! {
            report = &mut syncing => break report,
            Ok(event) = events.recv() => output.progress(&event),
            _ = tokio::signal::ctrl_c() => engine.sync_cancel(id),
        }
    };
    output.end_progress();
    report
}

/// A sync that was stopped as a whole ends the command with that problem's exit code.
pub(crate) fn failed(reports: &[SyncReportView]) -> Result<()> {
    let stopped = reports.iter().find_map(|report| report.problem.as_ref());
    let Some(view) = stopped else {
        return Ok(());
    };
    let code = ProblemCode::ALL
        .iter()
        .find(|code| code.code() == view.code);
    Err(Problem {
        code: *code.unwrap_or(&ProblemCode::Internal),
        detail: view.detail.clone(),
    })
}

async fn show(
    engine: &Engine,
    (record, connection): (&str, Option<&str>),
    output: &Output,
) -> Result<()> {
    let detail = people::record_of(engine, record, connection).await?;
    output.answer(&detail, || {
        let row = &detail.summary;
        let mut lines = vec![row.title.clone()];
        lines.extend(row.subtitle.clone());
        lines.extend(
            row.date
                .as_ref()
                .map(|date| format!("Date: {}", date.value)),
        );
        lines.extend(
            row.status
                .as_ref()
                .map(|status| format!("Status: {status}")),
        );
        lines.extend(row.value.as_ref().map(|value| format!("Value: {value}")));
        lines.extend(
            row.range
                .as_ref()
                .map(|range| format!("Reference range: {range}")),
        );
        lines.push(format!(
            "From: {}, fetched {}",
            row.source, detail.fetched_at
        ));
        let originals = &detail.originals;
        let others = originals.same.iter().filter(|one| one.key != row.key);
        lines.extend(others.map(|one| format!("Also from: {}", named(one))));
        let apart = originals.apart.iter();
        lines.extend(apart.map(|one| format!("Kept apart from: {}", named(one))));
        lines.push(detail.json.clone());
        lines
    });
    Ok(())
}

fn named(record: &RecordSummaryView) -> String {
    let key = &record.key;
    format!("{}, {}/{}", record.source, key.resource_type, key.id)
}

async fn optional_id(engine: &Engine, beginning: Option<&str>) -> Result<Option<String>> {
    match beginning {
        Some(beginning) => connection_id(engine, beginning).await.map(Some),
        None => Ok(None),
    }
}

/// The one connection whose identifier begins like this.
pub(crate) async fn connection_id(engine: &Engine, beginning: &str) -> Result<String> {
    let connections = engine.connections().await?;
    let mut fitting = connections
        .iter()
        .filter(|connection| connection.id.starts_with(beginning));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one.id.clone()),
        (Some(_), Some(_)) => Err(Problem::with_detail(
            ProblemCode::NotFound,
            "several connections begin like this",
        )),
        (None, _) => Err(Problem::new(ProblemCode::NotFound)),
    }
}

fn problems(output: &Output) {
    let all: Vec<_> = ProblemCode::ALL
        .iter()
        .map(|code| {
            json!({"code": code.code(), "exitCode": code.exit_code(), "message": code.message(), "advice": code.advice()})
        })
        .collect();
    output.answer(&all, || {
        ProblemCode::ALL
            .iter()
            .map(|code| format!("{}\t{}\t{}", code.exit_code(), code.code(), code.message()))
            .collect()
    });
}
