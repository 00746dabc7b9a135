//! Following an export: part by part, poll, files, delete.

use super::job::{Job, Part};
use super::parts::{file_row, files_of, plan_members};
use super::report;
use super::write::{Wants, Writer};
use crate::access_log::LogEntry;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{AccessAct, BulkState, Event, Role, SyncProgressView};
use satchel_smart::bulk::{
    Backoff, BulkClient, BulkError, ExportJob, ExportLevel, ExportStatus, Manifest,
};
use satchel_smart::secret::SecretString;
use satchel_store::{BulkFileRow, StoreError};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// So often in a row the state cannot be told; then the export is left for later.
const PATIENCE: u32 = 60;
/// So often in a row the server cannot be reached.
const UNREACHABLE: u32 = 3;
/// Pages of a manifest.
const PAGES: usize = 10_000;

/// One export that is being followed.
pub(super) struct Follow {
    pub(super) engine: Engine,
    pub(super) client: BulkClient,
    pub(super) connection_id: String,
    pub(super) fhir_base: String,
    pub(super) writer: Writer,
    pub(super) job: Mutex<Job>,
    /// Records so far, for the progress.
    pub(super) records: AtomicU64,
    /// The manifest was read a second time (checklist F17: once).
    pub(super) reread: Mutex<bool>,
}

impl Follow {
    pub(super) async fn run(engine: &Engine, mut job: Job) -> Result<()> {
        loop {
            let follow = Self::of(engine, job).await?;
            match follow.part().await {
                Ok(()) => match follow.next_part().await? {
                    Some(next) => job = next,
                    None => return Ok(()),
                },
                Err(problem) if ends_it(problem.code) => {
                    return give_up(engine, follow.job.into_inner(), &problem).await;
                }
                Err(problem) => return Err(problem),
            }
        }
    }

    async fn of(engine: &Engine, job: Job) -> Result<Self> {
        let connection = engine.connection_row(&job.row.connection_id).await?;
        let part = job.detail.parts.get(job.detail.part);
        let (part, request) =
            part.ok_or_else(|| Problem::with_detail(ProblemCode::StoreBroken, "no such part"))?;
        let patient = match Role::parse(&connection.role) {
            Role::Patient => connection.patient_id.clone(),
            Role::Provider | Role::Backend => None,
        };
        let writer = Writer {
            engine: engine.clone(),
            connection_id: connection.id.clone(),
            wants: Wants {
                patient,
                only_members: *part == Part::Members,
                is_group: matches!(request.level, ExportLevel::Group(_)),
            },
        };
        Ok(Self {
            engine: engine.clone(),
            client: engine.bulk_client(&connection)?,
            connection_id: connection.id,
            fhir_base: connection.fhir_base,
            writer,
            job: Mutex::new(job),
            records: AtomicU64::new(0),
            reread: Mutex::default(),
        })
    }

    /// From the kick-off to the last file.
    async fn part(&self) -> Result<()> {
        if self.job.lock().await.at_server().is_none() {
            let mut job = self.job.lock().await;
            let started = self
                .engine
                .kick_off(&self.client, &self.connection_id, &mut job.detail);
            let started = started.await?;
            job.row.status_url = Some(started.status_url.expose().to_string());
            self.keep(&job).await?;
        }
        if self.job.lock().await.state() == BulkState::Exporting {
            self.wait().await?;
        }
        self.fetch_files().await
    }

    async fn keep(&self, job: &Job) -> Result<()> {
        let row = job.to_row(self.engine.now())?;
        kept(self.engine.inner.store.bulk_job_update(&row).await)
    }

    /// Polls until the manifest is there, page by page (checklist F22).
    async fn wait(&self) -> Result<()> {
        let Some(first) = self.job.lock().await.at_server() else {
            return Err(Problem::new(ProblemCode::BulkGone));
        };
        let mut at = first;
        let mut seen = HashSet::new();
        loop {
            let manifest = self.manifest(&at).await?;
            let next = manifest.next.clone();
            self.take_manifest(&manifest, next.is_none()).await?;
            let Some(next) = next else {
                return Ok(());
            };
            if !seen.insert(next.clone()) || seen.len() > PAGES {
                let error = BulkError::BadManifest("its links go round in a circle");
                return Err(error.into());
            }
            // What is there already is fetched while the rest is made.
            self.fetch_files().await?;
            at.status_url = next;
        }
    }

