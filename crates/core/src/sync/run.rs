//! Running a plan: four steps at a time, the next page requested while the last one is written.

use super::fetch::FetchError;
use super::plan::{SkipReason, StepRequest, SyncPlan, SyncStep};
use super::report::Tally;
use crate::digest;
use crate::engine::{Engine, lock};
use crate::lockfile;
use crate::problem::{Problem, ProblemCode, Result};
use crate::summary::{self, RecordSummary};
use crate::trace::TraceKind;
use crate::view::{Event, Reachability, Role, Section, StepOutcome, SyncReportView};
use futures::StreamExt;
use satchel_smart::fhir::bundle::{Entry, SearchMode, SearchPage};
use satchel_smart::fhir::client::{FhirClient, FhirError};
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::scope::Scopes;
use satchel_store::{ConnectionRow, IndexIn, RecordIn, SavedPage};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use url::Url;

/// Steps in flight at one server.
const CONCURRENCY: usize = 4;
/// A run that was cut off longer ago than this is begun anew: its paging links have lapsed.
const RESUME_MINUTES: i64 = 30;

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
    /// What stops the whole run: no network, access lost, disk full.
    stopped: Mutex<Option<Problem>>,
    pub(crate) resumed: bool,
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

    async fn keep_report(&self, row: &ConnectionRow, report: &SyncReportView) -> Result<()> {
        let json = serde_json::to_string(report)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        // "As of" moves only when the server was really read.
        let as_of = report
            .problem
            .is_none()
            .then_some(report.finished_at.as_str());
        self.inner
            .store
            .sync_finished(&row.id, as_of, &json)
            .await?;
        Ok(())
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
        let whole = |outcome| !matches!(outcome, StepOutcome::Failed | StepOutcome::CutOff);
        SyncReportView {
            started_at,
            finished_at: self.now().to_string(),
            complete: problem.is_none() && steps.iter().all(|step| whole(step.outcome)),
            new_records: tally.new_records,
            changed_records: tally.changed_records,
            unreadable_records: tally.unreadable_records,
            steps,
            problem: problem.as_ref().map(Problem::view),
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
            unreadable_records: 0,
            steps: before.map(|report| report.steps).unwrap_or_default(),
            problem: Some(problem.view()),
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

    async fn prepare(&self, row: &ConnectionRow) -> Result<(Arc<Run>, SyncPlan)> {
        let token = self.access_token(&row.id).await?;
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let fhir = FhirClient::new(self.inner.http.clone(), base.clone());
        let capability = fhir.capability(Some(&token)).await?;
        let tokens = self
            .inner
            .store
            .tokens_get(&row.id)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::NotConnected))?;
        let granted = Scopes::parse(&tokens.scope);
        let patient = match Role::parse(&row.role) {
            Role::Backend => None,
            Role::Patient | Role::Provider => row.patient_id.clone(),
        };
        let plan = SyncPlan::new(&granted, &capability, patient.as_deref());
        let run = Arc::new(Run {
            engine: self.clone(),
            connection_id: row.id.clone(),
            fhir,
            granted,
            base,
            patient,
            tally: Mutex::new(Tally::new(plan.steps.len())),
            met: Mutex::default(),
            stopped: Mutex::default(),
            resumed: self.resumes(&row.id).await?,
        });
        if !run.resumed {
            let keys: Vec<String> = plan.steps.iter().map(|step| step.key.clone()).collect();
            self.inner
                .store
                .sync_steps_begin(&row.id, &self.now().to_string(), &keys)
                .await?;
        }
        Ok((run, plan))
    }

    /// Whether a run of a moment ago was cut off and can go on where it was.
    async fn resumes(&self, connection_id: &str) -> Result<bool> {
        let steps = self.inner.store.sync_steps_get(connection_id).await?;
        let recent = steps
            .first()
            .and_then(|step| step.run_id.parse::<jiff::Timestamp>().ok())
            .is_some_and(|begun| self.now().as_second() - begun.as_second() < RESUME_MINUTES * 60);
        let done = steps.iter().any(|step| step.state == "done");
        let open = steps.iter().any(|step| step.state == "running");
        Ok(recent && done && open)
    }
}

