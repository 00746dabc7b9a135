//! The illnesses that people of the population have, and their `Condition` resources.

use serde_json::{Value, json};

use super::calendar::Day;
use super::chart::{Chart, Fact};
use super::json::{ICD10, LOINC, SNOMED, Term, coding, hl7_concept, merge};
use super::person::Person;
use super::registry;
use super::visits::{Kind, Visit};

/// A lasting illness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Illness {
    Diabetes,
    Hypertension,
    Hyperlipidemia,
    Hypothyroidism,
    Asthma,
    Depression,
    Anxiety,
    KidneyDisease,
    HeartFailure,
    AtrialFibrillation,
    Copd,
    Migraine,
    KneeArthritis,
    HipArthritis,
    Reflux,
    IronDeficiency,
    Osteoporosis,
    Eczema,
}

impl Illness {
    /// All of them.
    pub(super) const ALL: [Self; 18] = [
        Self::Diabetes,
        Self::Hypertension,
        Self::Hyperlipidemia,
        Self::Hypothyroidism,
        Self::Asthma,
        Self::Depression,
        Self::Anxiety,
        Self::KidneyDisease,
        Self::HeartFailure,
        Self::AtrialFibrillation,
        Self::Copd,
        Self::Migraine,
        Self::KneeArthritis,
        Self::HipArthritis,
        Self::Reflux,
        Self::IronDeficiency,
        Self::Osteoporosis,
        Self::Eczema,
    ];

    /// SNOMED CT and ICD-10-CM.
    pub(super) fn codes(self) -> (Term, Term) {
        match self {
            Self::Diabetes => (
                ("44054006", "Diabetes mellitus type 2 (disorder)"),
                ("E11.9", "Type 2 diabetes mellitus without complications"),
            ),
            Self::Hypertension => (
                ("59621000", "Essential hypertension (disorder)"),
                ("I10", "Essential (primary) hypertension"),
            ),
            Self::Hyperlipidemia => (
                ("55822004", "Hyperlipidemia (disorder)"),
                ("E78.5", "Hyperlipidemia, unspecified"),
            ),
            Self::Hypothyroidism => (
                ("40930008", "Hypothyroidism (disorder)"),
                ("E03.9", "Hypothyroidism, unspecified"),
            ),
            Self::Asthma => (
                ("195967001", "Asthma (disorder)"),
                ("J45.909", "Unspecified asthma, uncomplicated"),
            ),
            Self::Depression => (
                ("370143000", "Major depressive disorder (disorder)"),
                ("F33.1", "Major depressive disorder, recurrent, moderate"),
            ),
            Self::Anxiety => (
                ("21897009", "Generalized anxiety disorder (disorder)"),
                ("F41.1", "Generalized anxiety disorder"),
            ),
            Self::KidneyDisease => (
                ("433144002", "Chronic kidney disease stage 3 (disorder)"),
                ("N18.30", "Chronic kidney disease, stage 3 unspecified"),
            ),
            Self::HeartFailure => (
                ("88805009", "Chronic congestive heart failure (disorder)"),
                ("I50.9", "Heart failure, unspecified"),
            ),
            Self::AtrialFibrillation => (
                ("49436004", "Atrial fibrillation (disorder)"),
                ("I48.91", "Unspecified atrial fibrillation"),
            ),
            Self::Copd => (
                ("13645005", "Chronic obstructive lung disease (disorder)"),
                (
                    "J44.9",
                    "Chronic obstructive pulmonary disease, unspecified",
                ),
            ),
            Self::Migraine => (
                ("37796009", "Migraine (disorder)"),
                (
                    "G43.909",
                    "Migraine, unspecified, not intractable, without status migrainosus",
                ),
            ),
            Self::KneeArthritis => (
                ("239873007", "Osteoarthritis of knee (disorder)"),
                ("M17.9", "Osteoarthritis of knee, unspecified"),
            ),
            Self::HipArthritis => (
                ("239872002", "Osteoarthritis of hip (disorder)"),
                ("M16.9", "Osteoarthritis of hip, unspecified"),
            ),
            Self::Reflux => (
                ("235595009", "Gastroesophageal reflux disease (disorder)"),
                (
                    "K21.9",
                    "Gastro-esophageal reflux disease without esophagitis",
                ),
            ),
            Self::IronDeficiency => (
                ("87522002", "Iron deficiency anemia (disorder)"),
                ("D50.9", "Iron deficiency anemia, unspecified"),
            ),
            Self::Osteoporosis => (
                ("64859006", "Osteoporosis (disorder)"),
                (
                    "M81.0",
                    "Age-related osteoporosis without current pathological fracture",
                ),
            ),
            Self::Eczema => (
                ("24079001", "Atopic dermatitis (disorder)"),
                ("L20.9", "Atopic dermatitis, unspecified"),
            ),
        }
    }

