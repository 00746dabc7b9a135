//! What a record says, as far as two sources can be compared by it.
//!
//! Two records say the same when they are of one kind, share a code, and agree in their date and value:
//!
//! | records | code | date | value |
//! | --- | --- | --- | --- |
//! | `Condition` | `code` | onset, where both give one | |
//! | `AllergyIntolerance` | `code` | onset, where both give one | |
//! | medication records, each type by itself | the medication's | both must give one | |
//! | `Immunization` | `vaccineCode` | both must give one | whether it was given |
//! | `Observation` of a laboratory | `code` | both must give one | value and unit |
//!
//! A code is `system|code` of any of the codings; where a record has none, its text, letter case and white
//! space aside, against that of another record without codes. Dates are compared at the coarser of both
//! precisions ([`FactDate`]). What was refuted or entered in error says nothing.

use crate::digest;
use crate::summary::read::{contained, first, has_code, list, string};
use serde_json::Value;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    /// When; nothing when the record does not say, which then agrees with any date.
    pub(crate) date: FactDate,
    /// One for each code (and value): records that share one say the same of one thing.
    pub(crate) keys: Vec<u128>,
}

/// A date at its own precision: empty, `2019`, `2019-04`, `2019-04-02`, or `2019-04-02@` with
/// milliseconds since 1970. The day is the one that was written, at the offset that was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FactDate(String);

impl FactDate {
    /// From the text of a `date`, `dateTime` or `instant`; `None` when it is no date. A time without an
    /// offset is no instant: its day is kept.
    fn parse(text: &str) -> Option<Self> {
        let day = text.get(..10).unwrap_or(text);
        let whole = match day.len() {
            4 => format!("{day}-01-01"),
            7 => format!("{day}-01"),
            _ => day.to_owned(),
        };
        whole.parse::<jiff::civil::Date>().ok()?;
        if text.len() <= 10 {
            return Some(Self(text.to_owned()));
        }
        Some(match text.parse::<jiff::Timestamp>() {
            Ok(instant) => Self(format!("{day}@{}", instant.as_millisecond())),
            Err(_) => Self(day.to_owned()),
        })
    }

    /// The date itself, for comparing at its own precision. Instants are equal whatever their offset.
    pub(crate) fn own(&self) -> &str {
        self.0.find('@').map_or(&self.0, |at| &self.0[at..])
    }

    /// The same date at each coarser precision, the unknown one included.
    pub(crate) fn coarser(&self) -> impl Iterator<Item = &str> {
        let ends: &[usize] = match self.0.len() {
            0 => &[],
            4 => &[0],
            7 => &[0, 4],
            10 => &[0, 4, 7],
            _ => &[0, 4, 7, 10],
        };
        ends.iter().filter_map(|end| self.0.get(..*end))
    }

    /// How much it says, to be compared with others.
    pub(crate) fn precision(&self) -> usize {
        self.coarser().count()
    }
}

impl Fact {
    /// As it is kept in the store.
    pub(crate) fn to_text(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|key| format!("{key:x}")).collect();
        format!("{}|{}", self.date.0, keys.join(" "))
    }

    /// What [`Fact::to_text`] wrote.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let (date, keys) = text.split_once('|')?;
        let keys: Option<Vec<u128>> = keys
            .split(' ')
            .map(|key| u128::from_str_radix(key, 16).ok())
            .collect();
        Some(Self {
            date: FactDate(date.to_owned()),
            keys: keys?,
        })
    }
}

/// What a record says; `None` when it says nothing that can be compared. `medication` is the record that
/// a medication record refers to by [`medication_reference`].
pub(crate) fn fact_of(
    resource_type: &str,
    record: &Value,
    medication: Option<&Value>,
) -> Option<Fact> {
    if string(record, "status") == Some("entered-in-error") {
        return None;
    }
    let said = match resource_type {
        "Condition" | "AllergyIntolerance" => condition(resource_type, record)?,
        "Immunization" => Said {
            kind: format!("Immunization {}", string(record, "status")?),
            date: Some(dated(record, &["occurrenceDateTime"])??),
            codes: codes_of(first(record, "vaccineCode")?)?,
            values: Vec::new(),
        },
        "Observation" => laboratory(record)?,
        "MedicationRequest"
        | "MedicationDispense"
        | "MedicationStatement"
        | "MedicationAdministration" => medicated(resource_type, record, medication)?,
        _ => return None,
    };
    Some(said.fact())
}

/// The record that names the medication, where it is one of its own.
pub(crate) fn medication_reference(record: &Value) -> Option<&str> {
    let reference = string(first(record, "medicationReference")?, "reference")?;
    (!reference.starts_with('#')).then_some(reference)
}

struct Said {
    kind: String,
    date: Option<FactDate>,
    codes: Vec<String>,
    values: Vec<String>,
}

impl Said {
    fn fact(self) -> Fact {
        let nothing = [String::new()];
        let values = match self.values.as_slice() {
            [] => &nothing,
            values => values,
        };
        let mut keys: Vec<u128> = self
            .codes
            .iter()
            .flat_map(|code| values.iter().map(move |value| (code, value)))
            .map(|(code, value)| digest::number(&[&self.kind, code, value]))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        Fact {
            date: self.date.unwrap_or_default(),
            keys,
        }
    }
}

