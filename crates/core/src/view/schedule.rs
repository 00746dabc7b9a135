//! When sources are synced by themselves, and what is told of it.

use crate::schedule::Every;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The person's choices that hold for all sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduleSettingsView {
    /// Sync on battery too.
    pub also_on_battery: bool,
    /// Sync on metered networks too.
    pub also_on_metered: bool,
    /// A notification when a source needs the person to sign in.
    pub notify_sign_in: bool,
    /// A notification when new records have arrived.
    pub notify_new_records: bool,
}

/// That a source has stopped is told: nobody would see it otherwise. That records have arrived is not,
/// unless the person wants it: it is seen by whoever sees the screen, and tells that there is something.
impl Default for ScheduleSettingsView {
    fn default() -> Self {
        Self {
            also_on_battery: false,
            also_on_metered: false,
            notify_sign_in: true,
            notify_new_records: false,
        }
    }
}

/// What a scheduled sync waits for beside its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ScheduleWait {
    /// For the person to sign in.
    SignIn,
    /// For a plug.
    Battery,
    /// For a network that is not metered.
    Metered,
    /// The last attempt failed: it is tried again sooner than it would be due.
    AfterFailure,
}

/// The schedule of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionScheduleView {
    /// The connection.
    pub connection_id: String,
    /// How often.
    pub every: Every,
    /// When it is due, RFC 3339; none while it is off or waits for the person.
    pub next_at: Option<String>,
    /// It is due now.
    pub due: bool,
    /// What it waits for.
    pub wait: Option<ScheduleWait>,
}

/// When sources are synced by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleView {
    /// What holds for all.
    pub settings: ScheduleSettingsView,
    /// Each source that can be synced.
    pub connections: Vec<ConnectionScheduleView>,
}