    /// The name without SNOMED's tag.
    pub(super) fn name(self) -> &'static str {
        self.codes().0.1.split(" (").next().unwrap_or_default()
    }

    /// From which age, and in how many of 100 people.
    pub(super) fn likelihood(self) -> (i32, i64) {
        match self {
            Self::Diabetes => (38, 20),
            Self::Hypertension => (36, 40),
            Self::Hyperlipidemia => (38, 35),
            Self::Hypothyroidism => (25, 8),
            Self::Asthma => (4, 11),
            Self::Depression => (17, 14),
            Self::Anxiety => (15, 12),
            Self::KidneyDisease => (58, 16),
            Self::HeartFailure => (66, 12),
            Self::AtrialFibrillation => (64, 12),
            Self::Copd => (55, 10),
            Self::Migraine => (14, 11),
            Self::KneeArthritis => (50, 20),
            Self::HipArthritis => (58, 8),
            Self::Reflux => (30, 18),
            Self::IronDeficiency => (16, 6),
            Self::Osteoporosis => (60, 18),
            Self::Eczema => (1, 14),
        }
    }

    /// Also found in children.
    pub(super) fn in_childhood(self) -> bool {
        matches!(
            self,
            Self::Asthma | Self::Anxiety | Self::Migraine | Self::IronDeficiency | Self::Eczema
        )
    }

    /// Needs a visit twice a year, with laboratory.
    pub(super) fn is_chronic(self) -> bool {
        matches!(
            self,
            Self::Diabetes
                | Self::Hypertension
                | Self::KidneyDisease
                | Self::HeartFailure
                | Self::AtrialFibrillation
                | Self::Copd
        )
    }
}

/// The reason of a short illness: what the visit was about.
pub(super) const ACUTE: [(Term, Term); 5] = [
    (
        ("54150009", "Upper respiratory infection (disorder)"),
        ("J06.9", "Acute upper respiratory infection, unspecified"),
    ),
    (
        ("68566005", "Urinary tract infectious disease (disorder)"),
        ("N39.0", "Urinary tract infection, site not specified"),
    ),
    (
        ("43878008", "Streptococcal sore throat (disorder)"),
        ("J02.0", "Streptococcal pharyngitis"),
    ),
    (
        ("65363002", "Otitis media (disorder)"),
        ("H66.90", "Otitis media, unspecified, unspecified ear"),
    ),
    (
        ("44465007", "Sprain of ankle (disorder)"),
        (
            "S93.409A",
            "Sprain of unspecified ligament of unspecified ankle, initial encounter",
        ),
    ),
];

/// What brings `person` to the emergency department.
pub(super) fn emergency(person: &Person) -> (Term, Term) {
    if person.is_child() {
        (
            ("386661006", "Fever (finding)"),
            ("R50.9", "Fever, unspecified"),
        )
    } else {
        (
            ("29857009", "Chest pain (finding)"),
            ("R07.9", "Chest pain, unspecified"),
        )
    }
}

fn both(codes: (Term, Term)) -> Value {
    let name = codes.0.1.split(" (").next().unwrap_or_default();
    json!({"coding": [coding(SNOMED, codes.0.0, codes.0.1), coding(ICD10, codes.1.0, codes.1.1)], "text": name})
}

/// Code of `illness` as a `CodeableConcept`.
pub(super) fn concept_of(illness: Illness) -> Value {
    both(illness.codes())
}

fn base(chart: &Chart<'_>, clinical: &str, category: Value, code: Value) -> Value {
    json!({
        "clinicalStatus": hl7_concept("condition-clinical", clinical, if clinical == "active" { "Active" } else { "Resolved" }),
        "verificationStatus": hl7_concept("condition-ver-status", "confirmed", "Confirmed"),
        "category": category,
        "code": code,
        "subject": chart.subject(),
    })
}

/// A date as precise as people remember: the older, the vaguer.
pub(super) fn remembered(day: Day, vague: i64) -> String {
    match vague {
        0 => day.year().to_string(),
        1 => day.iso_month(),
        _ => day.iso(),
    }
}