/// A condition or an allergy. A diagnosis of a visit is no entry of the problem list, and a suspicion is
/// no diagnosis.
fn condition(resource_type: &str, record: &Value) -> Option<Said> {
    let verification = first(record, "verificationStatus")
        .and_then(|status| first(status, "coding"))
        .and_then(|coding| string(coding, "code"))
        .unwrap_or("confirmed");
    if ["refuted", "entered-in-error"].contains(&verification) {
        return None;
    }
    let visit = has_code(record, "category", "encounter-diagnosis");
    let visit = if visit { "visit" } else { "" };
    Some(Said {
        kind: format!("{resource_type} {verification} {visit}"),
        date: dated(record, &["onsetDateTime", "onsetPeriod"])?,
        codes: codes_of(first(record, "code")?)?,
        values: Vec::new(),
    })
}

fn medicated(resource_type: &str, record: &Value, medication: Option<&Value>) -> Option<Said> {
    let inside = first(record, "medicationReference").and_then(|to| contained(record, to));
    let concept = first(record, "medicationCodeableConcept")
        .or_else(|| inside.or(medication).and_then(|found| first(found, "code")))?;
    let refrained = record.get("doNotPerform") == Some(&Value::Bool(true));
    // What was not taken or not given is the opposite.
    let not = match string(record, "status") {
        Some(status @ ("not-taken" | "not-done" | "declined")) => status,
        _ if refrained => "not to be taken",
        _ => "",
    };
    let members: &[&str] = match resource_type {
        "MedicationRequest" => &["authoredOn"],
        "MedicationDispense" => &["whenHandedOver", "whenPrepared"],
        _ => &["effectiveDateTime", "effectivePeriod"],
    };
    Some(Said {
        kind: format!("{resource_type} {not}"),
        date: Some(dated(record, members)??),
        codes: codes_of(concept)?,
        values: Vec::new(),
    })
}

fn laboratory(record: &Value) -> Option<Said> {
    let of_a_laboratory = has_code(record, "category", "laboratory");
    let of_parts = !list(record, "component").is_empty();
    if !of_a_laboratory || of_parts || string(record, "status") == Some("cancelled") {
        return None;
    }
    Some(Said {
        kind: "Observation".to_owned(),
        date: Some(dated(
            record,
            &["effectiveDateTime", "effectivePeriod", "effectiveInstant"],
        )??),
        codes: codes_of(first(record, "code")?)?,
        values: values_of(record)?,
    })
}

/// The first of these members that is there; `Some(None)` when none is, `None` when it is no date. Of a
/// period its beginning counts.
#[expect(
    clippy::option_option,
    reason = "no date is not the same as a wrong one"
)]
fn dated(record: &Value, members: &[&str]) -> Option<Option<FactDate>> {
    for name in members {
        match record.get(*name) {
            Some(Value::String(text)) => return FactDate::parse(text.trim()).map(Some),
            Some(period @ Value::Object(_)) => {
                return match string(period, "start") {
                    Some(text) => FactDate::parse(text).map(Some),
                    None => Some(None),
                };
            }
            _ => {}
        }
    }
    Some(None)
}

/// Codes that say that nothing is known.
const ABSENT: &[&str] = &["data-absent-reason", "v3-NullFlavor"];

/// `system|code` of every coding, or the text where there is none; nothing of what is not known.
fn codes_of(concept: &Value) -> Option<Vec<String>> {
    let codings = list(concept, "coding");
    let absent = codings
        .iter()
        .filter_map(|coding| string(coding, "system"))
        .any(|system| ABSENT.iter().any(|end| system.ends_with(end)));
    if absent {
        return None;
    }
    let codes: Vec<String> = codings
        .iter()
        .filter_map(|coding| {
            let (system, code) = (string(coding, "system")?, string(coding, "code")?);
            Some(format!("{}|{code}", canonical(system)))
        })
        .collect();
    if !codes.is_empty() {
        return Some(codes);
    }
    let display = codings.iter().find_map(|coding| string(coding, "display"));
    let text = string(concept, "text").or(display)?;
    Some(vec![format!("text|{}", folded(text))])
}

/// The URL of a code system that was named by its OID (HL7 Terminology, "External Code Systems").
fn canonical(system: &str) -> &str {
    match system {
        "urn:oid:2.16.840.1.113883.6.96" => "http://snomed.info/sct",
        "urn:oid:2.16.840.1.113883.6.1" => "http://loinc.org",
        "urn:oid:2.16.840.1.113883.6.88" => "http://www.nlm.nih.gov/research/umls/rxnorm",
        "urn:oid:2.16.840.1.113883.6.90" => "http://hl7.org/fhir/sid/icd-10-cm",
        "urn:oid:2.16.840.1.113883.12.292" => "http://hl7.org/fhir/sid/cvx",
        "urn:oid:2.16.840.1.113883.6.69" => "http://hl7.org/fhir/sid/ndc",
        system => system,
    }
}

fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// The value of an observation, in each way in which it is said; nothing when there is none.
fn values_of(record: &Value) -> Option<Vec<String>> {
    if let Some(quantity) = record.get("valueQuantity") {
        let number = quantity.get("value")?;
        let number = number.as_f64().or_else(|| number.as_str()?.parse().ok())?;
        let unit = string(quantity, "code").or_else(|| string(quantity, "unit"));
        let comparator = string(quantity, "comparator").unwrap_or_default();
        return Some(vec![format!(
            "{comparator}{number} {}",
            unit.unwrap_or_default()
        )]);
    }
    if let Some(concept) = record.get("valueCodeableConcept") {
        return codes_of(concept);
    }
    if let Some(text) = string(record, "valueString") {
        return Some(vec![folded(text)]);
    }
    ["valueBoolean", "valueInteger", "valueDateTime", "valueTime"]
        .iter()
        .find_map(|name| record.get(*name))
        .map(|value| vec![value.to_string()])
}

#[cfg(test)]
mod tests;
