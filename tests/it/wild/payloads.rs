//! What stands in answers in place of what the standard says.

use super::{about, assert_whole, habits, made_of, server, server_with, step};
use crate::faults::chart;
use crate::world::Setting;
use satchel_core::view::{RecordFilter, RecordKey, RecordSummaryView, StepOutcome};
use satchel_mock::{Endpoint, FaultKind};
use serde_json::{Value, json};

/// The row of one record about the patient.
async fn row_of(kind: &str, more: Value) -> RecordSummaryView {
    let record = about(kind, "the-one", more);
    let setting = server_with(made_of(json!({})), &[record]).await;
    let (id, report) = setting.pulled().await;
    assert!(
        report.complete && report.unreadable_records == 0,
        "{report:#?}"
    );
    setting.row(&id, kind, "the-one").await
}

#[tokio::test]
async fn w49_nothing_found_is_empty_whatever_the_server_says_about_it() {
    let setting = server(habits("outcome-when-empty")).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
    let devices = step(&report, "Device");
    assert_eq!(devices.outcome, StepOutcome::Empty);
    assert!(devices.remarks[0].contains("no results"), "{devices:?}");
}

#[tokio::test]
async fn w50_a_warning_among_the_results_is_told_and_is_no_record() {
    let setting = server(made_of(json!({"outcome_entry": true}))).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
    let remarks = &step(&report, "Condition").remarks;
    assert!(
        remarks
            .iter()
            .any(|one| one.contains("may not contain the entire record"))
    );
}

#[tokio::test]
async fn w51_nothing_but_an_error_with_status_200_is_a_refusal_and_not_an_empty_result() {
    let setting = server(habits("refusing-quietly")).await;
    let (_, report) = setting.pulled().await;
    let goals = step(&report, "Goal");
    assert_eq!(goals.outcome, StepOutcome::NotShared);
    assert_eq!(goals.problem.as_ref().unwrap().code, "sync.not_shared");
    assert!(!report.complete, "it was granted");
}

#[tokio::test]
async fn w52_w53_refusals_in_html_and_without_a_body_are_refusals_of_one_kind_only() {
    for shape in ["html", "empty"] {
        let quirks = json!({"errors": shape, "refused_types": ["Goal"]});
        let setting = server(made_of(quirks)).await;
        let (id, report) = setting.pulled().await;
        assert_eq!(
            step(&report, "Goal").outcome,
            StepOutcome::NotShared,
            "{shape}"
        );
        let count = setting.engine.connection(&id).await.unwrap().record_count;
        assert_eq!(count, chart::records().len() as u64 - 1);
    }
}

#[tokio::test]
async fn w54_a_500_about_a_missing_field_fails_its_kind_and_no_other() {
    let setting = server(habits("failing")).await;
    let (id, report) = setting.pulled().await;
    let goals = step(&report, "Goal");
    assert_eq!(goals.outcome, StepOutcome::Failed);
    let problem = goals.problem.as_ref().unwrap();
    assert!(
        problem.detail.as_ref().unwrap().contains("required field"),
        "{problem:?}"
    );
    let count = setting.engine.connection(&id).await.unwrap().record_count;
    assert_eq!(count, chart::records().len() as u64 - 1);
}

#[tokio::test]
async fn w55_w56_json_is_asked_for_by_name_and_taken_under_each_of_its_names() {
    let setting = server(made_of(json!({}))).await;
    let url = format!("{}/metadata", setting.mock.fhir_base());
    let other = reqwest::Client::new()
        .get(url)
        .header("accept", "text/turtle");
    assert_eq!(
        other.send().await.unwrap().status(),
        406,
        "this server is one of those"
    );
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
    for name in [
        "application/json+fhir; charset=utf-8",
        "application/json",
        "text/html",
    ] {
        let setting = server(made_of(json!({"content_type": name}))).await;
        let (id, report) = setting.pulled().await;
        assert_whole(&setting, &id, &report).await;
    }
    let setting = server(habits("xml-first")).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
}

