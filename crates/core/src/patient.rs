//! The person at the top of a chart.

use crate::summary::named;
use crate::summary::read::{
    first, human_name, list, list_of_strings, plain, string, tidy, value_of,
};
use crate::view::{AgeUnit, AgeView, LabelledView, PatientHeaderView};
use jiff::civil::Date;
use serde_json::Value;

/// Of a person whose record gives no name.
pub(crate) const NO_NAME: &str = "Name not given";
/// Of a death whose day is not said.
pub(crate) const NO_DATE: &str = "date not given";

/// Administrative gender.
pub(crate) const GENDERS: &[(&str, &str)] = &[
    ("male", "Male"),
    ("female", "Female"),
    ("other", "Other"),
    ("unknown", "Unknown"),
];

/// HL7 v2 table 0203, identifier types.
pub(crate) const IDENTIFIERS: &[(&str, &str)] = &[
    ("MR", "Medical record number"),
    ("SS", "Social Security number"),
    ("SB", "Social Security number"),
    ("DL", "Driver's licence"),
    ("PPN", "Passport number"),
];

/// The header of a chart from its Patient resource; what the record does not say stays absent.
#[must_use]
pub fn header_of(json: &str, today: Date) -> PatientHeaderView {
    let patient = value_of(json);
    let birth_date = string(&patient, "birthDate").and_then(line);
    let deceased = deceased_words(&patient);
    PatientHeaderView {
        name: name_of(&patient),
        age: match &deceased {
            Some(_) => None,
            None => birth_date.as_deref().and_then(|birth| age_of(birth, today)),
        },
        birth_date,
        gender: gender_words(&patient),
        identifiers: identifiers(&patient),
        contacts: contacts(&patient),
        deceased,
    }
}

/// The name in any resource of a person, if it gives one; that of the practitioner for a role.
pub(crate) fn name_in(json: &str) -> Option<String> {
    let person = value_of(json);
    if let Some(practitioner) = person.get("practitioner") {
        return string(practitioner, "display").map(str::to_owned);
    }
    (!list(&person, "name").is_empty()).then(|| name_of(&person))
}

/// What two charts are compared by, before the person is asked whether they are of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Family name with first given name, or the name as it is said; in lower case.
    names: Vec<String>,
    birth_date: Option<String>,
    gender: Option<String>,
}

impl Identity {
    /// Of a Patient resource.
    pub(crate) fn of(json: &str) -> Self {
        let patient = value_of(json);
        let names = list(&patient, "name").iter();
        Self {
            names: names
                .filter(|name| string(name, "use") != Some("old"))
                .filter_map(name_to_compare)
                .collect(),
            birth_date: string(&patient, "birthDate").map(str::to_owned),
            gender: string(&patient, "gender")
                .filter(|gender| *gender != "unknown")
                .map(str::to_owned),
        }
    }

    /// Name, birth date to the day, and sex are given by both, and are the same.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let to_the_day = |date: &Option<String>| date.as_ref().is_some_and(|date| date.len() == 10);
        self.names.iter().any(|name| other.names.contains(name))
            && to_the_day(&self.birth_date)
            && self.birth_date == other.birth_date
            && self.gender.is_some()
            && self.gender == other.gender
    }

    /// The birth dates are the same as far as both are given.
    pub(crate) fn may_be_born_with(&self, other: &Self) -> bool {
        match (&self.birth_date, &other.birth_date) {
            (Some(one), Some(other)) => {
                one.starts_with(other.as_str()) || other.starts_with(one.as_str())
            }
            _ => true,
        }
    }
}

fn name_to_compare(name: &Value) -> Option<String> {
    let given = list_of_strings(name, "given");
    let words = match (string(name, "family"), given.first()) {
        (Some(family), Some(given)) => format!("{given} {family}"),
        _ => human_name(name)?,
    };
    let words: Vec<&str> = words.split_whitespace().collect();
    Some(words.join(" ").to_lowercase())
}

/// The official name, then the usual one, then any that is not old.
fn name_of(patient: &Value) -> String {
    let names = list(patient, "name");
    let by_use = |wanted: &str| {
        names
            .iter()
            .find(|name| string(name, "use") == Some(wanted))
    };
    by_use("official")
        .or_else(|| by_use("usual"))
        .or_else(|| {
            names
                .iter()
                .find(|name| !matches!(string(name, "use"), Some("old" | "maiden")))
        })
        .or_else(|| names.first())
        .and_then(human_name)
        .and_then(|name| line(&name))
        .unwrap_or_else(|| NO_NAME.to_owned())
}

/// Years; for small children months or days. Absent when the birth date is not known to the year.
fn age_of(birth: &str, today: Date) -> Option<AgeView> {
    let age = |number: i32, unit, about| AgeView {
        number,
        unit,
        about,
    };
    let year: i16 = birth.get(..4)?.parse().ok()?;
    let Ok(born) = birth.get(..10).unwrap_or(birth).parse::<Date>() else {
        let years = today.year().checked_sub(year)?;
        return (years >= 0).then(|| age(years.into(), AgeUnit::Year, true));
    };
    if born > today {
        return None;
    }
    let span = born.until((jiff::Unit::Year, today)).ok()?;
    let (years, months) = (i32::from(span.get_years()), span.get_months());
    Some(match (years, months) {
        (0, 0) => age(span.get_days(), AgeUnit::Day, false),
        (0, months) => age(months, AgeUnit::Month, false),
        (1, months) => age(12 + months, AgeUnit::Month, false),
        (years, _) => age(years, AgeUnit::Year, false),
    })
}

