//! What is asked of a FHIR server and what becomes of the answers (section G of the checklist), over the
//! whole product.

use crate::world::{Setting, TurnedClock, setting, setting_in, setting_with_clock};
use satchel_core::PatientQuery;
use satchel_core::view::{RecordKey, StepOutcome};
use satchel_mock::population::AccountRole;
use satchel_mock::{Endpoint, FaultKind, MockServer, World};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

const WEEK: u32 = 8 * 86_400;

fn two() -> World {
    World {
        patients: 2,
        token_lifetime_seconds: 365 * 86_400,
        ..World::default()
    }
}

/// Queries of the requests for a path since the server was started.
fn queries(setting: &Setting, path: &str) -> Vec<String> {
    let requests = setting.mock.requests();
    let those = requests.into_iter().filter(|one| one.path == path);
    those.map(|one| one.query).collect()
}

/// A person, and records of theirs beside the synthetic ones.
pub(crate) async fn setting_with(records: impl FnOnce(&str) -> Vec<Value>) -> Setting {
    let mock = MockServer::start(two()).await.unwrap();
    let patient = mock.accounts()[0].patient_ids[0].clone();
    mock.stop().await;
    let folder = tempfile::TempDir::new().unwrap();
    for (at, record) in records(&patient).iter().enumerate() {
        std::fs::write(folder.path().join(format!("{at}.json")), record.to_string()).unwrap();
    }
    setting_in(World {
        load: Some(folder.path().to_owned()),
        ..two()
    })
    .await
}

pub(crate) fn key(connection_id: &str, resource_type: &str, id: &str) -> RecordKey {
    RecordKey {
        connection_id: connection_id.to_owned(),
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
    }
}

async fn synced_twice(after: u32) -> (Setting, Arc<TurnedClock>, usize) {
    let (setting, clock) = setting_with_clock(two()).await;
    let id = setting.connect(setting.patient()).await;
    let first = setting.engine.sync(&id).await.unwrap();
    assert!(first.complete, "{first:?}");
    setting.pass(&clock, after);
    let before = setting.mock.requests().len();
    let second = setting.engine.sync(&id).await.unwrap();
    assert!(second.complete, "{second:?}");
    let outcome = |report: &satchel_core::view::SyncReportView, of: &str| {
        let step = report.steps.iter().find(|step| step.resource_type == of);
        step.unwrap().outcome
    };
    for of in ["Condition", "Observation", "Patient"] {
        assert_eq!(outcome(&second, of), StepOutcome::Complete, "{of}");
    }
    for step in &first.steps {
        let again = outcome(&second, &step.resource_type);
        let had_none = outcome(&first, &step.resource_type) == StepOutcome::Empty;
        assert_eq!(
            again == StepOutcome::Empty,
            had_none,
            "{}",
            step.resource_type
        );
    }
    (setting, clock, before)
}

#[tokio::test]
async fn g9_a_second_sync_asks_for_what_changed_and_after_a_week_for_everything() {
    let (setting, clock, before) = synced_twice(3_600).await;
    let asked: Vec<String> = setting.mock.requests()[before..]
        .iter()
        .filter(|one| one.path == "/fhir/Observation")
        .map(|one| one.query.clone())
        .collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].contains("_lastUpdated=ge"), "{asked:?}");
    setting.pass(&clock, WEEK);
    let before = setting.mock.requests().len();
    let id = setting.engine.connections().await.unwrap()[0].id.clone();
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    let asked = &setting.mock.requests()[before..];
    let whole = asked.iter().find(|one| one.path == "/fhir/Observation");
    assert!(!whole.unwrap().query.contains("_lastUpdated"));
}

#[tokio::test]
async fn g10_what_was_read_once_is_looked_at_again_and_sent_only_when_it_changed() {
    let (setting, _, before) = synced_twice(WEEK).await;
    let again = &setting.mock.requests()[before..];
    let reads: Vec<_> = again
        .iter()
        .filter(|one| {
            one.path.starts_with("/fhir/Patient/") || one.path.starts_with("/fhir/Practitioner/")
        })
        .collect();
    assert!(reads.len() > 1, "{reads:?}");
    assert!(reads.iter().all(|one| one.status == 304), "{reads:?}");
    let binaries = again
        .iter()
        .filter(|one| one.path.starts_with("/fhir/Binary/"));
    assert_eq!(binaries.count(), 0, "documents do not change");
}

