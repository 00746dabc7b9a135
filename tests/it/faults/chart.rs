//! A chart of some forty records: every part of a sync has something to do, and several pages.

use serde_json::{Value, json};
use std::path::Path;

pub(crate) const PATIENT: &str = "pat-1";

/// A record about the patient.
pub(crate) fn about(kind: &str, id: &str, mut more: Value) -> Value {
    let subject = match kind {
        "AllergyIntolerance" | "Immunization" => "patient",
        _ => "subject",
    };
    more["resourceType"] = kind.into();
    more["id"] = id.into();
    more["meta"] = json!({"versionId": "1", "lastUpdated": "2024-03-01T10:00:00Z"});
    more[subject] = json!({"reference": format!("Patient/{PATIENT}")});
    more
}

pub(crate) fn plain(kind: &str, id: &str, mut more: Value) -> Value {
    more["resourceType"] = kind.into();
    more["id"] = id.into();
    more["meta"] = json!({"versionId": "1", "lastUpdated": "2024-02-01T10:00:00Z"});
    more
}

fn category(code: &str) -> Value {
    json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": code}]}])
}

fn observations() -> Vec<Value> {
    let codes = ["laboratory", "vital-signs", "social-history"];
    (0..14)
        .map(|at| {
            let more = json!({"status": "final", "category": category(codes[at % 3]),
                "code": {"text": format!("Measure {at}")},
                "effectiveDateTime": format!("2024-01-{:02}", at + 1),
                "performer": [{"reference": format!("Practitioner/doctor-{}", at % 3)}],
                "valueQuantity": {"value": at, "unit": "mg"}});
            about("Observation", &format!("obs-{at}"), more)
        })
        .collect()
}

/// Every record of the chart and what it refers to.
pub(crate) fn records() -> Vec<Value> {
    let text = |text: &str| json!({"code": {"text": text}});
    let mut all = vec![
        plain(
            "Patient",
            PATIENT,
            json!({"name": [{"family": "Berg", "given": ["Ida"]}], "gender": "female", "birthDate": "1980-05-05"}),
        ),
        plain("Organization", "org-1", json!({"name": "Lake Clinic"})),
        plain(
            "Location",
            "place-1",
            json!({"name": "Ward 2", "managingOrganization": {"reference": "Organization/org-1"}}),
        ),
        plain("Medication", "med-1", text("Zyloprim 100 mg")),
        plain(
            "Binary",
            "note-1",
            json!({"contentType": "text/plain", "data": "aGVsbG8="}),
        ),
        plain(
            "Binary",
            "note-2",
            json!({"contentType": "text/plain", "data": "d29ybGQ="}),
        ),
        about(
            "MedicationRequest",
            "order-1",
            json!({"status": "active", "intent": "order", "medicationReference": {"reference": "Medication/med-1"}}),
        ),
        about(
            "MedicationRequest",
            "order-2",
            json!({"status": "stopped", "intent": "plan", "medicationCodeableConcept": {"text": "Aspirin"}}),
        ),
        about(
            "Immunization",
            "shot-1",
            json!({"status": "completed", "vaccineCode": {"text": "Tetanus"}, "location": {"reference": "Location/place-1"}}),
        ),
        about(
            "DiagnosticReport",
            "report-1",
            json!({"status": "final", "category": category("LAB"), "code": {"text": "Blood count"}, "presentedForm": [{"contentType": "text/plain", "url": "Binary/note-1", "size": 5}]}),
        ),
        about(
            "DocumentReference",
            "doc-1",
            json!({"status": "current", "content": [{"attachment": {"contentType": "text/plain", "url": "Binary/note-2", "size": 5}}]}),
        ),
        about(
            "Encounter",
            "visit-1",
            json!({"status": "finished", "class": {"code": "AMB"}, "serviceProvider": {"reference": "Organization/org-1"}}),
        ),
        about(
            "Procedure",
            "proc-1",
            json!({"status": "completed", "code": {"text": "Suture"}}),
        ),
        about(
            "CarePlan",
            "plan-1",
            json!({"status": "active", "intent": "plan", "title": "Gout", "category": category("assess-plan")}),
        ),
        about(
            "Goal",
            "goal-1",
            json!({"lifecycleStatus": "active", "description": {"text": "Less pain"}}),
        ),
        about(
            "CareTeam",
            "team-1",
            json!({"status": "active", "name": "Team"}),
        ),
    ];
    for at in 0..3 {
        let name = json!({"name": [{"family": format!("Doctor {at}")}]});
        all.push(plain("Practitioner", &format!("doctor-{at}"), name));
        all.push(about(
            "AllergyIntolerance",
            &format!("allergy-{at}"),
            text(&format!("Nut {at}")),
        ));
    }
    for at in 0..6 {
        all.push(about(
            "Condition",
            &format!("problem-{at}"),
            text(&format!("Problem {at}")),
        ));
    }
    all.extend(observations());
    all
}

/// Writes records where the mock server loads them from.
pub(crate) fn write(folder: &Path, records: &[Value]) {
    for (at, record) in records.iter().enumerate() {
        let path = folder.join(format!("{at:03}.json"));
        std::fs::write(path, record.to_string()).expect("written");
    }
}
