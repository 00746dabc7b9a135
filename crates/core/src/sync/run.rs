//! Running a plan: four steps at a time, pages asked for, made ready and written at the same time.

use super::before::Before;
use super::ending::{outcome_of, stops_everything};
use super::fetch::FetchError;
use super::marks::Marks;
use super::plan::{SkipReason, StepRequest, SyncPlan, SyncStep};
use super::prepare::{PreparedPage, Preparing};
use super::report::Tally;
use crate::access_log::LogEntry;
use crate::engine::{Engine, lock};
use crate::lockfile;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::TraceKind;
use crate::view::{Event, Reachability, StepOutcome, SyncReportView};
use futures::StreamExt;
use satchel_smart::fhir::bundle::SearchPage;
use satchel_smart::fhir::client::FhirClient;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::scope::Scopes;
use satchel_store::ConnectionRow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Steps in flight at one server.
const CONCURRENCY: usize = 4;

/// One sync of one connection.
pub(crate) struct Run {
    pub(crate) engine: Engine,
    pub(crate) connection_id: String,
    pub(crate) fhir: FhirClient,
    pub(crate) granted: Scopes,
    pub(crate) base: FhirBaseUrl,
    pub(crate) patient: Option<String>,
    pub(crate) tally: Mutex<Tally>,
    /// References met in this run, to be followed at its end.
    pub(crate) met: Mutex<HashSet<String>>,
    /// Keys of the records that the source gave in this run, by type.
    pub(super) given: Mutex<HashMap<String, HashSet<i64>>>,
    /// Types of which this run did not see everything: nothing can be said about what is missing.
    pub(super) not_whole: Mutex<HashSet<String>>,
    /// What stops the whole run: no network, access lost, disk full.
    pub(super) stopped: Mutex<Option<Problem>>,
    pub(crate) resumed: bool,
    /// Up to when each step was complete before this run.
    pub(super) marks: Marks,
    /// What the run before this one found.
    pub(super) last: Before,
    /// Steps that the server refused although it should not: they are asked once more at the end.
    pub(super) refused: Mutex<HashSet<String>>,
    /// The last record in the file before this run, and whether this connection had any.
    pub(super) before: (i64, bool),
}

impl Engine {
    /// Pulls the chart of a connection. Progress and the end are announced by events.
    ///
    /// # Errors
    /// `sync.already_running` when this or another process syncs it now; `access.not_connected`.
    /// What happens during the sync is in the report, never an error: what was stored stays.
    pub async fn sync(&self, connection_id: &str) -> Result<SyncReportView> {
        let row = self.connection_row(connection_id).await?;
        let path = self
            .inner
            .profile_dir
            .join(format!("sync-{connection_id}.lock"));
        let busy = || Problem::new(ProblemCode::AlreadySyncing);
        let _between_processes = lockfile::try_lock(&path)?.ok_or_else(busy)?;
        let cancel = Arc::new(Notify::new());
        if lock(&self.inner.running)
            .insert(connection_id.to_owned(), Arc::clone(&cancel))
            .is_some()
        {
            return Err(busy());
        }
        self.emit(Event::ConnectionsChanged);
        let work = self.sync_with_report(&row, &cancel);
        let problem = |report: &SyncReportView| report.problem.clone();
        let report = self.traced(TraceKind::Sync, problem, work).await;
        if report.problem.is_none() {
            self.learn_user(connection_id).await;
        }
        lock(&self.inner.running).remove(connection_id);
        let stored = self.keep_report(&row, &report).await;
        self.note_attempt(connection_id, &report).await;
        self.log_access(LogEntry::synced(&row, &report)).await;
        self.emit(Event::RecordsChanged {
            connection_id: connection_id.to_owned(),
        });
        self.emit(Event::SyncFinished {
            connection_id: connection_id.to_owned(),
        });
        self.emit(Event::ConnectionsChanged);
        stored.map(|()| report)
    }

    /// Stops a running sync; what came before stays.
    pub fn sync_cancel(&self, connection_id: &str) {
        if let Some(cancel) = lock(&self.inner.running).get(connection_id) {
            cancel.notify_one();
        }
    }

