//! What the rest of the mock server and its testers rely on.

mod documents;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{AccountRole, Population, generate, generate_patient};

const US_CORE_TYPES: [&str; 29] = [
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

/// The type that each section of a chart shows.
const SECTIONS: [&str; 12] = [
    "Condition",
    "MedicationRequest",
    "AllergyIntolerance",
    "Immunization",
    "DiagnosticReport",
    "Observation",
    "Procedure",
    "Encounter",
    "DocumentReference",
    "CarePlan",
    "Goal",
    "CareTeam",
];

fn parsed(population: &Population) -> Vec<(Option<&str>, Value)> {
    population
        .resources
        .iter()
        .map(|generated| {
            (
                generated.patient.as_deref(),
                serde_json::from_str(&generated.json).unwrap(),
            )
        })
        .collect()
}

fn walk(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                visit(key, member);
                walk(member, visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

fn has_code(resource: &Value, code: &str) -> bool {
    resource["code"]["coding"]
        .as_array()
        .is_some_and(|codings| codings.iter().any(|coding| coding["code"] == code))
}

fn of_type<'a>(
    all: &'a [(Option<&'a str>, Value)],
    kind: &'a str,
) -> impl Iterator<Item = &'a Value> {
    all.iter()
        .map(|(_, resource)| resource)
        .filter(move |resource| resource["resourceType"] == kind)
}

