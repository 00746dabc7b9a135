//! When a source is due: one pure function.
//!
//! A million installations must not come together. Each has dice of its own (a random seed of the
//! installation, and the connection), and the same dice always fall the same way for the same question:
//! asking twice gives one answer, and nothing has to be stored.
//!
//! Only differences of times count, and each is bounded. A clock that is set back or forward costs at most
//! one sync too many or one interval too few; it makes neither a storm nor a never.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// By which share of the interval two installations may differ, each way.
const SPREAD: f64 = 0.2;
/// The wait after the first failure; it doubles with each one that follows.
const FIRST_RETRY: Duration = Duration::from_secs(5 * 60);
/// No wait after a failure, and none that a server asks for, is longer.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// What became due while nobody was there to do it runs this long after the program started or the
/// machine woke: not at once, when everybody's machines wake.
const AFTER_START: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(300));

/// How the last attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended, by this machine's clock.
    pub at: Timestamp,
    /// How many attempts failed in a row, this one included.
    pub failures: u32,
    /// How long the server asked to wait (`Retry-After`).
    pub asked_to_wait: Duration,
}

/// The dice of one connection of one installation.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: Vec<u8>,
}

impl Dice {
    /// `installation` is random and stays the same; `connection_id` tells its sources apart.
    #[must_use]
    pub fn new(installation: &[u8], connection_id: &str) -> Self {
        let mut seed = installation.to_vec();
        seed.extend_from_slice(connection_id.as_bytes());
        Self { seed }
    }

    /// A number from 0 to 1, the same for the same question.
    fn roll(&self, question: &[u8], at: Option<Timestamp>) -> f64 {
        let mut hash = Sha256::new();
        hash.update(question);
        hash.update(at.map_or(0, Timestamp::as_microsecond).to_be_bytes());
        hash.update(&self.seed);
        let mut first = [0_u8; 4];
        first.copy_from_slice(&hash.finalize()[..4]);
        f64::from(u32::from_be_bytes(first)) / f64::from(u32::MAX)
    }
}

/// When a source is due next.
///
/// `last` is its last attempt by whichever process, `awake_since` when this process could first have done
/// it: its start, or when the machine woke.
#[must_use]
pub fn next_due(
    every: Duration,
    last: Option<&Attempt>,
    awake_since: Timestamp,
    now: Timestamp,
    dice: &Dice,
) -> Timestamp {
    let Some(last) = last.filter(|last| may_be_true(last.at, every, now)) else {
        return after_start(awake_since, now, dice);
    };
    let due = later(last.at, wait_after(every, last, dice));
    if due <= awake_since {
        after_start(awake_since, now, dice)
    } else {
        due
    }
}

/// A time so far ahead was written by a clock that was wrong: it tells nothing.
pub(crate) fn may_be_true(at: Timestamp, every: Duration, now: Timestamp) -> bool {
    at <= later(now, every)
}

fn after_start(awake_since: Timestamp, now: Timestamp, dice: &Dice) -> Timestamp {
    if awake_since > now {
        // The clock was set back since: nothing can be counted from there.
        return now;
    }
    let (least, most) = AFTER_START;
    let delay = least + (most - least).mul_f64(dice.roll(b"start", Some(awake_since)));
    later(awake_since, delay)
}

fn wait_after(every: Duration, last: &Attempt, dice: &Dice) -> Duration {
    let regular = every.mul_f64(1.0 + SPREAD * (2.0 * dice.roll(b"interval", None) - 1.0));
    let wait = if last.failures == 0 {
        regular
    } else {
        let doubled = FIRST_RETRY.saturating_mul(1 << (last.failures - 1).min(16));
        let wait = doubled.min(every).min(LONGEST_WAIT);
        wait.mul_f64(0.5 + dice.roll(b"retry", Some(last.at)))
            .min(regular)
    };
    if last.asked_to_wait.is_zero() {
        return wait;
    }
    // Whoever asks to be left alone for a time is, and not by all until the same moment.
    let asked = last.asked_to_wait.min(LONGEST_WAIT);
    let asked = asked.mul_f64(1.0 + SPREAD * dice.roll(b"asked", Some(last.at)));
    wait.max(asked)
}

/// Times at the end of all times do not move on.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