/// One line that reads as it is written.
fn line(text: &str) -> Option<String> {
    plain(tidy(text))
}

fn gender_words(patient: &Value) -> Option<String> {
    let gender = string(patient, "gender")?;
    line(named(GENDERS, gender).unwrap_or(gender))
}

fn deceased_words(patient: &Value) -> Option<String> {
    if let Some(date) = string(patient, "deceasedDateTime") {
        return line(date);
    }
    (patient.get("deceasedBoolean") == Some(&Value::Bool(true))).then(|| NO_DATE.to_owned())
}

fn identifiers(patient: &Value) -> Vec<LabelledView> {
    list(patient, "identifier")
        .iter()
        .filter_map(|identifier| {
            let value = string(identifier, "value")?;
            let kind = first(identifier, "type");
            let code = kind
                .and_then(|kind| first(kind, "coding"))
                .and_then(|c| string(c, "code"));
            let label = match code.and_then(|code| named(IDENTIFIERS, code)) {
                Some(label) => label,
                None => kind.and_then(|kind| string(kind, "text"))?,
            };
            let secret = matches!(code, Some("SS" | "SB" | "DL" | "PPN"))
                || string(identifier, "system").is_some_and(|s| s.contains("us-ssn"));
            let value = if secret {
                masked(value)
            } else {
                value.to_owned()
            };
            Some(LabelledView {
                label: line(label)?,
                value: line(&value)?,
            })
        })
        .take(6)
        .collect()
}

/// The last four characters, which is what people compare.
fn masked(value: &str) -> String {
    let count = value.chars().count();
    let tail: String = value.chars().skip(count.saturating_sub(4)).collect();
    format!("••• {tail}")
}

fn contacts(patient: &Value) -> Vec<LabelledView> {
    let mut views: Vec<LabelledView> = list(patient, "telecom")
        .iter()
        .filter(|contact| string(contact, "use") != Some("old"))
        .filter_map(|contact| {
            let label = match string(contact, "system") {
                Some("phone" | "sms") => "Phone",
                Some("email") => "E-mail",
                Some("fax") => "Fax",
                _ => "Contact",
            };
            Some(LabelledView {
                label: label.to_owned(),
                value: line(string(contact, "value")?)?,
            })
        })
        .take(4)
        .collect();
    let current = list(patient, "address")
        .iter()
        .find(|a| string(a, "use") != Some("old"));
    if let Some(address) = current {
        let text = string(address, "text")
            .map(str::to_owned)
            .unwrap_or_else(|| {
                let mut parts = list_of_strings(address, "line");
                parts.extend(
                    ["city", "state", "postalCode"]
                        .iter()
                        .filter_map(|name| string(address, name)),
                );
                parts.join(", ")
            });
        if let Some(value) = line(&text).filter(|text| !text.is_empty()) {
            views.push(LabelledView {
                label: "Address".to_owned(),
                value,
            });
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 11, 24);

    fn header(json: &serde_json::Value) -> PatientHeaderView {
        header_of(&json.to_string(), TODAY)
    }

    #[test]
    fn ages_are_told_as_people_tell_them() {
        let age = |birth: &str| {
            let age = header(&serde_json::json!({"birthDate": birth})).age?;
            Some((age.number, age.unit, age.about))
        };
        assert_eq!(age("1964-09-26"), Some((62, AgeUnit::Year, false)));
        assert_eq!(age("1964-12-26"), Some((61, AgeUnit::Year, false)));
        assert_eq!(age("2025-08-24"), Some((15, AgeUnit::Month, false)));
        assert_eq!(age("2026-11-20"), Some((4, AgeUnit::Day, false)));
        assert_eq!(age("1964"), Some((62, AgeUnit::Year, true)));
        assert_eq!(age("2031-01-01"), None);
        assert_eq!(age("soon"), None);
    }

    #[test]
    fn a_header_reads_as_it_is_written_and_is_no_book() {
        let found = header(&serde_json::json!({
            "name": [{"text": "\u{202e}evE"}], "gender": "x\u{202e}", "birthDate": "\u{202e}nrob",
            "identifier": [{"type": {"text": "n".repeat(1_000_000)}, "value": "\u{2066}7"}]}));
        assert_eq!(
            (found.name.as_str(), found.gender.as_deref()),
            ("evE", Some("x"))
        );
        assert_eq!(found.birth_date.as_deref(), Some("nrob"));
        assert_eq!(found.identifiers[0].label.chars().count(), 300);
        assert_eq!(found.identifiers[0].value, "7");
    }

    #[test]
    fn the_official_name_is_taken_and_numbers_that_open_doors_are_masked() {
        let view = header(&serde_json::json!({
            "name": [{"use": "old", "family": "Old"}, {"use": "official", "family": "Diallo", "given": ["Amina"]}],
            "identifier": [{"type": {"coding": [{"code": "SS"}]}, "value": "999-82-7353"},
                           {"type": {"coding": [{"code": "MR"}]}, "value": "MRN7"}]}));
        assert_eq!(view.name, "Amina Diallo");
        assert_eq!(view.identifiers[0].value, "••• 7353");
        assert_eq!(view.identifiers[1].value, "MRN7");
        assert_eq!(header(&serde_json::json!(null)).name, "Name not given");
    }
}
