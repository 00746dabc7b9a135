//! Bulk exports and imported files: how far they are, and what was in them.

use super::ProblemView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Where an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum BulkState {
    /// The server is making it.
    Exporting,
    /// Its files are being fetched.
    Downloading,
    /// All of it is stored.
    Done,
    /// It is at its end, and something is missing: the report says what.
    Partial,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// What came of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BulkTypeView {
    /// FHIR type.
    pub resource_type: String,
    /// Records that came.
    #[ts(type = "number")]
    pub received: u64,
    /// Of them not known before.
    #[ts(type = "number")]
    pub new_records: u64,
    /// Of them changed.
    #[ts(type = "number")]
    pub changed_records: u64,
    /// Of them not stored, because what is here is newer or more complete.
    #[ts(type = "number")]
    pub left_as_they_were: u64,
}

/// A line of a file that could not be taken as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BulkLineErrorView {
    /// The file: its type, and its place among those of the export; or its name.
    pub file: String,
    /// The line, from 1; none when it is about the file as a whole.
    #[ts(type = "number | null")]
    pub line: Option<u64>,
    /// Why, in plain words.
    pub reason: String,
}

/// What the server says about the export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BulkOutcomeView {
    /// `fatal`, `error`, `warning` or `information`.
    pub severity: String,
    /// The issue type.
    pub code: String,
    /// Plain text.
    pub text: String,
}

/// What was in the files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BulkReportView {
    /// By type.
    pub types: Vec<BulkTypeView>,
    /// Lines and files that were not as they should be; the first hundred.
    pub errors: Vec<BulkLineErrorView>,
    /// How many there were.
    #[ts(type = "number")]
    pub error_count: u64,
    /// Files that could not be fetched to their end.
    #[ts(type = "number")]
    pub failed_files: u64,
    /// What the server says; the first hundred.
    pub outcomes: Vec<BulkOutcomeView>,
    /// How much of what it says are errors: then something is missing.
    #[ts(type = "number")]
    pub outcome_errors: u64,
    /// Records that the server says were deleted, of those that are stored.
    #[ts(type = "number")]
    pub deleted_records: u64,
    /// Contents of documents that were fetched.
    #[ts(type = "number")]
    pub attachments: u64,
    /// Contents of documents that could not be fetched.
    #[ts(type = "number")]
    pub attachments_missing: u64,
    /// What was odd about the server's answers.
    pub warnings: Vec<String>,
}

/// An export.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BulkJobView {
    /// Identifier made by Satchel; opaque.
    pub id: String,
    /// Its connection.
    pub connection_id: String,
    /// Where it stands.
    pub state: BulkState,
    /// All that was asked for is stored, and nothing of it was missing or unreadable.
    pub complete: bool,
    /// Whose records: `system`, `patient`, or `group` and its id.
    pub level: String,
    /// Only what changed since then, RFC 3339; none for all.
    pub since: Option<String>,
    /// What the server says of how far it is.
    pub progress: Option<String>,
    /// Files that were fetched, of the part that is under way.
    #[ts(type = "number")]
    pub files_done: u64,
    /// Files of the part that is under way.
    #[ts(type = "number")]
    pub files_total: u64,
    /// What was in it.
    pub report: BulkReportView,
    /// Why it failed.
    pub problem: Option<ProblemView>,
    /// When it was asked for, RFC 3339.
    pub started_at: String,
    /// When it last moved on, RFC 3339.
    pub changed_at: String,
}

/// Files that were imported.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImportReportView {
    /// The source to which the records belong now.
    pub connection_id: String,
    /// Everything in the files is stored as a record.
    pub complete: bool,
    /// What was in them.
    pub report: BulkReportView,
}
