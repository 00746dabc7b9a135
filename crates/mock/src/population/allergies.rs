//! Allergies and intolerances, or the statement that there are none.

use serde_json::{Value, json};

use super::calendar::Day;
use super::chart::{Chart, Fact};
use super::illness::{narrative, remembered};
use super::json::{RXNORM, SNOMED, Term, coding, concept, hl7_concept, merge};
use super::registry;

struct Allergen {
    substance: Term,
    rxnorm: Option<Term>,
    category: &'static str,
    kind: &'static str,
    criticality: &'static str,
    manifestations: &'static [Term],
    severity: &'static str,
}

const HIVES: Term = ("247472004", "Wheal (finding)");
const ANAPHYLAXIS: Term = ("39579001", "Anaphylaxis (disorder)");
const RASH: Term = ("271807003", "Eruption of skin (disorder)");
const SNEEZING: Term = ("76067001", "Sneezing (finding)");
const NAUSEA: Term = ("422587007", "Nausea (finding)");

const ALLERGENS: [Allergen; 8] = [
    Allergen {
        substance: ("764146007", "Penicillin (substance)"),
        rxnorm: Some(("7980", "penicillin G")),
        category: "medication",
        kind: "allergy",
        criticality: "high",
        manifestations: &[HIVES, RASH],
        severity: "moderate",
    },
    Allergen {
        substance: ("762952008", "Peanut (substance)"),
        rxnorm: None,
        category: "food",
        kind: "allergy",
        criticality: "high",
        manifestations: &[ANAPHYLAXIS, HIVES],
        severity: "severe",
    },
    Allergen {
        substance: ("111088007", "Latex (substance)"),
        rxnorm: None,
        category: "environment",
        kind: "allergy",
        criticality: "low",
        manifestations: &[RASH],
        severity: "mild",
    },
    Allergen {
        substance: ("256277009", "Grass pollen (substance)"),
        rxnorm: None,
        category: "environment",
        kind: "allergy",
        criticality: "low",
        manifestations: &[SNEEZING],
        severity: "mild",
    },
    Allergen {
        substance: ("387207008", "Ibuprofen (substance)"),
        rxnorm: Some(("5640", "ibuprofen")),
        category: "medication",
        kind: "intolerance",
        criticality: "low",
        manifestations: &[NAUSEA],
        severity: "mild",
    },
    Allergen {
        substance: ("288328004", "Bee venom (substance)"),
        rxnorm: None,
        category: "biologic",
        kind: "allergy",
        criticality: "high",
        manifestations: &[ANAPHYLAXIS],
        severity: "severe",
    },
    Allergen {
        substance: ("387494007", "Codeine (substance)"),
        rxnorm: Some(("2670", "codeine")),
        category: "medication",
        kind: "intolerance",
        criticality: "unable-to-assess",
        manifestations: &[NAUSEA, RASH],
        severity: "moderate",
    },
    Allergen {
        substance: ("102263004", "Eggs (edible) (substance)"),
        rxnorm: None,
        category: "food",
        kind: "allergy",
        criticality: "low",
        manifestations: &[RASH],
        severity: "mild",
    },
];

/// Writes the allergies of the person.
pub(super) fn write(chart: &mut Chart<'_>, doctor: usize) {
    let person = chart.person;
    let recorded = person
        .end()
        .plus(-1_200)
        .max(person.birth.plus(200))
        .weekday();
    if person.index % 5 == 4 {
        let mut body = body_of(
            chart,
            doctor,
            recorded,
            concept(SNOMED, ("716186003", "No known allergy (situation)")),
        );
        merge(&mut body, json!({"text": narrative("No known allergies")}));
        chart.add(
            "AllergyIntolerance",
            "us-core-allergyintolerance",
            recorded.at(700),
            body,
        );
        return;
    }
    let first = match person.index {
        0 => 0,
        2 => 1,
        other => (other * 3 + 1) % ALLERGENS.len(),
    };
    let count = 1
        + usize::from(person.index.is_multiple_of(2))
        + usize::from(person.age(person.end()) > 60);
    for step in 0..count {
        write_one(
            chart,
            doctor,
            &ALLERGENS[(first + step * 3) % ALLERGENS.len()],
            recorded.plus(i64::try_from(step).unwrap_or(0) * 190),
            step,
        );
    }
}

fn body_of(chart: &Chart<'_>, doctor: usize, recorded: Day, code: Value) -> Value {
    json!({
        "clinicalStatus": hl7_concept("allergyintolerance-clinical", "active", "Active"),
        "verificationStatus": hl7_concept("allergyintolerance-verification", "confirmed", "Confirmed"),
        "code": code,
        "patient": chart.subject(),
        "recordedDate": recorded.iso(),
        "recorder": registry::doctor(doctor).as_reference(),
    })
}

fn write_one(
    chart: &mut Chart<'_>,
    doctor: usize,
    allergen: &Allergen,
    recorded: Day,
    step: usize,
) {
    let (code, display) = allergen.substance;
    let name = display.trim_end_matches(" (substance)");
    let mut codings = vec![coding(SNOMED, code, display)];
    if let Some((code, display)) = allergen.rxnorm {
        codings.push(coding(RXNORM, code, display));
    }
    let manifestations: Vec<Value> = allergen
        .manifestations
        .iter()
        .map(|term| concept(SNOMED, *term))
        .collect();
    let onset = recorded.plus(-2_000).max(chart.person.birth.plus(120));
    let mut body = body_of(
        chart,
        doctor,
        recorded,
        json!({"coding": codings, "text": name}),
    );
    merge(
        &mut body,
        json!({
            "type": allergen.kind,
            "category": [allergen.category],
            "criticality": allergen.criticality,
            "onsetDateTime": remembered(onset, i64::try_from(step).unwrap_or(0)),
            "reaction": [{"manifestation": manifestations, "severity": allergen.severity, "onset": onset.iso_month()}],
            "text": narrative(&format!("{name}: {}", allergen.severity)),
        }),
    );
    chart.add(
        "AllergyIntolerance",
        "us-core-allergyintolerance",
        recorded.at(700),
        body,
    );
    chart.facts.allergies.push(Fact {
        text: name.to_owned(),
        oid: "2.16.840.1.113883.6.96",
        code: code.to_owned(),
        date: onset.compact(),
        value: None,
    });
}
