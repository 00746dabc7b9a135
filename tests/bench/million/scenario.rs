//! Days that a server has to live through.

use crate::life::{DAY, HOUR, Installation, MINUTE, Policy};
use std::ops::Range;

const DAYS: u64 = 8;
const MINUTES: usize = (DAYS * DAY / MINUTE) as usize;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Machines that are always on, registered at any time.
    Steady,
    /// Machines that are switched on between eight and nine, for nine hours.
    Mornings,
    /// As steady, and the server is away for two hours.
    Outage,
    /// Everybody registers on one day, between eight and twenty.
    Release,
}

/// When the server is away: at night, when servers are looked after.
const AWAY: Range<u64> = 4 * DAY + 2 * HOUR..4 * DAY + 4 * HOUR;

/// What comes in each minute.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) syncs: Vec<u32>,
    /// Tries while the server is away.
    pub(crate) failed: Vec<u32>,
    pub(crate) registrations: Vec<u32>,
}

impl Load {
    fn new() -> Self {
        Self {
            syncs: vec![0; MINUTES],
            failed: vec![0; MINUTES],
            registrations: vec![0; MINUTES],
        }
    }

    fn add(&mut self, other: &Self) {
        for (mine, others) in [
            (&mut self.syncs, &other.syncs),
            (&mut self.failed, &other.failed),
            (&mut self.registrations, &other.registrations),
        ] {
            mine.iter_mut()
                .zip(others)
                .for_each(|(mine, other)| *mine += other);
        }
    }
}

impl Scenario {
    pub(crate) const ALL: [Self; 4] = [Self::Steady, Self::Mornings, Self::Outage, Self::Release];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Mornings => "mornings",
            Self::Outage => "outage",
            Self::Release => "release",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Steady => "Machines that are always on",
            Self::Mornings => "Machines that are switched on between 8:00 and 9:00, for nine hours",
            Self::Outage => "Always on; the server is away from 2:00 to 4:00 of the fifth day",
            Self::Release => "Everybody registers between 8:00 and 20:00 of the first day",
        }
    }

    /// Parts of the time that are told apart: name, from, to.
    pub(crate) fn parts(self) -> &'static [(&'static str, Range<u64>)] {
        const STEADY: &[(&str, Range<u64>)] = &[("last_three_days", 5 * DAY..8 * DAY)];
        const OUTAGE: &[(&str, Range<u64>)] = &[
            ("day_before", 3 * DAY..4 * DAY),
            ("away", AWAY),
            ("hour_after", AWAY.end..AWAY.end + HOUR),
            ("day_after", AWAY.end..AWAY.end + DAY),
        ];
        const RELEASE: &[(&str, Range<u64>)] = &[
            ("first_day", 0..DAY),
            ("second_day", DAY..2 * DAY),
            ("eighth_day", 7 * DAY..8 * DAY),
        ];
        match self {
            Self::Steady | Self::Mornings => STEADY,
            Self::Outage => OUTAGE,
            Self::Release => RELEASE,
        }
    }

    /// Lets all installations live, on all processors.
    pub(crate) fn run(self, policy: Policy, installations: u64) -> Load {
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let mut all = Load::new();
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads)
                .map(|first| scope.spawn(move || self.live(policy, first, threads, installations)))
                .collect();
            for handle in handles {
                all.add(&handle.join().expect("a thread that came to its end"));
            }
        });
        all
    }

    fn live(self, policy: Policy, first: u64, step: u64, installations: u64) -> Load {
        let mut load = Load::new();
        let mut number = first;
        while number < installations {
            self.live_one(&Installation::new(number, policy), &mut load);
            number += step;
        }
        load
    }

    fn live_one(self, one: &Installation, load: &mut Load) {
        let registered = match self {
            Self::Release => 8 * HOUR + one.below(12 * HOUR, 1),
            Self::Steady | Self::Mornings | Self::Outage => one.below(DAY, 1),
        };
        count(&mut load.registrations, registered);
        let (mut last, mut failures, mut awake) = (registered, 0, registered);
        loop {
            let at = one.next((last, failures), awake);
            if self == Self::Mornings && at > awake + 9 * HOUR {
                let tomorrow = awake - awake % DAY + DAY;
                awake = tomorrow + 8 * HOUR + one.below(HOUR, tomorrow);
                if awake >= DAYS * DAY {
                    return;
                }
                continue;
            }
            if at >= DAYS * DAY {
                return;
            }
            last = at;
            if self == Self::Outage && AWAY.contains(&at) {
                failures += 1;
                count(&mut load.failed, at);
            } else {
                failures = 0;
                count(&mut load.syncs, at);
            }
        }
    }
}

fn count(minutes: &mut [u32], at: u64) {
    let minute = usize::try_from(at / MINUTE).expect("a minute");
    minutes[minute] += 1;
}
