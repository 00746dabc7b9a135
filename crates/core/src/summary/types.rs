//! Per FHIR type: which members make the title, the second line, the status and the date.

use super::date::{RecordDate, first_of};
use super::read::{
    code_of, concept, concept_words, contained, first, has_code, human_name, list, list_of_strings,
    quantity, reference_words, string, system_and_code,
};
use super::{observation, words};
use crate::view::{Flag, Section};
use serde_json::Value;

/// The parts of a summary that depend on the type.
pub(crate) struct Parts {
    pub(crate) section: Section,
    pub(crate) title: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) subtitle: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) date: Option<RecordDate>,
    pub(crate) value: Option<String>,
    pub(crate) value_number: Option<f64>,
    pub(crate) unit: Option<String>,
    pub(crate) range: Option<String>,
    pub(crate) flag: Option<Flag>,
}

impl Parts {
    fn new(section: Section) -> Self {
        Self {
            section,
            title: None,
            code: None,
            subtitle: None,
            status: None,
            date: None,
            value: None,
            value_number: None,
            unit: None,
            range: None,
            flag: None,
        }
    }

    fn title(mut self, title: Option<impl Into<String>>) -> Self {
        self.title = self.title.or(title.map(Into::into));
        self
    }

    fn subtitle(mut self, subtitle: Option<impl Into<String>>) -> Self {
        self.subtitle = self.subtitle.or(subtitle.map(Into::into));
        self
    }

    fn coded(mut self, v: &Value, name: &str) -> Self {
        self.code = system_and_code(v, name);
        self
    }

    fn status(mut self, v: &Value) -> Self {
        self.status = string(v, "status").map(words::status_words);
        self
    }

    fn dated(mut self, v: &Value, members: &[&str]) -> Self {
        self.date = first_of(v, members);
        self
    }
}

/// Of any type; an unknown one gets what is common.
pub(crate) fn parts_of(resource_type: &str, v: &Value) -> Parts {
    match resource_type {
        "Observation" => observation::parts(v),
        "Patient" | "RelatedPerson" | "Practitioner" => person(resource_type, v),
        "Condition"
        | "AllergyIntolerance"
        | "Immunization"
        | "Procedure"
        | "FamilyMemberHistory" => clinical(resource_type, v),
        "MedicationRequest"
        | "MedicationDispense"
        | "MedicationStatement"
        | "MedicationAdministration"
        | "Medication" => medication(resource_type, v),
        "DiagnosticReport"
        | "DocumentReference"
        | "ImagingStudy"
        | "Media"
        | "Binary"
        | "QuestionnaireResponse" => document(resource_type, v),
        "Encounter" | "CarePlan" | "Goal" | "CareTeam" | "ServiceRequest" => care(resource_type, v),
        "Organization" | "Location" | "PractitionerRole" | "HealthcareService" | "Endpoint" => {
            place(resource_type, v)
        }
        "Coverage" | "Claim" | "ExplanationOfBenefit" => insurance(resource_type, v),
        _ => other(resource_type, v),
    }
}

fn person(resource_type: &str, v: &Value) -> Parts {
    let section = match resource_type {
        "Patient" => Section::Patient,
        _ => Section::PeopleAndPlaces,
    };
    let official = list(v, "name")
        .iter()
        .find(|name| string(name, "use") == Some("official"));
    let title = official.or_else(|| first(v, "name")).and_then(human_name);
    let subtitle = match resource_type {
        "RelatedPerson" => concept(v, "relationship").map(str::to_owned),
        "Practitioner" => first(v, "qualification")
            .and_then(|q| concept(q, "code"))
            .map(str::to_owned),
        _ => None,
    };
    Parts::new(section).title(title).subtitle(subtitle)
}

