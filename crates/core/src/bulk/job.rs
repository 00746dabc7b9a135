//! An export as it is written down, listed and cancelled.

use super::follow::Follow;
use super::report;
use crate::engine::{Engine, lock};
use crate::lockfile;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{BulkJobView, BulkReportView, BulkState, Event};
use satchel_smart::bulk::{CapabilityUrl, ExportJob, ExportLevel, ExportRequest, TokenRule};
use satchel_store::{BulkFileRow, BulkJobRow};
use serde::{Deserialize, Serialize};

/// How long a server is waited for that is to throw an export away.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// A part of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Part {
    /// Who is in the group.
    Members,
    /// Everything of those who are new in it.
    NewMembers,
    /// What was asked for.
    Main,
}

/// What is known of an export beside its columns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Detail {
    pub(super) parts: Vec<(Part, ExportRequest)>,
    /// The part that is under way.
    pub(super) part: usize,
    pub(super) separate_status: bool,
    pub(super) token: TokenRule,
    pub(super) organized: bool,
    pub(super) attachments: bool,
    pub(super) progress: Option<String>,
    /// The group's members at the last export of this scope, where they are known.
    pub(super) members_before: Option<Vec<String>>,
    /// The group's members now.
    pub(super) members: Option<Vec<String>>,
    pub(super) report: BulkReportView,
    /// Code and technical detail of the problem that ended it.
    pub(super) problem: Option<(String, Option<String>)>,
}

/// An export.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) row: BulkJobRow,
    pub(super) detail: Detail,
}

impl Job {
    pub(super) fn read(row: BulkJobRow) -> Result<Self> {
        let detail = serde_json::from_str(&row.detail)
            .map_err(|error| Problem::with_detail(ProblemCode::StoreBroken, error))?;
        Ok(Self { row, detail })
    }

    /// The row, with what is known written into it.
    pub(super) fn to_row(&self, now: jiff::Timestamp) -> Result<BulkJobRow> {
        let mut row = self.row.clone();
        row.detail = serde_json::to_string(&self.detail)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        row.changed_at = now.to_string();
        Ok(row)
    }

    pub(super) fn state(&self) -> BulkState {
        match self.row.state.as_str() {
            "exporting" => BulkState::Exporting,
            "downloading" => BulkState::Downloading,
            "done" => BulkState::Done,
            "partial" => BulkState::Partial,
            "cancelled" => BulkState::Cancelled,
            _ => BulkState::Failed,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state(), BulkState::Exporting | BulkState::Downloading)
    }

    pub(super) fn at_server(&self) -> Option<ExportJob> {
        let status_url = self.row.status_url.as_deref()?;
        Some(ExportJob {
            status_url: CapabilityUrl::parse(status_url)?,
            separate_status: self.detail.separate_status,
        })
    }

    fn main(&self) -> Option<&ExportRequest> {
        self.detail.parts.last().map(|(_, request)| request)
    }

    fn view(&self, files: &[BulkFileRow]) -> BulkJobView {
        let mut sum = self.detail.report.clone();
        for file in files {
            let read = file.report.as_deref();
            let read = read.and_then(|json| serde_json::from_str::<report::FileReport>(json).ok());
            report::add(&mut sum, read.map(|file| file.report).unwrap_or_default());
        }
        let problem = self.detail.problem.as_ref().map(|(code, detail)| {
            let code = ProblemCode::ALL.iter().find(|known| known.code() == code);
            let code = *code.unwrap_or(&ProblemCode::Internal);
            let detail = detail.clone();
            Problem { code, detail }.view()
        });
        let level = self.main().map(|request| match &request.level {
            ExportLevel::System => "system".to_owned(),
            ExportLevel::Patient => "patient".to_owned(),
            ExportLevel::Group(id) => format!("group {id}"),
        });
        let since = self.main().and_then(|request| request.since.as_ref());
        let done = files.iter().filter(|file| file.state != "waiting").count();
        BulkJobView {
            id: self.row.id.clone(),
            connection_id: self.row.connection_id.clone(),
            state: self.state(),
            complete: self.state() == BulkState::Done,
            level: level.unwrap_or_default(),
            since: since.map(|since| since.as_str().to_owned()),
            progress: self.detail.progress.clone(),
            files_done: done as u64,
            files_total: files.len() as u64,
            report: sum,
            problem,
            started_at: self.row.created_at.clone(),
            changed_at: self.row.changed_at.clone(),
        }
    }
}

impl Engine {
    pub(super) async fn job(&self, id: &str) -> Result<Job> {
        let row = self.inner.store.bulk_job_get(id).await?;
        Job::read(row.ok_or_else(|| Problem::new(ProblemCode::NotFound))?)
    }

