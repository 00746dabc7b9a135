//! Building blocks of FHIR JSON, and a writer whose bytes depend on nothing but the value.

use serde_json::{Value, json};

pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
pub(super) const CVX: &str = "http://hl7.org/fhir/sid/cvx";
pub(super) const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
pub(super) const UCUM: &str = "http://unitsofmeasure.org";
pub(super) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(super) const ROLE_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
pub(super) const US_CORE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/";

/// The key that marks a decimal whose written form counts.
const DECIMAL: &str = "$decimal";

/// A code with its display.
pub(super) type Term = (&'static str, &'static str);

/// A `Coding`.
pub(super) fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({"system": system, "code": code, "display": display})
}

/// A `Coding` of one of the HL7 terminology systems, by its short name.
pub(super) fn hl7(system: &str, code: &str, display: &str) -> Value {
    coding(
        &format!("http://terminology.hl7.org/CodeSystem/{system}"),
        code,
        display,
    )
}

/// A `CodeableConcept` of one coding, its display being the text.
pub(super) fn concept(system: &str, term: (&str, &str)) -> Value {
    json!({"coding": [coding(system, term.0, term.1)], "text": term.1})
}

/// A `CodeableConcept` of one HL7 coding.
pub(super) fn hl7_concept(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [hl7(system, code, display)]})
}

/// The decimal `units` / 10^`scale`, written with exactly `scale` digits: FHIR keeps precision.
pub(super) fn decimal(units: i64, scale: u32) -> Value {
    json!({ DECIMAL: decimal_text(units, scale) })
}

/// The decimal `units` / 10^`scale` as text.
pub(super) fn decimal_text(units: i64, scale: u32) -> String {
    if scale == 0 {
        return units.to_string();
    }
    let power = 10_i64.pow(scale);
    let sign = if units < 0 { "-" } else { "" };
    let (whole, rest) = (units.abs() / power, units.abs() % power);
    format!("{sign}{whole}.{rest:0width$}", width = scale as usize)
}

/// A `Quantity` in UCUM units.
pub(super) fn quantity(units: i64, scale: u32, unit: &str, code: &str) -> Value {
    json!({"value": decimal(units, scale), "unit": unit, "system": UCUM, "code": code})
}

/// Adds every member of `more` to the object `base`.
pub(super) fn merge(base: &mut Value, more: Value) {
    if let (Value::Object(base), Value::Object(more)) = (base, more) {
        base.extend(more);
    }
}

/// The JSON text of `value`: `resourceType`, `id`, `meta` first, the other members by name; a null
/// member is left out, which is how a caller takes one back.
pub(super) fn render(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(number)) = members.get(DECIMAL) {
                out.push_str(number);
                return;
            }
            let mut keys: Vec<&String> = members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, _)| key)
                .collect();
            keys.sort_by_key(|key| (rank(key), key.as_str()));
            write_all('{', '}', out, &keys, |key, out| {
                out.push_str(&Value::String((*key).clone()).to_string());
                out.push(':');
                write(&members[key.as_str()], out);
            });
        }
        Value::Array(items) => write_all('[', ']', out, items, write),
        other => out.push_str(&other.to_string()),
    }
}

fn write_all<T>(
    open: char,
    close: char,
    out: &mut String,
    items: &[T],
    each: impl Fn(&T, &mut String),
) {
    out.push(open);
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        each(item, out);
    }
    out.push(close);
}

fn rank(key: &str) -> u8 {
    match key {
        "resourceType" => 0,
        "id" => 1,
        "meta" => 2,
        "text" => 3,
        _ => 4,
    }
}