#[tokio::test]
async fn g15_the_report_says_what_the_server_said() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let refusal = FaultKind::Status {
        status: 422,
        body: r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"business-rule",
            "details":{"text":"Ask the front desk"}}]}"#
            .to_owned(),
        content_type: "application/fhir+json".to_owned(),
    };
    setting.mock.fault(Endpoint::Fhir, refusal, 10_000);
    let report = setting.engine.sync(&id).await.unwrap();
    let failed: Vec<_> = report
        .steps
        .iter()
        .filter_map(|step| step.problem.as_ref())
        .collect();
    assert!(failed.len() > 10, "{report:?}");
    for problem in failed {
        let detail = problem.detail.as_deref().unwrap_or_default();
        assert!(detail.contains("Ask the front desk"), "{problem:?}");
    }
}

#[tokio::test]
async fn g17_each_referenced_record_is_read_once_and_none_that_came_along() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    let mut reads: HashMap<String, usize> = HashMap::new();
    for one in setting.mock.requests() {
        if one.path.matches('/').count() == 3 && one.path.starts_with("/fhir/") {
            *reads.entry(one.path).or_default() += 1;
        }
    }
    assert!(
        reads
            .keys()
            .any(|path| path.starts_with("/fhir/Practitioner/"))
    );
    let twice: Vec<_> = reads.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let medications = &queries(&setting, "/fhir/MedicationRequest")[0];
    assert!(
        medications.contains("_include=MedicationRequest%3Amedication"),
        "{medications}"
    );
    assert!(
        medications.contains("_revinclude=Provenance%3Atarget"),
        "{medications}"
    );
}

#[tokio::test]
async fn g19_a_record_says_who_says_so() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let filter = satchel_core::view::RecordFilter {
        connection_id: Some(id),
        resource_type: Some("Condition".into()),
        section: None,
    };
    let page = setting.engine.records_list(&filter, 0, 5).await.unwrap();
    let detail = setting.engine.record_get(&page.rows[0].key).await.unwrap();
    let said = &detail.provenance;
    assert!(!said.is_empty(), "{:?}", detail.summary);
    assert!(said[0].recorded.is_some());
    let agent = &said[0].agents[0];
    assert!(
        !agent.who.is_empty() && !agent.who.contains('/'),
        "{agent:?}"
    );
    assert!(
        said[0].agents.iter().any(|agent| agent.role.is_some()),
        "{said:?}"
    );
}

#[tokio::test]
async fn g20_a_medication_that_is_a_record_of_its_own_names_its_order() {
    let setting = setting_with(|patient| {
        vec![
            json!({"resourceType": "Medication", "id": "med-1", "meta": {"lastUpdated": "2024-01-01T00:00:00Z"},
                "code": {"text": "Zyloprim 100 mg"}}),
            json!({"resourceType": "MedicationRequest", "id": "order-1", "status": "active", "intent": "plan",
                "meta": {"lastUpdated": "2024-01-01T00:00:00Z"}, "reportedBoolean": true,
                "subject": {"reference": format!("Patient/{patient}")},
                "medicationReference": {"reference": "Medication/med-1"}}),
        ]
    })
    .await;
    let id = setting.connect(setting.patient()).await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    let order = key(&id, "MedicationRequest", "order-1");
    let row = setting.engine.record_get(&order).await.unwrap().summary;
    assert_eq!(row.title, "Zyloprim 100 mg");
    assert!(
        row.subtitle.is_some_and(|text| text.contains("Reported")),
        "a secondary source"
    );
    let hits = setting
        .engine
        .search("zylop", &Default::default(), 10)
        .await
        .unwrap();
    assert!(hits.iter().any(|hit| hit.record.key == order));
}

