//! The search parameters of each type beside those that every type has: US Core's, and the parts of a
//! resource that they look into (FHIR R4, searchparameter-registry.html).

use serde_json::Value;

use super::query::is_meant;
use crate::data::Token;
use crate::data::dates::{self, Condition};
use crate::data::fields::local_reference;

/// How a parameter's value is compared (FHIR R4, search.html#ptypes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// From the beginning of a word, without case.
    Text,
    Token,
    Date,
    Reference,
    /// Letter by letter.
    Uri,
}

impl Shape {
    /// Its name in a capability statement.
    pub(super) fn name(self) -> &'static str {
        match self {
            Shape::Text => "string",
            Shape::Token => "token",
            Shape::Date => "date",
            Shape::Reference => "reference",
            Shape::Uri => "uri",
        }
    }
}

/// A parameter of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Elements, their names joined by dots.
    paths: &'static [&'static str],
}

const fn of(name: &'static str, shape: Shape, paths: &'static [&'static str]) -> Parameter {
    Parameter { name, shape, paths }
}

const ADDRESS: &[&str] = &[
    "address.text",
    "address.line",
    "address.city",
    "address.district",
    "address.state",
    "address.postalCode",
    "address.country",
];
const NAME: &[&str] = &[
    "name.text",
    "name.family",
    "name.given",
    "name.prefix",
    "name.suffix",
];
const IDENTIFIER: Parameter = of("identifier", Shape::Token, &["identifier"]);
const ENCOUNTER: Parameter = of("encounter", Shape::Reference, &["encounter"]);

const PATIENT: &[Parameter] = &[
    IDENTIFIER,
    of("name", Shape::Text, NAME),
    of("family", Shape::Text, &["name.family"]),
    of("given", Shape::Text, &["name.given"]),
    of("birthdate", Shape::Date, &["birthDate"]),
    of("death-date", Shape::Date, &["deceasedDateTime"]),
    of("gender", Shape::Token, &["gender"]),
    of("active", Shape::Token, &["active"]),
    of("address", Shape::Text, ADDRESS),
    of("telecom", Shape::Token, &["telecom"]),
    of(
        "general-practitioner",
        Shape::Reference,
        &["generalPractitioner"],
    ),
    of("organization", Shape::Reference, &["managingOrganization"]),
];
const PLACES: &[Parameter] = &[
    IDENTIFIER,
    of("name", Shape::Text, &["name", "alias"]),
    of("address", Shape::Text, ADDRESS),
    of("address-city", Shape::Text, &["address.city"]),
    of("address-state", Shape::Text, &["address.state"]),
    of("address-postalcode", Shape::Text, &["address.postalCode"]),
];

/// By type, apart from the parameters of every type.
const TYPES: &[(&str, &[Parameter])] = &[
    ("Patient", PATIENT),
    (
        "RelatedPerson",
        &[IDENTIFIER, of("name", Shape::Text, NAME)],
    ),
    (
        "Practitioner",
        &[
            IDENTIFIER,
            of("name", Shape::Text, NAME),
            of("family", Shape::Text, &["name.family"]),
            of("given", Shape::Text, &["name.given"]),
        ],
    ),
    (
        "PractitionerRole",
        &[
            IDENTIFIER,
            of("practitioner", Shape::Reference, &["practitioner"]),
            of("organization", Shape::Reference, &["organization"]),
            of("specialty", Shape::Token, &["specialty"]),
            of("role", Shape::Token, &["code"]),
        ],
    ),
    ("Organization", PLACES),
    ("Location", PLACES),
    (
        "CareTeam",
        &[
            of("role", Shape::Token, &["participant.role"]),
            of("participant", Shape::Reference, &["participant.member"]),
        ],
    ),
    (
        "Condition",
        &[
            ENCOUNTER,
            of("onset-date", Shape::Date, &["onsetDateTime", "onsetPeriod"]),
            of(
                "abatement-date",
                Shape::Date,
                &["abatementDateTime", "abatementPeriod"],
            ),
            of("recorded-date", Shape::Date, &["recordedDate"]),
            of("asserted-date", Shape::Date, &["extension.valueDateTime"]),
            of("verification-status", Shape::Token, &["verificationStatus"]),
        ],
    ),
    (
        "DocumentReference",
        &[
            IDENTIFIER,
            ENCOUNTER_OF_DOCUMENT,
            of("period", Shape::Date, &["context.period"]),
            of("author", Shape::Reference, &["author"]),
        ],
    ),
    (
        "Encounter",
        &[
            IDENTIFIER,
            of("class", Shape::Token, &["class"]),
            of("location", Shape::Reference, &["location.location"]),
            of(
                "discharge-disposition",
                Shape::Token,
                &["hospitalization.dischargeDisposition"],
            ),
            of("participant", Shape::Reference, &["participant.individual"]),
        ],
    ),
    (
        "FamilyMemberHistory",
        &[of("code", Shape::Token, &["condition.code"])],
    ),
    (
        "Goal",
        &[
            of("lifecycle-status", Shape::Token, &["lifecycleStatus"]),
            of("target-date", Shape::Date, &["target.dueDate"]),
            of("start-date", Shape::Date, &["startDate"]),
            of("description", Shape::Token, &["description"]),
        ],
    ),
    (
        "MedicationRequest",
        &[
            ENCOUNTER,
            of("authoredon", Shape::Date, &["authoredOn"]),
            of("requester", Shape::Reference, &["requester"]),
            of("medication", Shape::Reference, &["medicationReference"]),
        ],
    ),
    (
        "Observation",
        &[
            ENCOUNTER,
            of("performer", Shape::Reference, &["performer"]),
            of("value-concept", Shape::Token, &["valueCodeableConcept"]),
        ],
    ),
    (
        "DiagnosticReport",
        &[
            IDENTIFIER,
            ENCOUNTER,
            of("issued", Shape::Date, &["issued"]),
            of("result", Shape::Reference, &["result"]),
        ],
    ),
    ("Procedure", &[ENCOUNTER]),
    ("Immunization", &[ENCOUNTER]),
    ("CarePlan", &[ENCOUNTER]),
    ("Provenance", &[of("target", Shape::Reference, &["target"])]),
    (
        "QuestionnaireResponse",
        &[
            of("authored", Shape::Date, &["authored"]),
            of("questionnaire", Shape::Uri, &["questionnaire"]),
        ],
    ),
    (
        "ServiceRequest",
        &[
            ENCOUNTER,
            of("authored", Shape::Date, &["authoredOn"]),
            of("requester", Shape::Reference, &["requester"]),
        ],
    ),
];

/// The parameters of a type, apart from those of every type.
pub(super) fn of_type(kind: &str) -> &'static [Parameter] {
    let found = TYPES.iter().find(|(known, _)| *known == kind);
    found.map_or(&[], |(_, parameters)| parameters)
}