    async fn sync_with_report(&self, row: &ConnectionRow, cancel: &Notify) -> SyncReportView {
        let started_at = self.now().to_string();
        let prepared = tokio::select! {
            biased;
            () = cancel.notified() => Err(Problem::new(ProblemCode::SyncCancelled)),
            prepared = self.prepare(row) => prepared,
        };
        let (run, plan) = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return self.failed_report(row, started_at, &problem),
        };
        let problem = tokio::select! {
            biased;
            () = cancel.notified() => Some(Problem::new(ProblemCode::SyncCancelled)),
            () = run.execute(&plan) => lock(&run.stopped).clone(),
        };
        if problem.is_none() {
            self.set_reachability(&row.id, Reachability::Online);
        }
        let tally = lock(&run.tally);
        let steps = tally.steps(&plan.steps);
        SyncReportView {
            started_at,
            finished_at: self.now().to_string(),
            complete: problem.is_none() && steps.iter().all(|step| run.last.is_whole(step)),
            new_records: tally.new_records,
            changed_records: tally.changed_records,
            withdrawn_records: tally.withdrawn_records,
            unreadable_records: tally.unreadable_records,
            steps,
            problem: problem.as_ref().map(Problem::view),
            had_records: run.before.1,
            after_key: run.before.0,
        }
    }

    /// The sync did not get as far as asking for records: what was known about the sections stays.
    fn failed_report(
        &self,
        row: &ConnectionRow,
        started_at: String,
        problem: &Problem,
    ) -> SyncReportView {
        self.note_unreachable(&row.id, problem);
        let before = row
            .last_sync
            .as_deref()
            .and_then(|json| serde_json::from_str::<SyncReportView>(json).ok());
        SyncReportView {
            started_at,
            finished_at: self.now().to_string(),
            complete: false,
            new_records: 0,
            changed_records: 0,
            withdrawn_records: 0,
            unreadable_records: 0,
            steps: before.map(|report| report.steps).unwrap_or_default(),
            problem: Some(problem.view()),
            had_records: false,
            after_key: 0,
        }
    }

    fn note_unreachable(&self, connection_id: &str, problem: &Problem) {
        if matches!(
            problem.code,
            ProblemCode::Unreachable | ProblemCode::TimedOut
        ) {
            self.set_reachability(connection_id, Reachability::Offline);
        }
    }
}

impl Run {
    async fn execute(self: &Arc<Self>, plan: &SyncPlan) {
        let done = if self.resumed {
            self.done_before().await
        } else {
            HashMap::new()
        };
        let (last, first): (Vec<&SyncStep>, Vec<&SyncStep>) = plan
            .steps
            .iter()
            .partition(|step| step.request == StepRequest::References);
        futures::stream::iter(first)
            .for_each_concurrent(CONCURRENCY, |step| self.run_step(step, &done))
            .await;
        self.ask_once_more(&plan.steps, &done).await;
        for step in last {
            self.run_step(step, &done).await;
        }
        // Where nothing was before this run, nothing can have gone.
        if lock(&self.stopped).is_none() && self.last.had_records {
            self.withdraw(plan).await;
        }
    }

    /// A server that says no to what was granted and is offered may mean it, or be ill for a moment. It is
    /// asked again when everything else is done; what it says then counts.
    async fn ask_once_more(self: &Arc<Self>, steps: &[SyncStep], done: &HashMap<String, u64>) {
        let refused = lock(&self.refused).clone();
        for step in steps.iter().filter(|step| refused.contains(&step.key)) {
            self.run_step(step, done).await;
        }
    }

    /// Marks what a source no longer gives, of the types that were read from beginning to end.
    async fn withdraw(&self, plan: &SyncPlan) {
        let types: HashSet<&str> = plan
            .steps
            .iter()
            .filter(|step| step.request != StepRequest::References)
            .map(|step| step.resource_type.as_str())
            .filter(|name| !lock(&self.not_whole).contains(*name))
            .collect();
        let at = self.engine.now().to_string();
        for name in types {
            let given = lock(&self.given).remove(name).unwrap_or_default();
            let store = &self.engine.inner.store;
            let marked = store
                .withdraw_all_but(&self.connection_id, name, &given, &at)
                .await;
            match marked {
                Ok(marked) => lock(&self.tally).withdrawn_records += marked,
                Err(error) => tracing::warn!(%error, "what is missing could not be marked"),
            }
        }
    }

    /// Steps that the run that was cut off had done, and how many records each brought.
    async fn done_before(&self) -> HashMap<String, u64> {
        let steps = self
            .engine
            .inner
            .store
            .sync_steps_get(&self.connection_id)
            .await;
        steps
            .unwrap_or_default()
            .into_iter()
            .filter(|step| step.state == "done")
            .map(|step| (step.step_key, step.records))
            .collect()
    }

    async fn run_step(self: &Arc<Self>, step: &SyncStep, done: &HashMap<String, u64>) {
        if lock(&self.stopped).is_some() {
            return;
        }
        let result = match &step.request {
            StepRequest::Skip(SkipReason::NotShared) => {
                self.finish(step, StepOutcome::NotShared, None).await;
                return;
            }
            StepRequest::Skip(SkipReason::NotOffered) => {
                self.finish(step, StepOutcome::NotOffered, None).await;
                return;
            }
            _ if done.contains_key(&step.key) => {
                self.was_done(step, done[&step.key]).await;
                return;
            }
            StepRequest::Read { id } => self.read_one(step, id).await,
            StepRequest::Search(search) => self.search(step, search).await,
            StepRequest::References => self.follow_references(step).await,
        };
        match result {
            Ok(()) => {
                let records = lock(&self.tally).records_of(&step.key);
                let outcome = if records == 0 && !self.marks.has_some(&step.key) {
                    StepOutcome::Empty
                } else {
                    StepOutcome::Complete
                };
                self.finish(step, outcome, None).await;
            }
            Err(error) => self.step_failed(step, error).await,
        }
    }