fn clinical(resource_type: &str, v: &Value) -> Parts {
    let concept_status = |name: &str| {
        first(v, name)
            .and_then(|c| string(c, "text").or_else(|| code_of(c)))
            .map(words::status_words)
    };
    match resource_type {
        "Condition" => {
            let mut parts = Parts::new(Section::Problems)
                .title(concept(v, "code"))
                .coded(v, "code")
                .subtitle(concept(v, "category"))
                .dated(v, &["onsetDateTime", "onsetPeriod", "recordedDate"]);
            parts.status = refuted(v).or_else(|| concept_status("clinicalStatus"));
            parts
        }
        "AllergyIntolerance" => {
            let reactions: Vec<&str> = list(v, "reaction")
                .iter()
                .flat_map(|reaction| list(reaction, "manifestation"))
                .filter_map(concept_words)
                .collect();
            let mut parts = Parts::new(Section::Allergies)
                .title(concept(v, "code"))
                .coded(v, "code")
                .subtitle((!reactions.is_empty()).then(|| reactions.join(", ")))
                .dated(
                    v,
                    &[
                        "onsetDateTime",
                        "onsetPeriod",
                        "recordedDate",
                        "lastOccurrence",
                    ],
                );
            parts.status = refuted(v).or_else(|| concept_status("clinicalStatus"));
            parts.value = match string(v, "criticality") {
                Some("high") => Some(HIGH_RISK.to_owned()),
                Some("low") => Some(LOW_RISK.to_owned()),
                _ => None,
            };
            parts
        }
        "Immunization" => Parts::new(Section::Immunizations)
            .title(concept(v, "vaccineCode"))
            .coded(v, "vaccineCode")
            .subtitle(concept(v, "statusReason").or_else(|| concept(v, "site")))
            .status(v)
            .dated(v, &["occurrenceDateTime", "recorded"]),
        "FamilyMemberHistory" => {
            let conditions: Vec<&str> = list(v, "condition")
                .iter()
                .filter_map(|c| concept(c, "code"))
                .collect();
            Parts::new(Section::FamilyHistory)
                .title(string(v, "name").or_else(|| concept(v, "relationship")))
                .coded(v, "relationship")
                .subtitle((!conditions.is_empty()).then(|| conditions.join(", ")))
                .status(v)
                .dated(v, &["date"])
        }
        _ => Parts::new(Section::Procedures)
            .title(concept(v, "code"))
            .coded(v, "code")
            .subtitle(concept(v, "reasonCode").or_else(|| reference_words(v, "reasonReference")))
            .status(v)
            .dated(v, &["performedDateTime", "performedPeriod"]),
    }
}

/// What was never true outweighs whether it is active.
fn refuted(v: &Value) -> Option<String> {
    ["entered-in-error", "refuted"]
        .iter()
        .find(|code| has_code(v, "verificationStatus", code))
        .map(|code| words::status_words(code))
}

/// How dangerous an allergy is.
pub(crate) const HIGH_RISK: &str = "High risk";
pub(crate) const LOW_RISK: &str = "Low risk";
/// Of a medication that somebody told of.
pub(crate) const REPORTED: &str = "Reported, not ordered here";

fn medication(resource_type: &str, v: &Value) -> Parts {
    if resource_type == "Medication" {
        return Parts::new(Section::PeopleAndPlaces)
            .title(concept(v, "code"))
            .coded(v, "code")
            .subtitle(concept(v, "form"));
    }
    let inside = first(v, "medicationReference").and_then(|reference| contained(v, reference));
    let title = concept(v, "medicationCodeableConcept")
        .or_else(|| reference_words(v, "medicationReference"))
        .or_else(|| inside.and_then(|medication| concept(medication, "code")));
    let dosage = ["dosageInstruction", "dosage"]
        .iter()
        .find_map(|name| dosage_words(first(v, name)?));
    // Not ordered here: somebody told of it (US Core, "Medication List Guidance").
    let reported = v.get("reportedBoolean").and_then(Value::as_bool) == Some(true)
        || v.get("reportedReference").is_some();
    let dosage = match (dosage, reported) {
        (Some(dosage), true) => Some(format!("{dosage} ({REPORTED})")),
        (None, true) => Some(REPORTED.to_owned()),
        (dosage, false) => dosage,
    };
    Parts::new(Section::Medications)
        .title(title)
        .coded(v, "medicationCodeableConcept")
        .subtitle(dosage)
        .status(v)
        .dated(
            v,
            &[
                "authoredOn",
                "whenHandedOver",
                "whenPrepared",
                "effectiveDateTime",
                "effectivePeriod",
                "dateAsserted",
            ],
        )
}

fn dosage_words(dosage: &Value) -> Option<String> {
    if let Some(text) = string(dosage, "text").or_else(|| string(dosage, "patientInstruction")) {
        return Some(text.to_owned());
    }
    let dose = first(dosage, "doseAndRate")
        .and_then(|d| d.get("doseQuantity"))
        .and_then(quantity);
    let how_often = first(dosage, "timing").and_then(|timing| concept(timing, "code"));
    match (dose, how_often) {
        (Some(dose), Some(often)) => Some(format!("{dose}, {often}")),
        (Some(dose), None) => Some(dose),
        (None, often) => often.map(str::to_owned),
    }
}

const NOTE_CATEGORIES: &[&str] = &["LP29684-5", "LP29708-2", "LP7839-6"];