const ENCOUNTER_OF_DOCUMENT: Parameter = of("encounter", Shape::Reference, &["context.encounter"]);

/// How a modifier changes the comparison (FHIR R4, search.html#modifiers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Modifier {
    None,
    Exact,
    Contains,
}

/// A parameter with the values asked for; of these any may hold.
#[derive(Debug)]
pub(crate) struct Asked {
    parameter: Parameter,
    modifier: Modifier,
    values: Vec<String>,
    dates: Vec<Condition>,
}

impl Asked {
    /// `None` when a value is none for this parameter, or the modifier does not go with it.
    pub(super) fn new(
        parameter: Parameter,
        modifier: Modifier,
        values: Vec<String>,
    ) -> Option<Self> {
        if modifier != Modifier::None && parameter.shape != Shape::Text {
            return None;
        }
        let dates = match parameter.shape {
            Shape::Date => values
                .iter()
                .map(|value| Condition::parse(value))
                .collect::<Option<Vec<_>>>()?,
            _ => Vec::new(),
        };
        Some(Asked {
            parameter,
            modifier,
            values,
            dates,
        })
    }

    /// Whether the resource has what was asked for.
    pub(super) fn accepts(&self, json: &str) -> bool {
        let Ok(resource) = serde_json::from_str::<Value>(json) else {
            return false;
        };
        let mut found = Vec::new();
        for path in self.parameter.paths {
            collect(&resource, path, &mut found);
        }
        found.iter().any(|value| self.fits(value))
    }

    fn fits(&self, element: &Value) -> bool {
        match self.parameter.shape {
            Shape::Text => element.as_str().is_some_and(|text| {
                let is_wanted = |wanted: &String| self.text_fits(text, wanted);
                self.values.iter().any(is_wanted)
            }),
            Shape::Uri => element
                .as_str()
                .is_some_and(|text| self.values.iter().any(|wanted| wanted == text)),
            Shape::Token => tokens(element).iter().any(|token| {
                let mut values = self.values.iter();
                values.any(|wanted| is_meant(wanted, token))
            }),
            Shape::Date => date(element).is_some_and(|range| {
                let mut conditions = self.dates.iter();
                conditions.any(|condition| condition.holds(range))
            }),
            Shape::Reference => element
                .get("reference")
                .and_then(Value::as_str)
                .and_then(local_reference)
                .is_some_and(|local| {
                    let id = local.rsplit('/').next().unwrap_or_default();
                    self.values.iter().any(|wanted| {
                        wanted == id || local_reference(wanted).is_some_and(|full| full == local)
                    })
                }),
        }
    }

