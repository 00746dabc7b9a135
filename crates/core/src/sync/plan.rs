//! What to ask the server for: pure, and sorted. The scopes as granted and the CapabilityStatement
//! decide (US Core, "Searches a patient-access client should issue").

use satchel_smart::fhir::capability::CapabilityStatement;
use satchel_smart::scope::Scopes;

/// Records per page to ask for; a server may give fewer (checklist G5).
pub(crate) const PAGE_SIZE: &str = "500";

/// One part of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncStep {
    /// Stable key, under which the cursor is stored.
    pub key: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// How to get it.
    pub request: StepRequest,
}

/// How a step gets its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepRequest {
    /// One read.
    Read {
        /// Logical id.
        id: String,
    },
    /// A search; when the server demands more (400), the `otherwise` searches are made instead.
    Search {
        /// Search parameters of the first attempt.
        parameters: Vec<(String, String)>,
        /// Searches that together cover the same records.
        otherwise: Vec<Vec<(String, String)>>,
    },
    /// Reads of what other records refer to and of documents' content.
    References,
    /// Known beforehand to give nothing.
    Skip(SkipReason),
}

/// Why a step is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The granted scopes leave it out.
    NotShared,
    /// The CapabilityStatement does not name it.
    NotOffered,
}

/// The whole plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPlan {
    /// In the order in which they are begun.
    pub steps: Vec<SyncStep>,
}

/// Types that hold a patient's records, in the order in which a person wants to see them arrive;
/// with the categories that servers may demand.
const PATIENT_TYPES: &[(&str, Extra)] = &[
    ("AllergyIntolerance", Extra::None),
    (
        "Condition",
        Extra::Categories(&["problem-list-item", "health-concern", "encounter-diagnosis"]),
    ),
    ("MedicationRequest", Extra::Intents),
    ("Immunization", Extra::None),
    ("Observation", Extra::Categories(OBSERVATION_CATEGORIES)),
    (
        "DiagnosticReport",
        Extra::Categories(&["LAB", "LP29684-5", "LP29708-2", "LP7839-6"]),
    ),
    ("Encounter", Extra::None),
    ("Procedure", Extra::None),
    ("DocumentReference", Extra::Categories(&["clinical-note"])),
    ("CarePlan", Extra::Categories(&["assess-plan"])),
    ("Goal", Extra::None),
    (
        "CareTeam",
        Extra::Statuses("proposed,active,suspended,inactive,entered-in-error"),
    ),
    ("MedicationDispense", Extra::None),
    ("MedicationStatement", Extra::None),
    ("MedicationAdministration", Extra::None),
    ("ServiceRequest", Extra::None),
    ("FamilyMemberHistory", Extra::None),
    ("Device", Extra::None),
    ("Specimen", Extra::None),
    ("QuestionnaireResponse", Extra::None),
    ("RelatedPerson", Extra::None),
    ("Coverage", Extra::None),
    ("ImagingStudy", Extra::None),
    ("Media", Extra::None),
    ("Claim", Extra::None),
    ("ExplanationOfBenefit", Extra::None),
];

const OBSERVATION_CATEGORIES: &[&str] = &[
    "laboratory",
    "vital-signs",
    "social-history",
    "survey",
    "exam",
    "imaging",
    "procedure",
    "therapy",
    "activity",
    "sdoh",
    "functional-status",
    "disability-status",
    "cognitive-status",
    "treatment-intervention-preference",
    "care-experience-preference",
];

/// What a server may demand beside `patient`.
#[derive(Clone, Copy)]
enum Extra {
    None,
    Categories(&'static [&'static str]),
    Statuses(&'static str),
    Intents,
}

/// Types that other records refer to, fetched by read. `Binary` is the content of documents.
pub(crate) const REFERENCED_TYPES: &[&str] = &[
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "Medication",
    "Binary",
    "Device",
    "RelatedPerson",
    "HealthcareService",
];

/// The types of a patient's chart.
pub(crate) fn patient_types() -> impl Iterator<Item = &'static str> {
    PATIENT_TYPES
        .iter()
        .map(|(resource_type, _)| *resource_type)
}

impl SyncPlan {
    /// The plan for one patient's chart, or, without a patient (backend service), for everything
    /// that the server lists.
    #[must_use]
    pub fn new(granted: &Scopes, capability: &CapabilityStatement, patient: Option<&str>) -> Self {
        let mut steps = match patient {
            Some(patient) => patient_steps(granted, capability, patient),
            None => whole_server_steps(granted, capability),
        };
        if patient.is_some() {
            steps.push(SyncStep {
                key: "references".into(),
                resource_type: "Practitioner".into(),
                request: StepRequest::References,
            });
        }
        Self { steps }
    }
}

fn patient_steps(
    granted: &Scopes,
    capability: &CapabilityStatement,
    patient: &str,
) -> Vec<SyncStep> {
    let read = SyncStep {
        key: "Patient".into(),
        resource_type: "Patient".into(),
        request: StepRequest::Read {
            id: patient.to_owned(),
        },
    };
    let mut steps = vec![read];
    for (resource_type, extra) in PATIENT_TYPES {
        let request = if !offers(capability, resource_type) {
            StepRequest::Skip(SkipReason::NotOffered)
        } else if !granted.allows_read(resource_type) {
            StepRequest::Skip(SkipReason::NotShared)
        } else {
            patient_search(granted, capability, resource_type, *extra, patient)
        };
        steps.push(SyncStep {
            key: (*resource_type).to_owned(),
            resource_type: (*resource_type).to_owned(),
            request,
        });
    }
    steps
}

