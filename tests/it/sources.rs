//! One person's records from several servers, side by side; several people under one login, apart.

use crate::portal::{self, Decision};
use crate::world::{Setting, code, setting_in};
use satchel_core::view::{
    ChartView, RecordFilter, RecordKey, RecordSummaryView, Role, Section, StepOutcome,
};
use satchel_core::{ExportFormat, RedirectKind};
use satchel_mock::population::Account;
use satchel_mock::{MockServer, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tempfile::TempDir;

fn two() -> World {
    World {
        patients: 2,
        ..World::default()
    }
}

/// A world in which these records stand beside the synthetic ones of the first person.
async fn with(records: impl FnOnce(&str) -> Vec<Value>) -> (World, TempDir) {
    let mock = MockServer::start(two()).await.unwrap();
    let patient = mock.accounts()[0].patient_ids[0].clone();
    mock.stop().await;
    let folder = TempDir::new().unwrap();
    for (at, mut record) in records(&patient).into_iter().enumerate() {
        record
            .as_object_mut()
            .unwrap()
            .entry("meta")
            .or_insert(json!({"lastUpdated": "2024-01-01T00:00:00Z"}));
        std::fs::write(folder.path().join(format!("{at}.json")), record.to_string()).unwrap();
    }
    let world = World {
        load: Some(folder.path().to_owned()),
        ..two()
    };
    (world, folder)
}

fn of(resource_type: &str, id: &str, patient: &str, rest: Value) -> Value {
    let mut record = json!({"resourceType": resource_type, "id": id});
    let who = match resource_type {
        "AllergyIntolerance" | "Immunization" => "patient",
        _ => "subject",
    };
    record[who] = json!({"reference": format!("Patient/{patient}")});
    for (name, value) in rest.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

fn coded(system: &str, code: &str, text: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}], "text": text})
}

const SNOMED: &str = "http://snomed.info/sct";
const ICD: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const LOINC: &str = "http://loinc.org";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const CVX: &str = "http://hl7.org/fhir/sid/cvx";

fn problem(id: &str, patient: &str, codes: Value, onset: &str) -> Value {
    let active = coded(
        "http://terminology.hl7.org/CodeSystem/condition-clinical",
        "active",
        "Active",
    );
    of(
        "Condition",
        id,
        patient,
        json!({"code": {"coding": codes, "text": "Sarcoidosis"},
        "clinicalStatus": active, "onsetDateTime": onset,
        "category": [{"coding": [{"code": "problem-list-item"}]}]}),
    )
}

fn glucose(id: &str, patient: &str, at: &str, value: Value) -> Value {
    of(
        "Observation",
        id,
        patient,
        json!({"status": "final", "effectiveDateTime": at,
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": coded(LOINC, "99999-7", "Rare thing in serum"),
        "valueQuantity": {"value": value, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}}),
    )
}

fn at_the_clinic(patient: &str) -> Vec<Value> {
    vec![
        problem(
            "sarcoidosis",
            patient,
            json!([{"system": SNOMED, "code": "31541009"},
            {"system": ICD, "code": "D86.9"}]),
            "2010-05",
        ),
        glucose("glucose", patient, "2024-03-01T09:00:00-05:00", json!(95)),
        of(
            "Immunization",
            "shot",
            patient,
            json!({"status": "completed",
            "vaccineCode": coded(CVX, "9140", "Rare vaccine"), "occurrenceDateTime": "2023-10-01"}),
        ),
        of(
            "AllergyIntolerance",
            "allergy",
            patient,
            json!({"code": coded(RXNORM, "997980", "Rare drug"),
            "onsetDateTime": "1999"}),
        ),
        of(
            "MedicationRequest",
            "order",
            patient,
            json!({"status": "active", "intent": "order",
            "authoredOn": "2024-01-05", "medicationCodeableConcept": coded(RXNORM, "99197361", "Raremycin 5 mg")}),
        ),
        of(
            "Procedure",
            "operation",
            patient,
            json!({"status": "completed",
            "performedDateTime": "2020-02-02", "code": coded(SNOMED, "9980146002", "Rare operation")}),
        ),
    ]
}

