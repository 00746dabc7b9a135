//! The tester's controls from Rust: the same as over HTTP.

use crate::portal::Decision;
use crate::tester::{REDIRECT, Tester, exchange};
use reqwest::StatusCode;
use satchel_mock::population::AccountRole;
use satchel_mock::{Endpoint, FaultKind, MockServer, NewPerson, PlannedFault, World};
use serde_json::{Value, json};

const SCOPE: &str = "launch/patient patient/*.rs";

/// Does by Rust what an operation of the control API does, and looks at what came of it. An operation
/// without an arm here has no counterpart.
fn counterpart(mock: &MockServer, operation: &str) {
    let fault = |client_id: Option<&str>| PlannedFault {
        endpoint: Endpoint::Fhir,
        fault: FaultKind::Drop,
        client_id: client_id.map(str::to_owned),
        after: 2,
        times: 3,
    };
    let client = json!({"client_id": "by-hand", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
    let is_known = |id: &str| mock.clients().iter().any(|one| one["client_id"] == id);
    let has = |name: &str| mock.people().iter().any(|one| one.username == name);
    let aunt = || NewPerson {
        username: Some("aunt".to_owned()),
        patient_ids: vec!["pt-10000".to_owned()],
        ..NewPerson::default()
    };
    match operation {
        "GET /_mock/openapi.json" => assert!(MockServer::openapi().contains("\"openapi\"")),
        "GET /_mock/requests" | "GET /_mock/ui/requests" => assert!(mock.requests().is_empty()),
        "GET /_mock/counts" => assert_eq!(mock.counts().unwrap()["Patient"], 2),
        "GET /_mock/tokens" => assert!(mock.tokens().is_empty()),
        "POST /_mock/faults" => {
            mock.plan(&fault(Some("an-app")));
            let planned = mock.planned();
            assert!(planned[0].contains("of an-app after 2 × 3"), "{planned:?}");
        }
        "DELETE /_mock/faults" | "POST /_mock/ui/calm" => {
            mock.plan(&fault(None));
            mock.clear_faults();
            assert!(mock.planned().is_empty());
        }
        "POST /_mock/ui/scenario" => {
            assert!(mock.plan_scenario("busy") && !mock.planned().is_empty());
            assert!(!mock.plan_scenario("sunshine"));
        }
        "POST /_mock/access" => {
            assert!(!mock.set_app_access("nobody", None, false));
            assert!(mock.add_client(&client).is_ok());
            assert!(mock.set_app_access("by-hand", Some("riverbend"), false));
        }
        "POST /_mock/ui/access" => mock.set_access(false),
        "GET /_mock/clients" => assert!(!is_known("by-hand")),
        "POST /_mock/clients" => {
            assert_eq!(mock.add_client(&client).unwrap(), "by-hand");
            assert!(mock.add_client(&json!({})).is_err() && is_known("by-hand"));
        }
        "DELETE /_mock/clients" => {
            assert!(mock.add_client(&client).is_ok() && mock.remove_client("by-hand"));
            assert!(!mock.remove_client("by-hand") && !is_known("by-hand"));
        }
        "GET /_mock/people" | "GET /_mock/ui" => assert!(has("dr.chen") && !has("aunt")),
        "POST /_mock/people" => {
            let made = mock.add_person(aunt()).unwrap();
            assert_eq!(made.role, AccountRole::Patient);
            assert!(has("aunt") && mock.add_person(aunt()).is_err());
        }
        "DELETE /_mock/people" => {
            mock.add_person(aunt()).unwrap();
            assert!(mock.remove_person("aunt") && !has("aunt") && !mock.remove_person("aunt"));
        }
        "GET /_mock/practices" => assert_eq!(mock.practices().len(), 1),
        "POST /_mock/practices" => {
            assert!(mock.add_practice("hill", "Hill") && !mock.add_practice("hill", "Again"));
            assert!(mock.practices().iter().any(|one| one.name == "Hill"));
        }
        "DELETE /_mock/practices" => {
            assert!(!mock.remove_practice("hill") && mock.add_practice("hill", "Hill"));
            assert!(mock.remove_practice("hill") && mock.practices().len() == 1);
        }
        "POST /_mock/keys" => assert!(mock.rotate_keys()),
        "GET /_mock/clock" => assert!(mock.now() > 1_700_000_000),
        "POST /_mock/clock" | "POST /_mock/ui/clock" => {
            let before = mock.now();
            mock.turn_clock(3600);
            assert!((3600..3610).contains(&(mock.now() - before)));
        }
        other => panic!("{other} has no counterpart in Rust"),
    }
}

#[tokio::test]
async fn every_operation_of_the_control_api_has_its_counterpart_in_rust() {
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let mut done = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let world = World {
                patients: 2,
                ..World::default()
            };
            let mock = MockServer::start(world).await.unwrap();
            counterpart(&mock, &format!("{} {path}", method.to_uppercase()));
            done += 1;
        }
    }
    assert!(done > 20, "{done}");
}

#[tokio::test]
async fn what_is_done_from_rust_is_seen_over_http() {
    let tester = Tester::new().await;
    tester.mock.add_practice("hill", "Hill");
    let patient = tester
        .mock
        .add_person(NewPerson {
            practice: Some("hill".to_owned()),
            ..NewPerson::default()
        })
        .unwrap();
    let client = json!({"client_id": "by-hand", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
    tester.mock.add_client(&client).unwrap();
    let answer = tester
        .sign_in("by-hand", SCOPE, &patient, Decision::Approve)
        .await;
    let tokens = tester.token(&exchange("by-hand", &answer["code"]));
    let tokens: Value = tokens.send().await.unwrap().json().await.unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let read = async || tester.fhir_status(token, "Patient").await.as_u16();
    assert_eq!(read().await, 200);
    let switch = |practice, enabled| {
        assert!(
            tester
                .mock
                .set_app_access("by-hand", Some(practice), enabled)
        );
    };
    switch("riverbend", false);
    assert_eq!(read().await, 200, "another practice's decision");
    switch("hill", false);
    assert_eq!(read().await, 401);
    switch("hill", true);
    tester.mock.plan(&PlannedFault {
        endpoint: Endpoint::Fhir,
        fault: FaultKind::TooManyRequests { retry_after: None },
        client_id: Some("by-hand".to_owned()),
        after: 1,
        times: 2,
    });
    let other = tester.access_token(SCOPE).await;
    assert_eq!(tester.fhir_status(&other, "Patient").await, StatusCode::OK);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(read().await);
    }
    assert_eq!(seen, [200, 429, 429, 200]);
    assert!(tester.mock.remove_practice("hill"));
    assert_eq!(read().await, 401);
}
