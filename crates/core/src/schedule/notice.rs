//! What a desktop notification may say.
//!
//! It is shown on locked screens and over other people's shoulders: so there is nothing in it that could
//! tell of a person, a server, a test or a number. The type has no room for any.

/// Something to tell the person when the window is not before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A sync by schedule brought records that are new or changed.
    NewRecords,
    /// A source lets nobody in any more until the person signs in.
    SignInNeeded,
}

impl Notice {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::NewRecords, Self::SignInNeeded];

    /// Who speaks.
    pub const TITLE: &'static str = "Satchel";

    /// The whole text.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NewRecords => "New records have arrived.",
            Self::SignInNeeded => "One of your sources needs you to sign in.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of a unit variant carries nothing, and its text stands in the program.
    #[test]
    fn a_notice_has_no_room_for_health_data() {
        assert_eq!(size_of::<Notice>(), 1);
        for notice in Notice::ALL {
            let text: &'static str = notice.text();
            assert!(!text.contains(['{', '}']) && text.is_ascii());
        }
    }
}