impl Run {
    async fn execute(self: &Arc<Self>, plan: &SyncPlan) {
        let done: HashSet<String> = if self.resumed {
            self.done_before().await
        } else {
            HashSet::new()
        };
        let (last, first): (Vec<&SyncStep>, Vec<&SyncStep>) = plan
            .steps
            .iter()
            .partition(|step| step.request == StepRequest::References);
        futures::stream::iter(first)
            .for_each_concurrent(CONCURRENCY, |step| self.run_step(step, &done))
            .await;
        for step in last {
            self.run_step(step, &done).await;
        }
    }

    async fn done_before(&self) -> HashSet<String> {
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
            .map(|step| step.step_key)
            .collect()
    }

    async fn run_step(self: &Arc<Self>, step: &SyncStep, done: &HashSet<String>) {
        if lock(&self.stopped).is_some() {
            return;
        }
        if done.contains(&step.key) {
            self.finish(step, StepOutcome::Complete, None).await;
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
            StepRequest::Read { id } => self.read_one(step, id).await,
            StepRequest::Search {
                parameters,
                otherwise,
            } => self.search(step, parameters, otherwise).await,
            StepRequest::References => self.follow_references(step).await,
        };
        match result {
            Ok(()) => {
                let records = lock(&self.tally).records_of(&step.key);
                let outcome = if records == 0 {
                    StepOutcome::Empty
                } else {
                    StepOutcome::Complete
                };
                self.finish(step, outcome, None).await;
            }
            Err(error) => self.step_failed(step, error).await,
        }
    }

    async fn step_failed(&self, step: &SyncStep, error: FetchError) {
        let outcome = match &error {
            FetchError::Fhir(FhirError::Forbidden { .. }) => StepOutcome::NotShared,
            FetchError::Fhir(FhirError::NotFound | FhirError::Gone) => StepOutcome::NotOffered,
            _ => StepOutcome::Failed,
        };
        // Refused by the token endpoint, not for this one search: then nobody is let in.
        let refused = matches!(error, FetchError::Problem(_));
        let problem = Problem::from(error);
        let nobody = refused && problem.code == ProblemCode::AccessRefused;
        if nobody || stops_everything(problem.code) {
            self.engine.note_unreachable(&self.connection_id, &problem);
            let mut stopped = lock(&self.stopped);
            if stopped.is_none() {
                *stopped = Some(problem.clone());
            }
        }
        self.finish(step, outcome, Some(&problem)).await;
    }

