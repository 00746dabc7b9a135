//! The access log: when which server was dealt with, what was done, which types of record, how many, and
//! how it ended (checklist H14). For the person who asks what this program did with their records.
//!
//! It holds no value of a record, no name of a person, no identifier and no token, so that it can stay when
//! a connection is removed, and be shown to whoever looks after the computer. Reading a record on this
//! computer is not in it: nothing leaves or arrives then.
//!
//! How to add an act: 1. a variant of [`AccessAct`] and its words in `title`; 2. where the act ends, one
//! line: `engine.log_access(LogEntry::at(&row, AccessAct::…).ended(&result)).await`.

use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::servers::host_name;
use crate::view::{AccessAct, AccessLogView, ChartOf, StepOutcome, SyncReportView};
use satchel_store::{AccessLogRow, ConnectionRow};

/// How long entries are kept.
const TWO_YEARS_HOURS: i64 = 24 * 731;
const DONE: &str = "done";
const PARTLY: &str = "partly";

/// What is written down of an act.
pub(crate) struct LogEntry {
    /// Name and host; none when it was all servers.
    server: Option<(String, String)>,
    act: AccessAct,
    types: Vec<String>,
    records: u64,
    outcome: &'static str,
    /// When, if it was not now.
    at: Option<jiff::Timestamp>,
}

impl LogEntry {
    /// An act at the server of a connection.
    pub(crate) fn at(row: &ConnectionRow, act: AccessAct) -> Self {
        Self::of(
            Some((row.server_name.clone(), host_name(&row.fhir_base))),
            act,
        )
    }

    /// An act at all servers.
    pub(crate) fn everywhere(act: AccessAct) -> Self {
        Self::of(None, act)
    }

    fn of(server: Option<(String, String)>, act: AccessAct) -> Self {
        Self {
            server,
            act,
            types: Vec::new(),
            records: 0,
            outcome: DONE,
            at: None,
        }
    }

    /// It was then.
    pub(crate) fn at_time(mut self, at: jiff::Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// How it ended.
    pub(crate) fn ended<T>(mut self, result: &Result<T>) -> Self {
        if let Err(problem) = result {
            self.outcome = problem.code.code();
        }
        self
    }

    /// Whether that was everything.
    pub(crate) fn whole(mut self, whole: bool) -> Self {
        if !whole && self.outcome == DONE {
            self.outcome = PARTLY;
        }
        self
    }

    /// Which records.
    pub(crate) fn records<'a>(
        mut self,
        counts: impl IntoIterator<Item = (&'a String, u64)>,
    ) -> Self {
        for (resource_type, count) in counts {
            self.records += count;
            if count > 0 && !self.types.contains(resource_type) {
                self.types.push(resource_type.clone());
            }
        }
        self
    }

    /// So many records, of types that nobody counted.
    pub(crate) fn count(mut self, records: u64) -> Self {
        self.records = records;
        self
    }

    /// What a sync received. One that did not get as far as asking for records repeats the steps of the
    /// last one in its report: nothing was received then.
    pub(crate) fn synced(row: &ConnectionRow, report: &SyncReportView) -> Self {
        let mut entry = Self::at(row, AccessAct::Synced);
        let before = row.last_sync.as_deref();
        let before = before.and_then(|json| serde_json::from_str::<SyncReportView>(json).ok());
        let told = |report: &SyncReportView| -> Vec<(String, StepOutcome, u64)> {
            let steps = report.steps.iter();
            steps
                .map(|step| (step.resource_type.clone(), step.outcome, step.records))
                .collect()
        };
        let repeats =
            report.problem.is_some() && before.is_some_and(|before| told(&before) == told(report));
        if !repeats {
            let steps = report.steps.iter();
            entry = entry.records(steps.map(|step| (&step.resource_type, step.records)));
        }
        entry.outcome = match &report.problem {
            Some(problem) => code_of(&problem.code).code(),
            None if report.complete => DONE,
            None => PARTLY,
        };
        entry
    }
}

impl Engine {
    /// What was done with the records in the last two years, the newest first.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn access_log(&self, limit: u32) -> Result<Vec<AccessLogView>> {
        let since = self.two_years_ago();
        let rows = self.inner.store.access_log_list(&since, limit).await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// Records of a chart were given to the print dialog; it is written down for each of its sources.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn printed(&self, of: &ChartOf, records: u64) -> Result<()> {
        for id in self.connections_of(of).await? {
            let row = self.connection_row(&id).await?;
            self.log_access(LogEntry::at(&row, AccessAct::Printed).count(records))
                .await;
        }
        Ok(())
    }