#[tokio::test]
async fn w58_an_empty_body_with_a_good_status_is_no_result() {
    let setting = server(made_of(json!({}))).await;
    let id = setting.connect(setting.patient()).await;
    let empty = FaultKind::Status {
        status: 201,
        body: String::new(),
        content_type: "application/json".into(),
    };
    setting.mock.fault(Endpoint::Fhir, empty, 1_000);
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(!report.complete, "{report:#?}");
    assert_eq!(step(&report, "Goal").outcome, StepOutcome::Failed);
    setting.mock.clear_faults();
    let report = setting.engine.sync(&id).await.unwrap();
    assert_whole(&setting, &id, &report).await;
}

async fn texts(setting: &Setting, id: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for (kind, record) in [
        ("DiagnosticReport", "report-1"),
        ("DocumentReference", "doc-1"),
    ] {
        let key = RecordKey {
            connection_id: id.to_owned(),
            resource_type: kind.to_owned(),
            id: record.to_owned(),
        };
        let attachments = setting.engine.attachments(&key).await.unwrap();
        texts.extend(attachments.into_iter().filter_map(|one| one.text));
    }
    texts
}

#[tokio::test]
async fn w57_w60_a_document_that_comes_only_as_itself_is_here() {
    for name in ["raw-binaries", "binary-as-it-is"] {
        let setting = server(habits(name)).await;
        let (id, report) = setting.pulled().await;
        assert_whole(&setting, &id, &report).await;
        assert_eq!(texts(&setting, &id).await, ["hello", "world"], "{name}");
    }
}

#[tokio::test]
async fn w57_a_page_in_html_is_not_taken_for_a_document_that_is_none() {
    let setting = server(made_of(json!({}))).await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let before = setting.mock.requests();
    let at = before
        .iter()
        .position(|one| one.path.starts_with("/fhir/Binary/"))
        .unwrap();
    let records = before[..at]
        .iter()
        .filter(|one| one.path.starts_with("/fhir/") && one.path != "/fhir/metadata");
    let after = u32::try_from(records.count()).unwrap();
    let setting = server(made_of(json!({}))).await;
    let id = setting.connect(setting.patient()).await;
    setting.mock.plan(&satchel_mock::PlannedFault {
        endpoint: Endpoint::Fhir,
        fault: FaultKind::NotJson,
        client_id: None,
        after,
        times: 1_000,
    });
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(!report.complete);
    setting.mock.clear_faults();
    let report = setting.engine.sync(&id).await.unwrap();
    assert_whole(&setting, &id, &report).await;
    assert_eq!(texts(&setting, &id).await, ["hello", "world"]);
}

#[tokio::test]
async fn w59_a_document_is_fetched_once_and_never_again() {
    let setting = server(made_of(json!({}))).await;
    let (id, _) = setting.pulled().await;
    let store = setting.store().await;
    for mark in store.sync_marks_get(&id).await.unwrap() {
        store.sync_mark_remove(&id, &mark.step_key).await.unwrap();
    }
    store.close().await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    for note in ["note-1", "note-2"] {
        assert_eq!(setting.asked(&format!("/fhir/Binary/{note}")), 1);
    }
}

#[tokio::test]
async fn w61_ids_longer_than_64_letters_are_ids() {
    let setting = server(habits("long-ids")).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
    let filter = RecordFilter {
        connection_id: Some(id),
        resource_type: Some("Condition".into()),
        section: None,
    };
    let page = setting.engine.records_list(&filter, 0, 10).await.unwrap();
    assert!(page.rows.iter().all(|row| row.key.id.len() > 64));
    setting.engine.record_get(&page.rows[0].key).await.unwrap();
}

#[tokio::test]
async fn w63_references_of_every_form_are_understood_or_left_alone() {
    let setting = server(habits("absolute-references")).await;
    let (id, report) = setting.pulled().await;
    assert!(report.complete);
    assert_eq!(setting.here(&id, "Practitioner").await, 3);
    let medication = json!({"status": "active", "intent": "order",
        "contained": [{"resourceType": "Medication", "id": "med", "code": {"text": "Zyloprim"}},
            {"resourceType": "Practitioner", "name": [{"family": "No id"}]}],
        "medicationReference": {"reference": "#med"},
        "requester": {"reference": "urn:uuid:9f0e960d-8ae4-46f4-8e1a-462392192aca"}});
    let row = row_of("MedicationRequest", medication).await;
    assert_eq!(row.title, "Zyloprim");
}