    async fn finish(&self, step: &SyncStep, outcome: StepOutcome, problem: Option<&Problem>) {
        let state = if matches!(outcome, StepOutcome::Failed | StepOutcome::CutOff) {
            "failed"
        } else {
            "done"
        };
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

    pub(crate) fn announce(&self, resource_type: &str) {
        let progress = lock(&self.tally).progress(&self.connection_id, resource_type);
        self.engine.emit(Event::SyncProgress(progress));
    }

    async fn read_one(
        self: &Arc<Self>,
        step: &SyncStep,
        id: &str,
    ) -> std::result::Result<(), FetchError> {
        let record = self.fetch_record(&step.resource_type, id).await?;
        let page = SearchPage {
            entries: vec![Entry::Resource(record)],
            ..SearchPage::default()
        };
        self.save_page(step, page).await?;
        Ok(())
    }

    async fn search(
        self: &Arc<Self>,
        step: &SyncStep,
        parameters: &[(String, String)],
        otherwise: &[Vec<(String, String)>],
    ) -> std::result::Result<(), FetchError> {
        let error = match self.pages(step, self.url(step, parameters)).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if otherwise.is_empty() || !demands_more(&error) {
            return Err(error);
        }
        // The server wants a category, status or intent: ask for each (checklist G12).
        let mut last = error;
        let mut any = false;
        for parameters in otherwise {
            match self.pages(step, self.url(step, parameters)).await {
                Ok(()) => any = true,
                Err(error) if demands_more(&error) => last = error,
                Err(error) => return Err(error),
            }
        }
        if any { Ok(()) } else { Err(last) }
    }

    fn url(&self, step: &SyncStep, parameters: &[(String, String)]) -> Url {
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.fhir.search_url(&step.resource_type, &parameters)
    }

    /// Follows `next` to the end. The page that comes is asked for while the last one is written.
    async fn pages(
        self: &Arc<Self>,
        step: &SyncStep,
        first: Url,
    ) -> std::result::Result<(), FetchError> {
        let mut seen = HashSet::from([first.to_string()]);
        let start = self.cursor_of(step).await?.unwrap_or(first);
        let mut page = self.fetch_page(&start).await?;
        loop {
            refuse_error_only(&page)?;
            let Some(next) = page.next.clone() else {
                self.save_page(step, page).await?;
                return Ok(());
            };
            if !seen.insert(next.to_string()) {
                self.save_page(step, SearchPage { next: None, ..page })
                    .await?;
                return Err(Problem::with_detail(
                    ProblemCode::BadPage,
                    "the next links go round in a circle",
                )
                .into());
            }
            let (saved, fetched) = tokio::join!(self.save_page(step, page), self.fetch_page(&next));
            saved?;
            page = fetched?;
        }
    }

    /// Where a run that was cut off had come to.
    async fn cursor_of(&self, step: &SyncStep) -> std::result::Result<Option<Url>, FetchError> {
        if !self.resumed {
            return Ok(None);
        }
        let steps = self
            .engine
            .inner
            .store
            .sync_steps_get(&self.connection_id)
            .await
            .map_err(Problem::from)?;
        Ok(steps
            .into_iter()
            .find(|stored| stored.step_key == step.key && stored.state == "running")
            .and_then(|stored| stored.cursor)
            .and_then(|cursor| Url::parse(&cursor).ok()))
    }

    /// Stores a page: its records, their index and the cursor in one transaction.
    pub(crate) async fn save_page(
        self: &Arc<Self>,
        step: &SyncStep,
        page: SearchPage,
    ) -> Result<()> {
        let total = page.total;
        let saved = self
            .engine
            .save_records(
                (&self.connection_id, &step.key),
                page,
                &step.resource_type,
                self.patient.as_deref(),
            )
            .await?;
        {
            let mut tally = lock(&self.tally);
            tally.new_records += saved.rows.inserted;
            tally.changed_records += saved.rows.updated;
            tally.unreadable_records += saved.unreadable;
            tally.page(&step.key, saved.records, total);
        }
        lock(&self.met).extend(saved.references);
        self.announce(&step.resource_type);
        if saved.foreign > 0 {
            return Err(Problem::with_detail(
                ProblemCode::OtherPatient,
                format!("{} entries of {}", saved.foreign, step.resource_type),
            ));
        }
        Ok(())
    }
}

/// What became of the entries of a page.
pub(crate) struct Saved {
    pub(crate) rows: SavedPage,
    pub(crate) records: u64,
    pub(crate) references: Vec<String>,
    pub(crate) unreadable: u64,
    pub(crate) foreign: u64,
}

impl Engine {
    /// Writes the records of a page of one source, with their index and the cursor behind the page, in
    /// one transaction. The one way in which records get into the store.
    pub(crate) async fn save_records(
        &self,
        (connection_id, step_key): (&str, &str),
        page: SearchPage,
        resource_type: &str,
        patient: Option<&str>,
    ) -> Result<Saved> {
        let next = page.next.as_ref().map(Url::to_string);
        let (resource_type, patient) = (resource_type.to_owned(), patient.map(str::to_owned));
        let prepared = tokio::task::spawn_blocking(move || {
            prepare_page(page, &resource_type, patient.as_deref())
        })
        .await
        .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        let records: Vec<RecordIn<'_>> = prepared.rows.iter().map(Prepared::as_record).collect();
        let fetched_at = self.now().to_string();
        let store = &self.inner.store;
        let rows = store
            .save_page(
                connection_id,
                step_key,
                &records,
                next.as_deref(),
                &fetched_at,
            )
            .await?;
        Ok(Saved {
            rows,
            records: records.len() as u64,
            references: prepared.references,
            unreadable: prepared.unreadable,
            foreign: prepared.foreign,
        })
    }
}

/// One row, owned, ready for the store.
struct Prepared {
    resource_type: String,
    id: String,
    version_id: Option<String>,
    last_updated: Option<String>,
    json: String,
    malformed: Option<String>,
    index: IndexIn,
}

impl Prepared {
    fn as_record(&self) -> RecordIn<'_> {
        RecordIn {
            resource_type: &self.resource_type,
            id: &self.id,
            version_id: self.version_id.as_deref(),
            last_updated: self.last_updated.as_deref(),
            json: &self.json,
            malformed: self.malformed.as_deref(),
            index: &self.index,
        }
    }
}

#[derive(Default)]
struct PreparedPage {
    rows: Vec<Prepared>,
    references: Vec<String>,
    unreadable: u64,
    foreign: u64,
}

