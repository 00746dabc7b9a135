//! People whose records come from several sources.

use super::{RecordKey, RecordSummaryView};
use serde::Serialize;
use ts_rs::TS;

/// A person whose records come from several connections, because the person said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    /// Identifier made by Satchel; opaque.
    pub id: String,
    /// Name, as one of the sources gives it.
    pub name: String,
    /// Where the records come from, two at least, the oldest connection first.
    pub sources: Vec<PersonSourceView>,
}

/// One of the connections of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PersonSourceView {
    /// The connection.
    pub connection_id: String,
    /// Name of its server.
    pub source: String,
    /// Name of the patient there.
    pub patient_name: String,
    /// Birth date there, as received.
    pub birth_date: Option<String>,
    /// Sex or gender there, in words.
    pub gender: Option<String>,
}

/// Two connections whose patients agree in name, birth date and sex; only the person knows whether they
/// are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SamePersonView {
    /// The older connection.
    pub one: PersonSourceView,
    /// The other one.
    pub other: PersonSourceView,
    /// The person said that they are not the same; it is not asked again.
    pub refused: bool,
}

/// People with several sources, and who may be such.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PeopleView {
    /// Those whom the person put together.
    pub people: Vec<PersonView>,
    /// Connections that may be of one person.
    pub suggested: Vec<SamePersonView>,
}

/// A record of another source that says the same as the one in whose row it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AlsoFromView {
    /// Which record.
    pub key: RecordKey,
    /// Name of the server that it came from.
    pub source: String,
    /// It is the same fact, but status, dose, wording or interpretation are different.
    pub differs: bool,
}

/// The originals of a record of which other sources have the same.
#[derive(Clone, Debug, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OriginalsView {
    /// All that say the same, this one included, by source; empty for a record that stands alone.
    pub same: Vec<RecordSummaryView>,
    /// Those that would be shown as the same, had the person not taken them apart.
    pub apart: Vec<RecordSummaryView>,
}
