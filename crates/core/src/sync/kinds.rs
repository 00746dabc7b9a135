//! The types of a chart, and what servers may want to be asked beside the patient (US Core, "Searches a
//! patient-access client should issue").

/// Types that hold a patient's records, in the order in which a person wants to see them arrive;
/// with the categories that servers may demand.
pub(super) const PATIENT_TYPES: &[(&str, Extra)] = &[
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
pub(super) enum Extra {
    None,
    Categories(&'static [&'static str]),
    Statuses(&'static str),
    Intents,
}

/// `MedicationRequest.intent` (FHIR R4, MedicationRequest): orders and plans first.
pub(super) const INTENTS: &[&str] = &[
    "order",
    "plan",
    "proposal",
    "original-order",
    "reflex-order",
    "filler-order",
    "instance-order",
    "option",
];

/// What is asked to come along, where the server lists it and the scopes reach the type that comes.
pub(super) const INCLUDES: &[(&str, &str, &str)] = &[
    (
        "MedicationRequest",
        "MedicationRequest:medication",
        "Medication",
    ),
    (
        "MedicationDispense",
        "MedicationDispense:medication",
        "Medication",
    ),
    (
        "MedicationStatement",
        "MedicationStatement:medication",
        "Medication",
    ),
    ("CareTeam", "CareTeam:participant", "Practitioner"),
];

/// Types that other records refer to, fetched by read; the contents of documents are asked for apart.
pub(crate) const REFERENCED_TYPES: &[&str] = &[
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "Medication",
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