fn prepare_page(page: SearchPage, resource_type: &str, patient: Option<&str>) -> PreparedPage {
    let mut prepared = PreparedPage::default();
    for entry in page.entries {
        match entry {
            Entry::Resource(record) => {
                let mut summary = summary::of(&record.resource_type, &record.json);
                let is_match = record.mode == SearchMode::Match;
                if is_match && belongs_to_another(summary.subject.as_deref(), patient) {
                    prepared.foreign += 1;
                    continue;
                }
                prepared.references.append(&mut summary.references);
                prepared.rows.push(Prepared {
                    resource_type: record.resource_type,
                    id: record.id,
                    version_id: record.version_id,
                    last_updated: record.last_updated,
                    json: record.json,
                    malformed: None,
                    index: index_of(summary),
                });
            }
            Entry::Malformed { raw, reason } => {
                prepared.unreadable += 1;
                prepared.rows.push(unreadable(raw, reason, resource_type));
            }
            Entry::Outcome(_) => {}
        }
    }
    prepared
}

/// A record of somebody else must not enter this chart (checklist G8, D14).
fn belongs_to_another(subject: Option<&str>, patient: Option<&str>) -> bool {
    let (Some(subject), Some(patient)) = (subject, patient) else {
        return false;
    };
    let subject = subject.split("/_history/").next().unwrap_or(subject);
    let mut parts = subject.rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(id), Some("Patient")) => id != patient,
        _ => false,
    }
}

/// What cannot be read is kept as received, flagged, under a name made from its bytes.
fn unreadable(raw: String, reason: String, resource_type: &str) -> Prepared {
    let index = IndexIn {
        section: crate::chart::word_of(Section::Other),
        title: "A record that could not be read".to_owned(),
        subtitle: Some("Kept exactly as it was received".to_owned()),
        text: String::new(),
        ..IndexIn::default()
    };
    Prepared {
        resource_type: resource_type.to_owned(),
        id: format!("unreadable-{}", digest::short_hex(raw.as_bytes())),
        version_id: None,
        last_updated: None,
        json: raw,
        malformed: Some(reason),
        index,
    }
}

fn index_of(summary: RecordSummary) -> IndexIn {
    let (date_start, date_end, date_sort, date_precision) = match summary.date {
        Some(date) => (
            Some(date.start),
            date.end,
            date.sort_ms,
            Some(date.precision.as_str().to_owned()),
        ),
        None => (None, None, None, None),
    };
    IndexIn {
        section: crate::chart::word_of(summary.section),
        title: summary.title,
        code: summary.code,
        subtitle: summary.subtitle,
        status: summary.status,
        date_start,
        date_end,
        date_sort,
        date_precision,
        value_text: summary.value,
        value_number: summary.value_number,
        unit: summary.unit,
        range_text: summary.range,
        flag: summary.flag.map(crate::chart::word_of),
        subject: summary.subject,
        text: summary.text,
    }
}

fn stops_everything(code: ProblemCode) -> bool {
    use ProblemCode as P;
    matches!(
        code,
        P::Unreachable
            | P::TimedOut
            | P::NotTrusted
            | P::AccessEnded
            | P::AccessExpired
            | P::AccessRegistrationGone
            | P::AccessSwitchedOff
            | P::AccessNotApproved
            | P::AccessDenied
            | P::AccessAnswerLost
            | P::AccessOtherPerson
            | P::NotConnected
            | P::DiskFull
            | P::StoreReadOnly
            | P::NoKeychain
            | P::KeychainLocked
    )
}

/// The server knows the search but wants it narrower: a 400, or a 200 that holds only an error.
fn demands_more(error: &FetchError) -> bool {
    match error {
        FetchError::Fhir(FhirError::Outcome { status, .. }) => *status == 400 || *status == 422,
        FetchError::Fhir(FhirError::UnexpectedStatus(status)) => *status == 400 || *status == 422,
        FetchError::Problem(problem) => problem.code == ProblemCode::NotShared,
        FetchError::Fhir(_) => false,
    }
}

/// A page that holds nothing but an error is a refusal, not an empty result.
fn refuse_error_only(page: &SearchPage) -> std::result::Result<(), FetchError> {
    let mut errors = Vec::new();
    for entry in &page.entries {
        match entry {
            Entry::Outcome(outcome) if outcome.is_error() => errors.push(outcome.text()),
            Entry::Outcome(_) => {}
            Entry::Resource(_) | Entry::Malformed { .. } => return Ok(()),
        }
    }
    match errors.first() {
        Some(text) => Err(Problem::with_detail(ProblemCode::NotShared, text).into()),
        None => Ok(()),
    }
}
