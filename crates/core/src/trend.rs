//! One measurement over time: every observation that measures the same thing, as numbers to be plotted.
//!
//! Numbers of different units are never one line: each carries its unit, and nothing is converted. The
//! reference range is that of each point, because laboratories and methods change. What is no number
//! stands in the table, not in the plot.

use crate::chart::summary_view;
use crate::engine::Engine;
use crate::problem::Result;
use crate::summary::read::{concept_words, decimal, list, quantity, string, unit};
use crate::summary::{flag_of_concept, observation_value};
use crate::view::{ChartOf, MeasuredView, MeasurementView, RecordKey, TrendView};
use satchel_store::RecordRow;
use serde_json::Value;

/// Points at most, the newest ones.
const MOST: u64 = 2_000;

impl Engine {
    /// The measurements of the same thing as the given one, in the records of one connection or of a person;
    /// the newest 2,000, oldest first. What was cancelled or entered in error is left out.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn trend(&self, of: &ChartOf, key: &RecordKey) -> Result<TrendView> {
        let (given, _) = self.stored_record(key).await?;
        let connections = self.connections_of(of).await?;
        let identity = (
            key.connection_id.as_str(),
            key.resource_type.as_str(),
            key.id.as_str(),
        );
        let found = self
            .inner
            .store
            .measurements_like(&connections, identity, MOST + 1)
            .await?;
        let names = self.server_names().await?;
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        let cut = found.len() > most;
        let mut points: Vec<MeasurementView> = found
            .into_iter()
            .take(most)
            .filter_map(|(row, json)| point(row, &json, &names))
            .collect();
        points.reverse();
        Ok(TrendView {
            title: given.title,
            points,
            cut,
        })
    }
}

fn point(row: RecordRow, json: &str, names: &[(String, String)]) -> Option<MeasurementView> {
    let value: Value = serde_json::from_str(json).ok()?;
    if matches!(
        string(&value, "status"),
        Some("cancelled" | "entered-in-error")
    ) {
        return None;
    }
    let at = row.date_sort?;
    let view = summary_view(row, names);
    Some(MeasurementView {
        values: measured(&value),
        text: observation_value(&value),
        key: view.key,
        date: view.date?,
        at,
        source: view.source,
    })
}

/// The numbers of an observation: its own, else those of its components.
fn measured(value: &Value) -> Vec<MeasuredView> {
    if let Some(own) = number_of(value, None) {
        return vec![own];
    }
    let parts = list(value, "component").iter();
    parts
        .filter_map(|part| {
            let name = part.get("code").and_then(concept_words);
            number_of(part, Some(name?.to_owned()))
        })
        .collect()
}

fn number_of(from: &Value, part: Option<String>) -> Option<MeasuredView> {
    let measured = from.get("valueQuantity")?;
    let number = number(measured.get("value")?)?;
    let words = unit(measured).map(str::to_owned);
    let code = string(measured, "code").map_or_else(|| words.clone(), |code| Some(code.to_owned()));
    let (low, high) = range_of(from, code.as_deref(), words.as_deref());
    let flags = list(from, "interpretation").iter();
    Some(MeasuredView {
        part,
        number,
        text: quantity(measured)?,
        comparator: string(measured, "comparator").map(str::to_owned),
        unit: code,
        unit_words: words,
        low,
        high,
        flag: flags.filter_map(flag_of_concept).next(),
    })
}

fn number(value: &Value) -> Option<f64> {
    let text = decimal(value)?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The range that is meant for healthy people, if it is in the unit of the value, or in none.
fn range_of(from: &Value, code: Option<&str>, words: Option<&str>) -> (Option<f64>, Option<f64>) {
    let is_normal = |range: &&Value| {
        let kind = range.get("type");
        kind.is_none_or(|kind| {
            let codes = list(kind, "coding").iter();
            codes
                .filter_map(|coding| string(coding, "code"))
                .any(|code| code == "normal")
        })
    };
    let Some(range) = list(from, "referenceRange").iter().find(is_normal) else {
        return (None, None);
    };
    let end = |name: &str| {
        let end = range.get(name)?;
        let own = [string(end, "code"), string(end, "unit")];
        let fits = own.iter().all(Option::is_none)
            || own
                .iter()
                .flatten()
                .any(|unit| [code, words].contains(&Some(*unit)));
        fits.then(|| number(end.get("value")?)).flatten()
    };
    (end("low"), end("high"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Flag;
    use serde_json::json;

    #[test]
    fn a_value_keeps_its_comparator_its_unit_and_the_range_of_its_own_day() {
        let seen = measured(&json!({
            "valueQuantity": {"value": 0.50, "comparator": "<", "unit": "mg/L", "code": "mg/L"},
            "interpretation": [{"coding": [{"code": "L"}]}],
            "referenceRange": [
                {"type": {"coding": [{"code": "treatment"}]}, "high": {"value": 9}},
                {"low": {"value": 1, "unit": "mg/L"}, "high": {"value": 5}},
            ]
        }));
        let [one] = seen.as_slice() else {
            panic!("{seen:?}")
        };
        assert_eq!((one.number, one.low, one.high), (0.5, Some(1.0), Some(5.0)));
        assert_eq!(one.text, "< 0.5 mg/L");
        assert_eq!(one.comparator.as_deref(), Some("<"));
        assert_eq!(one.flag, Some(Flag::Low));
    }

    #[test]
    fn a_range_in_another_unit_is_no_range_of_this_number() {
        let seen = measured(&json!({
            "valueQuantity": {"value": 5.5, "unit": "mmol/L"},
            "referenceRange": [{"high": {"value": 100, "unit": "mg/dL"}}]
        }));
        assert_eq!((seen[0].low, seen[0].high), (None, None));
    }

    #[test]
    fn a_blood_pressure_is_two_numbers_and_a_word_is_none() {
        let part = |name: &str, number: u8| json!({"code": {"text": name}, "valueQuantity": {"value": number, "unit": "mmHg"}});
        let seen = measured(&json!({"component": [part("Systolic", 120), part("Diastolic", 80)]}));
        let parts: Vec<_> = seen
            .iter()
            .map(|one| (one.part.as_deref(), one.number))
            .collect();
        assert_eq!(
            parts,
            [(Some("Systolic"), 120.0), (Some("Diastolic"), 80.0)]
        );
        assert!(measured(&json!({"valueString": "cloudy"})).is_empty());
        assert!(measured(&json!({"valueQuantity": {"value": "1e999"}})).is_empty());
    }
}