#[tokio::test]
async fn g21_g23_a_note_in_two_records_is_fetched_once_and_held_against_its_checksum() {
    let setting = setting_with(|patient| {
        let subject = json!({"reference": format!("Patient/{patient}")});
        let meta = json!({"lastUpdated": "2024-01-01T00:00:00Z"});
        // "hello": its SHA-1 (FIPS 180-4) in the report, another one in the reference.
        vec![
            json!({"resourceType": "Binary", "id": "note-1", "meta": meta, "contentType": "text/plain",
                "data": "aGVsbG8="}),
            json!({"resourceType": "DiagnosticReport", "id": "report-1", "meta": meta, "status": "final",
                "subject": subject, "category": [{"coding": [{"system": "http://loinc.org", "code": "LP29708-2"}]}],
                "code": {"text": "Cardiology note"},
                "presentedForm": [{"contentType": "text/plain", "url": "Binary/note-1", "size": 5,
                    "hash": "qvTGHdzF6KLavt4PO0gs2a6pQ00="}]}),
            json!({"resourceType": "DocumentReference", "id": "document-1", "meta": meta, "status": "current",
                "subject": subject, "category": [{"coding": [{"code": "clinical-note"}]}],
                "content": [{"attachment": {"contentType": "text/plain", "url": "Binary/note-1",
                    "hash": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}}]}),
        ]
    })
    .await;
    let id = setting.connect(setting.patient()).await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    assert_eq!(setting.asked("/fhir/Binary/note-1"), 1);
    let report = key(&id, "DiagnosticReport", "report-1");
    let document = key(&id, "DocumentReference", "document-1");
    let right = setting.engine.attachments(&report).await.unwrap();
    let wrong = setting.engine.attachments(&document).await.unwrap();
    assert_eq!(right[0].text.as_deref(), Some("hello"));
    assert_eq!(
        wrong[0].text.as_deref(),
        Some("hello"),
        "shown all the same"
    );
    assert_eq!(right[0].difference, None);
    assert!(wrong[0].difference.is_some());
}

/// How many documents are here with their content, from a server with these habits.
async fn documents_here(quirks: satchel_mock::Quirks) -> usize {
    let setting = setting_in(World { quirks, ..two() }).await;
    let id = setting.connect(setting.patient()).await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    let documents = satchel_core::view::RecordFilter {
        connection_id: Some(id),
        resource_type: Some("DocumentReference".into()),
        section: None,
    };
    let page = setting.engine.records_list(&documents, 0, 50).await;
    let mut here = 0;
    for row in page.unwrap().rows {
        for attachment in setting.engine.attachments(&row.key).await.unwrap() {
            assert_eq!(attachment.difference, None, "{}", row.title);
            here += usize::from(attachment.missing.is_none());
        }
    }
    here
}

#[tokio::test]
async fn g23_content_that_comes_as_itself_is_kept_as_content() {
    let raw = satchel_mock::Quirks::shipped().unwrap()["raw-binaries"].clone();
    let as_itself = documents_here(raw).await;
    assert!(as_itself > 3, "{as_itself}");
    assert_eq!(
        as_itself,
        documents_here(satchel_mock::Quirks::default()).await
    );
}

#[tokio::test]
async fn g22_the_current_summary_is_asked_for_where_that_is_offered() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    let patient = &setting.patient().patient_ids[0];
    let asked = queries(&setting, "/fhir/DocumentReference/$docref");
    assert_eq!(asked, [format!("patient={patient}")]);
}

#[tokio::test]
async fn g28_a_provider_finds_patients_one_query_each_and_stores_none() {
    let setting = setting().await;
    let accounts = setting.mock.accounts();
    let provider = accounts
        .iter()
        .find(|one| one.role == AccountRole::Provider);
    let id = setting.connect(provider.unwrap()).await;
    let ids: Vec<String> = provider.unwrap().patient_ids.clone();
    let queries_of: Vec<_> = ids.iter().cloned().map(PatientQuery::Id).collect();
    let found = setting
        .engine
        .patients_find(&id, &queries_of)
        .await
        .unwrap();
    let asked = queries(&setting, "/fhir/Patient");
    assert_eq!(asked.len(), queries_of.len());
    assert!(
        asked.iter().all(|query| !query.contains("%2C")),
        "{asked:?}"
    );
    assert!(!found.is_empty());
    let one = &found[0];
    let by_name = PatientQuery::Name {
        name: one.name.split(' ').next_back().unwrap().to_owned(),
        birth_date: one.birth_date.clone(),
    };
    let again = setting.engine.patients_find(&id, &[by_name]).await.unwrap();
    assert!(again.iter().any(|other| other.id == one.id), "{again:?}");
    let stored = setting.engine.connection(&id).await.unwrap().record_count;
    assert_eq!(stored, 0);
    let person = setting.connect(setting.patient()).await;
    let refused = setting.engine.patients_find(&person, &queries_of).await;
    assert_eq!(crate::world::code(refused), "sync.not_shared");
}
