//! The contents of documents: fetched once, found by their words, shown.
//!
//! A record that has contents is noted by the store when it comes or changes (`read` reads it: which
//! contents, what words). Contents that are not here wait in the store; a sync asks for them (`fetch`),
//! each by itself; one that comes has its records read once more, before the sync is called complete. What
//! cannot be had says why (`Missing`), and a person can have it fetched all the same.

pub(crate) mod clinical;
mod cmap;
mod fetch;
mod markup;
mod pdf;
mod read;
mod reader;
mod rtf;
mod save;
mod text;
mod view;

pub(crate) use fetch::{Content, read_content};
pub use reader::{READ_DOCUMENT, read_document_here};
pub use text::text_of;

use crate::engine::Engine;
use crate::problem::{Problem, Result};

/// Contents above this are left at the server, unless the person says otherwise: 25 MB.
const LARGEST: u64 = 25 * 1024 * 1024;
/// What is fetched at most when a person asks for it: it passes through memory.
const LARGEST_ASKED: u64 = 128 * 1024 * 1024;
const SETTING: &str = "documents.largest";

/// Why the content of a document is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Not asked for yet.
    Waiting,
    /// It went wrong, and may go well the next time.
    Failed,
    /// 404 or 410.
    Gone,
    /// Not for us.
    Refused,
    /// Something else came in its place.
    Wrong,
    TooLarge,
}

impl Missing {
    pub(crate) const ALL: [(Self, &'static str); 6] = [
        (Self::Waiting, "waiting"),
        (Self::Failed, "failed"),
        (Self::Gone, "gone"),
        (Self::Refused, "refused"),
        (Self::Wrong, "wrong"),
        (Self::TooLarge, "too_large"),
    ];

    /// As the store keeps it.
    pub(crate) fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(one, _)| *one == self);
        found.map_or("waiting", |(_, word)| word)
    }

    pub(crate) fn of(word: &str) -> Self {
        let found = Self::ALL.iter().find(|(_, one)| *one == word);
        found.map_or(Self::Waiting, |(one, _)| *one)
    }
}

impl Engine {
    /// The largest content of a document that a sync fetches, in bytes.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn document_limit(&self) -> Result<u64> {
        let set = self.inner.store.setting_get(SETTING).await?;
        Ok(set.and_then(|bytes| bytes.parse().ok()).unwrap_or(LARGEST))
    }

    /// Sets [`Engine::document_limit`]; what was too large before is fetched by the next sync.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn document_limit_set(&self, bytes: u64) -> Result<()> {
        let bytes = bytes.min(LARGEST_ASKED).to_string();
        let store = &self.inner.store;
        store
            .setting_set(SETTING, &bytes)
            .await
            .map_err(Problem::from)
    }
}
