//! The loop: looks at the clock every minute or so, and syncs what is due, one source after another.
//!
//! It asks the clock and the file instead of sleeping until a time, because the person may turn the one,
//! the command line may write the other, and the machine may sleep.

use super::notice::Notice;
use super::standing::{Source, Standing};
use super::surroundings::Conditions;
use crate::problem::Result;
use crate::view::ScheduleSettingsView;
use jiff::Timestamp;
use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// A nap that took this much more or less than it should: the machine slept, or its clock was turned.
const JUMP_SECONDS: i64 = 60;

/// What the loop needs of the engine.
pub(crate) trait Sources: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
    /// Time that nobody can turn.
    fn elapsed(&self) -> Duration;
    fn nap(&self, time: Duration) -> impl Future<Output = ()> + Send;
    fn installation(&self) -> &[u8];
    /// Told from when on this process was awake.
    fn awake(&self, since: Timestamp);
    fn load(&self) -> impl Future<Output = Result<(Vec<Source>, ScheduleSettingsView)>> + Send;
    fn conditions(&self) -> impl Future<Output = Conditions> + Send;
    /// Syncs one source; gives what may be told of it.
    fn sync(&self, connection_id: &str) -> impl Future<Output = Option<Notice>> + Send;
}

/// How the loop goes.
#[derive(Clone, Debug)]
pub struct SchedulerOptions {
    /// How often the clock is looked at. No source is tried twice within two of these, whatever clocks say.
    pub look_every: Duration,
    /// Where notices go that the person wants.
    pub notices: Option<UnboundedSender<Notice>>,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(60),
            notices: None,
        }
    }
}

/// Goes on until it is dropped.
pub(crate) async fn run(sources: impl Sources, options: SchedulerOptions) {
    let mut awake_since = sources.now();
    let mut tried: HashMap<String, Duration> = HashMap::new();
    loop {
        sources.awake(awake_since);
        round(&sources, &options, awake_since, &mut tried).await;
        let asleep_at = sources.now();
        sources.nap(options.look_every).await;
        let slept = sources.now().duration_since(asleep_at).as_secs();
        let meant = i64::try_from(options.look_every.as_secs()).unwrap_or(i64::MAX);
        if slept.saturating_sub(meant).saturating_abs() > JUMP_SECONDS {
            awake_since = sources.now();
        }
    }
}

async fn round(
    sources: &impl Sources,
    options: &SchedulerOptions,
    awake_since: Timestamp,
    tried: &mut HashMap<String, Duration>,
) {
    let (list, settings) = match sources.load().await {
        Ok(loaded) => loaded,
        Err(problem) => {
            tracing::warn!(
                code = problem.code.code(),
                "the schedule could not be looked at"
            );
            return;
        }
    };
    tried.retain(|_, at| sources.elapsed().saturating_sub(*at) < options.look_every * 2);
    for source in list {
        let standing = source.standing(sources.installation(), awake_since, sources.now());
        if standing != Standing::Due || tried.contains_key(&source.connection_id) {
            continue;
        }
        if source.put_off(sources.conditions().await, &settings, sources.now()) {
            continue;
        }
        let told = sources.sync(&source.connection_id).await;
        tried.insert(source.connection_id, sources.elapsed());
        tell(told, &settings, options);
    }
}

fn tell(notice: Option<Notice>, settings: &ScheduleSettingsView, options: &SchedulerOptions) {
    let wanted = |notice: &Notice| match notice {
        Notice::NewRecords => settings.notify_new_records,
        Notice::SignInNeeded => settings.notify_sign_in,
    };
    if let (Some(notice), Some(notices)) = (notice.filter(wanted), &options.notices) {
        // Nobody listening is no error.
        let _ = notices.send(notice);
    }
}

#[cfg(test)]
mod tests;