/// An empty statement says nothing; then everything is tried (checklist G1).
fn offers(capability: &CapabilityStatement, resource_type: &str) -> bool {
    capability.resources.is_empty() || capability.resource(resource_type).is_some()
}

fn patient_search(
    granted: &Scopes,
    capability: &CapabilityStatement,
    resource_type: &str,
    extra: Extra,
    patient: &str,
) -> StepRequest {
    let mut base = vec![("patient".to_owned(), patient.to_owned())];
    let provenance = capability
        .resource(resource_type)
        .is_some_and(|r| r.rev_includes.iter().any(|i| i == "Provenance:target"))
        && granted.allows_read("Provenance");
    if provenance {
        base.push(("_revinclude".to_owned(), "Provenance:target".to_owned()));
    }
    base.push(("_count".to_owned(), PAGE_SIZE.to_owned()));
    let with = |name: &str, value: &str| {
        let mut parameters = base.clone();
        parameters.insert(1, (name.to_owned(), value.to_owned()));
        parameters
    };
    let otherwise = match extra {
        Extra::None => Vec::new(),
        Extra::Categories(all) => all
            .iter()
            .map(|category| with("category", category))
            .collect(),
        Extra::Statuses(list) => vec![with("status", list)],
        Extra::Intents => [
            "order",
            "plan",
            "proposal",
            "original-order",
            "reflex-order",
            "filler-order",
            "instance-order",
            "option",
        ]
        .iter()
        .map(|intent| with("intent", intent))
        .collect(),
    };
    StepRequest::Search {
        parameters: base,
        otherwise,
    }
}

/// Without a patient: each type that the server can search (SMART Backend Services).
fn whole_server_steps(granted: &Scopes, capability: &CapabilityStatement) -> Vec<SyncStep> {
    let mut types: Vec<&str> = capability
        .resources
        .iter()
        .filter(|resource| resource.can_search())
        .map(|resource| resource.resource_type.as_str())
        .collect();
    types.sort_unstable();
    types
        .into_iter()
        .map(|resource_type| SyncStep {
            key: resource_type.to_owned(),
            resource_type: resource_type.to_owned(),
            request: if granted.allows_read(resource_type) {
                StepRequest::Search {
                    parameters: vec![("_count".to_owned(), PAGE_SIZE.to_owned())],
                    otherwise: Vec::new(),
                }
            } else {
                StepRequest::Skip(SkipReason::NotShared)
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability(types: &[(&str, &[&str])]) -> CapabilityStatement {
        let resources: Vec<_> = types
            .iter()
            .map(|(name, revincludes)| {
                serde_json::json!({"type": name, "interaction": [{"code": "search-type"}, {"code": "read"}],
                    "searchParam": [{"name": "patient", "type": "reference"}],
                    "searchRevInclude": revincludes})
            })
            .collect();
        let json = serde_json::json!({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1",
            "rest": [{"mode": "server", "resource": resources}]});
        CapabilityStatement::parse(&json.to_string()).unwrap()
    }

    fn step<'a>(plan: &'a SyncPlan, key: &str) -> &'a SyncStep {
        plan.steps.iter().find(|step| step.key == key).unwrap()
    }

    #[test]
    fn d16_the_plan_is_built_from_the_granted_scopes() {
        let granted = Scopes::parse("launch/patient patient/Condition.rs patient/Patient.rs");
        let capability = capability(&[("Patient", &[]), ("Condition", &[]), ("Observation", &[])]);
        let plan = SyncPlan::new(&granted, &capability, Some("p1"));
        assert!(matches!(
            step(&plan, "Condition").request,
            StepRequest::Search { .. }
        ));
        assert_eq!(
            step(&plan, "Observation").request,
            StepRequest::Skip(SkipReason::NotShared)
        );
        assert_eq!(
            step(&plan, "Immunization").request,
            StepRequest::Skip(SkipReason::NotOffered)
        );
    }

    #[test]
    fn g1_an_empty_statement_prunes_nothing() {
        let granted = Scopes::parse("patient/*.rs");
        let plan = SyncPlan::new(&granted, &capability(&[]), Some("p1"));
        assert!(matches!(
            step(&plan, "Goal").request,
            StepRequest::Search { .. }
        ));
    }

    #[test]
    fn g12_a_server_that_demands_a_category_has_the_list_to_fall_back_on() {
        let granted = Scopes::parse("patient/*.rs");
        let plan = SyncPlan::new(
            &granted,
            &capability(&[("Observation", &["Provenance:target"])]),
            Some("p1"),
        );
        let StepRequest::Search {
            parameters,
            otherwise,
        } = &step(&plan, "Observation").request
        else {
            panic!("a search");
        };
        assert!(parameters.contains(&("_revinclude".into(), "Provenance:target".into())));
        assert!(
            otherwise
                .iter()
                .any(|p| p.contains(&("category".into(), "laboratory".into())))
        );
        assert!(
            otherwise
                .iter()
                .all(|p| p.contains(&("patient".into(), "p1".into())))
        );
    }

    #[test]
    fn a_backend_service_asks_for_every_type_that_can_be_searched() {
        let granted = Scopes::parse("system/*.rs");
        let plan = SyncPlan::new(
            &granted,
            &capability(&[("Patient", &[]), ("Claim", &[])]),
            None,
        );
        let keys: Vec<_> = plan.steps.iter().map(|step| step.key.as_str()).collect();
        assert_eq!(keys, ["Claim", "Patient"]);
    }
}