fn fnv(population: &Population) -> u64 {
    let bytes = population
        .resources
        .iter()
        .flat_map(|generated| generated.json.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[test]
fn same_arguments_give_the_same_bytes_and_another_seed_gives_others() {
    let first = generate(5, 7);
    assert_eq!(fnv(&first), fnv(&generate(5, 7)));
    assert_ne!(fnv(&first), fnv(&generate(5, 8)));
}

#[test]
fn the_bytes_are_pinned_so_that_no_platform_and_no_feature_flag_changes_them() {
    assert_eq!(
        fnv(&generate(8, 1)),
        PINNED,
        "if the population was changed on purpose, pin the new hash"
    );
}

const PINNED: u64 = 16_485_312_654_980_944_163;

#[test]
fn a_person_does_not_depend_on_how_many_others_there_are() {
    let whole = generate(6, 3);
    let alone = generate_patient(3, 4);
    let inside: Vec<_> = whole
        .resources
        .iter()
        .filter(|generated| generated.patient.as_ref() == Some(&alone.id))
        .cloned()
        .collect();
    assert_eq!(inside, alone.resources);
    assert_eq!(alone.resources[0].resource_type, "Patient");
}

#[test]
fn every_type_that_us_core_names_is_there() {
    let population = generate(8, 1);
    let present: BTreeSet<&str> = population
        .resources
        .iter()
        .map(|generated| generated.resource_type.as_str())
        .collect();
    for kind in US_CORE_TYPES {
        assert!(present.contains(kind), "{kind} is missing");
    }
}

#[test]
fn every_person_has_something_in_every_section_of_the_chart() {
    let population = generate(40, 2);
    let mut sections: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for generated in &population.resources {
        if let Some(patient) = &generated.patient {
            sections
                .entry(patient)
                .or_default()
                .insert(&generated.resource_type);
        }
    }
    assert_eq!(sections.len(), 40);
    for (patient, present) in sections {
        for kind in SECTIONS {
            assert!(present.contains(kind), "{patient} has no {kind}");
        }
    }
}

#[test]
fn what_stands_beside_the_json_agrees_with_it_and_ids_are_unique_and_well_formed() {
    let population = generate(30, 9);
    let mut seen = BTreeSet::new();
    for (generated, (_, resource)) in population.resources.iter().zip(parsed(&population)) {
        assert_eq!(resource["resourceType"], generated.resource_type);
        assert_eq!(resource["id"], generated.id);
        assert_eq!(resource["meta"]["lastUpdated"], generated.last_updated);
        assert!(
            generated.last_updated.ends_with(".000Z")
                && generated.last_updated.as_str() < "2026-07-01"
        );
        assert!(
            generated.id.len() <= 64
                && generated
                    .id
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-')
        );
        assert!(
            seen.insert((generated.resource_type.clone(), generated.id.clone())),
            "{}/{} twice",
            generated.resource_type,
            generated.id
        );
        assert!(
            !generated.json.contains("$decimal") && !generated.json.contains("null"),
            "{}",
            generated.json
        );
    }
}

#[test]
fn every_reference_and_attachment_leads_to_a_resource_of_the_same_person_or_of_all() {
    let population = generate(30, 5);
    let owners: HashMap<String, Option<String>> = population
        .resources
        .iter()
        .map(|g| (format!("{}/{}", g.resource_type, g.id), g.patient.clone()))
        .collect();
    let mut count = 0;
    for (patient, resource) in parsed(&population) {
        walk(&resource, &mut |key, value| {
            let Some(target) = value
                .as_str()
                .filter(|_| key == "reference" || key == "url")
            else {
                return;
            };
            if key == "url" && !target.starts_with("Binary/") {
                return;
            }
            count += 1;
            let owner = owners
                .get(target)
                .unwrap_or_else(|| panic!("{target} does not exist"));
            assert!(
                owner.is_none() || owner.as_deref() == patient,
                "{target} belongs to somebody else"
            );
        });
    }
    assert!(count > 10_000, "{count}");
}

#[test]
fn no_person_is_in_the_compartment_of_another_by_subject_or_patient() {
    for (patient, resource) in parsed(&generate(12, 6)) {
        let subject = resource["subject"]["reference"]
            .as_str()
            .or(resource["patient"]["reference"].as_str());
        if let (Some(patient), Some(subject)) = (patient, subject) {
            assert_eq!(subject, format!("Patient/{patient}"));
        }
    }
}

#[test]
fn laboratory_series_of_the_first_person_are_long_enough_to_plot() {
    for seed in 0..6 {
        let record = generate_patient(seed, 0);
        let mut series: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for generated in record
            .resources
            .iter()
            .filter(|generated| generated.resource_type == "Observation")
        {
            let resource: Value = serde_json::from_str(&generated.json).unwrap();
            for code in [
                "4548-4", "2345-7", "2160-0", "2093-3", "2571-8", "2085-9", "13457-7",
            ] {
                if has_code(&resource, code) && resource["valueQuantity"]["value"].is_number() {
                    let date = resource["effectiveDateTime"].as_str().unwrap();
                    series
                        .entry(code)
                        .or_default()
                        .insert(date[..10].to_owned());
                }
            }
        }
        assert_eq!(series.len(), 7);
        for (code, dates) in &series {
            let years = |date: &String| date[..4].parse::<i32>().unwrap();
            assert!(dates.len() >= 12, "{code}: only {}", dates.len());
            assert!(
                years(dates.last().unwrap()) - years(dates.first().unwrap()) >= 5,
                "{code}: too short a time"
            );
        }
    }
}

#[test]
fn categories_intents_and_odd_values_that_clients_must_bear_are_there() {
    let population = generate(8, 1);
    let all = parsed(&population);
    let text: String = population
        .resources
        .iter()
        .map(|generated| generated.json.as_str())
        .collect();
    for wanted in [
        "problem-list-item",
        "health-concern",
        "encounter-diagnosis",
        "\"sdoh\"",
        "assess-plan",
        "\"LAB\"",
        "LP29684-5",
        "LP29708-2",
        "LP7839-6",
        "clinical-note",
        "\"laboratory\"",
        "\"vital-signs\"",
        "\"social-history\"",
        "\"survey\"",
        "\"intent\":\"plan\"",
        "\"intent\":\"order\"",
        "\"reportedBoolean\":true",
        "medicationReference",
        "medicationCodeableConcept",
        "\"comparator\":\"<\"",
        "\"comparator\":\">\"",
        "\"HH\"",
        "dataAbsentReason",
        "hasMember",
        "udiCarrier",
        "us-core-race",
        "us-core-ethnicity",
        "us-core-birthsex",
        "us-core-genderIdentity",
        "deceasedDateTime",
        "O'Brien",
        "王",
        "Władysław",
        "\"code\":\"transmitter\"",
        "\"status\":\"not-done\"",
        "\"component\"",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing");
    }
    let dates: BTreeSet<usize> = of_type(&all, "Condition")
        .filter_map(|c| c["onsetDateTime"].as_str())
        .map(str::len)
        .collect();
    assert_eq!(dates, BTreeSet::from([4, 7, 10]), "year, month and day");
    assert!(
        of_type(&all, "Observation").any(|o| o["effectiveDateTime"]
            .as_str()
            .is_some_and(|d| d.len() == 25)),
        "instant with offset"
    );
    let undated = of_type(&all, "Observation")
        .filter(|o| o.get("effectiveDateTime").is_none() && o.get("effectivePeriod").is_none())
        .count();
    assert!((1..10).contains(&undated), "{undated}");
}

#[test]
fn a_typical_adult_has_some_hundreds_of_resources_and_the_ill_have_more() {
    let population = generate(60, 11);
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for patient in population
        .resources
        .iter()
        .filter_map(|generated| generated.patient.as_deref())
    {
        *counts.entry(patient).or_default() += 1;
    }
    let mut sorted: Vec<usize> = counts.into_values().collect();
    sorted.sort_unstable();
    assert!(
        sorted[0] > 120
            && (250..=480).contains(&sorted[30])
            && sorted[59] > 550
            && sorted[59] < 800,
        "{sorted:?}"
    );
}

#[test]
fn decimals_keep_their_zeros() {
    let population = generate(1, 1);
    assert!(
        population
            .resources
            .iter()
            .any(|generated| generated.json.contains("\"value\":7.0")),
        "no 7.0 as written"
    );
}

#[test]
fn nothing_happens_before_birth_or_after_death() {
    let population = generate(40, 3);
    let all = parsed(&population);
    let mut lives: HashMap<String, (String, String)> = HashMap::new();
    for patient in of_type(&all, "Patient") {
        let death = patient["deceasedDateTime"].as_str().unwrap_or("2026-06-30");
        lives.insert(
            patient["id"].as_str().unwrap().to_owned(),
            (
                patient["birthDate"].as_str().unwrap().to_owned(),
                death.to_owned(),
            ),
        );
    }
    assert_eq!(lives["pt-40000"].1, "2025-02-14");
    for (patient, resource) in &all {
        let Some((birth, death)) = patient.and_then(|patient| lives.get(patient)) else {
            continue;
        };
        for key in [
            "effectiveDateTime",
            "authoredOn",
            "occurrenceDateTime",
            "performedDateTime",
            "onsetDateTime",
            "recordedDate",
            "whenHandedOver",
        ] {
            if let Some(date) = resource[key].as_str() {
                let shown = date.len().min(10);
                assert!(
                    date[..shown] >= birth[..shown] && date[..shown] <= death[..shown],
                    "{key} {date}, life {birth} to {death}: {resource}"
                );
            }
        }
    }
}

#[test]
fn accounts_open_charts_that_exist() {
    let population = generate(8, 1);
    let ids: BTreeSet<String> = population
        .resources
        .iter()
        .map(|g| format!("{}/{}", g.resource_type, g.id))
        .collect();
    for account in &population.accounts {
        assert_eq!(account.password, "demo");
        assert!(ids.contains(&account.fhir_user), "{}", account.fhir_user);
        assert!(
            account
                .patient_ids
                .iter()
                .all(|id| ids.contains(&format!("Patient/{id}")))
        );
        assert!(
            account
                .username
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.'),
            "{}",
            account.username
        );
    }
    let names: BTreeSet<&str> = population
        .accounts
        .iter()
        .map(|account| account.username.as_str())
        .collect();
    assert_eq!(names.len(), population.accounts.len());
    assert_eq!(population.accounts[0].username, "amina.diallo");
    let parent = population
        .accounts
        .iter()
        .find(|account| account.username == "siobhan.obrien")
        .unwrap();
    assert_eq!(
        (parent.role, parent.patient_ids.as_slice()),
        (
            AccountRole::Patient,
            &["pt-20000".to_owned(), "pt-30000".to_owned()][..]
        )
    );
    let doctor = population
        .accounts
        .iter()
        .find(|account| account.username == "dr.chen")
        .unwrap();
    assert_eq!(
        (doctor.role, doctor.patient_ids.len()),
        (AccountRole::Provider, 8)
    );
    assert!(doctor.fhir_user.starts_with("Practitioner/"));
}

#[test]
fn small_populations_work_too() {
    assert_eq!(generate(0, 1).accounts.len(), 3);
    let two = generate(2, 1);
    let parent = two
        .accounts
        .iter()
        .find(|account| account.username == "siobhan.obrien")
        .unwrap();
    assert_eq!(parent.patient_ids, ["pt-20000"]);
}
