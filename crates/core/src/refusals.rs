//! Why access ended, as far as a server says. Its error code decides THAT access ended; the words of
//! `error_description` only tell, where a vendor's are known (`refusals.json`, data), which of several
//! reasons it was. Unknown words change nothing: then both possible reasons are told.

use crate::connection::AccessLostReason;
use serde::Deserialize;

#[derive(Deserialize)]
struct KnownWords {
    says: String,
    means: AccessLostReason,
}

fn known_words() -> Vec<KnownWords> {
    serde_json::from_str(include_str!("refusals.json")).unwrap_or_default()
}

/// The reason that a description is known to tell.
pub(crate) fn reason_of(description: Option<&str>) -> Option<AccessLostReason> {
    let description = description?.to_lowercase();
    known_words()
        .into_iter()
        .find(|known| description.contains(&known.says))
        .map(|known| known.means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d28_known_words_refine_the_reason_and_unknown_ones_do_not() {
        assert!(known_words().len() >= 4, "the file reads");
        for (words, expected) in [
            (
                Some("Switched off in the portal"),
                Some(AccessLostReason::SwitchedOff),
            ),
            (
                Some("the practice has not approved the app yet"),
                Some(AccessLostReason::NotApproved),
            ),
            (Some("the token is not valid"), None),
            (None, None),
        ] {
            assert_eq!(reason_of(words), expected, "{words:?}");
        }
    }
}