fn at_the_hospital(patient: &str) -> Vec<Value> {
    let mut newest = problem(
        "7",
        patient,
        json!([{"system": ICD, "code": "D86.9"}]),
        "2010",
    );
    newest["meta"] = json!({"lastUpdated": "2025-06-01T00:00:00Z"});
    vec![
        newest,
        glucose("g1", patient, "2024-03-01T14:00:00Z", json!(95.0)),
        glucose("g2", patient, "2024-03-02T14:00:00Z", json!(96)),
        of(
            "Immunization",
            "i1",
            patient,
            json!({"status": "completed",
            "vaccineCode": coded(CVX, "9140", "Rare vaccine"), "occurrenceDateTime": "2023-10-01T10:00:00Z"}),
        ),
        of(
            "AllergyIntolerance",
            "a1",
            patient,
            json!({"code": coded(RXNORM, "997980", "Rare drug")}),
        ),
        json!({"resourceType": "Medication", "id": "m1", "code": coded(RXNORM, "99197361", "Raremycin")}),
        of(
            "MedicationRequest",
            "o1",
            patient,
            json!({"status": "active", "intent": "order",
            "authoredOn": "2024-01-05", "medicationReference": {"reference": "Medication/m1"}}),
        ),
        of(
            "Procedure",
            "p1",
            patient,
            json!({"status": "completed",
            "performedDateTime": "2020-02-02", "code": coded(SNOMED, "9980146002", "Rare operation")}),
        ),
    ]
}

/// A sign-in at any server, for one of the patients of an account.
async fn sign_in(setting: &Setting, mock: &MockServer, account: &Account, patient: &str) -> String {
    let login = setting
        .engine
        .login_start(mock.fhir_base(), Role::Patient, RedirectKind::Scheme, None)
        .await
        .unwrap();
    let (url, name) = (&login.view.authorization_url, &account.username);
    let callback = portal::sign_in(
        url,
        name,
        &account.password,
        Some(patient),
        Decision::Approve,
    )
    .await;
    setting.engine.login_finish(&callback).await.unwrap()
}

/// The same person at a clinic and at a hospital, both synced, not yet put together.
pub(crate) struct Both {
    pub(crate) setting: Setting,
    hospital: MockServer,
    clinic_id: String,
    hospital_id: String,
    _data: [TempDir; 2],
}

pub(crate) async fn both() -> Both {
    let (clinic, first) = with(at_the_clinic).await;
    let (hospital, second) = with(at_the_hospital).await;
    let setting = setting_in(clinic).await;
    let hospital = MockServer::start(hospital).await.unwrap();
    let clinic_id = setting.connect(setting.patient()).await;
    let account = hospital.accounts()[0].clone();
    let hospital_id = sign_in(&setting, &hospital, &account, &account.patient_ids[0]).await;
    for id in [&clinic_id, &hospital_id] {
        assert!(setting.engine.sync(id).await.unwrap().complete);
    }
    Both {
        setting,
        hospital,
        clinic_id,
        hospital_id,
        _data: [first, second],
    }
}

impl Both {
    pub(crate) async fn join(&self) -> String {
        let joined = self
            .setting
            .engine
            .people_join(&self.clinic_id, &self.hospital_id)
            .await;
        joined.unwrap().id
    }

    async fn rows(&self, person: &str, section: Section) -> Vec<RecordSummaryView> {
        rows(&self.setting, person, section).await
    }

    async fn chart(&self, person: &str) -> ChartView {
        self.setting.engine.person_chart(person).await.unwrap()
    }

    /// The row in which that record stands, or is stood for.
    async fn row_of(&self, person: &str, section: Section, id: &str) -> RecordSummaryView {
        let rows = self.rows(person, section).await;
        let holds = |row: &&RecordSummaryView| {
            row.key.id == id || row.also_from.iter().any(|also| also.key.id == id)
        };
        rows.iter().find(holds).unwrap().clone()
    }
}

async fn rows(setting: &Setting, person: &str, section: Section) -> Vec<RecordSummaryView> {
    let filter = RecordFilter {
        section: Some(section),
        ..RecordFilter::default()
    };
    let mut all = Vec::new();
    loop {
        let page = setting
            .engine
            .person_records(person, &filter, all.len() as u64, 7)
            .await
            .unwrap();
        if page.rows.is_empty() {
            assert_eq!(page.total, all.len() as u64);
            return all;
        }
        all.extend(page.rows);
    }
}

async fn stored(setting: &Setting, connection: &str, section: Section) -> BTreeSet<RecordKeyText> {
    let filter = RecordFilter {
        connection_id: Some(connection.to_owned()),
        section: Some(section),
        resource_type: None,
    };
    let page = setting.engine.records_list(&filter, 0, 1000).await.unwrap();
    page.rows.iter().map(|row| text(&row.key)).collect()
}

type RecordKeyText = (String, String, String);

