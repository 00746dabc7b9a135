//! Syncing by itself: politely to servers, to batteries and to metered networks.
//!
//! [`next_due`] says when a source is due (pure). `standing` says what that means for one source; `runner`
//! is the loop of [`Engine::schedule_start`], which a program without a window of its own can do without:
//! [`Engine::due`] lists what is due now. Each attempt, by whichever process it is made and whoever asked
//! for it, is written down by [`Engine::sync`], so that the app and the command line know of each other;
//! the lock of each connection keeps them from being there at once.

mod due;
mod every;
mod notice;
mod runner;
mod standing;
mod surroundings;

pub use due::{Attempt, Dice, next_due};
pub use every::Every;
pub use notice::Notice;
pub use runner::SchedulerOptions;
pub use surroundings::{Conditions, Surroundings, SystemSurroundings};

use crate::connection::ConnectionState;
use crate::engine::{Engine, lock};
use crate::login::state_of;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{
    ConnectionScheduleView, Event, Role, ScheduleSettingsView, ScheduleView, ScheduleWait,
    SyncReportView,
};
use jiff::Timestamp;
use runner::Sources;
use satchel_smart::fhir::client::FhirError;
use satchel_store::{ConnectionRow, ScheduleRow};
use standing::{Source, Standing};
use std::sync::Arc;
use std::time::Duration;

/// Settings that hold for all sources, as JSON.
const SETTINGS: &str = "schedule";
/// Randomness of this installation, in hex: its dice.
const DICE: &str = "schedule_dice";

/// A running schedule; it ends when this is dropped.
#[derive(Debug)]
pub struct Scheduler(tokio::task::JoinHandle<()>);

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Engine {
    /// Syncs each source when it is due, until the result is dropped.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn schedule_start(&self, options: SchedulerOptions) -> Result<Scheduler> {
        let sources = EngineSources {
            engine: self.clone(),
            installation: self.dice().await?,
        };
        Ok(Scheduler(tokio::spawn(runner::run(sources, options))))
    }

    /// When each source is synced by itself.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn schedule(&self) -> Result<ScheduleView> {
        let settings = self.schedule_settings().await?;
        let (installation, now) = (self.dice().await?, self.now());
        let awake_since = lock(&self.inner.awake_since).unwrap_or(Timestamp::UNIX_EPOCH);
        let conditions = conditions(&self.inner.surroundings).await;
        let mut connections = Vec::new();
        for (source, every) in self.scheduled_sources().await? {
            let standing = source.standing(&installation, awake_since, now);
            connections.push(view_of(source, every, standing, conditions, &settings, now));
        }
        Ok(ScheduleView {
            settings,
            connections,
        })
    }

    /// The sources that are due now and may be synced in these surroundings. For a program that is started
    /// by a timer: what became due while nobody was there is due at once.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn due(&self) -> Result<Vec<String>> {
        let schedule = self.schedule().await?;
        let ready = |one: &ConnectionScheduleView| {
            one.due
                && !matches!(
                    one.wait,
                    Some(ScheduleWait::Battery | ScheduleWait::Metered)
                )
        };
        let due = schedule.connections.into_iter().filter(ready);
        Ok(due.map(|one| one.connection_id).collect())
    }

    /// How often a source is synced by itself.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn schedule_choose(&self, connection_id: &str, every: Every) -> Result<()> {
        self.connection_row(connection_id).await?;
        let store = &self.inner.store;
        store.schedule_choose(connection_id, every.word()).await?;
        self.emit(Event::ConnectionsChanged);
        Ok(())
    }

    /// What holds for all sources.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn schedule_settings_set(&self, settings: &ScheduleSettingsView) -> Result<()> {
        let json = serde_json::to_string(settings)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        self.inner.store.setting_set(SETTINGS, &json).await?;
        self.emit(Event::ConnectionsChanged);
        Ok(())
    }

    /// What holds for all sources.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn schedule_settings(&self) -> Result<ScheduleSettingsView> {
        let stored = self.inner.store.setting_get(SETTINGS).await?;
        let read = stored.and_then(|json| serde_json::from_str(&json).ok());
        Ok(read.unwrap_or_default())
    }

    /// Writes down that a sync ended. What the person stopped is neither a failure nor a success.
    pub(crate) async fn note_attempt(&self, connection_id: &str, report: &SyncReportView) {
        let wait = lock(&self.inner.asked_to_wait).remove(connection_id);
        let stopped = |code: &str| code == ProblemCode::SyncCancelled.code();
        let failed = match &report.problem {
            Some(problem) => !stopped(&problem.code),
            None => !report.complete,
        };
        let wait = wait.map_or(0, |wait| i64::try_from(wait.as_secs()).unwrap_or(i64::MAX));
        let noted = self
            .inner
            .store
            .schedule_attempted(connection_id, &self.now().to_string(), failed, wait)
            .await;
        if let Err(error) = noted {
            tracing::warn!(%error, "that a sync ended could not be noted");
        }
    }

    /// Remembers how long a server asked to be left alone, until the sync has ended.
    pub(crate) fn heed(&self, connection_id: &str, error: &FhirError) {
        if let FhirError::TooManyRequests {
            retry_after: Some(wait),
        } = error
        {
            let mut waits = lock(&self.inner.asked_to_wait);
            let longest = waits.entry(connection_id.to_owned()).or_default();
            *longest = (*longest).max(*wait);
        }
    }

    /// Randomness of this installation, made once: equal answers to "when" for as long as it lives.
    async fn dice(&self) -> Result<Vec<u8>> {
        if let Some(stored) = self.inner.store.setting_get(DICE).await? {
            return Ok(stored.into_bytes());
        }
        let mut bytes = [0_u8; 16];
        self.inner.random.fill(&mut bytes);
        let dice = uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string();
        self.inner.store.setting_set(DICE, &dice).await?;
        Ok(dice.into_bytes())
    }

    /// Each source that can be synced, with how often.
    async fn scheduled_sources(&self) -> Result<Vec<(Source, Every)>> {
        let store = &self.inner.store;
        let schedules = store.schedules_list().await?;
        let rows = store.connections_list().await?.into_iter();
        let servers = rows.filter(|row| !crate::bulk::is_imported(&row.fhir_base));
        Ok(servers
            .map(|row| {
                let schedule = schedules.iter().find(|one| one.connection_id == row.id);
                source_of(&row, schedule)
            })
            .collect())
    }
}