    pub(super) async fn job_view(&self, id: &str) -> Result<BulkJobView> {
        let job = self.job(id).await?;
        let files = self.inner.store.bulk_files_get(id).await?;
        Ok(job.view(&files))
    }

    /// What was stored goes to the disk, and "as of" moves on where all of it came.
    pub(super) async fn note_export(&self, row: &BulkJobRow) -> Result<()> {
        let before = self.connection_row(&row.connection_id).await?.last_sync;
        let now = self.now().to_string();
        let as_of = (row.state == "done").then_some(now.as_str());
        let report = before.unwrap_or_default();
        let store = &self.inner.store;
        store
            .sync_finished(&row.connection_id, as_of, &report)
            .await?;
        Ok(())
    }

    /// The exports of one connection or of all, the newest first.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn bulk_jobs(&self, connection_id: Option<&str>) -> Result<Vec<BulkJobView>> {
        let mut views = Vec::new();
        for row in self.inner.store.bulk_jobs_list(connection_id).await? {
            let files = self.inner.store.bulk_files_get(&row.id).await?;
            views.push(Job::read(row)?.view(&files));
        }
        Ok(views)
    }

    /// Follows an export to its end, from wherever it is: what was fetched before is not fetched again.
    /// Of one that is at its end already, gives the report.
    ///
    /// # Errors
    /// What stops it for now (`network.*`, `access.*`, `sync.server_busy`, `store.*`), after which it can
    /// be resumed. What ends it for good is in the view, and so is what is missing.
    pub async fn bulk_resume(&self, job_id: &str) -> Result<BulkJobView> {
        let work = self.follow_job(job_id);
        self.traced(TraceKind::Bulk, problem_of, work).await
    }

    async fn follow_job(&self, job_id: &str) -> Result<BulkJobView> {
        let job = self.job(job_id).await?;
        if !job.is_open() {
            return self.job_view(job_id).await;
        }
        let id = job.row.connection_id.clone();
        let path = self.inner.profile_dir.join(format!("sync-{id}.lock"));
        let busy = || Problem::new(ProblemCode::AlreadySyncing);
        let _between_processes = lockfile::try_lock(&path)?.ok_or_else(busy)?;
        let cancel = std::sync::Arc::new(tokio::sync::Notify::new());
        if lock(&self.inner.running)
            .insert(id.clone(), std::sync::Arc::clone(&cancel))
            .is_some()
        {
            return Err(busy());
        }
        self.emit(Event::ConnectionsChanged);
        // What was read before the lock was held may be old.
        let done = match self.job(job_id).await {
            Ok(job) => tokio::select! {
                biased;
                () = cancel.notified() => Err(Problem::new(ProblemCode::SyncCancelled)),
                done = Follow::run(self, job) => done,
            },
            Err(problem) => Err(problem),
        };
        lock(&self.inner.running).remove(&id);
        self.emit(Event::RecordsChanged {
            connection_id: id.clone(),
        });
        self.emit(Event::SyncFinished { connection_id: id });
        self.emit(Event::ConnectionsChanged);
        done?;
        self.job_view(job_id).await
    }

    /// Cancels an export, here and at the server. What was fetched of it stays. A server that cannot be
    /// reached does not stop it; to tell it later, cancel again.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn bulk_cancel(&self, job_id: &str) -> Result<BulkJobView> {
        let mut job = self.job(job_id).await?;
        if job.is_open() {
            job.row.state = "cancelled".to_owned();
            // From here on whoever follows it, in this process or another, cannot write it any more.
            let row = job.to_row(self.now())?;
            self.inner.store.bulk_job_end(&row).await?;
            self.sync_cancel(&job.row.connection_id);
        }
        if let Some(at_server) = job.at_server() {
            let told = self
                .tell_not_needed(&job.row.connection_id, &at_server)
                .await;
            match told {
                Ok(()) => self.inner.store.bulk_job_forget(job_id).await?,
                Err(problem) => {
                    tracing::info!(
                        code = problem.code.code(),
                        "the server could not be told that an export is not needed"
                    );
                }
            }
        }
        self.job_view(job_id).await
    }

    /// A connection goes: its exports are not needed any more. A server that does not answer soon is not
    /// waited for; it throws them away by itself.
    pub(crate) async fn end_exports(&self, connection_id: &str) {
        let jobs = self.bulk_jobs(Some(connection_id)).await;
        for job in jobs.unwrap_or_default() {
            if matches!(job.state, BulkState::Exporting | BulkState::Downloading) {
                let told = tokio::time::timeout(PATIENCE, self.bulk_cancel(&job.id)).await;
                if told.is_err() {
                    tracing::info!("the server could not be told that an export is not needed");
                }
            }
        }
    }
}