    fn text_fits(&self, text: &str, wanted: &str) -> bool {
        let (lower, wanted_lower) = (text.to_lowercase(), wanted.to_lowercase());
        match self.modifier {
            Modifier::Exact => text == wanted,
            Modifier::Contains => lower.contains(&wanted_lower),
            Modifier::None => {
                lower.starts_with(&wanted_lower)
                    || lower
                        .split([' ', '-', ','])
                        .any(|word| word.starts_with(&wanted_lower))
            }
        }
    }
}

fn collect<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a Value>) {
    if let Value::Array(items) = value {
        for item in items {
            collect(item, path, found);
        }
        return;
    }
    if path.is_empty() {
        found.push(value);
        return;
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if let Some(next) = value.get(first) {
        collect(next, rest, found);
    }
}

/// The codes of a `CodeableConcept`, `Coding`, `Identifier`, `ContactPoint`, code or boolean.
fn tokens(element: &Value) -> Vec<Token> {
    let text = |value: &Value, key: &str| {
        let found = value.get(key).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let token = |system: String, code: String| Token { system, code };
    match element {
        Value::String(code) => vec![token(String::new(), code.clone())],
        Value::Bool(flag) => vec![token(String::new(), flag.to_string())],
        _ => {
            let own = ["code", "value"]
                .iter()
                .filter(|key| element.get(**key).is_some_and(Value::is_string))
                .map(|key| token(text(element, "system"), text(element, key)));
            let codings = element.get("coding").and_then(Value::as_array);
            let codings = codings.into_iter().flatten();
            own.chain(codings.map(|one| token(text(one, "system"), text(one, "code"))))
                .collect()
        }
    }
}

fn date(element: &Value) -> Option<dates::Range> {
    if let Some(text) = element.as_str() {
        return dates::range(text);
    }
    let part = |key: &str| element.get(key)?.as_str().and_then(dates::range);
    let (start, end) = (part("start"), part("end"));
    start.or(end)?;
    Some(dates::Range {
        start: start.map_or(i64::MIN, |range| range.start),
        end: end.map_or(i64::MAX, |range| range.end),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const PERSON: &str = r#"{"resourceType":"Patient","id":"p","gender":"female","active":true,"birthDate":"1979-04-12",
        "name":[{"family":"al-Khatib","given":["Amina","Rose"]}],"identifier":[{"system":"s","value":"MRN7"}],
        "generalPractitioner":[{"reference":"Practitioner/d"}],"address":[{"city":"Boston","line":["1 Main St"]}]}"#;

    #[rstest]
    #[case("name", "", "ami", true)]
    #[case("name", "", "khat", true)]
    #[case("name", "", "mina", false)]
    #[case("name", "contains", "mina", true)]
    #[case("family", "exact", "al-khatib", false)]
    #[case("family", "exact", "al-Khatib", true)]
    #[case("identifier", "", "s|MRN7", true)]
    #[case("identifier", "", "MRN8", false)]
    #[case("birthdate", "", "1979-04", true)]
    #[case("birthdate", "", "gt1980", false)]
    #[case("gender", "", "female", true)]
    #[case("active", "", "true", true)]
    #[case("address", "", "bost", true)]
    #[case("general-practitioner", "", "Practitioner/d", true)]
    #[case("general-practitioner", "", "d", true)]
    #[case("general-practitioner", "", "Organization/d", false)]
    fn a_patient_is_found(
        #[case] name: &str,
        #[case] modifier: &str,
        #[case] value: &str,
        #[case] fits: bool,
    ) {
        let parameter = of_type("Patient")
            .iter()
            .find(|one| one.name == name)
            .unwrap();
        let modifier = match modifier {
            "exact" => Modifier::Exact,
            "contains" => Modifier::Contains,
            _ => Modifier::None,
        };
        let asked = Asked::new(*parameter, modifier, vec![value.to_owned()]).unwrap();
        assert_eq!(asked.accepts(PERSON), fits);
    }

    #[test]
    fn nonsense_is_no_date_and_a_code_is_not_contained() {
        let parameter = |name: &str| {
            *of_type("Patient")
                .iter()
                .find(|one| one.name == name)
                .unwrap()
        };
        assert!(
            Asked::new(
                parameter("birthdate"),
                Modifier::None,
                vec!["yesterday".to_owned()]
            )
            .is_none()
        );
        assert!(
            Asked::new(
                parameter("gender"),
                Modifier::Contains,
                vec!["fe".to_owned()]
            )
            .is_none()
        );
    }
}