fn source_of(row: &ConnectionRow, schedule: Option<&ScheduleRow>) -> (Source, Every) {
    let chosen = schedule.and_then(|schedule| Every::of_word(schedule.every.as_deref()?));
    let every = chosen.unwrap_or_else(|| Every::default_of(Role::parse(&row.role)));
    let synced_at = row.last_synced_at.as_deref().and_then(|at| at.parse().ok());
    let source = Source {
        connection_id: row.id.clone(),
        every: every.interval(),
        connected: state_of(row) == ConnectionState::Connected,
        last: schedule
            .and_then(attempt_of)
            .or_else(|| read_at(synced_at?)),
        synced_at,
    };
    (source, every)
}

fn attempt_of(schedule: &ScheduleRow) -> Option<Attempt> {
    Some(Attempt {
        at: schedule.attempted_at.as_deref()?.parse().ok()?,
        failures: u32::try_from(schedule.failures).unwrap_or(u32::MAX),
        asked_to_wait: Duration::from_secs(schedule.asked_to_wait.try_into().unwrap_or(0)),
    })
}

/// A sync from before attempts were written down.
fn read_at(at: Timestamp) -> Option<Attempt> {
    Some(Attempt {
        at,
        failures: 0,
        asked_to_wait: Duration::ZERO,
    })
}

fn view_of(
    source: Source,
    every: Every,
    standing: Standing,
    conditions: Conditions,
    settings: &ScheduleSettingsView,
    now: Timestamp,
) -> ConnectionScheduleView {
    let failed = source.last.is_some_and(|last| last.failures > 0);
    let put_off = source.put_off(conditions, settings, now);
    let (next_at, wait) = match standing {
        Standing::Off => (None, None),
        Standing::NeedsSignIn => (None, Some(ScheduleWait::SignIn)),
        Standing::Due if put_off && conditions.on_battery && !settings.also_on_battery => {
            (Some(now), Some(ScheduleWait::Battery))
        }
        Standing::Due if put_off => (Some(now), Some(ScheduleWait::Metered)),
        Standing::Due => (Some(now), None),
        Standing::Later(at) => (Some(at), failed.then_some(ScheduleWait::AfterFailure)),
    };
    ConnectionScheduleView {
        connection_id: source.connection_id,
        every,
        next_at: next_at.map(|at| at.to_string()),
        due: standing == Standing::Due,
        wait,
    }
}

/// The surroundings are asked away from the async threads: a bus may be slow.
async fn conditions(surroundings: &Arc<dyn Surroundings>) -> Conditions {
    let surroundings = Arc::clone(surroundings);
    tokio::task::spawn_blocking(move || surroundings.conditions())
        .await
        .unwrap_or_default()
}

/// The engine, as the loop sees it.
struct EngineSources {
    engine: Engine,
    installation: Vec<u8>,
}

impl Sources for EngineSources {
    fn now(&self) -> Timestamp {
        self.engine.now()
    }

    fn elapsed(&self) -> Duration {
        self.engine.inner.clock.elapsed()
    }

    async fn nap(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn installation(&self) -> &[u8] {
        &self.installation
    }

    fn awake(&self, since: Timestamp) {
        *lock(&self.engine.inner.awake_since) = Some(since);
    }

    async fn load(&self) -> Result<(Vec<Source>, ScheduleSettingsView)> {
        let sources = self.engine.scheduled_sources().await?;
        let settings = self.engine.schedule_settings().await?;
        Ok((
            sources.into_iter().map(|(source, _)| source).collect(),
            settings,
        ))
    }

    async fn conditions(&self) -> Conditions {
        conditions(&self.engine.inner.surroundings).await
    }

    async fn sync(&self, connection_id: &str) -> Option<Notice> {
        match self.engine.sync(connection_id).await {
            Ok(report) if report.changes() > 0 => Some(Notice::NewRecords),
            Ok(report) if report.problem.is_some() => {
                let row = self.engine.connection_row(connection_id).await.ok()?;
                let lost = matches!(state_of(&row), ConnectionState::AccessLost { .. });
                lost.then_some(Notice::SignInNeeded)
            }
            Ok(_) => None,
            // The other one writes down how it ended; the next look sees that.
            Err(problem) if problem.code == ProblemCode::AlreadySyncing => None,
            Err(problem) => {
                tracing::warn!(
                    code = problem.code.code(),
                    "a scheduled sync could not begin"
                );
                None
            }
        }
    }
}
