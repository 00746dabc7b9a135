//! What the schedule says of one source: pure.

use super::due::{Attempt, Dice, may_be_true, next_due};
use super::surroundings::Conditions;
use crate::view::ScheduleSettingsView;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Data older than this many intervals is fetched on battery and on metered networks too.
const PATIENCE: u32 = 3;

/// A source, as the schedule sees it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) connection_id: String,
    /// None: not by itself.
    pub(crate) every: Option<Duration>,
    /// It is signed in.
    pub(crate) connected: bool,
    pub(crate) last: Option<Attempt>,
    /// When the server was last really read.
    pub(crate) synced_at: Option<Timestamp>,
}

/// Where a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No schedule.
    Off,
    /// The person has to sign in first; nothing is asked until then.
    NeedsSignIn,
    /// Not before this time.
    Later(Timestamp),
    /// Now.
    Due,
}

impl Source {
    pub(crate) fn standing(
        &self,
        installation: &[u8],
        awake_since: Timestamp,
        now: Timestamp,
    ) -> Standing {
        let Some(every) = self.every else {
            return Standing::Off;
        };
        if !self.connected {
            return Standing::NeedsSignIn;
        }
        let dice = Dice::new(installation, &self.connection_id);
        let due = next_due(every, self.last.as_ref(), awake_since, now, &dice);
        if due <= now {
            Standing::Due
        } else {
            Standing::Later(due)
        }
    }

    /// Whether a due sync waits for a better moment. Not when what is here is old, or when it cannot be
    /// told how old it is.
    pub(crate) fn put_off(
        &self,
        conditions: Conditions,
        settings: &ScheduleSettingsView,
        now: Timestamp,
    ) -> bool {
        let on_battery = conditions.on_battery && !settings.also_on_battery;
        let metered = conditions.metered && !settings.also_on_metered;
        (on_battery || metered) && self.is_recent(now)
    }

    fn is_recent(&self, now: Timestamp) -> bool {
        let (Some(every), Some(synced_at)) = (self.every, self.synced_at) else {
            return false;
        };
        let age = now.duration_since(synced_at);
        let patience = SignedDuration::try_from(every * PATIENCE).unwrap_or(SignedDuration::MAX);
        may_be_true(synced_at, every, now) && age <= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn source() -> Source {
        Source {
            connection_id: "ana".into(),
            every: Some(DAY),
            connected: true,
            last: None,
            synced_at: Some(at("2026-05-01T08:00:00Z")),
        }
    }

    #[test]
    fn nothing_is_due_without_a_schedule_or_while_the_person_is_needed() {
        let now = at("2026-05-09T08:00:00Z");
        let start = at("2026-05-01T08:00:00Z");
        let standing = |source: Source| source.standing(b"seed", start, now);
        assert_eq!(standing(source()), Standing::Due);
        let off = Source {
            every: None,
            ..source()
        };
        assert_eq!(standing(off), Standing::Off);
        let signed_out = Source {
            connected: false,
            ..source()
        };
        assert_eq!(standing(signed_out), Standing::NeedsSignIn);
    }

    #[test]
    fn battery_and_metered_networks_put_off_what_is_not_old_unless_the_person_said_otherwise() {
        let settings = ScheduleSettingsView::default();
        let (fresh, old) = (at("2026-05-02T09:00:00Z"), at("2026-05-04T08:00:01Z"));
        let battery = Conditions {
            on_battery: true,
            metered: false,
        };
        let metered = Conditions {
            on_battery: false,
            metered: true,
        };
        for conditions in [battery, metered] {
            assert!(source().put_off(conditions, &settings, fresh));
            assert!(!source().put_off(conditions, &settings, old), "three days");
        }
        assert!(!source().put_off(Conditions::default(), &settings, fresh));
        let also = ScheduleSettingsView {
            also_on_battery: true,
            ..settings
        };
        assert!(!source().put_off(battery, &also, fresh));
        assert!(source().put_off(metered, &also, fresh));
    }

    #[test]
    fn a_clock_that_was_wrong_puts_nothing_off_for_ever() {
        let settings = ScheduleSettingsView::default();
        let battery = Conditions {
            on_battery: true,
            metered: false,
        };
        let set_back = at("2016-05-01T08:00:00Z");
        assert!(!source().put_off(battery, &settings, set_back));
        let never_read = Source {
            synced_at: None,
            ..source()
        };
        assert!(!never_read.put_off(battery, &settings, set_back));
    }
}
