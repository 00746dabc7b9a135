//! Locks when nobody has touched the window for as long as the person chose.

use crate::state::AppState;
use satchel_core::Clock;
use satchel_core::view::PrivacyView;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tauri::{AppHandle, Manager};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// When the window was touched last, by both clocks: one can be turned, the other stands still while the
/// computer sleeps.
pub(crate) struct Activity {
    clock: Arc<dyn Clock>,
    /// Seconds since 1970, and since the computer was started.
    last: Mutex<(i64, Duration)>,
}

impl Activity {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let now = (clock.now().as_second(), clock.elapsed());
        Self {
            clock,
            last: Mutex::new(now),
        }
    }

    /// The window was touched.
    pub(crate) fn note(&self) {
        let now = (self.clock.now().as_second(), self.clock.elapsed());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    fn idle(&self) -> Duration {
        let (wall, steady) = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        longer(
            self.clock.now().as_second().saturating_sub(wall),
            self.clock.elapsed().saturating_sub(steady),
        )
    }
}

/// The longer of two; a clock that was turned back says nothing.
fn longer(wall: i64, steady: Duration) -> Duration {
    Duration::from_secs(u64::try_from(wall).unwrap_or(0)).max(steady)
}

/// Whether it is time to lock.
fn is_time(idle: Duration, privacy: &PrivacyView) -> bool {
    let minutes = privacy.settings.lock_after_minutes;
    privacy.passphrase
        && minutes.is_some_and(|minutes| idle >= Duration::from_secs(u64::from(minutes) * 60))
}

/// Looks every second, for as long as the app runs.
pub(crate) async fn watch(app: AppHandle) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let state = app.state::<AppState>();
        let Some(privacy) = state.privacy().await else {
            continue;
        };
        if is_time(state.activity.idle(), &privacy) {
            state.lock_or_warn(&app).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use satchel_core::view::PrivacySettingsView;

    #[test]
    fn it_locks_when_the_time_has_come_and_a_passphrase_is_there() {
        let chosen = |passphrase, minutes| PrivacyView {
            passphrase,
            at_start: false,
            hears_system: true,
            settings: PrivacySettingsView {
                lock_after_minutes: minutes,
                ..PrivacySettingsView::default()
            },
        };
        let idle = Duration::from_secs(300);
        assert!(is_time(idle, &chosen(true, Some(5))) && is_time(idle, &chosen(true, Some(1))));
        assert!(!is_time(idle, &chosen(true, Some(15))) && !is_time(idle, &chosen(true, None)));
        assert!(!is_time(idle, &chosen(false, Some(1))));
    }

    #[test]
    fn sleep_counts_and_a_clock_that_was_turned_back_does_not() {
        let steady = Duration::from_secs(60);
        assert_eq!(longer(3_600, steady), Duration::from_secs(3_600));
        assert_eq!(longer(-3_600, steady), steady);
    }
}
