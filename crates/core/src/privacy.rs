//! What is chosen for the privacy of the screen. The lock itself is in [`crate::passphrase`]; idle time, the
//! system's lock, the blur and the clipboard are the shell's and the window's work.

use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{PrivacySettingsView, PrivacyView};

const SETTINGS: &str = "privacy";
/// A day; longer is never.
const LONGEST_MINUTES: u32 = 24 * 60;

impl Engine {
    /// How the lock stands, and what was chosen. Whether the system's lock is heard, the shell knows.
    ///
    /// # Errors
    /// `keychain.*`, `store.*`.
    pub async fn privacy(&self) -> Result<PrivacyView> {
        let standing = self.lock_standing().await?;
        Ok(PrivacyView {
            passphrase: standing.passphrase,
            at_start: standing.at_start,
            hears_system: false,
            settings: self.privacy_settings().await?,
        })
    }

    /// What was chosen.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn privacy_settings(&self) -> Result<PrivacySettingsView> {
        let stored = self.inner.store.setting_get(SETTINGS).await?;
        let read = stored.and_then(|json| serde_json::from_str(&json).ok());
        Ok(read.unwrap_or_default())
    }

    /// Chooses. Minutes are at least one and at most a day.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn privacy_settings_set(&self, settings: &PrivacySettingsView) -> Result<()> {
        let minutes = settings.lock_after_minutes;
        let settings = PrivacySettingsView {
            lock_after_minutes: minutes.map(|minutes| minutes.clamp(1, LONGEST_MINUTES)),
            ..*settings
        };
        let json = serde_json::to_string(&settings)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        self.inner.store.setting_set(SETTINGS, &json).await?;
        Ok(())
    }
}
