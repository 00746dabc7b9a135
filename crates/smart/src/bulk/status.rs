//! How an export stands, and when to ask again (Bulk Data Access, "Bulk Data Status Request").

use super::manifest::Manifest;
use std::time::Duration;

/// How an export stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportStatus {
    /// Not ready.
    Running {
        /// `X-Progress`: plain text, at most 100 characters.
        progress: Option<String>,
        /// `Retry-After`.
        retry_after: Option<Duration>,
        /// The files that are ready, where the server hands them out before the end.
        partial: Option<Box<Manifest>>,
    },
    /// It could not be told this time: too many requests, or an error that is called transient.
    AskAgain {
        /// `Retry-After`.
        retry_after: Option<Duration>,
        /// Asked too often (429), so from now on less often.
        too_often: bool,
    },
    /// The files are there.
    Complete(Box<Manifest>),
}

/// How long to wait between two polls: what the server says, else longer each time, up to a minute.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    polls: u32,
    slowed: u32,
}

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// A server that says longer is asked after this all the same: its clock may be wrong.
const LONGEST_SAID: Duration = Duration::from_secs(3600);

impl Backoff {
    /// The next wait. After a 429 (`too_often`) every wait is twice as long as before.
    pub fn wait(&mut self, said: Option<Duration>, too_often: bool) -> Duration {
        if too_often {
            self.slowed = (self.slowed + 1).min(6);
        }
        let growth = self.polls + self.slowed;
        self.polls = (self.polls + 1).min(16);
        match said {
            Some(said) => said.clamp(FIRST, LONGEST_SAID),
            None => FIRST.saturating_mul(1 << growth.min(6)).min(LONGEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f8_waits_grow_up_to_a_minute_and_what_the_server_says_counts_more() {
        let mut backoff = Backoff::default();
        let seconds: Vec<u64> = (0..8)
            .map(|_| backoff.wait(None, false).as_secs())
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        let said = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(backoff.wait(said(5), false).as_secs(), 5);
        assert_eq!(backoff.wait(said(0), false).as_secs(), 1);
        assert_eq!(backoff.wait(said(999_999), false).as_secs(), 3600);
        let mut asked_too_often = Backoff::default();
        assert_eq!(asked_too_often.wait(None, true).as_secs(), 2);
        assert_eq!(asked_too_often.wait(None, true).as_secs(), 8);
    }
}
