//! What searches need, and what comes back page by page.

use super::{assert_whole, habits, made_of, server, step};
use crate::faults::chart;
use crate::world::Setting;
use satchel_core::view::StepOutcome;
use satchel_mock::{Endpoint, FaultKind, PlannedFault, Quirks};
use serde_json::json;

async fn whole_from(quirks: Quirks) -> Setting {
    let setting = server(quirks).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
    let again = setting.engine.sync(&id).await.unwrap();
    assert_eq!(
        (
            again.new_records,
            again.changed_records,
            again.withdrawn_records
        ),
        (0, 0, 0),
        "{again:#?}"
    );
    setting
}

/// As [`whole_from`], of a server that wants categories: what has none is not in its answers.
async fn whole_but_uncategorised(quirks: Quirks, kinds: &[(&str, u64)]) {
    let setting = server(quirks).await;
    let (id, report) = setting.pulled().await;
    for (kind, count) in kinds {
        assert_eq!(setting.here(&id, kind).await, *count, "{kind}: {report:#?}");
        let remarks = &step(&report, kind).remarks;
        assert!(
            remarks.iter().any(|remark| remark.contains("by category")),
            "{remarks:?}"
        );
    }
}

#[tokio::test]
async fn w28_observations_are_asked_for_by_category_where_that_is_needed() {
    whole_but_uncategorised(habits("epic"), &[("Observation", 14)]).await;
}

#[tokio::test]
async fn w29_care_plans_are_asked_for_by_category_where_that_is_needed() {
    whole_but_uncategorised(habits("epic"), &[("CarePlan", 1)]).await;
}

#[tokio::test]
async fn w30_medications_are_asked_for_by_intent_where_that_is_needed() {
    whole_but_uncategorised(habits("athena"), &[("MedicationRequest", 2)]).await;
}

#[tokio::test]
async fn w31_reports_and_observations_are_asked_for_by_category_where_that_is_needed() {
    let kinds = [("Observation", 14), ("DiagnosticReport", 1)];
    whole_but_uncategorised(habits("quest"), &kinds).await;
}

#[tokio::test]
async fn w32_w40_each_search_names_the_patient_and_no_id_beside_it() {
    let setting = whole_from(habits("oracle")).await;
    let visits = setting.queries("/fhir/Encounter");
    assert!(!visits.is_empty() && visits.iter().all(|query| query.contains("patient=")));
    let by_id = setting
        .mock
        .requests()
        .into_iter()
        .filter(|one| one.path.starts_with("/fhir/") && one.query.contains("_id="));
    assert_eq!(by_id.count(), 0);
}

#[tokio::test]
async fn w33_w34_w35_the_patient_is_read_and_everything_is_asked_for_nowhere() {
    let setting = server(habits("epic")).await;
    setting.pulled().await;
    assert_eq!(
        setting.asked(&format!("/fhir/Patient/{}", chart::PATIENT)),
        1
    );
    assert_eq!(setting.queries("/fhir/Patient"), Vec::<String>::new());
    let everything = setting
        .mock
        .requests()
        .into_iter()
        .any(|one| one.path.contains("$everything"));
    assert!(!everything);
}

#[tokio::test]
async fn w36_what_changed_is_asked_for_in_the_one_way_that_every_server_takes() {
    let setting = whole_from(habits("oracle")).await;
    let asked = setting.queries("/fhir/MedicationRequest");
    let since = asked
        .iter()
        .filter(|query| query.contains("_lastUpdated=ge"));
    assert_eq!(since.count(), 1, "{asked:?}");
    let refused = setting
        .mock
        .requests()
        .into_iter()
        .filter(|one| one.status == 400);
    assert_eq!(refused.count(), 0, "and it is taken");
}

