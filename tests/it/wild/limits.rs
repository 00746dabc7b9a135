//! How much a server bears, and what else goes on around it.

use super::{assert_whole, habits, made_of, server, step};
use crate::world::code;
use satchel_core::RedirectKind;
use satchel_core::view::{RecordKey, Role, StepOutcome};
use satchel_mock::{Endpoint, FaultKind};
use serde_json::json;

#[tokio::test]
async fn w78_a_limit_that_says_when_it_ends_in_its_own_header_is_waited_for() {
    let setting = server(made_of(json!({"requests_per_minute": 30}))).await;
    let id = setting.connect(setting.patient()).await;
    let (report, ()) = tokio::join!(setting.engine.sync(&id), async {
        // A minute at the server's clock: the wait that it asks for is then a short one.
        for _ in 0..20 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            setting.mock.turn_clock(6);
        }
    });
    let report = report.unwrap();
    assert_whole(&setting, &id, &report).await;
    let busy = setting
        .mock
        .requests()
        .into_iter()
        .filter(|one| one.status == 429)
        .count();
    assert!((1..12).contains(&busy), "{busy}");
}

#[tokio::test]
async fn w79_few_requests_are_under_way_at_a_time() {
    let setting = server(made_of(json!({}))).await;
    let id = setting.connect(setting.patient()).await;
    setting
        .mock
        .fault(Endpoint::Fhir, FaultKind::Delay { ms: 20 }, 1_000);
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    let most = setting.mock.most_at_once();
    assert!((2..=6).contains(&most), "{most} at once");
}

#[tokio::test]
async fn w80_a_document_that_cannot_be_read_fails_alone_and_is_named() {
    let setting = server(made_of(json!({"failing_reads": ["Binary/note-1"]}))).await;
    let (id, report) = setting.pulled().await;
    let contents = report.steps.last().unwrap();
    assert_eq!(contents.outcome, StepOutcome::Failed);
    assert_eq!(contents.problem.as_ref().unwrap().code, "sync.server_error");
    assert!(!report.complete);
    let key = |kind: &str, record: &str| RecordKey {
        connection_id: id.clone(),
        resource_type: kind.to_owned(),
        id: record.to_owned(),
    };
    let other = setting
        .engine
        .attachments(&key("DocumentReference", "doc-1"))
        .await
        .unwrap();
    assert_eq!(other[0].text.as_deref(), Some("world"));
    let missing = setting
        .engine
        .attachments(&key("DiagnosticReport", "report-1"))
        .await
        .unwrap();
    assert!(missing[0].missing.is_some());
}

#[tokio::test]
async fn w81_an_app_that_the_site_does_not_know_yet_is_told_so_and_may_try_again() {
    let setting = server(made_of(json!({}))).await;
    let unknown = FaultKind::TokenError {
        error: "invalid_client".into(),
        status: 401,
    };
    setting.mock.fault(Endpoint::Token, unknown, 1);
    assert_eq!(setting.failed_login().await, "token.refused");
    setting.connect(setting.patient()).await;
}

#[tokio::test]
async fn w84_no_request_of_a_browsers_kind_is_made() {
    let setting = server(made_of(json!({}))).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
    let preflight = setting
        .mock
        .requests()
        .into_iter()
        .filter(|one| one.method == "OPTIONS");
    assert_eq!(preflight.count(), 0);
}

#[tokio::test]
async fn w12_a_server_without_registration_or_a_way_back_says_so_before_anybody_signs_in() {
    let setting = server(habits("no-registration")).await;
    let base = setting.mock.fhir_base();
    let started = setting
        .engine
        .login_start(base, Role::Patient, RedirectKind::Scheme, None)
        .await;
    assert_eq!(code(started.map(|_| ())), "registration.not_offered");
    let setting = server(made_of(json!({}))).await;
    let base = setting.mock.fhir_base();
    let https = setting
        .engine
        .login_start(base, Role::Patient, RedirectKind::Https, None)
        .await;
    assert_eq!(code(https.map(|_| ())), "login.redirect_not_available");
}

#[tokio::test]
async fn w86_one_refused_kind_does_not_stop_the_others_and_is_named() {
    let setting = server(habits("refusing")).await;
    let (id, report) = setting.pulled().await;
    let goals = step(&report, "Goal");
    assert_eq!(
        (goals.outcome, goals.name.as_str()),
        (StepOutcome::NotShared, "Goals")
    );
    assert!(goals.problem.is_some() && !report.complete);
    assert_eq!(setting.here(&id, "Observation").await, 14);
    assert_eq!(
        setting.queries("/fhir/Goal").len(),
        2,
        "it is asked for once more"
    );
    let again = setting.engine.sync(&id).await.unwrap();
    assert!(again.complete, "the same refusal twice is a fact");
    assert_eq!(setting.queries("/fhir/Goal").len(), 3);
}