fn document(resource_type: &str, v: &Value) -> Parts {
    match resource_type {
        "DiagnosticReport" => {
            let note = NOTE_CATEGORIES
                .iter()
                .any(|code| has_code(v, "category", code));
            Parts::new(if note {
                Section::Documents
            } else {
                Section::Labs
            })
            .title(concept(v, "code"))
            .coded(v, "code")
            .subtitle(string(v, "conclusion").or_else(|| reference_words(v, "performer")))
            .status(v)
            .dated(v, &["effectiveDateTime", "effectivePeriod", "issued"])
        }
        "DocumentReference" => {
            let attachment = first(v, "content").and_then(|content| content.get("attachment"));
            let context = first(v, "context").and_then(|context| first_of(context, &["period"]));
            let mut parts = Parts::new(Section::Documents)
                .title(
                    string(v, "description")
                        .or_else(|| attachment.and_then(|a| string(a, "title"))),
                )
                .title(concept(v, "type"))
                .coded(v, "type")
                .subtitle(concept(v, "type").or_else(|| reference_words(v, "author")))
                .status(v)
                .dated(v, &["date"]);
            parts.date = parts
                .date
                .or(context)
                .or_else(|| first_of(attachment?, &["creation"]));
            parts
        }
        "QuestionnaireResponse" => Parts::new(Section::Observations)
            .title(v.get("_questionnaire").and_then(|q| {
                list(q, "extension")
                    .iter()
                    .find_map(|e| string(e, "valueString"))
            }))
            .status(v)
            .dated(v, &["authored"]),
        "ImagingStudy" => Parts::new(Section::Procedures)
            .title(string(v, "description").or_else(|| concept(v, "procedureCode")))
            .title(
                first(v, "series")
                    .and_then(|s| first(s, "bodySite"))
                    .and_then(|b| string(b, "display"))
                    .map(|b| format!("Imaging of {b}")),
            )
            .subtitle(
                first(v, "series")
                    .and_then(|s| first(s, "modality"))
                    .and_then(|m| string(m, "display")),
            )
            .status(v)
            .dated(v, &["started"]),
        "Media" => Parts::new(Section::Documents)
            .title(
                v.get("content")
                    .and_then(|c| string(c, "title"))
                    .or_else(|| concept(v, "view")),
            )
            .subtitle(concept(v, "type"))
            .status(v)
            .dated(v, &["createdDateTime", "createdPeriod", "issued"]),
        _ => Parts::new(Section::Other).subtitle(string(v, "contentType").map(media_words)),
    }
}

/// Media types.
pub(crate) const MEDIA: &[(&str, &str)] = &[
    ("application/pdf", "PDF"),
    ("text/plain", "Text"),
    ("text/html", "Web page"),
    ("application/xml", "Clinical document (XML)"),
    ("text/xml", "Clinical document (XML)"),
    ("application/hl7-sdwg+xml", "Clinical document (XML)"),
];

/// Of any media type of a picture.
pub(crate) const PICTURE: &str = "Picture";

/// A media type in words.
fn media_words(media_type: &str) -> &str {
    let bare = media_type.split(';').next().unwrap_or(media_type).trim();
    if bare.starts_with("image/") {
        return PICTURE;
    }
    words::named(MEDIA, bare).unwrap_or(bare)
}

fn care(resource_type: &str, v: &Value) -> Parts {
    match resource_type {
        "Encounter" => {
            let class = first(v, "class").and_then(|class| {
                string(class, "display")
                    .or_else(|| string(class, "code").and_then(|code| words::named(CLASSES, code)))
            });
            let reason = concept(v, "reasonCode").or_else(|| reference_words(v, "serviceProvider"));
            Parts::new(Section::Encounters)
                .title(concept(v, "type"))
                .title(class)
                .coded(v, "type")
                .subtitle(reason.or(class))
                .status(v)
                .dated(v, &["period"])
        }
        "CarePlan" => {
            let category = list(v, "category")
                .iter()
                .filter(|category| code_of(category) != Some("assess-plan"))
                .find_map(concept_words);
            let activities: Vec<&str> = list(v, "activity")
                .iter()
                .filter_map(|activity| {
                    first(activity, "detail")
                        .and_then(|d| concept(d, "code").or_else(|| string(d, "description")))
                })
                .take(3)
                .collect();
            Parts::new(Section::CarePlans)
                .title(string(v, "title").or(category))
                .coded(v, "category")
                .subtitle(string(v, "description").map(str::to_owned))
                .subtitle((!activities.is_empty()).then(|| activities.join(", ")))
                .status(v)
                .dated(v, &["period", "created"])
        }
        "Goal" => {
            let mut parts = Parts::new(Section::Goals)
                .title(concept(v, "description"))
                .coded(v, "description")
                .subtitle(concept(v, "achievementStatus"))
                .dated(v, &["startDate", "statusDate"]);
            parts.status = string(v, "lifecycleStatus").map(words::status_words);
            parts.date = parts
                .date
                .or_else(|| first_of(first(v, "target")?, &["dueDate"]));
            parts
        }
        "CareTeam" => {
            let members: Vec<&str> = list(v, "participant")
                .iter()
                .filter_map(|p| reference_words(p, "member"))
                .take(4)
                .collect();
            Parts::new(Section::CareTeam)
                .title(string(v, "name").or_else(|| concept(v, "category")))
                .subtitle((!members.is_empty()).then(|| members.join(", ")))
                .status(v)
                .dated(v, &["period"])
        }
        _ => Parts::new(Section::Orders)
            .title(concept(v, "code"))
            .coded(v, "code")
            .subtitle(concept(v, "category").or_else(|| concept(v, "reasonCode")))
            .status(v)
            .dated(v, &["authoredOn", "occurrenceDateTime", "occurrencePeriod"]),
    }
}