fn text(key: &RecordKey) -> RecordKeyText {
    (
        key.connection_id.clone(),
        key.resource_type.clone(),
        key.id.clone(),
    )
}

const PAIRS: [(Section, &str, &str); 5] = [
    (Section::Problems, "sarcoidosis", "7"),
    (Section::Labs, "glucose", "g1"),
    (Section::Immunizations, "shot", "i1"),
    (Section::Allergies, "allergy", "a1"),
    (Section::Medications, "order", "o1"),
];

#[tokio::test]
async fn nobody_is_put_together_by_guess_and_the_person_decides() {
    let both = both().await;
    let engine = &both.setting.engine;
    let people = engine.people().await.unwrap();
    assert!(people.people.is_empty(), "nothing is assumed");
    let [suggested] = people.suggested.as_slice() else {
        panic!("{people:?}");
    };
    assert_eq!(suggested.one.connection_id, both.clinic_id);
    assert_eq!(suggested.other.connection_id, both.hospital_id);
    assert_eq!(suggested.one.patient_name, suggested.other.patient_name);
    assert!(suggested.one.birth_date.is_some() && !suggested.refused);
    engine
        .people_keep_apart(&both.clinic_id, &both.hospital_id)
        .await
        .unwrap();
    assert!(engine.people().await.unwrap().suggested[0].refused);
    let person = both.join().await;
    let people = engine.people().await.unwrap();
    assert_eq!(people.people[0].id, person);
    assert_eq!(people.people[0].sources.len(), 2);
    assert!(people.suggested.is_empty());
    engine.people_split(&both.hospital_id).await.unwrap();
    let people = engine.people().await.unwrap();
    assert!(people.people.is_empty() && people.suggested[0].refused);
    assert_eq!(code(engine.person_chart(&person).await), "record.not_found");
}

#[tokio::test]
async fn the_same_fact_from_two_sources_is_one_row_and_each_original_is_reachable() {
    let both = both().await;
    let person = both.join().await;
    for (section, clinic, hospital) in PAIRS {
        let row = both.row_of(&person, section, clinic).await;
        let [also] = row.also_from.as_slice() else {
            panic!("{section:?}: {row:?}");
        };
        let ids = BTreeSet::from([row.key.id.as_str(), also.key.id.as_str()]);
        assert_eq!(ids, BTreeSet::from([clinic, hospital]));
        assert_ne!(row.key.connection_id, also.key.connection_id);
        for key in [&row.key, &also.key] {
            let detail = both.setting.engine.record_get(key).await.unwrap();
            let own: Value = serde_json::from_str(&detail.json).unwrap();
            assert_eq!(own["id"], key.id.as_str());
            assert_eq!(detail.originals.same.len(), 2, "{section:?}");
            let sources: BTreeSet<_> = detail
                .originals
                .same
                .iter()
                .map(|row| &row.source)
                .collect();
            assert_eq!(sources.len(), 2, "each names its source");
        }
    }
    let problem = both.row_of(&person, Section::Problems, "7").await;
    assert_eq!(problem.key.id, "7", "the newest stands for both");
    let apart = both.row_of(&person, Section::Labs, "g2").await;
    assert!(apart.also_from.is_empty(), "another date and value");
    let operations = both.rows(&person, Section::Procedures).await;
    for id in ["operation", "p1"] {
        let row = operations.iter().find(|row| row.key.id == id).unwrap();
        assert!(row.also_from.is_empty(), "procedures are not grouped");
    }
}

#[tokio::test]
async fn every_record_is_in_exactly_one_row_in_order_and_counted() {
    let both = both().await;
    let person = both.join().await;
    let chart = both.chart(&person).await;
    assert_eq!(chart.others.len(), 1);
    assert_eq!(chart.person.unwrap().id, person);
    let mut grouped = 0;
    for section in &chart.sections {
        let rows = both.rows(&person, section.section).await;
        assert_eq!(section.count, rows.len() as u64, "{:?}", section.section);
        assert_ne!(section.outcome, Some(StepOutcome::Failed));
        let mut seen = BTreeMap::new();
        for row in &rows {
            grouped += row.also_from.len();
            let mut sources = BTreeSet::from([row.key.connection_id.as_str()]);
            for also in &row.also_from {
                assert!(
                    sources.insert(&also.key.connection_id),
                    "one of each source"
                );
            }
            for key in row.also_from.iter().map(|also| &also.key).chain([&row.key]) {
                *seen.entry(text(key)).or_insert(0) += 1;
            }
        }
        assert!(seen.values().all(|times| *times == 1));
        let mut wanted = stored(&both.setting, &both.clinic_id, section.section).await;
        wanted.extend(stored(&both.setting, &both.hospital_id, section.section).await);
        assert_eq!(seen.into_keys().collect::<BTreeSet<_>>(), wanted);
        let dates: Vec<Option<i64>> = rows.iter().map(instant).collect();
        assert!(
            dates.is_sorted_by(|one, other| one >= other),
            "newest first"
        );
    }
    assert!(
        grouped > 20,
        "the two hold the same synthetic chart: {grouped}"
    );
}

