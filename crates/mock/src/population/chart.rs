//! The chart that is being written: hands out ids, keeps the resources, signs them with `Provenance`.

use serde_json::{Value, json};

use super::Generated;
use super::calendar::{Moment, TODAY};
use super::json::{US_CORE, hl7_concept, merge, render};
use super::person::Person;
use super::registry;
use super::rng::Rng;
use super::visits::Visit;

/// One line of the story, for documents that retell it.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    /// What it is called.
    pub(super) text: String,
    /// Code system of `code`, as the OID that C-CDA wants.
    pub(super) oid: &'static str,
    /// The code.
    pub(super) code: String,
    /// `20240305`.
    pub(super) date: String,
    /// A value with unit, if it has one.
    pub(super) value: Option<(String, String)>,
}

/// What a summary of the chart tells.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) problems: Vec<Fact>,
    pub(super) medications: Vec<Fact>,
    pub(super) allergies: Vec<Fact>,
    pub(super) results: Vec<Fact>,
    pub(super) immunizations: Vec<Fact>,
}

/// A person's chart while it is written.
pub(super) struct Chart<'a> {
    /// Whose chart.
    pub(super) person: &'a Person,
    /// Randomness of this chart.
    pub(super) rng: Rng,
    /// What summaries tell.
    pub(super) facts: Facts,
    resources: Vec<Generated>,
    unsigned: Vec<String>,
    next: usize,
}

impl<'a> Chart<'a> {
    /// An empty chart.
    pub(super) fn new(person: &'a Person, seed: u64) -> Self {
        Self {
            person,
            rng: Rng::new(seed, person.index, "chart"),
            facts: Facts::default(),
            resources: Vec::new(),
            unsigned: Vec::new(),
            next: 1,
        }
    }

    /// Takes in a resource (without `id` and `meta`) that was last changed at `at`; gives its relative reference.
    pub(super) fn add(&mut self, kind: &str, profile: &str, at: Moment, body: Value) -> String {
        let id = if kind == "Patient" {
            self.person.id.clone()
        } else {
            let number = self.person.base + self.next;
            self.next += 1;
            format!("{}-{number}", prefix(kind))
        };
        let generated = finish(kind, id, profile, at, body, Some(self.person.id.clone()));
        let reference = format!("{kind}/{}", generated.id);
        if is_signed(kind) {
            self.unsigned.push(reference.clone());
        }
        self.resources.push(generated);
        reference
    }

    /// Writes one `Observation` of `visit`; `more` holds the value and whatever else it needs.
    pub(super) fn observe(
        &mut self,
        visit: &Visit,
        category: (&str, &str),
        profile: &str,
        code: Value,
        more: Value,
    ) -> String {
        let mut body = json!({
            "status": "final",
            "category": [hl7_concept("observation-category", category.0, category.1)],
            "code": code,
            "subject": self.subject(),
            "encounter": {"reference": visit.reference},
            "effectiveDateTime": visit.at.plus(10).local(),
            "performer": [registry::doctor(visit.doctor).as_reference()],
        });
        merge(&mut body, more);
        self.add("Observation", profile, visit.at.plus(90), body)
    }

    /// Writes a `Provenance` for everything added since the last call.
    pub(super) fn sign(&mut self, doctor: usize, at: Moment) {
        let targets: Vec<Value> = self
            .unsigned
            .drain(..)
            .map(|t| json!({"reference": t}))
            .collect();
        if targets.is_empty() {
            return;
        }
        let doctor = registry::doctor(doctor);
        let clinic = registry::organization_reference(doctor.organization);
        let exchange = registry::organization_reference(registry::EXCHANGE);
        let transmitter_system =
            "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type";
        let body = json!({
            "target": targets,
            "recorded": at.local(),
            "agent": [
                {"type": hl7_concept("provenance-participant-type", "author", "Author"),
                 "who": doctor.as_reference(), "onBehalfOf": clinic},
                {"type": {"coding": [{"system": transmitter_system, "code": "transmitter", "display": "Transmitter"}]},
                 "who": exchange},
            ],
        });
        self.add("Provenance", "us-core-provenance", at, body);
    }

    /// Reference to the patient, with the name as display.
    pub(super) fn subject(&self) -> Value {
        json!({"reference": format!("Patient/{}", self.person.id), "display": self.person.display_name()})
    }

    /// The finished chart.
    pub(super) fn into_resources(self) -> Vec<Generated> {
        self.resources
    }
}

/// Adds `resourceType`, `id`, `meta` and renders.
pub(super) fn finish(
    kind: &str,
    id: String,
    profile: &str,
    at: Moment,
    mut body: Value,
    patient: Option<String>,
) -> Generated {
    let last_updated = at.min(TODAY.at(1_080)).utc();
    let mut meta = json!({"versionId": "1", "lastUpdated": last_updated});
    if profile.starts_with("http") {
        merge(&mut meta, json!({"profile": [profile]}));
    } else if !profile.is_empty() {
        merge(
            &mut meta,
            json!({"profile": [format!("{US_CORE}{profile}")]}),
        );
    }
    merge(
        &mut body,
        json!({"resourceType": kind, "id": id, "meta": meta}),
    );
    Generated {
        resource_type: kind.to_owned(),
        id,
        patient,
        json: render(&body),
        last_updated,
    }
}

fn is_signed(kind: &str) -> bool {
    !matches!(
        kind,
        "Patient" | "Provenance" | "Binary" | "Coverage" | "RelatedPerson" | "Media" | "Specimen"
    )
}

fn prefix(kind: &str) -> &'static str {
    match kind {
        "AllergyIntolerance" => "allergy",
        "Binary" => "bin",
        "CarePlan" => "plan",
        "CareTeam" => "team",
        "Condition" => "cond",
        "Coverage" => "cov",
        "Device" => "dev",
        "DiagnosticReport" => "report",
        "DocumentReference" => "doc",
        "Encounter" => "enc",
        "FamilyMemberHistory" => "fam",
        "Goal" => "goal",
        "Immunization" => "imm",
        "Media" => "media",
        "MedicationDispense" => "disp",
        "MedicationRequest" => "medrx",
        "Observation" => "obs",
        "Procedure" => "proc",
        "Provenance" => "prov",
        "QuestionnaireResponse" => "qr",
        "RelatedPerson" => "rel",
        "ServiceRequest" => "order",
        "Specimen" => "spec",
        _ => "x",
    }
}
