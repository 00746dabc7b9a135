//! What comes along with the matches of a page: `_include` and `_revinclude`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::paging::Includes;
use super::seen::Viewer;
use crate::data::fields::local_reference;
use crate::data::{Data, Place};

/// The elements behind search parameters that are not named like them.
const ELEMENTS: [(&str, &[&str]); 9] = [
    ("practitioner", &["participant", "actor", "practitioner"]),
    ("participant", &["participant", "member"]),
    ("medication", &["medicationReference"]),
    ("location", &["location", "locationReference"]),
    ("result", &["result"]),
    ("agent", &["agent"]),
    ("target", &["target"]),
    ("diagnosis", &["diagnosis"]),
    ("patient", &["patient", "subject", "beneficiary"]),
];

/// The places of what comes along with `page`, without what is on the page itself.
pub(super) fn companions(
    data: &Data,
    viewer: &Viewer,
    page: &[Place],
    includes: &Includes,
) -> Vec<Place> {
    let mut found: BTreeSet<Place> = BTreeSet::new();
    for place in page {
        let Some(resource) = data.at(*place) else {
            continue;
        };
        let key = format!("{}/{}", resource.resource_type, resource.id);
        if includes.provenance {
            found.extend(data.provenance_of(*place, &key));
        }
        let parameters: Vec<&str> = includes
            .forward
            .iter()
            .filter_map(|include| parameter(include, &resource.resource_type))
            .collect();
        if parameters.is_empty() {
            continue;
        }
        let parsed: Value = serde_json::from_str(&resource.json).unwrap_or_default();
        for parameter in parameters {
            let references = references(&parsed, parameter);
            found.extend(references.iter().filter_map(|key| data.place(key)));
        }
    }
    let visible = |place: &Place| {
        !page.contains(place) && data.at(*place).is_some_and(|one| viewer.may_include(&one))
    };
    found.into_iter().filter(visible).collect()
}

/// `author` of `DocumentReference:author[:Practitioner]`, if the include is about this type.
fn parameter<'a>(include: &'a str, kind: &str) -> Option<&'a str> {
    if include == "*" {
        return Some("*");
    }
    let mut parts = include.split(':');
    let meant = parts.next() == Some(kind);
    parts.next().filter(|_| meant)
}

/// `Type/id` of every reference in the elements of a search parameter.
fn references(resource: &Value, parameter: &str) -> Vec<String> {
    let mut found = Vec::new();
    if parameter == "*" {
        collect(resource, &mut found);
        return found;
    }
    let camel = camel_case(parameter);
    let named = ELEMENTS.iter().find(|(name, _)| *name == parameter);
    let plain = [camel.as_str()];
    let elements = named.map_or(plain.as_slice(), |(_, elements)| elements);
    for element in elements {
        if let Some(value) = resource.get(element) {
            collect(value, &mut found);
        }
    }
    found
}

fn camel_case(parameter: &str) -> String {
    let mut words = parameter.split('-');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(object) => {
            let reference = object.get("reference").and_then(Value::as_str);
            found.extend(reference.and_then(local_reference));
            object.values().for_each(|item| collect(item, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_found_behind_their_parameters() {
        let encounter = json!({
            "serviceProvider": {"reference": "Organization/o"},
            "participant": [{"individual": {"reference": "Practitioner/d"}}],
            "location": [{"location": {"reference": "Location/l"}}]
        });
        assert_eq!(
            references(&encounter, "service-provider"),
            ["Organization/o"]
        );
        assert_eq!(references(&encounter, "practitioner"), ["Practitioner/d"]);
        assert_eq!(references(&encounter, "location"), ["Location/l"]);
        assert_eq!(references(&encounter, "*").len(), 3);
        assert_eq!(
            parameter("Encounter:location", "Encounter"),
            Some("location")
        );
        assert_eq!(parameter("Encounter:location", "Patient"), None);
    }
}
