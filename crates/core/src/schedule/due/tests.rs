//! What must hold of the next time whatever clocks, servers and people do.

use super::*;
use crate::schedule::Every;
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
const START: &str = "2026-05-01T08:00:00Z";

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn dice(installation: u64) -> Dice {
    Dice::new(&installation.to_be_bytes(), "connection")
}

fn attempt(at: Timestamp) -> Attempt {
    Attempt {
        at,
        failures: 0,
        asked_to_wait: Duration::ZERO,
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

fn intervals() -> impl Strategy<Value = Duration> {
    prop::sample::select(
        Every::ALL
            .into_iter()
            .filter_map(Every::interval)
            .collect::<Vec<_>>(),
    )
}

/// Any time that a clock can show.
fn times() -> impl Strategy<Value = Timestamp> {
    (-377_705_116_800_i64..253_402_207_200).prop_map(|at| Timestamp::from_second(at).unwrap())
}

fn attempts() -> impl Strategy<Value = Option<Attempt>> {
    let one = (times(), any::<u32>(), any::<u32>()).prop_map(|(at, failures, wait)| Attempt {
        at,
        failures,
        asked_to_wait: Duration::from_secs(wait.into()),
    });
    prop::option::of(one)
}

proptest! {
    /// No never: whatever is stored and whatever the clock says.
    #[test]
    fn it_is_never_further_away_than_two_intervals_and_a_day(
        every in intervals(), last in attempts(), awake in times(), now in times(), seed: u64,
    ) {
        let due = next_due(every, last.as_ref(), awake, now, &dice(seed));
        let furthest = later(now, every.mul_f64(2.2) + LONGEST_WAIT.mul_f64(1.2));
        // One clock that is right: awake since some time before now.
        if awake <= now {
            prop_assert!(due <= furthest, "{due} at {now}");
        }
        prop_assert_eq!(due, next_due(every, last.as_ref(), awake, now, &dice(seed)));
    }

    /// A success is not repeated within four fifths of the interval, a failure not within two minutes.
    #[test]
    fn it_is_never_too_soon_after_an_attempt(
        every in intervals(), failures in 0_u32..100, ago in 0_u64..10_000, seed: u64,
    ) {
        let at = start();
        let last = Attempt { failures, ..attempt(at) };
        let now = later(at, Duration::from_secs(ago));
        let due = next_due(every, Some(&last), at, now, &dice(seed));
        let least = if failures == 0 { every.mul_f64(0.8) } else { Duration::from_secs(150) };
        prop_assert!(due >= later(at, least));
        prop_assert!(due <= later(at, every.mul_f64(1.2)));
    }

    /// A server that asks to be left alone is, for as long as it says, at most a day.
    #[test]
    fn retry_after_is_kept(failures in 0_u32..20, wait in 0_u32..200_000, seed: u64) {
        let asked = Duration::from_secs(wait.into());
        let last = Attempt { failures, asked_to_wait: asked, ..attempt(start()) };
        let due = next_due(DAY, Some(&last), start(), start(), &dice(seed));
        prop_assert!(due >= later(start(), asked.min(LONGEST_WAIT)));
        prop_assert!(due <= later(start(), DAY.mul_f64(1.2)));
    }

    /// What was missed runs soon after the start, and not at once.
    #[test]
    fn what_was_missed_waits_a_little(ago in 0_u64..1000, every in intervals(), seed: u64) {
        let awake = later(start(), every * 3);
        let now = later(awake, Duration::from_secs(ago));
        for last in [Some(attempt(start())), None] {
            let due = next_due(every, last.as_ref(), awake, now, &dice(seed));
            prop_assert!(due >= later(awake, Duration::from_secs(20)));
            prop_assert!(due <= later(awake, MINUTE * 5));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Somebody turns the clock again and again: each turn costs at most one sync more, and afterwards
    /// the schedule goes on.
    #[test]
    fn turned_clocks_make_neither_a_storm_nor_a_never(
        turns in prop::collection::vec((0_u32..300, -40_000_000_i64..40_000_000), 0..8), seed: u64,
    ) {
        let mut desk = Desk::new(seed);
        for (minutes, turn) in &turns {
            desk.live(*minutes);
            desk.turn(*turn);
        }
        let before = desk.syncs;
        let lived: u32 = turns.iter().map(|(minutes, _)| minutes).sum();
        let regular = u32::try_from(Duration::from_secs(u64::from(lived) * 60).as_secs() / DAY.mul_f64(0.8).as_secs()).unwrap();
        prop_assert!(before <= regular + 2 * u32::try_from(turns.len()).unwrap() + 1, "{before} syncs");
        desk.live(2 * 24 * 60 + 12 * 60);
        prop_assert!(desk.syncs > before, "it goes on");
        prop_assert!(desk.syncs <= before + 5);
    }
}

/// A computer that looks each minute, as the loop does.
struct Desk {
    dice: Dice,
    wall: Timestamp,
    awake: Timestamp,
    last: Option<Attempt>,
    syncs: u32,
}

impl Desk {
    fn new(seed: u64) -> Self {
        Self {
            dice: dice(seed),
            wall: start(),
            awake: start(),
            last: Some(attempt(start())),
            syncs: 0,
        }
    }

    fn live(&mut self, minutes: u32) {
        for _ in 0..minutes {
            self.wall = later(self.wall, MINUTE);
            if next_due(DAY, self.last.as_ref(), self.awake, self.wall, &self.dice) <= self.wall {
                self.last = Some(attempt(self.wall));
                self.syncs += 1;
            }
        }
    }

    fn turn(&mut self, seconds: i64) {
        self.wall = self
            .wall
            .checked_add(jiff::SignedDuration::from_secs(seconds))
            .unwrap();
        self.awake = self.wall;
    }
}

#[test]
fn installations_do_not_come_together() {
    let due = |seed: u64| {
        let at = next_due(DAY, Some(&attempt(start())), start(), start(), &dice(seed));
        seconds_between(start(), at)
    };
    let mut times: Vec<i64> = (0..10_000).map(due).collect();
    times.sort_unstable();
    let (first, last) = (times[0], times[9_999]);
    assert!((69_000..70_000).contains(&first), "{first}");
    assert!((103_000..=103_680).contains(&last), "{last}");
    let hours = (last - first) / 3600 + 1;
    let fullest = (0..hours)
        .map(|hour| {
            let from = first + hour * 3600;
            times
                .iter()
                .filter(|at| (from..from + 3600).contains(*at))
                .count()
        })
        .max()
        .unwrap();
    assert!(
        fullest < 10_000 / 9,
        "{fullest} of 10,000 in one of ten hours"
    );
}

#[test]
fn each_failure_doubles_the_wait_up_to_the_interval() {
    let wait = |failures: u32| {
        let last = Attempt {
            failures,
            ..attempt(start())
        };
        let due = next_due(DAY, Some(&last), start(), start(), &dice(7));
        seconds_between(start(), due)
    };
    // The same dice for all: they were thrown at the same moment.
    let waits: Vec<i64> = (1..=8).map(wait).collect();
    assert!(
        waits
            .windows(2)
            .all(|pair| (pair[1] - 2 * pair[0]).abs() <= 1),
        "{waits:?}"
    );
    assert!((150..=450).contains(&waits[0]), "{waits:?}");
    assert!(wait(100) <= seconds_between(start(), later(start(), DAY.mul_f64(1.2))));
}
