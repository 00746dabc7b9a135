//! A page of search results (FHIR R4, Bundle of type `searchset`), taken apart without changing a
//! byte of any resource.
//!
//! The page is scanned once as a whole and each resource once more, only as far as its id and meta;
//! per resource one string is made. Whatever cannot be read is kept as raw text and reported.

pub(crate) mod head;
mod page;

pub use page::parse_page;
pub(in crate::fhir) use page::{as_text, not_json, single};

use super::outcome::OperationOutcome;
use serde_json::Value;
use url::Url;

/// One page.
#[derive(Clone, Debug, Default)]
pub struct SearchPage {
    /// Its entries, in order.
    pub entries: Vec<Entry>,
    /// Link to the next page: opaque, to be requested as it is.
    pub next: Option<Url>,
    /// `total`, where the server counts.
    pub total: Option<u64>,
    /// Size of the page.
    pub bytes: usize,
    /// When the server answered, by its own clock (`Date`).
    pub date: Option<jiff::Timestamp>,
    /// What was odd about it, for the report.
    pub warnings: Vec<String>,
}

/// One entry of a page.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A resource.
    Resource(RawResource),
    /// An entry that cannot be read: kept as it is.
    Malformed {
        /// The entry, byte for byte.
        raw: String,
        /// Why.
        reason: String,
    },
    /// What the server has to say about the search.
    Outcome(OperationOutcome),
}

/// A resource as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawResource {
    /// The resource's JSON, byte for byte the slice of the page.
    pub json: String,
    /// `resourceType`.
    pub resource_type: String,
    /// `id`.
    pub id: String,
    /// `meta.versionId`.
    pub version_id: Option<String>,
    /// `meta.lastUpdated`.
    pub last_updated: Option<String>,
    /// `entry.fullUrl`.
    pub full_url: Option<String>,
    /// Why it is in the page.
    pub mode: SearchMode,
}

/// Whether `meta.tag` says that elements were left out (FHIR R4, "Search", `_elements`).
#[must_use]
pub fn is_subsetted(json: &str) -> bool {
    // The word is rare: only where it stands somewhere is it looked for in its place.
    if !json.contains("SUBSETTED") {
        return false;
    }
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    let tags = value.pointer("/meta/tag").and_then(Value::as_array);
    tags.into_iter()
        .flatten()
        .any(|tag| tag.get("code").and_then(Value::as_str) == Some("SUBSETTED"))
}

/// `entry.search.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchMode {
    /// It matches the search.
    #[default]
    Match,
    /// A match refers to it, or it to a match.
    Include,
}
