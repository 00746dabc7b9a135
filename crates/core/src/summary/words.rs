//! Plain words for types, sections and codes.

use crate::view::Section;

pub(crate) const PLAIN_NAMES: &[(&str, &str)] = &[
    ("Patient", "Personal details"),
    ("AllergyIntolerance", "Allergy or intolerance"),
    ("Condition", "Health problem"),
    ("MedicationRequest", "Prescribed medication"),
    ("MedicationDispense", "Dispensed medication"),
    ("MedicationStatement", "Reported medication"),
    ("MedicationAdministration", "Given medication"),
    ("Medication", "Medication product"),
    ("Immunization", "Vaccination"),
    ("Observation", "Measurement or finding"),
    ("DiagnosticReport", "Test report"),
    ("Encounter", "Visit"),
    ("Procedure", "Treatment or test done"),
    ("DocumentReference", "Document"),
    ("Binary", "Document content"),
    ("CarePlan", "Plan of care"),
    ("Goal", "Health goal"),
    ("CareTeam", "Team of carers"),
    ("ServiceRequest", "Order or referral"),
    ("FamilyMemberHistory", "Family member's health"),
    ("Device", "Medical device"),
    ("Specimen", "Sample"),
    ("Questionnaire", "Form"),
    ("QuestionnaireResponse", "Answered questionnaire"),
    ("RelatedPerson", "Related person's details"),
    ("Coverage", "Insurance cover"),
    ("Claim", "Bill to insurance"),
    ("ExplanationOfBenefit", "Insurance statement"),
    ("ImagingStudy", "Imaging exam"),
    ("Media", "Picture or recording"),
    ("Practitioner", "Health professional"),
    ("PractitionerRole", "Health professional's role"),
    ("Organization", "Health organization"),
    ("Location", "Place of care"),
    ("HealthcareService", "Health service"),
    ("Provenance", "Record of who provided this"),
    ("Endpoint", "Technical address"),
    ("Library", "Technical library"),
];

/// Of a type that has no name here.
pub(crate) const OTHER_RECORD: &str = "Other record";

/// What one record of a FHIR type is called when it has no words of its own.
#[must_use]
pub fn plain_name(resource_type: &str) -> &'static str {
    named(PLAIN_NAMES, resource_type).unwrap_or(OTHER_RECORD)
}

/// The words of a code in a table.
pub(crate) fn named(table: &[(&str, &'static str)], code: &str) -> Option<&'static str> {
    let found = table.iter().find(|(known, _)| *known == code);
    found.map(|(_, words)| *words)
}

/// Title of a chart section.
#[must_use]
pub fn section_title(section: Section) -> &'static str {
    match section {
        Section::Patient => "Personal details",
        Section::Problems => "Problems",
        Section::Medications => "Medications",
        Section::Allergies => "Allergies",
        Section::Immunizations => "Immunizations",
        Section::Labs => "Lab results",
        Section::Vitals => "Vital signs",
        Section::Procedures => "Procedures",
        Section::Encounters => "Visits",
        Section::Documents => "Documents and notes",
        Section::CarePlans => "Care plans",
        Section::Goals => "Goals",
        Section::Observations => "Other observations",
        Section::Orders => "Orders and referrals",
        Section::CareTeam => "Care team",
        Section::FamilyHistory => "Family history",
        Section::Devices => "Devices and implants",
        Section::Insurance => "Insurance and claims",
        Section::PeopleAndPlaces => "People and places",
        Section::Other => "Other records",
    }
}

/// A measurement that is true or not.
pub(crate) const YES: &str = "Yes";
pub(crate) const NO: &str = "No";

/// A status code in words: `entered-in-error` → "Entered in error".
pub(crate) fn status_words(code: &str) -> String {
    match code {
        "in-progress" => "In progress".to_owned(),
        "on-hold" => "On hold".to_owned(),
        "not-done" => "Not done".to_owned(),
        "entered-in-error" => "Entered in error".to_owned(),
        "not-taken" => "Not taken".to_owned(),
        "final" => "Final".to_owned(),
        "current" => "Current".to_owned(),
        code => {
            let spaced = code.replace(['-', '_'], " ");
            let mut letters = spaced.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect())
                .unwrap_or_default()
        }
    }
}

/// Why a value is missing (FHIR R4, data-absent-reason).
pub(crate) const ABSENT: &[(&str, &str)] = &[
    ("asked-unknown", "Asked, but not known"),
    ("temp-unknown", "Not known yet"),
    ("not-asked", "Not asked"),
    ("asked-declined", "Asked, but declined"),
    ("masked", "Kept private"),
    ("not-applicable", "Does not apply"),
    ("unsupported", "Not supported by the source"),
    ("error", "Could not be measured"),
    ("not-a-number", "Not a number"),
    ("negative-infinity", "Not a number"),
    ("positive-infinity", "Not a number"),
    ("not-performed", "Not performed"),
    ("not-permitted", "Not permitted to be shared"),
];

/// Of a reason that has no words here.
pub(crate) const NOT_KNOWN: &str = "Not known";

pub(crate) fn absent_words(code: &str) -> &'static str {
    named(ABSENT, code).unwrap_or(NOT_KNOWN)
}

/// What SNOMED CT puts behind a fully specified name to tell concepts of one name apart ("Semantic tag",
/// SNOMED CT Editorial Guide): no word for the person who reads their chart.
const SEMANTIC_TAGS: &[&str] = &[
    "body structure",
    "clinical drug",
    "disorder",
    "event",
    "finding",
    "medicinal product",
    "observable entity",
    "organism",
    "person",
    "physical object",
    "procedure",
    "product",
    "regime/therapy",
    "situation",
    "specimen",
    "substance",
];

/// A name without the tag behind it.
pub(crate) fn without_tag(name: &str) -> &str {
    let tag = name
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once(" ("));
    match tag {
        Some((bare, tag)) if !bare.is_empty() && SEMANTIC_TAGS.contains(&tag) => bare,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::without_tag;

    #[test]
    fn what_tells_concepts_apart_is_no_part_of_a_name() {
        assert_eq!(without_tag("Stress (finding)"), "Stress");
        assert_eq!(
            without_tag("Social service (regime/therapy)"),
            "Social service"
        );
        assert_eq!(without_tag("Td (adult)"), "Td (adult)");
        assert_eq!(without_tag("Glucose (fasting)"), "Glucose (fasting)");
        assert_eq!(without_tag("(finding)"), "(finding)");
        assert_eq!(without_tag("finding)"), "finding)");
    }
}
