//! `satchel bulk` and `satchel import`: exports of many people's records, and files of them.

use crate::commands::connection_id;
use crate::output::Output;
use clap::{Args, Subcommand, ValueEnum};
use satchel_core::view::{BulkJobView, BulkReportView, BulkState};
use satchel_core::{BulkLevel, BulkOptions, BulkSince, Engine, Problem, ProblemCode, Result};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum BulkCommand {
    /// Ask for an export, wait for it, and fetch its files
    Start(Box<Start>),
    /// List the exports with how far they are, or show one
    Status {
        /// Identifier of an export; its beginning is enough
        job: Option<String>,
    },
    /// Go on with an export that was interrupted
    Resume {
        /// Identifier of an export; its beginning is enough
        job: String,
    },
    /// Cancel an export, here and at the server; what was fetched stays
    Cancel {
        /// Identifier of an export; its beginning is enough
        job: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Level {
    System,
    Patient,
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Identifier of a connection; its beginning is enough
    connection: String,
    /// Everything, or all patients; what the server offers, if it is not said
    #[arg(long, value_enum, conflicts_with = "group")]
    level: Option<Level>,
    /// The members of this group, by its id
    #[arg(long, value_name = "ID")]
    group: Option<String>,
    /// Only these FHIR types
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    /// A search that narrows one type, such as Observation?category=laboratory
    #[arg(long, value_name = "SEARCH")]
    type_filter: Vec<String>,
    /// Only these elements
    #[arg(long, value_name = "ELEMENT", value_delimiter = ',')]
    elements: Vec<String>,
    /// Only these patients, by id
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    patient: Vec<String>,
    /// Only what changed since this instant; otherwise since the last export of the same kind
    #[arg(long, value_name = "INSTANT", conflicts_with = "full")]
    since: Option<String>,
    /// Everything, whenever it changed
    #[arg(long)]
    full: bool,
    /// Only what changed before this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// Related data to include (includeAssociatedData)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    associated_data: Vec<String>,
    /// Format to ask for; NDJSON, if it is not said
    #[arg(long, value_name = "FORMAT")]
    output_format: Option<String>,
    /// Have the files organised by this type (organizeOutputBy)
    #[arg(long, value_name = "TYPE")]
    organize_by: Option<String>,
    /// Take files before all are made (allowPartialManifests)
    #[arg(long)]
    partial_manifests: bool,
    /// Let the server leave out what it does not know
    #[arg(long)]
    lenient: bool,
    /// Have the state of the export told apart from that of the request
    #[arg(long)]
    separate_status: bool,
    /// Send the values of lists one by one, as version 4 of the standard has it
    #[arg(long)]
    repeat_lists: bool,
    /// Leave out this parameter, as after bulk.parameter_refused
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    without: Vec<String>,
    /// Do not fetch the contents of documents
    #[arg(long)]
    no_attachments: bool,
    /// Only ask for it; `satchel bulk resume` fetches it
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Files with one FHIR resource in each line, compressed by gzip or not
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Under which name the records are listed
    #[arg(long, value_name = "NAME", default_value = "Imported files")]
    source: String,
}

pub(crate) async fn run(engine: &Engine, command: &BulkCommand, output: &Output) -> Result<()> {
    match command {
        BulkCommand::Start(start) => {
            let id = connection_id(engine, &start.connection).await?;
            let job = engine.bulk_start(&id, &options(start)).await?;
            if start.no_wait {
                output.answer(&job, || job_lines(&job));
                return Ok(());
            }
            output.note(&format!("Export {} was asked for.", job.id));
            follow(engine, &job.id, &id, output).await
        }
        BulkCommand::Status { job: None } => {
            let jobs = engine.bulk_jobs(None).await?;
            output.answer(&jobs, || jobs.iter().map(job_line).collect());
            Ok(())
        }
        BulkCommand::Status { job: Some(job) } => {
            let job = find(engine, job).await?;
            output.answer(&job, || job_lines(&job));
            Ok(())
        }
        BulkCommand::Resume { job } => {
            let job = find(engine, job).await?;
            follow(engine, &job.id, &job.connection_id, output).await
        }
        BulkCommand::Cancel { job } => {
            let job = find(engine, job).await?;
            let job = engine.bulk_cancel(&job.id).await?;
            output.answer(&job, || job_lines(&job));
            Ok(())
        }
    }
}

fn options(start: &Start) -> BulkOptions {
    let level = start.level.map(|level| match level {
        Level::System => BulkLevel::System,
        Level::Patient => BulkLevel::Patient,
    });
    BulkOptions {
        level: level.or_else(|| start.group.clone().map(BulkLevel::Group)),
        since: match (&start.since, start.full) {
            (Some(since), _) => BulkSince::At(since.clone()),
            (None, true) => BulkSince::Beginning,
            (None, false) => BulkSince::Last,
        },
        until: start.until.clone(),
        types: start.types.clone(),
        type_filters: start.type_filter.clone(),
        elements: start.elements.clone(),
        patients: start.patient.clone(),
        associated_data: start.associated_data.clone(),
        output_format: start.output_format.clone(),
        organize_by: start.organize_by.clone(),
        partial_manifests: start.partial_manifests,
        lenient: start.lenient,
        separate_status: start.separate_status,
        repeat_lists: start.repeat_lists,
        without: start.without.clone(),
        no_attachments: start.no_attachments,
    }
}

/// Follows an export with progress on standard error; Ctrl+C leaves it for later.
async fn follow(engine: &Engine, job: &str, connection: &str, output: &Output) -> Result<()> {
    let mut events = engine.subscribe();
    let following = engine.bulk_resume(job);
    tokio::pin!(following);
    let job = loop {
        tokio::select! {
            job = &mut following => break job,
            Ok(event) = events.recv() => output.progress(&event),
            _ = tokio::signal::ctrl_c() => engine.sync_cancel(connection),
        }
    };
    output.end_progress();
    let job = job?;
    output.answer(&job, || job_lines(&job));
    match job.state {
        BulkState::Partial => Err(Problem::new(ProblemCode::BulkIncomplete)),
        BulkState::Cancelled => Err(Problem::new(ProblemCode::SyncCancelled)),
        BulkState::Failed => Err(problem_of(&job)),
        BulkState::Done | BulkState::Exporting | BulkState::Downloading => Ok(()),
    }
}

fn problem_of(job: &BulkJobView) -> Problem {
    let view = job.problem.as_ref();
    let known = ProblemCode::ALL.iter();
    let code = view.and_then(|view| known.clone().find(|code| code.code() == view.code));
    Problem {
        code: *code.unwrap_or(&ProblemCode::BulkFailed),
        detail: view.and_then(|view| view.detail.clone()),
    }
}

async fn find(engine: &Engine, beginning: &str) -> Result<BulkJobView> {
    let jobs = engine.bulk_jobs(None).await?;
    let mut fitting = jobs.into_iter().filter(|job| job.id.starts_with(beginning));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            let detail = "several exports begin like this";
            Err(Problem::with_detail(ProblemCode::NotFound, detail))
        }
        (None, _) => Err(Problem::new(ProblemCode::NotFound)),
    }
}

