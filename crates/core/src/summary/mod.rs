//! Resource JSON to what a list row and the index need. Pure; runs once for each record received.
//!
//! Meaning first: text, then display, then plain words; codes last. What a record does not say stays
//! unknown: no date is invented, no status guessed.

mod date;
mod observation;
pub(crate) mod read;
mod text;
pub(crate) mod types;
pub(crate) mod words;

pub use date::{Precision, RecordDate};
pub(crate) use observation::{flag_of_concept, value_of as observation_value};
pub(crate) use words::named;
pub use words::{plain_name, section_title};

use crate::document;
use crate::view::{Flag, Section};

/// What a list row and the index need of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordSummary {
    /// Where it belongs in the chart.
    pub section: Section,
    /// What it is; never empty, never a FHIR type name.
    pub title: String,
    /// `system|code` of the first coding.
    pub code: Option<String>,
    /// A second line.
    pub subtitle: Option<String>,
    /// Status in plain words.
    pub status: Option<String>,
    /// When.
    pub date: Option<RecordDate>,
    /// Value with its unit.
    pub value: Option<String>,
    /// The value as a number.
    pub value_number: Option<f64>,
    /// The unit as shown.
    pub unit: Option<String>,
    /// Reference range with its unit.
    pub range: Option<String>,
    /// High, low, …
    pub flag: Option<Flag>,
    /// Whose record it is: the reference as received.
    pub subject: Option<String>,
    /// Who says so: performer, author, recorder or asserter, by name where the record gives it.
    pub performer: Option<String>,
    /// Every literal reference in the record, and the URLs of its attachments.
    pub references: Vec<String>,
    /// Everything that a person could search for.
    pub text: String,
    /// `Type/id` of the records that a Provenance is about.
    pub about: Vec<String>,
    /// It has attachments, to be read for the search.
    pub has_attachments: bool,
}

/// Summarises a record. Never fails: what is not understood gets a plain name.
#[must_use]
pub fn of(resource_type: &str, json: &str) -> RecordSummary {
    let value = read::value_of(json);
    let parts = types::parts_of(resource_type, &value);
    let title = parts
        .title
        .map(|title| words::without_tag(&read::tidy(&title)).to_owned())
        .and_then(read::plain)
        .filter(|title| !title.is_empty())
        .unwrap_or_else(|| plain_name(resource_type).to_owned());
    let collected = text::collect(&value);
    RecordSummary {
        section: parts.section,
        title,
        code: parts.code,
        subtitle: parts
            .subtitle
            .map(|text| read::tidy(&text))
            .and_then(read::plain)
            .filter(|text| !text.is_empty()),
        status: parts.status.and_then(read::plain),
        date: parts.date,
        value: parts.value.and_then(read::plain),
        value_number: parts.value_number,
        unit: parts.unit.and_then(read::plain),
        range: parts.range.and_then(read::plain),
        flag: parts.flag,
        subject: read::subject(resource_type, &value),
        performer: read::performer(&value).and_then(read::plain),
        references: collected.references,
        text: collected.text,
        about: if resource_type == "Provenance" {
            crate::provenance::targets_of(&value)
        } else {
            Vec::new()
        },
        has_attachments: document::has_attachments(&value),
    }
}

#[cfg(test)]
mod tests;
