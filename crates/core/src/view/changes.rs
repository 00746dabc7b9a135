//! What a sync changed.

use super::RecordSummaryView;
use serde::Serialize;
use ts_rs::TS;

/// What the last sync of a connection changed.
#[derive(Clone, Debug, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChangesView {
    /// RFC 3339: when that sync began; none when there is nothing to compare with.
    pub since: Option<String>,
    /// Records that were not there before; at most 200.
    pub new: Vec<RecordSummaryView>,
    /// Records that the source changed; at most 200.
    pub changed: Vec<ChangedRecordView>,
    /// Records that the source no longer gives; at most 200.
    pub withdrawn: Vec<RecordSummaryView>,
}

/// A record that its source changed.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChangedRecordView {
    /// The record as it is now.
    pub record: RecordSummaryView,
    /// What is different: at most 40 members; version and narrative do not count.
    pub fields: Vec<ChangedFieldView>,
}

/// A member of a record that is different.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChangedFieldView {
    /// Where in the record, as FHIR names it: `valueQuantity.value`.
    pub path: String,
    /// What stood there, at most 200 letters.
    pub before: Option<String>,
    /// What stands there now.
    pub after: Option<String>,
}
