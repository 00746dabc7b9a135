//! Wrong passphrases in a row: when they were, so that the next one waits and the access log can tell of them.
//! They are in a small file of the profile, because the database is closed then; it holds times only.
//!
//! The wait is against somebody at the keyboard, who starts Satchel again as well. Against a program that
//! reads the keychain it is Argon2 that counts.

use crate::problem::{Problem, ProblemCode, Result};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

const FILE: &str = "unlock.attempts";
/// So many may be wrong before there is a wait.
const FREE: usize = 3;
const FIRST_WAIT: i64 = 5;
const LONGEST_WAIT: i64 = 300;
/// Times that are kept; the count goes on.
const KEPT: usize = 50;

/// The wrong ones since the last right one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempts {
    count: usize,
    times: Vec<Timestamp>,
}

impl Attempts {
    /// Those of a profile; none when the file is not there or says nothing.
    pub(crate) fn read(profile_dir: &Path) -> Self {
        let text = std::fs::read(path(profile_dir)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// When they were.
    pub(crate) fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// From when on the next one is taken; none when at once.
    pub(crate) fn wait_until(&self, now: Timestamp) -> Option<Timestamp> {
        let wait = wait_after(self.count);
        // A clock that was turned back must not make the wait any longer.
        let last = self.times.last()?.min(&now).to_owned();
        let until = last.checked_add(SignedDuration::from_secs(wait)).ok()?;
        (until > now).then_some(until)
    }

    /// Refuses while there is a wait.
    pub(crate) fn check(&self, now: Timestamp) -> Result<()> {
        match self.wait_until(now) {
            Some(until) => Err(Problem::with_detail(ProblemCode::UnlockTooSoon, until)),
            None => Ok(()),
        }
    }

    /// Writes another wrong one down. A disk that is full does not open anything.
    pub(crate) fn add(mut self, profile_dir: &Path, now: Timestamp) {
        self.count = self.count.saturating_add(1);
        // What a turned clock left in the future would make the next wait begin there.
        self.times.retain(|at| *at <= now);
        self.times.push(now);
        let surplus = self.times.len().saturating_sub(KEPT);
        self.times.drain(..surplus);
        if let Err(error) = self.write(&path(profile_dir)) {
            tracing::warn!(error = %error.kind(), "a wrong passphrase could not be counted");
        }
    }

    /// Forgets them.
    pub(crate) fn forget(profile_dir: &Path) {
        // Not there is as good.
        let _ = std::fs::remove_file(path(profile_dir));
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut options = std::fs::File::options();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()
    }
}

fn path(profile_dir: &Path) -> PathBuf {
    profile_dir.join(FILE)
}

/// Seconds after so many wrong ones: none, then 5, 10, 20, up to five minutes.
fn wait_after(count: usize) -> i64 {
    let doublings = match count.checked_sub(FREE) {
        None => return 0,
        Some(beyond) => u32::try_from(beyond.min(20)).unwrap_or(20),
    };
    FIRST_WAIT
        .saturating_mul(2_i64.saturating_pow(doublings))
        .min(LONGEST_WAIT)
}

/// Whether a file of the profile is this one.
pub(crate) fn is_file(name: &str) -> bool {
    name == FILE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_wait_grows_and_has_an_end() {
        let waits: Vec<i64> = (0..12).map(wait_after).collect();
        assert_eq!(waits, [0, 0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn they_are_counted_over_a_restart_until_a_right_one_and_a_turned_clock_makes_no_wait_longer() {
        let folder = tempfile::tempdir().unwrap();
        for second in 0..3 {
            let attempts = Attempts::read(folder.path());
            assert_eq!(attempts.wait_until(at(second)), None);
            attempts.add(folder.path(), at(second));
        }
        let attempts = Attempts::read(folder.path());
        assert_eq!(attempts.wait_until(at(3)), Some(at(7)));
        assert!(attempts.check(at(3)).is_err() && attempts.check(at(7)).is_ok());
        assert_eq!(attempts.wait_until(at(-500)), Some(at(-495)));
        attempts.add(folder.path(), at(-400));
        let attempts = Attempts::read(folder.path());
        assert_eq!(attempts.wait_until(at(-399)), Some(at(-390)));
        Attempts::forget(folder.path());
        assert_eq!(Attempts::read(folder.path()), Attempts::default());
        std::fs::write(path(folder.path()), "no json").unwrap();
        assert_eq!(Attempts::read(folder.path()), Attempts::default());
    }
}
