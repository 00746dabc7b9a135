//! The life of one installation: when it tries to sync, by which rule.

use satchel_core::schedule::{Attempt, Dice, next_due};
use std::time::Duration;

pub(crate) const MINUTE: u64 = 60;
pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;
/// Some midnight, in seconds since 1970.
const MIDNIGHT: u64 = 20_000 * DAY;
/// When programs that go by the clock come.
const NIGHTLY: u64 = 3 * HOUR;
const RETRY: u64 = 5 * MINUTE;

/// A rule for the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Satchel's own.
    Satchel,
    /// Satchel's own, but everybody throws the same dice.
    SameDice,
    /// At three in the morning; after a failure each five minutes; what was missed at once. What a timer
    /// does that nobody thought about.
    ByTheClock,
}

impl Policy {
    pub(crate) const ALL: [Self; 3] = [Self::Satchel, Self::SameDice, Self::ByTheClock];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Satchel => "satchel",
            Self::SameDice => "same_dice",
            Self::ByTheClock => "by_the_clock",
        }
    }
}

/// One installation. All times are seconds after the midnight at which the simulation begins.
#[derive(Debug)]
pub(crate) struct Installation {
    dice: Dice,
    policy: Policy,
    /// Second of the minute in which its loop looks at the clock.
    phase: u64,
    random: u64,
}

/// A well-mixed number of a number (SplitMix64).
pub(crate) fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Installation {
    pub(crate) fn new(number: u64, policy: Policy) -> Self {
        let random = mixed(number);
        let seed = match policy {
            Policy::SameDice => 0,
            Policy::Satchel | Policy::ByTheClock => random,
        };
        Self {
            dice: Dice::new(&seed.to_be_bytes(), "source"),
            policy,
            phase: mixed(random) % MINUTE,
            random,
        }
    }

    /// A number of its own below `most`, another for each question.
    pub(crate) fn below(&self, most: u64, question: u64) -> u64 {
        mixed(self.random ^ mixed(question)) % most
    }

    /// When it tries next, when it is awake since `awake`; `last` is its last try and how many failed in a row.
    pub(crate) fn next(&self, (last, failures): (u64, u32), awake: u64) -> u64 {
        let due = match self.policy {
            Policy::ByTheClock => by_the_clock(last, failures).max(awake),
            Policy::Satchel | Policy::SameDice => {
                let attempt = Attempt {
                    at: timestamp(last),
                    failures,
                    asked_to_wait: Duration::ZERO,
                };
                let (awake, now) = (timestamp(awake), timestamp(last.max(awake)));
                let day = Duration::from_secs(DAY);
                seconds(next_due(day, Some(&attempt), awake, now, &self.dice))
            }
        };
        let look = due - due % MINUTE + self.phase;
        if look < due { look + MINUTE } else { look }
    }
}

fn by_the_clock(last: u64, failures: u32) -> u64 {
    if failures > 0 {
        return last + RETRY;
    }
    let tonight = last - last % DAY + NIGHTLY;
    if tonight > last {
        tonight
    } else {
        tonight + DAY
    }
}

fn timestamp(after: u64) -> jiff::Timestamp {
    let second = i64::try_from(MIDNIGHT + after).expect("a second");
    jiff::Timestamp::from_second(second).expect("a time")
}

fn seconds(at: jiff::Timestamp) -> u64 {
    u64::try_from(at.as_second()).expect("after 1970") + u64::from(at.subsec_nanosecond() > 0)
        - MIDNIGHT
}