    /// Polls at one address until there is a manifest.
    pub(super) async fn manifest(&self, at: &ExportJob) -> Result<Manifest> {
        let mut backoff = Backoff::default();
        let (mut unknown, mut unreachable) = (0, 0);
        loop {
            let wait = match self.poll(at).await {
                Ok(ExportStatus::Complete(manifest)) => return Ok(*manifest),
                Ok(ExportStatus::Running {
                    progress,
                    retry_after,
                    partial,
                }) => {
                    (unknown, unreachable) = (0, 0);
                    self.show(progress).await?;
                    if let Some(partial) = partial {
                        self.take_manifest(&partial, false).await?;
                        self.fetch_files().await?;
                    }
                    backoff.wait(retry_after, false)
                }
                Ok(ExportStatus::AskAgain {
                    retry_after,
                    too_often,
                }) => {
                    unknown += 1;
                    if unknown > PATIENCE {
                        return Err(Problem::new(ProblemCode::ServerBusy));
                    }
                    backoff.wait(retry_after, too_often)
                }
                Err(problem) if problem.code.can_retry() && is_network(problem.code) => {
                    unreachable += 1;
                    if unreachable > UNREACHABLE {
                        return Err(problem);
                    }
                    backoff.wait(None, false)
                }
                Err(problem) => return Err(problem),
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn poll(&self, at: &ExportJob) -> Result<ExportStatus> {
        let token = self.token().await?;
        match self.client.poll(at, &token).await {
            Err(BulkError::Unauthorized) => {
                let token = self
                    .engine
                    .replace_token(&self.connection_id, &token)
                    .await?;
                Ok(self.client.poll(at, &token).await?)
            }
            Err(BulkError::Truncated) => Err(Problem::new(ProblemCode::Unreachable)),
            answer => Ok(answer?),
        }
    }

    pub(super) async fn token(&self) -> Result<SecretString> {
        self.engine.access_token(&self.connection_id).await
    }

    async fn show(&self, progress: Option<String>) -> Result<()> {
        let mut job = self.job.lock().await;
        job.detail.progress = progress;
        self.keep(&job).await?;
        let step = job.detail.progress.clone();
        self.announce(
            step.unwrap_or_else(|| "The server makes the export".to_owned()),
            0,
            1,
        );
        Ok(())
    }

    pub(super) fn announce(&self, step: String, done: usize, total: usize) {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (steps_done, steps_total) = (number(done), number(total));
        self.engine.emit(Event::SyncProgress(SyncProgressView {
            connection_id: self.connection_id.clone(),
            step,
            steps_done,
            steps_total,
            records: self.records.load(Ordering::Relaxed),
            fraction: f64::from(steps_done) / f64::from(steps_total.max(1)),
        }));
    }

    /// Writes down the files of a manifest, those that are not known yet.
    async fn take_manifest(&self, manifest: &Manifest, is_last: bool) -> Result<()> {
        let store = &self.engine.inner.store;
        let mut job = self.job.lock().await;
        let known = store.bulk_files_get(&job.row.id).await?;
        let urls: HashSet<&str> = known.iter().map(|file| file.url.as_str()).collect();
        let mut position = i64::try_from(known.len()).unwrap_or(i64::MAX);
        let mut rows = Vec::new();
        for (kind, file) in files_of(manifest) {
            let row = file_row(kind, file, position);
            if !urls.contains(row.url.as_str()) {
                rows.push(row);
                position += 1;
            }
        }
        let detail = &mut job.detail;
        detail.token = manifest.token;
        detail.organized = manifest.organized_by.is_some();
        let warnings = crate::view::BulkReportView {
            warnings: manifest.warnings.clone(),
            ..Default::default()
        };
        report::add(&mut detail.report, warnings);
        let is_main = matches!(detail.parts.get(detail.part), Some((Part::Main, _)));
        // The first page's time: whatever changed later comes with the next export.
        if is_main && job.row.transaction_time.is_none() {
            job.row.transaction_time = Some(manifest.transaction_time.clone());
        }
        if is_last {
            job.row.state = "downloading".to_owned();
            job.detail.progress = None;
        }
        let row = job.to_row(self.engine.now())?;
        kept(store.bulk_files_put(&row, &rows).await)
    }

    /// The part is at its end: its files are summed up and forgotten, the server is told, and the next
    /// part, if there is one, can begin.
    async fn next_part(self) -> Result<Option<Job>> {
        let store = self.engine.inner.store.clone();
        let mut job = self.job.into_inner();
        let at_server = job.at_server();
        let mut patients = Vec::new();
        for file in store.bulk_files_get(&job.row.id).await? {
            let read = file.report.as_deref();
            let read = read.and_then(|json| serde_json::from_str::<report::FileReport>(json).ok());
            let mut read = read.unwrap_or_default();
            patients.append(&mut read.patients);
            if self.writer.wants.only_members {
                read.report.types.clear();
            }
            report::add(&mut job.detail.report, read.report);
        }
        patients.sort_unstable();
        patients.dedup();
        plan_members(&mut job, patients);
        let is_last = job.detail.part + 1 >= job.detail.parts.len();
        job.row.status_url = None;
        // Nothing is called done before it is found by its words.
        self.engine
            .read_documents(&self.connection_id, &self.fhir_base)
            .await?;
        job.row.state = match (is_last, report::is_whole(&job.detail.report)) {
            (false, _) => "exporting",
            (true, true) => "done",
            (true, false) => "partial",
        }
        .to_owned();
        if !is_last {
            job.detail.part += 1;
        }
        let row = job.to_row(self.engine.now())?;
        kept(store.bulk_job_end(&row).await)?;
        if is_last {
            self.engine.note_export(&row).await?;
            log_export(&self.engine, &job, Ok(())).await;
        }
        if let Some(at_server) = at_server {
            let told = self
                .engine
                .tell_not_needed(&self.connection_id, &at_server)
                .await;
            if let Err(problem) = told {
                tracing::info!(
                    code = problem.code.code(),
                    "the server could not be told that an export was fetched"
                );
            }
        }
        Ok((!is_last).then_some(job))
    }
}

/// An export that is no longer as it was: somebody cancelled it, here or in another process.
pub(super) fn kept(done: std::result::Result<(), StoreError>) -> Result<()> {
    match done {
        Err(StoreError::StateChanged) => Err(Problem::new(ProblemCode::SyncCancelled)),
        done => Ok(done?),
    }
}

pub(super) fn is_network(code: ProblemCode) -> bool {
    matches!(code, ProblemCode::Unreachable | ProblemCode::TimedOut)
}

/// What no later attempt can change about this export.
fn ends_it(code: ProblemCode) -> bool {
    use ProblemCode as P;
    matches!(
        code,
        P::BulkFailed
            | P::BulkGone
            | P::BulkBadAnswer
            | P::BulkNotOffered
            | P::BulkParameter
            | P::NotShared
    )
}

async fn give_up(engine: &Engine, mut job: Job, problem: &Problem) -> Result<()> {
    let code = problem.code.code().to_owned();
    job.detail.problem = Some((code, problem.detail.clone()));
    job.row.state = "failed".to_owned();
    let at_server = job.at_server();
    job.row.status_url = None;
    let store = &engine.inner.store;
    for file in store.bulk_files_get(&job.row.id).await? {
        let read = file.report.as_deref();
        let read = read.and_then(|json| serde_json::from_str::<report::FileReport>(json).ok());
        let read = read.map(|file| file.report).unwrap_or_default();
        report::add(&mut job.detail.report, read);
    }
    kept(store.bulk_job_end(&job.to_row(engine.now())?).await)?;
    log_export(engine, &job, Err(problem.clone())).await;
    if let (Some(at_server), true) = (at_server, problem.code != ProblemCode::BulkGone) {
        let told = engine.tell_not_needed(&job.row.connection_id, &at_server);
        if told.await.is_err() {
            tracing::info!("the server could not be told that an export is not needed");
        }
    }
    Ok(())
}

/// An export that ended is in the access log like a sync (checklist H14).
async fn log_export(engine: &Engine, job: &Job, end: Result<()>) {
    if let Ok(row) = engine.connection_row(&job.row.connection_id).await {
        let report = &job.detail.report;
        let entry = LogEntry::at(&row, AccessAct::Synced)
            .records(report::received(report))
            .ended(&end)
            .whole(report::is_whole(report));
        engine.log_access(entry).await;
    }
}

/// What the progress says while files are fetched.
pub(super) fn step_of(file: &BulkFileRow) -> String {
    let kind = file.resource_type.as_deref().unwrap_or_default();
    crate::sync::report::step_name(kind).to_owned()
}