/// The problem list: one `Condition` per illness. Gives the references in the order of `person.illnesses`.
pub(super) fn write_problems(chart: &mut Chart<'_>, doctor: usize) -> Vec<String> {
    let mut references = Vec::new();
    for (position, (illness, since)) in chart.person.illnesses.clone().into_iter().enumerate() {
        let resolved = illness == Illness::IronDeficiency;
        let category = json!([hl7_concept(
            "condition-category",
            "problem-list-item",
            "Problem List Item"
        )]);
        let mut body = base(
            chart,
            if resolved { "resolved" } else { "active" },
            category,
            concept_of(illness),
        );
        let vague = if since < Day::new(2014, 1, 1) {
            0
        } else {
            i64::try_from(position % 3).unwrap_or(2)
        };
        merge(
            &mut body,
            json!({
                "onsetDateTime": remembered(since, vague),
                "recordedDate": since.iso(),
                "recorder": registry::doctor(doctor).as_reference(),
                "asserter": registry::doctor(doctor).as_reference(),
                "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate", "valueDateTime": since.iso()}],
                "text": narrative(&format!("{} since {}", illness.name(), remembered(since, vague))),
            }),
        );
        if resolved {
            let abated = since.plus(290).min(chart.person.end());
            merge(&mut body, json!({"abatementDateTime": abated.iso()}));
        }
        references.push(chart.add(
            "Condition",
            "us-core-condition-problems-health-concerns",
            since.at(900),
            body,
        ));
        chart.facts.problems.push(Fact {
            text: illness.name().to_owned(),
            oid: "2.16.840.1.113883.6.96",
            code: illness.codes().0.0.to_owned(),
            date: since.compact(),
            value: None,
        });
    }
    references
}

/// A narrative of one paragraph.
pub(super) fn narrative(text: &str) -> Value {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    json!({"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>{text}</p></div>")})
}

/// The diagnosis of an acute visit, if it is one.
pub(super) fn write_encounter_diagnosis(chart: &mut Chart<'_>, visit: &Visit) {
    let code = match visit.kind {
        Kind::Acute(which) => both(ACUTE[which]),
        Kind::Emergency => both(emergency(chart.person)),
        Kind::Inpatient if chart.person.has(Illness::HeartFailure, visit.at.day) => {
            concept_of(Illness::HeartFailure)
        }
        Kind::Inpatient => both((
            ("74400008", "Appendicitis (disorder)"),
            ("K37", "Unspecified appendicitis"),
        )),
        _ => return,
    };
    let category = json!([hl7_concept(
        "condition-category",
        "encounter-diagnosis",
        "Encounter Diagnosis"
    )]);
    let mut body = base(chart, "resolved", category, code);
    merge(
        &mut body,
        json!({
            "encounter": {"reference": visit.reference},
            "onsetDateTime": visit.at.day.plus(-2).iso(),
            "abatementDateTime": visit.at.day.plus(10).min(chart.person.end()).iso(),
            "recordedDate": visit.at.local(),
            "recorder": registry::doctor(visit.doctor).as_reference(),
        }),
    );
    chart.add(
        "Condition",
        "us-core-condition-encounter-diagnosis",
        visit.at.plus(30),
        body,
    );
}

/// A health concern of the person's own words, and a social need if there is one. Gives the reference of the need.
pub(super) fn write_concerns(chart: &mut Chart<'_>, visit: &Visit, hungry: bool) -> Option<String> {
    let concern = *chart.rng.pick(&[
        ("301345002", "Difficulty sleeping (finding)"),
        ("73595000", "Stress (finding)"),
        ("84229001", "Fatigue (finding)"),
    ]);
    let category = json!([{"coding": [coding("http://hl7.org/fhir/us/core/CodeSystem/condition-category", "health-concern", "Health Concern")]}]);
    let mut body = base(
        chart,
        "active",
        category,
        super::json::concept(SNOMED, concern),
    );
    merge(
        &mut body,
        json!({
            "onsetDateTime": visit.at.day.iso_month(),
            "recordedDate": visit.at.day.iso(),
            "note": [{"text": "Raised by the person at the visit; not a diagnosis."}],
        }),
    );
    chart.add(
        "Condition",
        "us-core-condition-problems-health-concerns",
        visit.at.plus(40),
        body,
    );

    if !hungry {
        return None;
    }
    let category = json!([
        hl7_concept("condition-category", "problem-list-item", "Problem List Item"),
        {"coding": [coding("http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "sdoh", "SDOH")]},
    ]);
    let need = both((
        ("733423003", "Food insecurity (finding)"),
        ("Z59.41", "Food insecurity"),
    ));
    let mut body = base(chart, "active", category, need);
    merge(
        &mut body,
        json!({
            "onsetDateTime": visit.at.day.iso(),
            "recordedDate": visit.at.day.iso(),
            "recorder": registry::doctor(visit.doctor).as_reference(),
            "evidence": [{"code": [super::json::concept(LOINC, ("88124-3", "Food insecurity risk [HVS]"))]}],
        }),
    );
    Some(chart.add(
        "Condition",
        "us-core-condition-problems-health-concerns",
        visit.at.plus(41),
        body,
    ))
}
