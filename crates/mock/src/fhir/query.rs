//! The parameters of a search.

use url::form_urlencoded;

use super::parameters::{self, Asked, Modifier};

use crate::data::dates::Condition;
use crate::data::fields::local_reference;
use crate::data::{Stored, Token};

/// The parameters that select, in the order the capability statement lists them.
pub(super) const SELECTING: [(&str, &str); 11] = [
    ("_id", "token"),
    ("_lastUpdated", "date"),
    ("patient", "reference"),
    ("subject", "reference"),
    ("category", "token"),
    ("code", "token"),
    ("date", "date"),
    ("status", "token"),
    ("intent", "token"),
    ("type", "token"),
    ("clinical-status", "token"),
];

/// The parameters that shape the answer.
const SHAPING: [&str; 6] = [
    "_count",
    "_format",
    "_include",
    "_pretty",
    "_revinclude",
    "_summary",
];

/// The parameters as given.
#[derive(Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a query string or a form.
    pub(super) fn parse(raw: &str) -> Query {
        Query {
            pairs: form_urlencoded::parse(raw.as_bytes())
                .into_owned()
                .filter(|(name, _)| !name.is_empty())
                .collect(),
        }
    }

    /// From pairs that were read already.
    pub(super) fn of(pairs: &[(&str, &str)]) -> Query {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Query {
            pairs: pairs.iter().map(owned).collect(),
        }
    }

    /// Whether a search of the type may have a parameter of this name, its modifier aside.
    pub(super) fn knows(kind: &str, name: &str) -> bool {
        let name = name.split(':').next().unwrap_or_default();
        let own = parameters::of_type(kind);
        own.iter().any(|one| one.name == name)
            || SELECTING.iter().any(|(known, _)| *known == name)
            || SHAPING.contains(&name)
    }

    /// Names and values, in the order given.
    pub(super) fn pairs(&self) -> Vec<(&str, &str)> {
        let pairs = self.pairs.iter();
        pairs
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// The names, in the order given.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    /// The first value of that name.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.pairs.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// What was understood, for the self link.
    pub(super) fn understood(&self, kind: &str) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.pairs {
            if Query::knows(kind, name) {
                text.append_pair(name, value);
            }
        }
        text.finish()
    }

    /// The conditions that all must hold.
    ///
    /// # Errors
    /// The name of a parameter whose value is no value for it, or with a modifier that it does not take.
    pub(super) fn filters(&self, kind: &str) -> Result<Vec<Filter>, String> {
        let mut filters = Vec::new();
        for (name, value) in &self.pairs {
            if value.is_empty() {
                continue;
            }
            let alternatives: Vec<&str> = value.split(',').collect();
            let owned = || alternatives.iter().map(|one| (*one).to_owned()).collect();
            let (plain, modifier) = name.split_once(':').unwrap_or((name, ""));
            let known = parameters::of_type(kind).iter();
            if let Some(parameter) = known.into_iter().find(|one| one.name == plain) {
                let modifier = match modifier {
                    "" => Modifier::None,
                    "exact" => Modifier::Exact,
                    "contains" => Modifier::Contains,
                    // The type of what is referred to.
                    _ if modifier.starts_with(char::is_uppercase) => Modifier::None,
                    _ => return Err(name.clone()),
                };
                let asked = Asked::new(*parameter, modifier, owned());
                filters.push(Filter::Element(asked.ok_or_else(|| name.clone())?));
                continue;
            }
            // Of the others only a reference has one: its type.
            if !modifier.is_empty() && Query::knows(kind, plain) && !plain.starts_with("_") {
                let of_patient = modifier == "Patient" && matches!(plain, "patient" | "subject");
                if !of_patient {
                    return Err(name.clone());
                }
            }
            filters.push(match plain {
                "_id" => Filter::Id(owned()),
                "patient" | "subject" => {
                    Filter::Patient(alternatives.iter().map(|one| patient_id(one)).collect())
                }
                "category" => Filter::Token(Field::Category, owned()),
                "code" => Filter::Token(Field::Code, owned()),
                "status" => Filter::Token(Field::Status, owned()),
                "intent" => Filter::Token(Field::Intent, owned()),
                "type" => Filter::Token(Field::Kind, owned()),
                "clinical-status" => Filter::Token(Field::ClinicalStatus, owned()),
                "date" => Filter::Date(Condition::parse(value).ok_or_else(|| name.clone())?),
                "_lastUpdated" => {
                    Filter::LastUpdated(Condition::parse(value).ok_or_else(|| name.clone())?)
                }
                _ => continue,
            });
        }
        Ok(filters)
    }
}

fn patient_id(value: &str) -> String {
    match local_reference(value) {
        Some(local) => local
            .strip_prefix("Patient/")
            .map_or_else(|| local.clone(), str::to_owned),
        None => value.to_owned(),
    }
}

/// A coded search parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field {
    Category,
    Code,
    Status,
    Intent,
    Kind,
    ClinicalStatus,
}

/// One condition; of the values inside, any may hold.
#[derive(Debug)]
pub(crate) enum Filter {
    Id(Vec<String>),
    Patient(Vec<String>),
    Token(Field, Vec<String>),
    Date(Condition),
    LastUpdated(Condition),
    Element(Asked),
}

impl Filter {
    /// Whether the resource fulfils the condition.
    pub(super) fn accepts(&self, resource: &Stored) -> bool {
        let fields = &resource.fields;
        match self {
            Filter::Id(ids) => ids.contains(&resource.id),
            Filter::Patient(ids) => ids.iter().any(|id| fields.patients.contains(id)),
            Filter::Token(field, values) => {
                let tokens = match field {
                    Field::Category => &fields.category,
                    Field::Code => &fields.code,
                    Field::Status => &fields.status,
                    Field::Intent => &fields.intent,
                    Field::Kind => &fields.kind,
                    Field::ClinicalStatus => &fields.clinical_status,
                };
                values
                    .iter()
                    .any(|value| tokens.iter().any(|token| is_meant(value, token)))
            }
            Filter::Element(asked) => asked.accepts(&resource.json),
            Filter::Date(condition) => fields.date.is_some_and(|date| condition.holds(date)),
            Filter::LastUpdated(condition) => fields
                .last_updated
                .is_some_and(|date| condition.holds(date)),
        }
    }
}

/// `code`, `system|code`, `|code` or `system|` (FHIR R4, search.html#token).
pub(super) fn is_meant(value: &str, token: &Token) -> bool {
    match value.split_once('|') {
        None => token.code == value,
        Some((system, "")) => token.system == system,
        Some((system, code)) => token.system == system && token.code == code,
    }
}
