//! What a search can ask of a resource, taken out of its JSON once.

use serde_json::Value;

use super::dates::{self, Range};

/// A coded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) system: String,
    pub(crate) code: String,
}

/// The searchable parts of one resource.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    /// Ids of the patients whose compartments it is in.
    pub(crate) patients: Vec<String>,
    pub(crate) category: Vec<Token>,
    pub(crate) code: Vec<Token>,
    pub(crate) status: Vec<Token>,
    pub(crate) intent: Vec<Token>,
    pub(crate) kind: Vec<Token>,
    pub(crate) clinical_status: Vec<Token>,
    pub(crate) date: Option<Range>,
    pub(crate) last_updated: Option<Range>,
    /// `Type/id` of a provenance's targets.
    pub(crate) targets: Vec<String>,
    /// Ids of the `Binary` resources its attachments are in.
    pub(crate) binaries: Vec<String>,
}

const PATIENT_KEYS: [&str; 6] = [
    "patient",
    "subject",
    "beneficiary",
    "individual",
    "for",
    "source",
];
const CODE_KEYS: [&str; 4] = [
    "code",
    "vaccineCode",
    "medicationCodeableConcept",
    "productCodeableConcept",
];
const DATE_KEYS: [&str; 21] = [
    "effectiveDateTime",
    "effectivePeriod",
    "effectiveInstant",
    "onsetDateTime",
    "onsetPeriod",
    "occurrenceDateTime",
    "occurrencePeriod",
    "occurredDateTime",
    "performedDateTime",
    "performedPeriod",
    "period",
    "date",
    "authoredOn",
    "authored",
    "recordedDate",
    "recorded",
    "startDate",
    "issued",
    "created",
    "dateAsserted",
    "whenHandedOver",
];

impl Fields {
    /// Reads what is searchable of `resource`; what is missing or odd is left out.
    pub(crate) fn of(resource: &Value) -> Fields {
        let tokens = |key: &str| {
            let mut found = Vec::new();
            collect_tokens(resource.get(key), &mut found);
            found
        };
        Fields {
            patients: patients(resource),
            category: tokens("category"),
            code: CODE_KEYS.iter().flat_map(|key| tokens(key)).collect(),
            status: tokens("status"),
            intent: tokens("intent"),
            kind: tokens("type"),
            clinical_status: tokens("clinicalStatus"),
            date: DATE_KEYS.iter().find_map(|key| date(resource.get(key)?)),
            last_updated: resource
                .pointer("/meta/lastUpdated")
                .and_then(Value::as_str)
                .and_then(dates::range),
            targets: targets(resource),
            binaries: binaries(resource),
        }
    }
}

/// `Type/id` of a relative or absolute reference, without version.
pub(crate) fn local_reference(reference: &str) -> Option<String> {
    let reference = reference.split("/_history/").next()?;
    let mut parts = reference.rsplit('/');
    let id = parts.next().filter(|id| !id.is_empty())?;
    let kind = parts.next()?;
    let typed = kind.starts_with(|first: char| first.is_ascii_uppercase());
    typed.then(|| format!("{kind}/{id}"))
}

fn patients(resource: &Value) -> Vec<String> {
    if resource.get("resourceType").and_then(Value::as_str) == Some("Patient") {
        let id = resource.get("id").and_then(Value::as_str);
        return id.map(str::to_owned).into_iter().collect();
    }
    let mut found = Vec::new();
    for key in PATIENT_KEYS {
        let Some(reference) = resource.pointer(&format!("/{key}/reference")) else {
            continue;
        };
        let Some(reference) = reference.as_str() else {
            continue;
        };
        let id = match local_reference(reference) {
            Some(local) => local.strip_prefix("Patient/").map(str::to_owned),
            // A transaction's own name for it. Whether it is a patient is checked afterwards.
            None => reference.strip_prefix("urn:uuid:").map(str::to_owned),
        };
        if let Some(id) = id.filter(|id| !found.contains(id)) {
            found.push(id);
        }
    }
    found
}

fn collect_tokens(value: Option<&Value>, found: &mut Vec<Token>) {
    match value {
        Some(Value::String(code)) => found.push(Token {
            system: String::new(),
            code: code.clone(),
        }),
        Some(Value::Array(items)) => {
            for item in items {
                collect_tokens(Some(item), found);
            }
        }
        Some(Value::Object(object)) => {
            if let Some(code) = object.get("code").and_then(Value::as_str) {
                let system = object.get("system").and_then(Value::as_str);
                found.push(Token {
                    system: system.unwrap_or_default().to_owned(),
                    code: code.to_owned(),
                });
            }
            collect_tokens(object.get("coding"), found);
        }
        _ => {}
    }
}

fn date(value: &Value) -> Option<Range> {
    if let Some(text) = value.as_str() {
        return dates::range(text);
    }
    let part = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .and_then(dates::range)
    };
    let (start, end) = (part("start"), part("end"));
    start.or(end)?;
    Some(Range {
        start: start.map_or(i64::MIN, |range| range.start),
        end: end.map_or(i64::MAX, |range| range.end),
    })
}

fn targets(resource: &Value) -> Vec<String> {
    let Some(targets) = resource.get("target").and_then(Value::as_array) else {
        return Vec::new();
    };
    let references = targets
        .iter()
        .filter_map(|target| target.get("reference")?.as_str());
    references.filter_map(local_reference).collect()
}

fn binaries(resource: &Value) -> Vec<String> {
    let empty = Vec::new();
    let list = |key: &str| {
        resource
            .get(key)
            .and_then(Value::as_array)
            .unwrap_or(&empty)
    };
    let attachments = list("content")
        .iter()
        .filter_map(|content| content.get("attachment"))
        .chain(list("presentedForm"));
    attachments
        .filter_map(|attachment| local_reference(attachment.get("url")?.as_str()?))
        .filter_map(|local| local.strip_prefix("Binary/").map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_of_an_observation() {
        let fields = Fields::of(&json!({
            "resourceType": "Observation", "id": "o1", "status": "final",
            "meta": {"lastUpdated": "2024-01-02T03:04:05.000Z"},
            "subject": {"reference": "https://fhir.example/Patient/p1/_history/3"},
            "category": [{"coding": [{"system": "s", "code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
            "effectivePeriod": {"start": "2024-01-01"}
        }));
        assert_eq!(fields.patients, ["p1"]);
        assert_eq!(fields.category[0].code, "laboratory");
        assert_eq!(fields.code[0].system, "http://loinc.org");
        assert_eq!(fields.status[0].code, "final");
        assert_eq!(fields.date.unwrap().end, i64::MAX);
        assert!(fields.last_updated.is_some());
    }

    #[test]
    fn a_document_names_its_binary() {
        let fields = Fields::of(&json!({
            "resourceType": "DocumentReference", "id": "d1",
            "subject": {"reference": "Patient/p1"},
            "content": [{"attachment": {"url": "Binary/b1"}}, {"attachment": {"data": "AA=="}}]
        }));
        assert_eq!(fields.binaries, ["b1"]);
    }
}