    /// Writes an act down. That this fails is no reason for the act itself to fail.
    pub(crate) async fn log_access(&self, entry: LogEntry) {
        let (server_name, host) = entry.server.unzip();
        let mut types = entry.types;
        types.sort();
        let row = AccessLogRow {
            at: entry.at.unwrap_or_else(|| self.now()).to_string(),
            server_name,
            host,
            act: crate::chart::word_of(entry.act),
            types: types.join(","),
            records: i64::try_from(entry.records).unwrap_or(i64::MAX),
            outcome: entry.outcome.to_owned(),
        };
        let added = self
            .inner
            .store
            .access_log_add(&row, &self.two_years_ago())
            .await;
        if let Err(error) = added {
            tracing::warn!(%error, "an entry of the access log could not be kept");
        }
    }

    /// As [`Engine::log_access`], for a connection that may be gone, or for a server without one.
    pub(crate) async fn log_access_of(
        &self,
        connection_id: &str,
        act: AccessAct,
        end: &Result<()>,
    ) {
        if let Ok(row) = self.connection_row(connection_id).await {
            self.log_access(LogEntry::at(&row, act).ended(end)).await;
        }
    }

    /// As [`Engine::log_access`], for a server that no connection stands for.
    pub(crate) async fn log_access_at(&self, fhir_base: &str, act: AccessAct) {
        let name = self.server_name(fhir_base).await;
        let name = name.unwrap_or_else(|_| host_name(fhir_base));
        self.log_access(LogEntry::of(Some((name, host_name(fhir_base))), act))
            .await;
    }

    fn two_years_ago(&self) -> String {
        let now = self.now();
        now.checked_sub(jiff::SignedDuration::from_hours(TWO_YEARS_HOURS))
            .unwrap_or(now)
            .to_string()
    }
}

fn code_of(code: &str) -> ProblemCode {
    let known = ProblemCode::ALL.iter().find(|known| known.code() == code);
    known.copied().unwrap_or(ProblemCode::Internal)
}

fn view(row: AccessLogRow) -> AccessLogView {
    let act = serde_json::from_value(serde_json::Value::String(row.act));
    let act = act.unwrap_or(AccessAct::Other);
    let problem = (row.outcome != DONE && row.outcome != PARTLY)
        .then(|| Problem::new(code_of(&row.outcome)).view());
    AccessLogView {
        at: row.at,
        server_name: row.server_name,
        host: row.host,
        act,
        title: title(act).to_owned(),
        resource_types: row
            .types
            .split(',')
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect(),
        records: u64::try_from(row.records).unwrap_or_default(),
        complete: row.outcome == DONE,
        problem,
    }
}

fn title(act: AccessAct) -> &'static str {
    match act {
        AccessAct::Registered => "Satchel was registered at the server",
        AccessAct::SignedIn => "Sign-in",
        AccessAct::Renewed => "Access was renewed",
        AccessAct::Checked => "The server was asked whether access is on",
        AccessAct::Synced => "Records were received",
        AccessAct::Imported => "Records were read from files",
        AccessAct::Exported => "Records were written to files",
        AccessAct::Printed => "Records were printed or saved as PDF",
        AccessAct::KeyExchanged => "The key was exchanged",
        AccessAct::Revoked => "Access was ended at the server",
        AccessAct::Removed => "The connection and its records were removed from this computer",
        AccessAct::Locked => "Satchel was locked",
        AccessAct::Unlocked => "Satchel was unlocked with the passphrase",
        AccessAct::UnlockFailed => "A wrong passphrase was given",
        AccessAct::LockChanged => "The passphrase, or when it is asked for, was changed",
        AccessAct::Other => "Something that this version does not know",
    }
}