fn instant(row: &RecordSummaryView) -> Option<i64> {
    let date = satchel_core::summary::RecordDate::parse(&row.date.as_ref()?.value);
    date?.sort_ms
}

#[tokio::test]
async fn what_the_person_takes_apart_stays_apart_until_put_together_again() {
    let mut both = both().await;
    let person = both.join().await;
    let (section, clinic, hospital) = PAIRS[1];
    let row = both.row_of(&person, section, clinic).await;
    let before = both.rows(&person, section).await.len();
    both.setting
        .engine
        .records_take_apart(&row.key)
        .await
        .unwrap();
    let is_apart = async |both: &Both| {
        for id in [clinic, hospital] {
            let row = both.row_of(&person, section, id).await;
            assert!(row.also_from.is_empty() && row.key.id == id, "{row:?}");
        }
        assert_eq!(both.rows(&person, section).await.len(), before + 1);
    };
    is_apart(&both).await;
    for id in [both.clinic_id.clone(), both.hospital_id.clone()] {
        assert!(both.setting.engine.sync(&id).await.unwrap().complete);
    }
    is_apart(&both).await;
    both.setting.restart().await;
    is_apart(&both).await;
    // Others are as they were.
    let shot = both.row_of(&person, Section::Immunizations, "shot").await;
    assert_eq!(shot.also_from.len(), 1);
    let key = both.row_of(&person, section, hospital).await.key;
    let detail = both.setting.engine.record_get(&key).await.unwrap();
    assert_eq!(
        detail.originals.apart[0].key.id, clinic,
        "the way back is there"
    );
    both.setting
        .engine
        .records_put_together(&key)
        .await
        .unwrap();
    let row = both.row_of(&person, section, clinic).await;
    assert_eq!(row.also_from.len(), 1);
    assert_eq!(both.rows(&person, section).await.len(), before);
}

#[tokio::test]
async fn a_group_is_no_more_when_one_source_says_something_else_or_is_removed() {
    let both = both().await;
    let person = both.join().await;
    let labs = stored(&both.setting, &both.clinic_id, Section::Labs).await;
    both.rows(&person, Section::Labs).await;
    let engine = &both.setting.engine;
    let total = engine
        .connection(&both.clinic_id)
        .await
        .unwrap()
        .record_count;
    engine.remove(&both.hospital_id).await.unwrap();
    assert!(engine.people().await.unwrap().people.is_empty());
    assert_eq!(
        stored(&both.setting, &both.clinic_id, Section::Labs).await,
        labs
    );
    let left = engine
        .connection(&both.clinic_id)
        .await
        .unwrap()
        .record_count;
    assert_eq!(left, total);
    let key = RecordKey {
        connection_id: both.clinic_id.clone(),
        resource_type: "Observation".to_owned(),
        id: "glucose".to_owned(),
    };
    let detail = engine.record_get(&key).await.unwrap();
    assert!(detail.originals.same.is_empty() && detail.originals.apart.is_empty());
    // The person connects the hospital again: nothing is put together by itself.
    let account = both.hospital.accounts()[0].clone();
    let patient = account.patient_ids[0].clone();
    let again = sign_in(&both.setting, &both.hospital, &account, &patient).await;
    assert!(engine.sync(&again).await.unwrap().complete);
    assert!(engine.people().await.unwrap().people.is_empty());
}

#[tokio::test]
async fn ids_that_are_long_odd_or_alike_are_kept_apart_and_open() {
    let long = "a".repeat(100);
    let other = format!("{}b", "a".repeat(99));
    let ids = [
        long.as_str(),
        &other,
        "a.b",
        "a.b.",
        "a%2Fb",
        "a%252Fb",
        "Case",
        "case",
        "gesundheit-ü",
        "gesundheit-u\u{308}",
        "健康",
    ];
    let (world, _data) = with(|patient| {
        let labs = ids.iter().enumerate();
        labs.map(|(at, id)| glucose(id, patient, "2024-03-01", json!(at)))
            .collect()
    })
    .await;
    let setting = setting_in(world).await;
    let id = setting.connect(setting.patient()).await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    for (at, record_id) in ids.iter().enumerate() {
        let key = RecordKey {
            connection_id: id.clone(),
            resource_type: "Observation".to_owned(),
            id: (*record_id).to_owned(),
        };
        let detail = setting.engine.record_get(&key).await.unwrap();
        assert_eq!(detail.summary.key.id, *record_id);
        assert_eq!(
            detail.summary.value,
            Some(format!("{at} mg/dL")),
            "{record_id}"
        );
        let found = setting.engine.record_find("Observation", record_id).await;
        assert_eq!(found.unwrap().json, detail.json);
    }
}

