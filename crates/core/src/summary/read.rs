//! Reading FHIR datatypes out of JSON, leniently: what has the wrong shape is not there.

use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// How deep what cannot be read is looked for: below that the whole part counts as absent.
const SEARCHED_DEPTH: usize = 12;

/// A record's JSON. One number that no computer holds, one broken escape or a nest without end do not make
/// the rest unreadable: only that part is not there.
pub(crate) fn value_of(json: &str) -> Value {
    readable(json, 0).unwrap_or(Value::Null)
}

fn readable(json: &str, depth: usize) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(json) {
        return Some(value);
    }
    if depth > SEARCHED_DEPTH {
        return None;
    }
    match json.trim_start().chars().next()? {
        '{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
            let members = members.into_iter();
            let read = members.filter_map(|(name, part)| {
                readable(part.get(), depth + 1).map(|value| (name, value))
            });
            Some(Value::Object(read.collect()))
        }
        '[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let items = items.into_iter();
            let read = items.filter_map(|part| readable(part.get(), depth + 1));
            Some(Value::Array(read.collect()))
        }
        _ => None,
    }
}

/// Characters that are not seen and make text read as what it is not: controls, overrides of the direction,
/// invisible ones. Joiners stay: scripts and emoji need them.
fn misleads(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Text for a row as it reads. The record itself stays as it was received.
pub(crate) fn plain(text: String) -> Option<String> {
    if !text.contains(misleads) {
        return Some(text);
    }
    let text: String = text.chars().filter(|c| !misleads(*c)).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// One line: white space folded, at most 300 characters.
pub(crate) fn tidy(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(300));
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 1200 {
            break;
        }
    }
    if line.chars().count() > 300 {
        line = line.chars().take(299).collect();
        line.push('…');
    }
    line
}

/// A non-empty string member.
pub(crate) fn string<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value
        .get(name)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// The items of a list; a single object counts as a list of one.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    match value.get(name) {
        Some(Value::Array(items)) => items,
        Some(single @ Value::Object(_)) => std::slice::from_ref(single),
        _ => &[],
    }
}

pub(crate) fn first<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    list(value, name).first()
}

/// The words of a `CodeableConcept`: text, then a display, then nothing.
pub(crate) fn concept_words(concept: &Value) -> Option<&str> {
    string(concept, "text").or_else(|| {
        list(concept, "coding")
            .iter()
            .find_map(|coding| string(coding, "display"))
    })
}

/// Words of the first concept of a member that says anything.
pub(crate) fn concept<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    list(value, name).iter().find_map(concept_words)
}

/// The first code of a `CodeableConcept`.
pub(crate) fn code_of(concept: &Value) -> Option<&str> {
    list(concept, "coding")
        .iter()
        .find_map(|coding| string(coding, "code"))
}

/// `system|code` of the first coding of a member.
pub(crate) fn system_and_code(value: &Value, name: &str) -> Option<String> {
    let coding = list(value, name)
        .iter()
        .find_map(|concept| first(concept, "coding"))?;
    let code = string(coding, "code")?;
    Some(match string(coding, "system") {
        Some(system) => format!("{system}|{code}"),
        None => code.to_owned(),
    })
}

/// Whether any coding of a member has this code.
pub(crate) fn has_code(value: &Value, name: &str, wanted: &str) -> bool {
    list(value, name)
        .iter()
        .flat_map(|concept| list(concept, "coding"))
        .any(|coding| string(coding, "code") == Some(wanted))
}

/// The display of a `Reference`.
pub(crate) fn reference_words<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    list(value, name)
        .iter()
        .find_map(|reference| string(reference, "display"))
}

/// A contained resource that `name` refers to by `#id`.
pub(crate) fn contained<'a>(value: &'a Value, reference: &Value) -> Option<&'a Value> {
    let id = string(reference, "reference")?.strip_prefix('#')?;
    list(value, "contained")
        .iter()
        .find(|resource| string(resource, "id") == Some(id))
}

/// A name as it is said: prefix, given, family, suffix, or its text.
pub(crate) fn human_name(name: &Value) -> Option<String> {
    if let Some(text) = string(name, "text") {
        return Some(text.to_owned());
    }
    let words = |member: &str| -> Vec<&str> { list_of_strings(name, member) };
    let mut parts = words("prefix");
    parts.extend(words("given"));
    parts.extend(string(name, "family"));
    parts.extend(words("suffix"));
    (!parts.is_empty()).then(|| parts.join(" "))
}

pub(crate) fn list_of_strings<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    match value.get(name) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(text)) => vec![text],
        _ => Vec::new(),
    }
}

/// A decimal as it was written: `7.0` stays `7.0`.
pub(crate) fn decimal(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if text.parse::<f64>().is_ok() => Some(text.clone()),
        _ => None,
    }
}

/// The unit of a `Quantity` as it is shown; `1` and `{…}` annotations are no words for people.
pub(crate) fn unit(quantity: &Value) -> Option<&str> {
    string(quantity, "unit")
        .or_else(|| string(quantity, "code"))
        .filter(|unit| *unit != "1" && !unit.starts_with('{'))
}

/// A `Quantity` in words, comparator included.
pub(crate) fn quantity(quantity: &Value) -> Option<String> {
    let number = decimal(quantity.get("value")?)?;
    let comparator = match string(quantity, "comparator") {
        Some("<=") => "≤ ",
        Some(">=") => "≥ ",
        Some("<") => "< ",
        Some(">") => "> ",
        _ => "",
    };
    Some(match unit(quantity) {
        Some("%") => format!("{comparator}{number} %"),
        Some(unit) => format!("{comparator}{number} {unit}"),
        None => format!("{comparator}{number}"),
    })
}

/// Whose record it is.
pub(crate) fn subject(resource_type: &str, value: &Value) -> Option<String> {
    if resource_type == "Patient" {
        return string(value, "id").map(|id| format!("Patient/{id}"));
    }
    ["subject", "patient", "beneficiary", "individual"]
        .iter()
        .find_map(|name| {
            value
                .get(*name)
                .and_then(|reference| string(reference, "reference"))
        })
        .map(str::to_owned)
}

/// Who says so, by the name that the record itself gives.
pub(crate) fn performer(value: &Value) -> Option<String> {
    [
        "performer",
        "author",
        "recorder",
        "requester",
        "asserter",
        "participant",
    ]
    .iter()
    .flat_map(|name| list(value, name))
    .find_map(|who| {
        let actor = who.get("actor").or_else(|| who.get("individual"));
        string(actor.unwrap_or(who), "display")
    })
    .map(tidy)
}
