//! Which exports a server offers, by its CapabilityStatement (checklist F1).

use crate::fhir::capability::CapabilityStatement;
use serde_json::Value;

/// The levels at which a server says that it exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportOffers {
    /// `[base]/$export`.
    pub system: bool,
    /// `[base]/Patient/$export`.
    pub patient: bool,
    /// `[base]/Group/[id]/$export`.
    pub group: bool,
}

impl ExportOffers {
    /// Reads the operations: of the whole server, and those of the resources Patient and Group. Servers
    /// call them `export`, `export-v4`, `patient-export`, `group-export` and list them here or there.
    #[must_use]
    pub fn of(statement: &CapabilityStatement) -> Self {
        let mut offers = Self::default();
        let json = statement.raw.trim_start_matches('\u{feff}');
        let Ok(value) = serde_json::from_str::<Value>(json) else {
            return offers;
        };
        for rest in list(&value, "rest") {
            for name in exports(rest) {
                match level(&name) {
                    Some("Patient") => offers.patient = true,
                    Some(_) => offers.group = true,
                    None => offers.system = true,
                }
            }
            for resource in list(rest, "resource") {
                if exports(resource).next().is_none() {
                    continue;
                }
                match resource.get("type").and_then(Value::as_str) {
                    Some("Patient") => offers.patient = true,
                    Some("Group") => offers.group = true,
                    _ => {}
                }
            }
        }
        offers
    }

    /// Nothing is said about exports at all, which may mean anything: such statements are often wrong.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let list = value.get(name).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn exports(at: &Value) -> impl Iterator<Item = String> + use<'_> {
    list(at, "operation").filter_map(|operation| {
        let text = |name: &str| {
            let text = operation.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_ascii_lowercase()
        };
        let name = text("name");
        let name = name.trim_start_matches('$');
        let named = name.split('-').any(|word| word == "export");
        let definition = text("definition");
        let last = definition.split('|').next().unwrap_or_default();
        let defined = last.ends_with("/patient-export")
            || last.ends_with("/group-export")
            || last.ends_with("/export");
        (named || defined).then(|| format!("{name} {last}"))
    })
}

/// The level that an operation of the whole server names.
fn level(name: &str) -> Option<&'static str> {
    if name.contains("patient-export") {
        Some("Patient")
    } else if name.contains("group-export") {
        Some("Group")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(rest: &str) -> ExportOffers {
        let json = format!(
            r#"{{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{rest}]}}"#
        );
        ExportOffers::of(&CapabilityStatement::parse(&json).unwrap())
    }

    #[test]
    fn f1_exports_are_found_on_the_resource_and_on_the_server_under_any_of_their_names() {
        let all = ExportOffers {
            system: true,
            patient: true,
            group: true,
        };
        assert_eq!(
            offers(
                r#"{"operation":[{"name":"export-v4"},{"name":"versions"}],"resource":[
                {"type":"Patient","operation":[{"name":"export"}]},
                {"type":"Group","operation":[{"name":"x","definition":
                 "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export|2.0.0"}]},
                {"type":"Goal","operation":[{"name":"exporter"}]}]}"#
            ),
            all
        );
        assert_eq!(
            offers(
                r#"{"operation":[{"name":"patient-export"},{"name":"group-export"},{"name":"$export"}]}"#
            ),
            all
        );
        let one =
            offers(r#"{"resource":[{"type":"Group","operation":[{"name":"group-export"}]}]}"#);
        assert!(one.group && !one.system && !one.patient);
        assert!(offers(r#"{"operation":[{"name":"exporter"},{}]}"#).is_silent());
    }
}
