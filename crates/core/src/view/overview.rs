//! The first page of a chart, and one measurement over time.

use super::{Flag, RecordDateView, RecordKey, RecordSummaryView, Section};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whose records: those of one connection, or those of one person over all of their sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum ChartOf {
    /// The records of one connection.
    Connection {
        /// Which.
        connection_id: String,
    },
    /// The records of a person with several sources.
    Person {
        /// Which.
        person_id: String,
    },
}

/// What a block of the overview holds, in the order of the International Patient Summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum OverviewKind {
    /// Allergies that are not resolved; those of high risk first.
    Allergies,
    /// Problems that are not resolved.
    Problems,
    /// Medications that are being taken, as far as the records say; each once.
    Medications,
    /// Visits to come, the next one first.
    Upcoming,
    /// The last result of each test; those that stand out first.
    Labs,
    /// The last value of each vital sign.
    Vitals,
    /// The last dose of each vaccine.
    Immunizations,
    /// What was done.
    Procedures,
    /// Visits that were.
    Visits,
    /// What is planned, and what it is to achieve.
    Plans,
    /// Who cares for the person.
    CareTeam,
    /// Who pays.
    Insurance,
}

/// A block of the overview.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OverviewBlockView {
    /// What it holds.
    pub kind: OverviewKind,
    /// The section of the chart that has all of them.
    pub section: Section,
    /// What matters most of it.
    pub rows: Vec<RecordSummaryView>,
    /// How many more there are of the same kind, among the newest 500 records of the section.
    pub more: u32,
}

/// The first page of a chart.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OverviewView {
    /// Its blocks, in order; those without anything too: that nothing is known is to be said.
    pub blocks: Vec<OverviewBlockView>,
}

/// One number of a measurement: its value, or that of a component (systolic, diastolic).
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MeasuredView {
    /// Which part, in words; none for the value itself.
    pub part: Option<String>,
    /// The number, to place the point; what is shown is `text`.
    pub number: f64,
    /// Number and unit as received, comparator included: `< 0.5 mg/dL`.
    pub text: String,
    /// `<`, `<=`, `>=` or `>`: the true value is on that side of the number.
    pub comparator: Option<String>,
    /// Unit, to keep numbers of different units apart: the UCUM code where there is one.
    pub unit: Option<String>,
    /// The unit as it is shown.
    pub unit_words: Option<String>,
    /// Lower end of the reference range of this point, in the same unit.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// What the source says of it.
    pub flag: Option<Flag>,
}

/// One time at which something was measured.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MeasurementView {
    /// The record.
    pub key: RecordKey,
    /// When, as received.
    pub date: RecordDateView,
    /// The same in milliseconds since 1970, to place the point only.
    #[ts(type = "number")]
    pub at: i64,
    /// What was measured; more than one number where there are components.
    pub values: Vec<MeasuredView>,
    /// The value in words, of those that are no numbers too.
    pub text: Option<String>,
    /// Name of the server that it came from.
    pub source: String,
}

/// One measurement over time.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrendView {
    /// What is measured.
    pub title: String,
    /// The measurements, the oldest first.
    pub points: Vec<MeasurementView>,
    /// There are more, older ones.
    pub cut: bool,
}