    /// The run that was cut off had this one to its end.
    async fn was_done(&self, step: &SyncStep, records: u64) {
        self.saw_a_part(step);
        lock(&self.tally).page(&step.key, records, None);
        let outcome = match records {
            0 => StepOutcome::Empty,
            _ => StepOutcome::Complete,
        };
        self.finish(step, outcome, None).await;
    }

    async fn step_failed(&self, step: &SyncStep, error: FetchError) {
        let outcome = outcome_of(&error);
        if outcome != StepOutcome::Failed {
            let is_known = self.last.ended_so(&step.resource_type, outcome);
            if !is_known && lock(&self.refused).insert(step.key.clone()) {
                return;
            }
        }
        // Refused by the token endpoint, not for this one search: then nobody is let in.
        let refused = matches!(error, FetchError::Problem(_));
        let problem = Problem::from(error);
        let nobody = refused && problem.code == ProblemCode::AccessRefused;
        if nobody || stops_everything(problem.code) {
            self.engine.note_unreachable(&self.connection_id, &problem);
            let mut stopped = lock(&self.stopped);
            // A step that came to a closed door says less than the one that saw it close.
            let says_more = |known: &Problem| {
                known.code == ProblemCode::NotConnected && problem.code != ProblemCode::NotConnected
            };
            if stopped.as_ref().is_none_or(says_more) {
                *stopped = Some(problem.clone());
            }
        }
        self.finish(step, outcome, Some(&problem)).await;
    }

    async fn finish(&self, step: &SyncStep, outcome: StepOutcome, problem: Option<&Problem>) {
        // What was refused, or could not be read whole, is asked for again by a run that goes on.
        let whole = matches!(outcome, StepOutcome::Complete | StepOutcome::Empty);
        let state = match whole && !self.marks.is_doubted(&step.key) {
            true => "done",
            false => "failed",
        };
        if !whole {
            self.saw_a_part(step);
        }
        let code = problem.map(|problem| problem.code.code());
        let kept = self
            .engine
            .inner
            .store
            .sync_step_finish(&self.connection_id, &step.key, state, code)
            .await;
        if let Err(error) = kept {
            tracing::warn!(%error, "the end of a step could not be kept");
        }
        lock(&self.tally).finish(step, outcome, problem);
        self.announce(&step.resource_type);
    }

    /// Not everything of a type was seen in this run.
    pub(super) fn saw_a_part(&self, step: &SyncStep) {
        lock(&self.not_whole).insert(step.resource_type.clone());
    }

    pub(crate) fn announce(&self, resource_type: &str) {
        let progress = lock(&self.tally).progress(&self.connection_id, resource_type);
        self.engine.emit(Event::SyncProgress(progress));
    }

    /// Stores a page: its records, their index and the cursor in one transaction.
    pub(crate) async fn save_page(
        self: &Arc<Self>,
        step: &SyncStep,
        page: SearchPage,
    ) -> Result<()> {
        let page = self.newer(step, page).await?;
        let prepared = self.preparing(step, page).ready().await?;
        self.save_prepared(step, prepared).await
    }

    /// Has a page made ready on a thread of its own.
    pub(super) fn preparing(&self, step: &SyncStep, page: SearchPage) -> Preparing {
        Preparing::begin(page, &step.resource_type, self.patient.as_deref())
    }

    pub(super) async fn save_prepared(
        self: &Arc<Self>,
        step: &SyncStep,
        prepared: PreparedPage,
    ) -> Result<()> {
        let received = prepared.page.received();
        if prepared.unreadable > 0 {
            self.marks.doubt(&step.key);
            let remark = format!(
                "{} entries could not be read; they are kept as they came",
                prepared.unreadable
            );
            lock(&self.tally).remark(&step.key, vec![remark]);
        }
        // A run that goes on begins such a step anew.
        let next = prepared.next.as_deref();
        let next = next.filter(|_| !self.marks.is_doubted(&step.key));
        let fetched_at = self.engine.now().to_string();
        let saved = self
            .engine
            .inner
            .store
            .save_page(
                &self.connection_id,
                &step.key,
                prepared.page,
                next,
                &fetched_at,
            )
            .await?;
        {
            let mut tally = lock(&self.tally);
            tally.new_records += saved.inserted;
            tally.changed_records += saved.updated;
            tally.unreadable_records += prepared.unreadable;
            tally.page(&step.key, received, prepared.total);
            tally.remark(&step.key, prepared.remarks);
        }
        lock(&self.met).extend(prepared.references);
        lock(&self.given)
            .entry(step.resource_type.clone())
            .or_default()
            .extend(saved.keys);
        self.announce(&step.resource_type);
        if prepared.foreign > 0 {
            return Err(Problem::with_detail(
                ProblemCode::OtherPatient,
                format!("{} entries of {}", prepared.foreign, step.resource_type),
            ));
        }
        Ok(())
    }
}