/// HL7 v3 ActCode, encounter class.
pub(crate) const CLASSES: &[(&str, &str)] = &[
    ("AMB", "Outpatient visit"),
    ("EMER", "Emergency visit"),
    ("IMP", "Hospital stay"),
    ("ACUTE", "Hospital stay"),
    ("NONAC", "Hospital stay"),
    ("OBSENC", "Observation stay"),
    ("HH", "Home visit"),
    ("VR", "Video or phone visit"),
    ("SS", "Short stay"),
];

fn place(resource_type: &str, v: &Value) -> Parts {
    let section = if resource_type == "Endpoint" {
        Section::Other
    } else {
        Section::PeopleAndPlaces
    };
    if resource_type == "PractitionerRole" {
        return Parts::new(section)
            .title(reference_words(v, "practitioner").or_else(|| concept(v, "code")))
            .subtitle(concept(v, "specialty").or_else(|| reference_words(v, "organization")));
    }
    let address = first(v, "address").map(|address| {
        let mut parts = list_of_strings(address, "line");
        parts.extend(string(address, "city"));
        parts.extend(string(address, "state"));
        parts.join(", ")
    });
    Parts::new(section)
        .title(string(v, "name"))
        .subtitle(address.filter(|text| !text.is_empty()))
        .subtitle(concept(v, "type"))
}

fn insurance(resource_type: &str, v: &Value) -> Parts {
    let parts = Parts::new(Section::Insurance);
    match resource_type {
        "Coverage" => parts
            .title(concept(v, "type").or_else(|| reference_words(v, "payor")))
            .title(first(v, "class").and_then(|class| string(class, "name")))
            .subtitle(reference_words(v, "payor"))
            .status(v)
            .dated(v, &["period"]),
        _ => {
            let item = first(v, "item");
            let service = item.and_then(|item| concept(item, "productOrService"));
            let diagnosis =
                first(v, "diagnosis").and_then(|d| concept(d, "diagnosisCodeableConcept"));
            let amount = v.get("total").and_then(|total| match total {
                Value::Array(totals) => totals.first().and_then(|t| t.get("amount")),
                single => Some(single),
            });
            let mut parts = parts
                .title(service.or(diagnosis))
                .subtitle(concept(v, "type"))
                .status(v)
                .dated(v, &["billablePeriod", "created"]);
            parts.value = amount.and_then(|amount| {
                let number = amount.get("value")?.as_f64()?;
                Some(match string(amount, "currency") {
                    Some(currency) => format!("{number:.2} {currency}"),
                    None => format!("{number:.2}"),
                })
            });
            parts
        }
    }
}

fn other(resource_type: &str, v: &Value) -> Parts {
    match resource_type {
        "Device" => {
            let name = first(v, "deviceName").and_then(|name| string(name, "name"));
            Parts::new(Section::Devices)
                .title(concept(v, "type").or(name))
                .coded(v, "type")
                .subtitle(string(v, "manufacturer"))
                .status(v)
                .dated(v, &["manufactureDate"])
        }
        "Specimen" => Parts::new(Section::Other)
            .title(concept(v, "type"))
            .status(v)
            .dated(v, &["receivedTime"]),
        "Provenance" => Parts::new(Section::Other)
            .subtitle(list(v, "agent").iter().find_map(|agent| {
                reference_words(agent, "who").or_else(|| reference_words(agent, "onBehalfOf"))
            }))
            .dated(v, &["recorded"]),
        _ => Parts::new(Section::Other)
            .title(string(v, "title").or_else(|| concept(v, "code")))
            .title(string(v, "name"))
            .subtitle(concept(v, "type"))
            .status(v)
            .dated(v, &["date", "authoredOn", "created", "recorded"]),
    }
}
