//! Words for documents whose content is not here.

use crate::attachments::Missing;

impl Missing {
    /// What happened, one plain sentence.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Waiting => "The content of this document was not received.",
            Self::Failed => "Fetching this document failed; the next sync tries again.",
            Self::Gone => "The server does not have the content of this document.",
            Self::Refused => "The server does not give out the content of this document.",
            Self::Wrong => "The server sent something else in place of this document.",
            Self::TooLarge => {
                "Not fetched: this document is larger than what Satchel fetches by itself."
            }
        }
    }
}
