//! What to ask for: as little as does the job, in the form that the server knows.

use super::{Scope, ScopeContext};
use crate::discovery::SmartConfiguration;

/// In whose name access is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A patient, or somebody acting for one.
    Patient,
    /// A member of staff.
    User,
    /// A backend service; no person takes part.
    System,
}

impl Role {
    fn context(self) -> ScopeContext {
        match self {
            Self::Patient => ScopeContext::Patient,
            Self::User => ScopeContext::User,
            Self::System => ScopeContext::System,
        }
    }
}

/// The types of a chart (US Core 9 and what its resources refer to), asked for one by one so that a
/// person can allow each by itself.
const CHART_TYPES: &[&str] = &[
    "AllergyIntolerance",
    "Binary",
    "CarePlan",
    "CareTeam",
    "Condition",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "FamilyMemberHistory",
    "Goal",
    "Immunization",
    "Location",
    "Media",
    "Medication",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "QuestionnaireResponse",
    "RelatedPerson",
    "ServiceRequest",
    "Specimen",
];

/// Types that are asked for only where the server lists them: those who do not know them refuse the list.
const LISTED_TYPES: &[&str] = &["Claim", "ExplanationOfBenefit", "ImagingStudy"];

/// One kind of record that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// FHIR type.
    pub resource_type: String,
    /// A finer limit, as in `category=...|laboratory`; only sent to a server that lists it.
    pub query: Option<String>,
}

/// The scopes to ask for, as one string, when everything in a chart is wanted.
///
/// SMART 2 letters when the server has `permission-v2`, SMART 1 words otherwise; reading only. Of the
/// chart's types those that the server lists; all of them when it lists none; the wildcard only when
/// that is all it lists. With `launch/patient` wherever a person signs in (a provider picks the
/// patient at the portal), `openid fhirUser` where the server does OpenID Connect, and
/// `offline_access` where it grants that.
#[must_use]
pub fn choose_scopes(role: Role, configuration: &SmartConfiguration) -> String {
    choose_scopes_for(role, configuration, None, false)
}

/// As [`choose_scopes`], for a part of the chart: each kind that is wanted, by name. `launched` is an
/// EHR launch: the patient comes with the launch, so `launch` stands in place of `launch/patient`.
#[must_use]
pub fn choose_scopes_for(
    role: Role,
    configuration: &SmartConfiguration,
    wanted: Option<&[Wanted]>,
    launched: bool,
) -> String {
    let mut scopes: Vec<String> = Vec::new();
    if role != Role::System {
        scopes.push(if launched { "launch" } else { "launch/patient" }.to_owned());
    }
    let has_openid = configuration.issuer.is_some()
        && (configuration.supports("sso-openid-connect") || lists(configuration, "openid"));
    if role != Role::System && has_openid {
        scopes.extend(["openid".to_owned(), "fhirUser".to_owned()]);
    }
    let silent = configuration.capabilities.is_empty() && configuration.scopes_supported.is_empty();
    let offline =
        configuration.supports("permission-offline") || lists(configuration, "offline_access");
    if role != Role::System && (offline || silent) {
        scopes.push("offline_access".to_owned());
    }
    match wanted {
        None => scopes.extend(data_scopes(role.context(), configuration)),
        Some(wanted) => {
            let named = wanted
                .iter()
                .map(|one| wanted_scope(role.context(), configuration, one));
            scopes.extend(named);
        }
    }
    scopes.join(" ")
}

/// The scopes to register (RFC 7591 §2, `scope`): everything that may ever be asked for, since a
/// server may refuse at sign-in what was not registered. That is the whole chart type by type, the
/// wildcard where the server lists it, and both ways to be launched.
#[must_use]
pub fn registration_scopes(role: Role, configuration: &SmartConfiguration) -> String {
    let mut scopes: Vec<String> = choose_scopes(role, configuration)
        .split(' ')
        .map(str::to_owned)
        .collect();
    if role != Role::System {
        scopes.insert(0, "launch".to_owned());
    }
    for resource_type in CHART_TYPES {
        let one = Wanted {
            resource_type: (*resource_type).to_owned(),
            query: None,
        };
        scopes.push(wanted_scope(role.context(), configuration, &one));
    }
    let mut seen = std::collections::HashSet::new();
    scopes.retain(|scope| seen.insert(scope.clone()));
    scopes.join(" ")
}

/// A finer limit is asked for only where the server lists that very limit: others answer
/// `invalid_scope` to what they do not know, and then nobody signs in at all.
fn wanted_scope(
    context: ScopeContext,
    configuration: &SmartConfiguration,
    wanted: &Wanted,
) -> String {
    let suffix = suffix(configuration);
    let plain = format!("{}/{}.{suffix}", context.as_str(), wanted.resource_type);
    let finer = wanted
        .query
        .as_ref()
        .map(|query| format!("{plain}?{query}"));
    finer
        .filter(|finer| lists(configuration, finer))
        .unwrap_or(plain)
}

fn suffix(configuration: &SmartConfiguration) -> &'static str {
    if knows_v2(configuration) {
        "rs"
    } else {
        "read"
    }
}

fn lists(configuration: &SmartConfiguration, scope: &str) -> bool {
    configuration
        .scopes_supported
        .iter()
        .any(|listed| listed == scope)
}

fn data_scopes(context: ScopeContext, configuration: &SmartConfiguration) -> Vec<String> {
    let suffix = suffix(configuration);
    let listed: Vec<Scope> = configuration
        .scopes_supported
        .iter()
        .map(|text| Scope::parse(text))
        .collect();
    let readable = |resource_type: &str| {
        listed.iter().filter_map(Scope::resource).any(|scope| {
            let rights = scope.permissions;
            scope.context == context
                && scope.resource_type == resource_type
                && (rights.read || rights.search)
        })
    };
    let print = |resource_type: &str| format!("{}/{resource_type}.{suffix}", context.as_str());
    let named: Vec<String> = CHART_TYPES
        .iter()
        .chain(LISTED_TYPES)
        .filter(|name| readable(name))
        .map(|name| print(name))
        .collect();
    if !named.is_empty() {
        named
    } else if readable("*") {
        vec![print("*")]
    } else {
        CHART_TYPES.iter().map(|name| print(name)).collect()
    }
}

/// SMART 2 is assumed unless the server only speaks of SMART 1.
fn knows_v2(configuration: &SmartConfiguration) -> bool {
    let v1_listed = configuration
        .scopes_supported
        .iter()
        .any(|scope| scope.ends_with(".read"));
    configuration.supports("permission-v2")
        || !(configuration.supports("permission-v1") || v1_listed)
}