#[tokio::test]
async fn w64_a_full_url_that_is_none_is_not_needed() {
    let setting = server(habits("sloppy-full-urls")).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
}

#[tokio::test]
async fn w65_a_visit_of_a_local_class_is_told_by_the_text_of_its_type() {
    let class = json!({"status": "finished", "type": [{"text": "Hospital outpatient visit"}],
        "class": {"system": "urn:oid:1.2.840.114350.1.72.1.7.7.10.696784.13260", "code": "HOV"}});
    assert_eq!(
        row_of("Encounter", class).await.title,
        "Hospital outpatient visit"
    );
}

#[tokio::test]
async fn w66_codes_of_a_vendors_own_are_told_by_text_and_by_the_display_that_there_is() {
    let coded = |text: Value| {
        json!({"status": "final", "valueString": "x", "code": {"text": text, "coding": [
            {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.5.737384.0", "code": "1810"},
            {"system": "http://loinc.org", "code": "4548-4", "display": "Hemoglobin A1c"}]}})
    };
    assert_eq!(
        row_of("Observation", coded(json!("HbA1c"))).await.title,
        "HbA1c"
    );
    assert_eq!(
        row_of("Observation", coded(Value::Null)).await.title,
        "Hemoglobin A1c"
    );
}

#[tokio::test]
async fn w67_w74_a_value_that_is_absent_or_in_words_is_told_as_that() {
    let absent = json!({"status": "final", "code": {"text": "Weight"}, "dataAbsentReason": {"coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "masked"}]}});
    let row = row_of("Observation", absent).await;
    assert!(
        row.value
            .is_some_and(|value| !value.contains("masked") || value.contains(' '))
    );
    let words = json!({"status": "final", "code": {"text": "HIV"}, "valueCodeableConcept": {"text": "see comment"}});
    assert_eq!(
        row_of("Observation", words).await.value.as_deref(),
        Some("see comment")
    );
}

#[tokio::test]
async fn w68_what_was_entered_in_error_is_kept_and_says_so() {
    let masked = json!({"verificationStatus": {"coding": [{"code": "entered-in-error"}]}});
    let row = row_of("Condition", masked).await;
    assert_eq!(row.status.as_deref(), Some("Entered in error"));
    assert!(!row.title.is_empty() && row.title != "Condition");
}

#[tokio::test]
async fn w69_notes_in_rtf_are_kept_and_the_text_of_a_plan_is_found() {
    let rtf = chart::plain(
        "Binary",
        "rtf-1",
        json!({"contentType": "application/rtf", "data": "e1xydGYxIGhpfQ=="}),
    );
    let note = about(
        "DocumentReference",
        "rtf-doc",
        json!({"status": "current",
        "content": [{"attachment": {"contentType": "application/rtf", "url": "Binary/rtf-1"}}]}),
    );
    let plan = about(
        "CarePlan",
        "text-plan",
        json!({"status": "active", "intent": "plan", "text": {"status": "generated",
        "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Walk every &lt;morning&gt; quietly</div>"}}),
    );
    let setting = server_with(made_of(json!({})), &[rtf, note, plan]).await;
    let (id, report) = setting.pulled().await;
    assert!(report.complete);
    let key = setting.row(&id, "DocumentReference", "rtf-doc").await.key;
    let attachments = setting.engine.attachments(&key).await.unwrap();
    assert_eq!(
        (
            attachments[0].content_type.as_str(),
            attachments[0].missing.clone()
        ),
        ("application/rtf", None)
    );
    let hits = setting
        .engine
        .search("quietly", &Default::default(), 5)
        .await
        .unwrap();
    assert_eq!(hits.len(), 1);
}

#[tokio::test]
async fn w70_a_blood_pressure_that_has_only_components_is_told_as_people_say_it() {
    let part = |code: &str, value: u32| {
        json!({"code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "unit": "mm[Hg]"}})
    };
    let panel = json!({"status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9",
        "display": "Blood pressure panel"}]}, "component": [part("8480-6", 120), part("8462-4", 80)]});
    let row = row_of("Observation", panel).await;
    assert!(row.value.is_some_and(|value| value.starts_with("120/80")));
}

#[tokio::test]
async fn w71_a_period_is_a_date_and_a_missing_date_is_none() {
    let dated = json!({"status": "final", "code": {"text": "x"}, "effectivePeriod": {"start": "2024-05-01"}});
    let row = row_of("Observation", dated).await;
    assert!(
        row.date
            .is_some_and(|date| date.value.starts_with("2024-05-01"))
    );
    let undated = json!({"status": "final", "code": {"text": "x"}});
    assert_eq!(
        row_of("Observation", undated).await.date,
        None,
        "and never 1970"
    );
}

#[tokio::test]
async fn w72_the_markup_of_narratives_is_in_no_row_and_in_no_hit() {
    let setting = server(habits("html-in-text")).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
    let filter = RecordFilter {
        connection_id: Some(id),
        resource_type: None,
        section: None,
    };
    let page = setting.engine.records_list(&filter, 0, 100).await.unwrap();
    for row in &page.rows {
        assert!(!format!("{row:?}").contains("<h1"), "{row:?}");
    }
}

#[tokio::test]
async fn w73_of_several_names_the_official_one_is_shown() {
    let mut patient = chart::records().remove(0);
    patient["name"] = json!([{"use": "old", "family": "Maiden"}, {"use": "nickname", "given": ["Idi"]},
        {"use": "official", "family": "Berg", "given": ["Ida"]}]);
    let setting = server_with(made_of(json!({})), &[patient]).await;
    let (id, _) = setting.pulled().await;
    let chart = setting.engine.chart(&id).await.unwrap();
    assert_eq!(chart.patient.unwrap().name, "Ida Berg");
}

#[tokio::test]
async fn w75_a_problem_without_a_clinical_status_has_none() {
    let row = row_of("Condition", json!({"code": {"text": "Gout"}})).await;
    assert_eq!(
        (row.title.as_str(), row.status),
        ("Gout", None),
        "and none is guessed"
    );
}

#[tokio::test]
async fn w76_a_source_of_nothing_but_documents_is_whole() {
    let setting = server(habits("documents-only")).await;
    let (id, report) = setting.pulled().await;
    assert_eq!(
        step(&report, "DocumentReference").outcome,
        StepOutcome::Complete
    );
    assert_eq!(step(&report, "Encounter").outcome, StepOutcome::NotOffered);
    assert_eq!(setting.here(&id, "DocumentReference").await, 1);
    assert!(
        setting.engine.sync(&id).await.unwrap().complete,
        "the same once more is a fact"
    );
}

#[tokio::test]
async fn w77_a_source_of_nothing_but_claims_is_whole() {
    let claim = json!({"status": "active", "patient": {"reference": format!("Patient/{}", chart::PATIENT)},
        "type": {"text": "Pharmacy"}, "created": "2024-01-01"});
    let records = [
        chart::records().remove(0),
        about("ExplanationOfBenefit", "claim-1", claim),
        about(
            "Coverage",
            "cov-1",
            json!({"status": "active", "beneficiary": {"reference": format!("Patient/{}", chart::PATIENT)}}),
        ),
    ];
    let mut setting = server_with(habits("bluebutton"), &records).await;
    setting
        .told(json!({"scopes": {"without": ["fhirUser", "offline_access"]}}))
        .await;
    let (id, report) = setting.pulled().await;
    assert!(report.complete, "{report:#?}");
    assert_eq!(setting.here(&id, "ExplanationOfBenefit").await, 1);
    assert_eq!(step(&report, "Condition").outcome, StepOutcome::NotOffered);
}
