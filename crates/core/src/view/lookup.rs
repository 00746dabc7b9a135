//! Who stands for a record, and patients that a provider looks up.

use super::LabelledView;
use serde::Serialize;
use ts_rs::TS;

/// Who stands for a record (US Core, Basic Provenance).
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProvenanceView {
    /// When it was recorded, as received.
    pub recorded: Option<String>,
    /// Authors, transmitters and others, in words.
    pub agents: Vec<ProvenanceAgentView>,
}

/// One of those who stand for a record.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProvenanceAgentView {
    /// As what: "Author", "Transmitter".
    pub role: Option<String>,
    /// Who.
    pub who: String,
    /// The organization behind them.
    pub on_behalf_of: Option<String>,
}

/// A patient whom a provider may look up.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FoundPatientView {
    /// Logical id at the server.
    pub id: String,
    /// Name, as it is said.
    pub name: String,
    /// Birth date as received.
    pub birth_date: Option<String>,
    /// Gender in words.
    pub gender: Option<String>,
    /// Identifiers worth showing.
    pub identifiers: Vec<LabelledView>,
}