#[tokio::test]
async fn w38_w39_refusals_in_plain_text_are_refusals_and_parameters_that_are_not_known_are_left_out()
 {
    let quirks = made_of(
        json!({"refuses_unknown_parameters": true, "no_last_updated": true,
        "plain_text_errors": true, "search_needs": [{"type": "Goal", "one_of": ["lifecycle-status"]}]}),
    );
    let setting = server(quirks).await;
    let (id, report) = setting.pulled().await;
    let goals = step(&report, "Goal");
    assert_eq!(goals.outcome, StepOutcome::Failed);
    assert!(goals.problem.is_some() && !report.complete);
    let count = setting.engine.connection(&id).await.unwrap().record_count;
    assert_eq!(count, chart::records().len() as u64 - 1, "all but the goal");
}

#[tokio::test]
async fn w41_w42_w43_pages_are_as_long_as_the_server_likes_and_have_links_back() {
    whole_from(made_of(
        json!({"count_ignored_at_first": ["Observation"], "most_entries": 5}),
    ))
    .await;
    whole_from(habits("few-per-page")).await;
    whole_from(made_of(
        json!({"previous_link": "previous", "most_entries": 4}),
    ))
    .await;
    whole_from(made_of(json!({"previous_link": "prev", "most_entries": 4}))).await;
}

#[tokio::test]
async fn w44_a_last_page_that_leads_to_itself_is_the_last_one_when_all_are_counted() {
    let circling = |more: serde_json::Value| {
        let mut quirks = json!({"last_page_links_to_itself": true, "most_entries": 4});
        quirks
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        made_of(quirks)
    };
    whole_from(circling(json!({}))).await;
    let uncounted = server(circling(json!({"no_total": true}))).await;
    let (id, report) = uncounted.pulled().await;
    assert!(!report.complete, "nobody knows whether that is all");
    assert_eq!(step(&report, "Observation").outcome, StepOutcome::Failed);
    assert_eq!(
        uncounted.here(&id, "Observation").await,
        14,
        "what came stays"
    );
}

#[tokio::test]
async fn w45_a_page_that_lapsed_begins_the_search_anew_once_and_is_never_called_not_offered() {
    let setting = server(made_of(json!({"most_entries": 4}))).await;
    let id = setting.connect(setting.patient()).await;
    let gone = FaultKind::Status {
        status: 410,
        body: String::new(),
        content_type: String::new(),
    };
    for after in [6, 12, 18] {
        setting.mock.plan(&PlannedFault {
            endpoint: Endpoint::Fhir,
            fault: gone.clone(),
            client_id: None,
            after,
            times: 1,
        });
    }
    let report = setting.engine.sync(&id).await.unwrap();
    assert_whole(&setting, &id, &report).await;

    let hasty = server(made_of(json!({"most_entries": 4, "pages_live": 0}))).await;
    let (id, report) = hasty.pulled().await;
    let observations = step(&report, "Observation");
    assert_eq!(observations.outcome, StepOutcome::Failed);
    assert_eq!(
        observations.problem.as_ref().unwrap().code,
        "sync.server_error"
    );
    assert!(!report.complete);
    assert_eq!(
        hasty.here(&id, "Observation").await,
        4,
        "what came before stays"
    );
}

#[tokio::test]
async fn w46_a_total_that_is_wrong_or_missing_changes_nothing() {
    whole_from(made_of(json!({"total_of_page": true, "most_entries": 4}))).await;
    whole_from(made_of(json!({"no_total": true, "most_entries": 4}))).await;
}

#[tokio::test]
async fn w47_a_failure_in_the_middle_of_paging_is_a_failure_and_the_next_sync_makes_up_for_it() {
    let setting = server(made_of(json!({"most_entries": 4}))).await;
    let id = setting.connect(setting.patient()).await;
    let broken = FaultKind::Status {
        status: 500,
        body: String::new(),
        content_type: String::new(),
    };
    setting.mock.plan(&PlannedFault {
        endpoint: Endpoint::Fhir,
        fault: broken,
        client_id: None,
        after: 9,
        times: 1_000,
    });
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(!report.complete);
    let failed = report
        .steps
        .iter()
        .filter(|step| step.outcome == StepOutcome::Failed);
    assert!(failed.clone().count() > 0 && failed.clone().all(|step| step.problem.is_some()));
    setting.mock.clear_faults();
    let report = setting.engine.sync(&id).await.unwrap();
    assert_whole(&setting, &id, &report).await;
}
