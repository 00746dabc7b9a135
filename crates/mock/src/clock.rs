//! The server's time, which testers may turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderValue;

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// A second as HTTP writes it (RFC 9110 §5.6.7); `None` for one that no calendar has.
pub(crate) fn http_date(second: i64) -> Option<HeaderValue> {
    let time = jiff::Timestamp::from_second(second).ok()?;
    let text = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).ok()
}

/// The clock of one server; its copies are the same clock.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// When the server started.
    started: i64,
    /// Seconds by which it was turned.
    turned: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that shows the computer's time.
    pub(crate) fn start() -> Self {
        Clock {
            started: computer_time(),
            turned: Arc::default(),
        }
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        computer_time().saturating_add(self.turned.load(Ordering::Relaxed))
    }

    /// Turns it by so many seconds, on or back.
    pub(crate) fn turn(&self, seconds: i64) {
        let _ = self
            .turned
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |turned| {
                Some(turned.saturating_add(seconds))
            });
    }

    /// Seconds since 1970 at the server's start.
    pub(crate) fn started(&self) -> i64 {
        self.started
    }

    /// Whole days since the server's start; none when the clock was turned back before it.
    pub(crate) fn days(&self) -> u32 {
        let days = self.now().saturating_sub(self.started) / DAY;
        u32::try_from(days.max(0)).unwrap_or(u32::MAX)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the imitation server lives in real time, as the servers it imitates do"
)]
fn computer_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_the_start() {
        let clock = Clock::start();
        assert_eq!(clock.days(), 0);
        clock.turn(DAY + 60);
        assert_eq!(clock.days(), 1);
        clock.turn(-3 * DAY);
        assert_eq!(clock.days(), 0);
        clock.turn(i64::MAX);
        clock.turn(i64::MAX);
        assert!(clock.now() > 0);
    }
}
