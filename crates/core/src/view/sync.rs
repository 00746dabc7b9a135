//! What a sync does and did.

use super::ProblemView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How one part of a sync ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum StepOutcome {
    /// Everything that the server has is here.
    Complete,
    /// The server was asked and has none.
    Empty,
    /// The server does not offer this kind of record.
    NotOffered,
    /// Not shared at sign-in, or refused by the server.
    NotShared,
    /// It failed; what came before stays.
    Failed,
    /// Cut off before the end.
    CutOff,
}

/// One part of a sync, in words.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SyncStepView {
    /// What was asked for, in plain words ("Laboratory results").
    pub name: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// How it ended.
    pub outcome: StepOutcome,
    /// Records received.
    #[ts(type = "number")]
    pub records: u64,
    /// The problem, when there is one.
    pub problem: Option<ProblemView>,
    /// What the server said beside the records: warnings, parameters that it ignored.
    #[serde(default)]
    pub remarks: Vec<String>,
}

/// What a sync did.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SyncReportView {
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339.
    pub finished_at: String,
    /// True when no part failed, was cut off, or was refused for the first time although it was granted.
    pub complete: bool,
    /// Records new to this computer.
    #[ts(type = "number")]
    pub new_records: u64,
    /// Records that changed.
    #[ts(type = "number")]
    pub changed_records: u64,
    /// Records that the source no longer gives; they are kept, and say so.
    #[serde(default)]
    #[ts(type = "number")]
    pub withdrawn_records: u64,
    /// Records received that cannot be read as FHIR; they are kept as received.
    #[ts(type = "number")]
    pub unreadable_records: u64,
    /// Part by part.
    pub steps: Vec<SyncStepView>,
    /// What stopped the whole sync, if anything did.
    pub problem: Option<ProblemView>,
    /// There were records of this connection before: what is new can be told from what was there.
    #[serde(default)]
    pub had_records: bool,
    /// Records that came in this sync come after this one in the file.
    #[serde(default)]
    #[ts(skip)]
    pub after_key: i64,
}

impl SyncReportView {
    /// Records that were new or changed.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.new_records + self.changed_records
    }
}

/// How far a running sync is. Fractions never go back.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, TS)]
#[serde(rename_all = "camelCase")]
pub struct SyncProgressView {
    /// The connection.
    pub connection_id: String,
    /// What is being fetched, in plain words.
    pub step: String,
    /// Parts done.
    pub steps_done: u32,
    /// Parts in all.
    pub steps_total: u32,
    /// Records received so far.
    #[ts(type = "number")]
    pub records: u64,
    /// From 0 to 1.
    pub fraction: f64,
}