/// A family: one login, two patients, of one server.
async fn family() -> (Setting, [(String, String); 2]) {
    let setting = setting_in(World {
        patients: 8,
        ..World::default()
    })
    .await;
    let accounts = setting.mock.accounts();
    let parent = accounts
        .iter()
        .find(|account| {
            account.role == satchel_mock::population::AccountRole::Patient
                && account.patient_ids.len() > 1
        })
        .unwrap()
        .clone();
    let mut connected = Vec::new();
    for patient in &parent.patient_ids[..2] {
        let id = sign_in(&setting, &setting.mock, &parent, patient).await;
        assert!(setting.engine.sync(&id).await.unwrap().complete);
        connected.push((id, patient.clone()));
    }
    let [one, other] = <[_; 2]>::try_from(connected).unwrap();
    (setting, [one, other])
}

#[tokio::test]
async fn two_patients_of_one_login_are_never_mixed() {
    let (setting, family) = family().await;
    let engine = &setting.engine;
    assert_ne!(family[0].0, family[1].0);
    let people = engine.people().await.unwrap();
    assert!(people.people.is_empty() && people.suggested.is_empty());
    let joined = engine.people_join(&family[0].0, &family[1].0).await;
    assert_eq!(code(joined), "people.differ");
    let mut names = BTreeSet::new();
    for (id, patient) in &family {
        names.insert(engine.connection(id).await.unwrap().patient_name.unwrap());
        let folder = TempDir::new().unwrap();
        engine
            .export(Some(id), ExportFormat::Ndjson, folder.path())
            .await
            .unwrap();
        assert_eq!(
            patients_in(folder.path()),
            BTreeSet::from([patient.clone()])
        );
        let filter = RecordFilter {
            connection_id: Some(id.clone()),
            ..RecordFilter::default()
        };
        let page = engine.records_list(&filter, 0, 1000).await.unwrap();
        assert_eq!(page.rows.len() as u64, page.total);
        for row in page.rows {
            assert_eq!(row.key.connection_id, *id);
            for reference in engine.record_get(&row.key).await.unwrap().references {
                assert_eq!(reference.key.connection_id, *id, "references stay at home");
            }
        }
        let changes = engine.changes(id).await.unwrap();
        let changed = changes.new.iter().chain(&changes.withdrawn);
        assert!(changed.into_iter().all(|row| row.key.connection_id == *id));
    }
    assert_eq!(names.len(), 2);
    let folder = TempDir::new().unwrap();
    let exported = engine
        .export(None, ExportFormat::Ndjson, folder.path())
        .await
        .unwrap();
    for (id, patient) in &family {
        assert_eq!(
            patients_in(&folder.path().join(id)),
            BTreeSet::from([patient.clone()])
        );
    }
    assert_eq!(exported.resources["Patient"], 2);
    for hit in engine.search("a", &Default::default(), 200).await.unwrap() {
        let of = engine
            .connection(&hit.record.key.connection_id)
            .await
            .unwrap();
        assert_eq!(
            hit.patient_name, of.patient_name,
            "each hit says whose it is"
        );
    }
    let within = RecordFilter {
        connection_id: Some(family[0].0.clone()),
        ..RecordFilter::default()
    };
    let only = engine.search("a", &within, 200).await.unwrap();
    assert!(!only.is_empty());
    assert!(
        only.iter()
            .all(|hit| hit.record.key.connection_id == family[0].0)
    );
}

/// Whose records are in exported files.
fn patients_in(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let content = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in content.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let named = ["subject", "patient", "beneficiary"].iter();
            let references = named.filter_map(|name| record[*name]["reference"].as_str());
            found.extend(references.filter_map(|to| Some(to.strip_prefix("Patient/")?.to_owned())));
            if record["resourceType"] == "Patient" {
                found.insert(record["id"].as_str().unwrap().to_owned());
            }
        }
    }
    found
}
