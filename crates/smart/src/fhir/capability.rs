//! CapabilityStatement: what a server says it can do (FHIR R4, CapabilityStatement). It is often
//! wrong, so an empty or false one must not stop anybody.

use super::client::FhirError;
use serde_json::Value;

/// The parts of a CapabilityStatement that a reader needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilityStatement {
    /// `fhirVersion`, such as `4.0.1`.
    pub fhir_version: String,
    /// The resource types of the server's REST interface.
    pub resources: Vec<CapabilityResource>,
    /// The document as it came.
    pub raw: String,
}

/// One resource type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilityResource {
    /// `type`.
    pub resource_type: String,
    /// `interaction.code`: `read`, `search-type` and others.
    pub interactions: Vec<String>,
    /// `searchParam.name`.
    pub search_params: Vec<String>,
    /// `searchInclude`.
    pub includes: Vec<String>,
    /// `searchRevInclude`.
    pub rev_includes: Vec<String>,
    /// `operation.name`, without `$`: `everything`, `docref`.
    pub operations: Vec<String>,
}

impl CapabilityResource {
    /// Whether the statement lists a search parameter.
    #[must_use]
    pub fn lists_search(&self, parameter: &str) -> bool {
        self.search_params.iter().any(|listed| listed == parameter)
    }

    /// Whether the statement lists an operation, such as `everything`.
    #[must_use]
    pub fn offers(&self, operation: &str) -> bool {
        self.operations.iter().any(|listed| listed == operation)
    }

    /// Whether the type can be searched; a statement without interactions says nothing against it.
    #[must_use]
    pub fn can_search(&self) -> bool {
        self.interactions.is_empty() || self.interactions.iter().any(|code| code == "search-type")
    }
}

impl CapabilityStatement {
    /// Reads a statement (or a `Conformance` of FHIR DSTU2, to be able to say that it is one).
    ///
    /// # Errors
    /// [`FhirError::NotJson`]; [`FhirError::UnexpectedResource`] when it is something else.
    pub fn parse(json: &str) -> Result<Self, FhirError> {
        let value: Value =
            serde_json::from_str(json.trim_start_matches('\u{feff}')).map_err(|_| {
                FhirError::NotJson {
                    content_type: None,
                    xml: json.trim_start().starts_with('<'),
                }
            })?;
        match value.get("resourceType").and_then(Value::as_str) {
            Some("CapabilityStatement" | "Conformance") => {}
            found => {
                return Err(FhirError::UnexpectedResource {
                    found: found.unwrap_or("no resource").to_owned(),
                });
            }
        }
        let resources = rest(&value)
            .flat_map(|rest| array(rest, "resource"))
            .filter_map(resource)
            .collect();
        let fhir_version = value
            .get("fhirVersion")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        Ok(Self {
            fhir_version,
            resources,
            raw: json.to_owned(),
        })
    }

    /// What the server says about one type.
    #[must_use]
    pub fn resource(&self, resource_type: &str) -> Option<&CapabilityResource> {
        self.resources
            .iter()
            .find(|resource| resource.resource_type == resource_type)
    }

    /// Whether it is FHIR R4.
    #[must_use]
    pub fn is_r4(&self) -> bool {
        self.fhir_version == "4.0" || self.fhir_version.starts_with("4.0.")
    }

    /// An endpoint of SMART 1's `oauth-uris` extension (deprecated since SMART App Launch 2.0).
    pub(crate) fn oauth_uri(&self, name: &str) -> Option<String> {
        let value: Value = serde_json::from_str(self.raw.trim_start_matches('\u{feff}')).ok()?;
        let found = rest(&value)
            .filter_map(|rest| rest.get("security"))
            .flat_map(|security| array(security, "extension"))
            .filter(|extension| extension.get("url").and_then(Value::as_str) == Some(OAUTH_URIS))
            .flat_map(|extension| array(extension, "extension"))
            .find(|inner| inner.get("url").and_then(Value::as_str) == Some(name))?;
        found
            .get("valueUri")
            .and_then(Value::as_str)
            .map(str::to_owned)
    }
}

const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";

fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn rest(value: &Value) -> impl Iterator<Item = &Value> {
    array(value, "rest").filter(|rest| rest.get("mode").and_then(Value::as_str) != Some("client"))
}

fn resource(value: &Value) -> Option<CapabilityResource> {
    let named = |list: &str, name: &str| {
        array(value, list)
            .filter_map(|item| item.get(name)?.as_str())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let strings = |list: &str| {
        array(value, list)
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    Some(CapabilityResource {
        resource_type: value.get("type")?.as_str()?.to_owned(),
        interactions: named("interaction", "code"),
        search_params: named("searchParam", "name"),
        includes: strings("searchInclude"),
        rev_includes: strings("searchRevInclude"),
        operations: named("operation", "name")
            .into_iter()
            .map(|name| name.trim_start_matches('$').to_owned())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g1_types_interactions_and_includes_are_read() {
        let statement = CapabilityStatement::parse(
            r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[
              {"mode":"client","resource":[{"type":"Basic"}]},
              {"mode":"server","resource":[{"type":"Condition","interaction":[{"code":"search-type"},{"code":"read"}],
                "searchParam":[{"name":"patient"},{"type":"token"}],"searchInclude":["Condition:encounter",3],
                "searchRevInclude":["Provenance:target"]},{"type":"Binary","interaction":[{"code":"read"}]},{}]}]}"#,
        )
        .unwrap();
        assert!(statement.is_r4());
        assert_eq!(statement.resources.len(), 2);
        let condition = statement.resource("Condition").unwrap();
        assert!(condition.can_search());
        assert_eq!(condition.search_params, ["patient"]);
        assert_eq!(condition.includes, ["Condition:encounter"]);
        assert_eq!(condition.rev_includes, ["Provenance:target"]);
        assert!(!statement.resource("Binary").unwrap().can_search());
    }

    #[test]
    fn what_is_no_statement_is_refused_and_an_empty_one_is_not() {
        assert!(matches!(
            CapabilityStatement::parse("<a/>"),
            Err(FhirError::NotJson { xml: true, .. })
        ));
        assert!(matches!(
            CapabilityStatement::parse(r#"{"resourceType":"Bundle"}"#),
            Err(FhirError::UnexpectedResource { found }) if found == "Bundle"
        ));
        let empty =
            CapabilityStatement::parse(r#"{"resourceType":"CapabilityStatement"}"#).unwrap();
        assert!(empty.resources.is_empty() && !empty.is_r4());
    }
}
