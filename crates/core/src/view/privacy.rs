//! What is chosen for the privacy of the screen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct PrivacySettingsView {
    /// Locked after so many minutes without a key or the mouse; none: never.
    pub lock_after_minutes: Option<u32>,
    /// Locked when the computer's screen is locked, or before it sleeps.
    pub lock_with_system: bool,
    /// The window is blurred while another one is in front.
    pub blur_when_away: bool,
    /// What was copied is taken out of the clipboard after half a minute.
    pub clear_clipboard: bool,
}

/// What holds for the lock needs a passphrase. The blur is off: it hides the records from the person too, who
/// may be copying from them.
impl Default for PrivacySettingsView {
    fn default() -> Self {
        Self {
            lock_after_minutes: Some(15),
            lock_with_system: true,
            blur_when_away: false,
            clear_clipboard: true,
        }
    }
}

/// How the lock stands, and what was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PrivacyView {
    /// There is a passphrase.
    pub passphrase: bool,
    /// It is asked for when Satchel is started.
    pub at_start: bool,
    /// This program hears of the computer's lock and sleep.
    pub hears_system: bool,
    /// What was chosen.
    pub settings: PrivacySettingsView,
}
