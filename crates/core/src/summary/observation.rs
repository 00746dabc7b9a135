//! Observations: value in words, reference range, interpretation, section by category.

use super::read::{self, concept_words, decimal, first, list, quantity, string, unit};
use super::types::Parts;
use super::{date, words};
use crate::view::{Flag, Section};
use serde_json::Value;

pub(crate) fn parts(value: &Value) -> Parts {
    let shown = value_of(value);
    let number = value
        .get("valueQuantity")
        .and_then(|q| q.get("value"))
        .and_then(Value::as_f64);
    Parts {
        section: section_of(value),
        title: read::concept(value, "code").map(str::to_owned),
        code: read::system_and_code(value, "code"),
        subtitle: None,
        status: string(value, "status")
            .filter(|s| *s != "final")
            .map(words::status_words),
        date: date::first_of(
            value,
            &[
                "effectiveDateTime",
                "effectivePeriod",
                "effectiveInstant",
                "issued",
            ],
        ),
        value: shown,
        value_number: number,
        unit: value.get("valueQuantity").and_then(unit).map(str::to_owned),
        range: list(value, "referenceRange")
            .iter()
            .find_map(|range| range_words(range, value)),
        flag: flag_of(value),
    }
}

fn section_of(value: &Value) -> Section {
    if read::has_code(value, "category", "laboratory") {
        Section::Labs
    } else if read::has_code(value, "category", "vital-signs") {
        Section::Vitals
    } else {
        Section::Observations
    }
}

/// The value in words, whatever its type; for a panel its components; else why it is missing.
pub(crate) fn value_of(value: &Value) -> Option<String> {
    direct_value(value)
        .or_else(|| pressure(value))
        .or_else(|| component_values(value))
        .or_else(|| {
            let reason = first(value, "dataAbsentReason")?;
            let code = read::code_of(reason).unwrap_or_default();
            Some(
                string(reason, "text")
                    .map_or_else(|| words::absent_words(code).to_owned(), str::to_owned),
            )
        })
}

fn direct_value(value: &Value) -> Option<String> {
    if let Some(found) = value.get("valueQuantity").and_then(quantity) {
        return Some(found);
    }
    if let Some(found) = value.get("valueCodeableConcept").and_then(concept_words) {
        return Some(read::tidy(found));
    }
    for name in ["valueString", "valueDateTime", "valueTime"] {
        if let Some(found) = string(value, name) {
            return Some(read::tidy(found));
        }
    }
    match value.get("valueBoolean") {
        Some(Value::Bool(true)) => return Some(words::YES.to_owned()),
        Some(Value::Bool(false)) => return Some(words::NO.to_owned()),
        _ => {}
    }
    if let Some(found) = value.get("valueInteger").and_then(decimal) {
        return Some(found);
    }
    if let Some(range) = value.get("valueRange") {
        return low_high(range.get("low"), range.get("high"));
    }
    let ratio = value.get("valueRatio")?;
    let above = ratio.get("numerator").and_then(quantity)?;
    let below = ratio.get("denominator").and_then(quantity)?;
    Some(format!("{above} / {below}"))
}

/// Blood pressure as people say it: "120/80 mmHg".
fn pressure(value: &Value) -> Option<String> {
    let component = |code: &str| {
        list(value, "component")
            .iter()
            .find(|component| read::has_code(component, "code", code))
            .and_then(|component| component.get("valueQuantity"))
    };
    let (systolic, diastolic) = (component("8480-6")?, component("8462-4")?);
    let (above, below) = (
        decimal(systolic.get("value")?)?,
        decimal(diastolic.get("value")?)?,
    );
    let unit = match unit(systolic) {
        None | Some("mm[Hg]") => "mmHg",
        Some(unit) => unit,
    };
    Some(format!("{above}/{below} {unit}"))
}

fn component_values(value: &Value) -> Option<String> {
    let parts: Vec<String> = list(value, "component")
        .iter()
        .filter_map(|component| {
            let found = direct_value(component)?;
            Some(match read::concept(component, "code") {
                Some(name) => format!("{name}: {found}"),
                None => found,
            })
        })
        .take(4)
        .collect();
    (!parts.is_empty()).then(|| read::tidy(&parts.join(", ")))
}

/// A reference range with its unit; its own text when it has one.
fn range_words(range: &Value, value: &Value) -> Option<String> {
    if let Some(text) = string(range, "text") {
        return Some(read::tidy(text));
    }
    let (low, high) = (range.get("low"), range.get("high"));
    let words = low_high(low, high)?;
    let has_unit = low.and_then(unit).or_else(|| high.and_then(unit)).is_some();
    match value.get("valueQuantity").and_then(unit) {
        Some(unit) if !has_unit => Some(format!("{words} {unit}")),
        _ => Some(words),
    }
}

fn low_high(low: Option<&Value>, high: Option<&Value>) -> Option<String> {
    match (
        low.filter(|q| q.get("value").is_some()),
        high.filter(|q| q.get("value").is_some()),
    ) {
        (Some(low), Some(high)) => {
            let start = decimal(low.get("value")?)?;
            Some(format!("{start} to {}", quantity(high)?))
        }
        (Some(low), None) => Some(format!("{} or more", quantity(low)?)),
        (None, Some(high)) => Some(format!("up to {}", quantity(high)?)),
        (None, None) => None,
    }
}

/// The meaning of `interpretation` (HL7 v3 ObservationInterpretation); of a component when the
/// observation itself has none.
fn flag_of(value: &Value) -> Option<Flag> {
    let own = list(value, "interpretation")
        .iter()
        .find_map(flag_of_concept);
    own.or_else(|| {
        list(value, "component")
            .iter()
            .flat_map(|component| list(component, "interpretation"))
            .filter_map(flag_of_concept)
            .find(|flag| *flag != Flag::Normal)
    })
}

pub(crate) fn flag_of_concept(concept: &Value) -> Option<Flag> {
    list(concept, "coding")
        .iter()
        .filter_map(|coding| string(coding, "code"))
        .find_map(|code| {
            Some(match code {
                "N" | "NEG" | "ND" => Flag::Normal,
                "H" | "HU" | "HX" | ">" => Flag::High,
                "L" | "LU" | "LX" | "<" => Flag::Low,
                "HH" => Flag::CriticalHigh,
                "LL" => Flag::CriticalLow,
                "A" | "POS" | "DET" => Flag::Abnormal,
                "AA" => Flag::CriticalAbnormal,
                _ => return None,
            })
        })
}
