//! Everything by date.

use super::Section;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What of a timeline is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct TimelineFilter {
    /// Only in this section.
    pub section: Option<Section>,
    /// Only what its source says stands out: high, low, abnormal.
    pub abnormal: bool,
}

/// How much of a timeline lies in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct YearView {
    /// The year; none of what has no date, which comes last.
    pub year: Option<i32>,
    /// How many rows.
    #[ts(type = "number")]
    pub records: u64,
}
