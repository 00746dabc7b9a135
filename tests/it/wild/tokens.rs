//! What comes with tokens, and what does not.

use super::{assert_whole, habits, made_of, server, server_with, step};
use crate::faults::chart;
use crate::world::setting_with_clock;
use satchel_core::view::StepOutcome;
use satchel_mock::{Endpoint, FaultKind, World};
use serde_json::json;
use std::time::Duration;

fn bluebutton() -> serde_json::Value {
    json!({"scopes": {"without": ["fhirUser", "offline_access"]}})
}

#[tokio::test]
async fn w16_a_patient_that_no_token_names_is_found_in_the_records() {
    let claims = [
        super::about("Coverage", "cov-1", json!({"status": "active"})),
        chart::records().remove(0),
    ];
    let mut claims = claims.to_vec();
    claims[0]["beneficiary"] = json!({"reference": format!("Patient/{}", chart::PATIENT)});
    let mut setting = server_with(habits("bluebutton"), &claims).await;
    setting.told(bluebutton()).await;
    let (id, report) = setting.pulled().await;
    assert!(report.complete, "{report:#?}");
    let connection = setting.engine.connection(&id).await.unwrap();
    assert!(connection.patient_name.is_some(), "{connection:?}");
    assert_eq!(
        setting.connect(setting.patient()).await,
        id,
        "signing in again is the same person"
    );
}

#[tokio::test]
async fn w17_a_refresh_that_names_no_patient_leaves_the_one_of_the_sign_in() {
    let world = World {
        patients: 1,
        quirks: habits("oracle"),
        ..World::default()
    };
    let (setting, clock) = setting_with_clock(world).await;
    let id = setting.connect(setting.patient()).await;
    setting.pass(&clock, 590);
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    assert_eq!(setting.renewed(), 2);
    let connection = setting.engine.connection(&id).await.unwrap();
    assert!(connection.patient_name.is_some());
}

#[tokio::test]
async fn w23_a_token_of_ten_minutes_that_ends_in_the_middle_is_renewed_and_nothing_is_lost() {
    let world = World {
        patients: 1,
        quirks: habits("oracle"),
        ..World::default()
    };
    let (setting, clock) = setting_with_clock(world).await;
    let id = setting.connect(setting.patient()).await;
    setting
        .mock
        .fault(Endpoint::Fhir, FaultKind::Delay { ms: 60 }, 40);
    let (report, ()) = tokio::join!(setting.engine.sync(&id), async {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(250)).await;
            setting.pass(&clock, 600);
        }
    });
    let report = report.unwrap();
    assert!(report.complete, "{report:#?}");
    assert!(setting.renewed() >= 3, "{}", setting.renewed());
}

#[tokio::test]
async fn w24_w25_a_claim_of_the_token_goes_with_every_request_where_the_profile_says_so() {
    let mut setting = server(habits("athena-practice")).await;
    let (_, report) = setting.pulled().await;
    assert!(!report.complete, "without it nothing is given: {report:#?}");
    setting
        .told(json!({"repeats": {"claim": "ah_practice", "parameter": "ah-practice", "prefix": "Organization/"}}))
        .await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
    let told = json!({"repeats": {"claim": "ah_practice", "parameter": "ah-practice", "prefix": "Organization/"}});
    let mut opaque = server(made_of(json!({}))).await;
    opaque.told(told).await;
    let (id, report) = opaque.pulled().await;
    assert_whole(&opaque, &id, &report).await;
}

#[tokio::test]
async fn w26_a_server_that_refuses_each_request_sees_few_token_requests() {
    let setting = server(made_of(json!({}))).await;
    let id = setting.connect(setting.patient()).await;
    let refused = FaultKind::Status {
        status: 401,
        body: String::new(),
        content_type: String::new(),
    };
    setting.mock.fault(Endpoint::Fhir, refused, 1_000);
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(!report.complete);
    assert_eq!(step(&report, "Patient").outcome, StepOutcome::Failed);
    assert!(
        setting.asked("/auth/token") <= 3,
        "{}",
        setting.asked("/auth/token")
    );
}