/// `satchel import`.
pub(crate) async fn import(engine: &Engine, import: &Import, output: &Output) -> Result<()> {
    let report = engine.import_ndjson(&import.files, &import.source).await?;
    output.answer(&report, || report_lines(&report.report));
    if report.complete {
        Ok(())
    } else {
        Err(Problem::new(ProblemCode::BulkIncomplete))
    }
}

fn state_word(state: BulkState) -> &'static str {
    match state {
        BulkState::Exporting => "being made",
        BulkState::Downloading => "being fetched",
        BulkState::Done => "complete",
        BulkState::Partial => "not complete",
        BulkState::Failed => "failed",
        BulkState::Cancelled => "cancelled",
    }
}

fn job_line(job: &BulkJobView) -> String {
    let records: u64 = job.report.types.iter().map(|one| one.received).sum();
    let since = job.since.as_deref().unwrap_or("the beginning");
    format!(
        "{}\t{}\t{}\tsince {since}\t{records} records\t{}",
        job.id,
        job.level,
        state_word(job.state),
        job.progress.as_deref().unwrap_or_default()
    )
}

fn job_lines(job: &BulkJobView) -> Vec<String> {
    let mut lines = vec![job_line(job)];
    lines.extend(report_lines(&job.report));
    if let Some(problem) = &job.problem {
        lines.push(problem.message.clone());
    }
    lines
}

fn report_lines(report: &BulkReportView) -> Vec<String> {
    let of_type = report.types.iter().map(|one| {
        format!(
            "  {}\t{} received\t{} new\t{} changed\t{} left as they were",
            one.resource_type,
            one.received,
            one.new_records,
            one.changed_records,
            one.left_as_they_were
        )
    });
    let mut lines: Vec<String> = of_type.collect();
    let mut count = |number: u64, what: &str| {
        if number > 0 {
            lines.push(format!("  {number} {what}"));
        }
    };
    count(report.deleted_records, "deleted at the source");
    count(report.attachments, "contents of documents");
    count(report.attachments_missing, "contents of documents missing");
    count(report.failed_files, "files missing");
    count(report.error_count, "errors");
    lines.extend(report.errors.iter().map(|error| match error.line {
        Some(line) => format!("  {} line {line}: {}", error.file, error.reason),
        None => format!("  {}: {}", error.file, error.reason),
    }));
    lines.extend(report.outcomes.iter().map(|outcome| {
        let (severity, code, text) = (&outcome.severity, &outcome.code, &outcome.text);
        format!("  the server says: {severity} {code}: {text}")
    }));
    lines.extend(report.warnings.iter().map(|warning| format!("  {warning}")));
    lines
}
