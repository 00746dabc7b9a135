//! The capability statement (FHIR R4, capabilitystatement.html; SMART's extension for OAuth addresses).

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::query::SELECTING;
use super::{answer, parameters};
use crate::quirks::Quirks;
use crate::state::App;

/// The types of US Core 6.1, which are supported even when the data has none.
const US_CORE: [&str; 30] = [
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
    "Group",
    "Immunization",
    "Location",
    "Media",
    "Medication",
    "MedicationDispense",
    "MedicationRequest",
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

/// Whether this server knows the type.
pub(super) fn is_supported(app: &App, kind: &str) -> bool {
    let only = &app.quirks.only_types;
    let known = US_CORE.contains(&kind) || app.data.has_type(kind);
    known && (only.is_empty() || only.iter().any(|one| one == kind))
}

/// `GET {fhir}/metadata`, open to all.
pub(super) async fn show(State(app): State<App>) -> Response {
    answer::resource(statement(&app).to_string())
}

fn statement(app: &App) -> Value {
    let (data, origin) = (&app.data, &app.origin);
    let mut types: BTreeSet<String> = data.types();
    types.extend(US_CORE.map(str::to_owned));
    types.retain(|kind| is_supported(app, kind));
    let resources: Vec<Value> = types
        .iter()
        .map(|kind| resource(kind, &app.quirks))
        .collect();
    let json_first = [
        "application/fhir+json",
        "json",
        "application/fhir+xml",
        "xml",
    ];
    let xml_first = [
        "application/fhir+xml",
        "xml",
        "application/fhir+json",
        "json",
    ];
    let formats = if app.quirks.xml_unless_json {
        xml_first
    } else {
        json_first
    };
    let smart = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";
    let endpoints = [
        ("authorize", "auth/authorize"),
        ("token", "auth/token"),
        ("register", "auth/register"),
        ("revoke", "auth/revoke"),
    ];
    let endpoints: Vec<Value> = endpoints
        .into_iter()
        .map(|(name, path)| json!({"url": name, "valueUri": format!("{origin}/{path}")}))
        .collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2024-01-01",
        "publisher": "satchel-mock: synthetic data only",
        "kind": "instance",
        "instantiates": ["http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server"],
        "software": {"name": "satchel-mock", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": "imitation for testers", "url": format!("{origin}/fhir")},
        "fhirVersion": "4.0.1",
        "format": formats,
        "rest": [{
            "mode": "server",
            "security": {
                "extension": [{"url": smart, "extension": endpoints}],
                "service": [{"coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                    "code": "SMART-on-FHIR"
                }]}]
            },
            "resource": resources
        }]
    })
}

fn resource(kind: &str, quirks: &Quirks) -> Value {
    let own = parameters::of_type(kind);
    let common = SELECTING
        .iter()
        .filter(|(name, _)| !own.iter().any(|one| one.name == *name))
        .map(|(name, of)| json!({"name": name, "type": of}));
    let own = own
        .iter()
        .map(|one| json!({"name": one.name, "type": one.shape.name()}));
    let parameters: Vec<Value> = common.chain(own).collect();
    let mut resource = json!({
        "type": kind,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": parameters,
        "searchRevInclude": ["Provenance:target"]
    });
    let mut operations = operations(kind);
    operations.retain(|one| !(quirks.no_everything && one["name"] == "everything"));
    if !operations.is_empty() {
        resource["operation"] = json!(operations);
    }
    let includes = includes(kind);
    if !includes.is_empty() {
        resource["searchInclude"] = json!(includes);
    }
    resource
}

/// Name and definition of the operations of a type.
fn operations(kind: &str) -> Vec<Value> {
    let bulk = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition";
    let named = |name: &str, definition: String| json!({"name": name, "definition": definition});
    match kind {
        "Patient" => vec![
            named("export", format!("{bulk}/patient-export")),
            named(
                "everything",
                "http://hl7.org/fhir/OperationDefinition/Patient-everything".to_owned(),
            ),
        ],
        "DocumentReference" => vec![named(
            "docref",
            "http://hl7.org/fhir/us/core/OperationDefinition/docref".to_owned(),
        )],
        "Group" => vec![named("export", format!("{bulk}/group-export"))],
        _ => Vec::new(),
    }
}

fn includes(kind: &str) -> &'static [&'static str] {
    match kind {
        "MedicationRequest" => &[
            "MedicationRequest:medication",
            "MedicationRequest:requester",
            "MedicationRequest:encounter",
        ],
        "MedicationDispense" => &["MedicationDispense:medication"],
        "Observation" => &["Observation:performer", "Observation:encounter"],
        "DiagnosticReport" => &["DiagnosticReport:result", "DiagnosticReport:performer"],
        "Encounter" => &[
            "Encounter:practitioner",
            "Encounter:location",
            "Encounter:service-provider",
        ],
        "DocumentReference" => &["DocumentReference:author", "DocumentReference:custodian"],
        "PractitionerRole" => &[
            "PractitionerRole:practitioner",
            "PractitionerRole:organization",
        ],
        "Patient" => &["Patient:general-practitioner", "Patient:organization"],
        "Provenance" => &["Provenance:agent", "Provenance:target"],
        _ => &[],
    }
}
