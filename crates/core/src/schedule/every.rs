//! How often a source is synced by itself.

use crate::view::Role;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use ts_rs::TS;

const HOUR: Duration = Duration::from_secs(3600);

/// How often a source is synced by itself. A small set: servers have many of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Every {
    /// Never by itself.
    Off,
    /// Every three hours.
    #[serde(rename = "3h")]
    ThreeHours,
    /// Every six hours.
    #[serde(rename = "6h")]
    SixHours,
    /// Every twelve hours.
    #[serde(rename = "12h")]
    TwelveHours,
    /// Once a day.
    Daily,
    /// Once a week.
    Weekly,
}

impl Every {
    /// All of them, the rarest last.
    pub const ALL: [Self; 6] = [
        Self::Off,
        Self::ThreeHours,
        Self::SixHours,
        Self::TwelveHours,
        Self::Daily,
        Self::Weekly,
    ];

    /// What holds where the person chose nothing: once a day for a person's chart; never for a backend
    /// service, whose charts are many and which an administrator schedules.
    #[must_use]
    pub fn default_of(role: Role) -> Self {
        match role {
            Role::Patient | Role::Provider => Self::Daily,
            Role::Backend => Self::Off,
        }
    }

    /// The time between two syncs; none when there is no schedule.
    #[must_use]
    pub fn interval(self) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::ThreeHours => Some(HOUR * 3),
            Self::SixHours => Some(HOUR * 6),
            Self::TwelveHours => Some(HOUR * 12),
            Self::Daily => Some(HOUR * 24),
            Self::Weekly => Some(HOUR * 24 * 7),
        }
    }

    /// The word under which it is stored, and which the command line takes.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::ThreeHours => "3h",
            Self::SixHours => "6h",
            Self::TwelveHours => "12h",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }

    /// The choice of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|every| every.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_word_is_the_one_of_the_views() {
        for every in Every::ALL {
            assert_eq!(Every::of_word(every.word()), Some(every));
            assert_eq!(serde_json::to_value(every).unwrap(), every.word());
        }
        assert_eq!(Every::of_word("each second"), None);
    }
}
