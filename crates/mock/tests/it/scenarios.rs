//! Named situations: each can be started, and does what it says.

use crate::portal::Decision;
use crate::tester::{Tester, error, exchange};
use reqwest::StatusCode;
use satchel_mock::{Scenario, World};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

const SCOPE: &str = "openid launch/patient offline_access patient/*.rs";

async fn at(name: &str) -> Tester {
    let all = Scenario::shipped().unwrap();
    let mut world = World {
        patients: 1,
        ..World::default()
    };
    let scenario = all.iter().find(|one| one.name == name);
    scenario.expect(name).apply(&mut world).unwrap();
    Tester::at(world).await
}

#[tokio::test]
async fn every_scenario_has_its_own_name_says_what_it_does_and_starts() {
    let all = Scenario::shipped().unwrap();
    assert!(all.len() >= 25, "{}", all.len());
    let names: BTreeSet<&str> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), all.len());
    for scenario in &all {
        assert!(
            scenario.about.ends_with('.') && scenario.about.len() > 20,
            "{}",
            scenario.name
        );
        at(&scenario.name).await;
    }
}

#[tokio::test]
async fn refresh_refused_signs_in_and_then_refuses_the_first_refresh() {
    let tester = at("refresh-refused").await;
    let (client_id, tokens) = tester.tokens(&tester.patient().clone(), SCOPE).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(tester.fhir(token, "Patient").await.0, StatusCode::OK);
    tester.mock.turn_clock(6);
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", client_id.as_str()),
    ];
    let refused = error(tester.token(&form).send().await.unwrap()).await;
    assert_eq!(
        refused,
        (StatusCode::BAD_REQUEST, "invalid_grant".to_owned())
    );
    assert_eq!(
        tester.token(&form).send().await.unwrap().status(),
        StatusCode::OK,
        "only the first"
    );
}

#[tokio::test]
async fn public_clients_only_refuses_every_other() {
    let tester = at("public-clients-only").await;
    let mut metadata = serde_json::json!({"redirect_uris": [crate::tester::REDIRECT]});
    metadata["token_endpoint_auth_method"] = "client_secret_basic".into();
    assert_eq!(
        error(tester.register(&metadata).await).await.1,
        "invalid_client_metadata"
    );
    tester.public_client().await;
}

#[tokio::test]
async fn id_token_scenarios_spoil_the_id_token_and_nothing_else() {
    for name in [
        "id-token-unsigned",
        "id-token-public-key-as-secret",
        "id-token-unknown-key",
        "id-token-wrong-nonce",
    ] {
        let tester = at(name).await;
        let client_id = tester.public_client().await;
        let answer = tester
            .sign_in(&client_id, SCOPE, tester.patient(), Decision::Approve)
            .await;
        let tokens = tester
            .token(&exchange(&client_id, &answer["code"]))
            .send()
            .await
            .unwrap();
        let tokens: Value = tokens.json().await.unwrap();
        let token = tokens["id_token"].as_str().unwrap();
        let header = jsonwebtoken::decode_header(token);
        let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap();
        match name {
            "id-token-unsigned" => assert!(token.ends_with('.')),
            "id-token-public-key-as-secret" => {
                assert_eq!(header.unwrap().alg, jsonwebtoken::Algorithm::HS256)
            }
            "id-token-unknown-key" => {
                let keys = tester.get(&tester.url("/auth/jwks")).await.to_string();
                assert!(!keys.contains(&header.unwrap().kid.unwrap()));
            }
            _ => assert_ne!(claims["nonce"], "the-nonce"),
        }
        assert_eq!(
            tester
                .fhir(tokens["access_token"].as_str().unwrap(), "Patient")
                .await
                .0,
            StatusCode::OK
        );
    }
}

#[test]
fn the_program_lists_them_takes_files_and_refuses_what_it_does_not_know() {
    let program = || Command::new(env!("CARGO_BIN_EXE_satchel-mock"));
    let listed = program().arg("scenarios").output().unwrap();
    assert!(listed.status.success());
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("refresh-refused") && listed.lines().count() >= 25,
        "{listed}"
    );
    for (name, said) in [
        ("sunshine", "there is no scenario and no file sunshine"),
        ("Cargo.toml", "cannot read Cargo.toml"),
    ] {
        let output = program().args(["--scenario", name]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(said), "{text}");
    }
    let mistakes = "[[scenario]]\nname = \"x\"\nabout = \"y\"\nlenient = [\"everything\"]\n";
    assert!(
        Scenario::read(mistakes)
            .unwrap_err()
            .contains("no looseness everything")
    );
}

#[tokio::test]
async fn a_scenario_sets_what_the_standards_leave_to_the_server() {
    let metadata = serde_json::json!({"redirect_uris": [crate::tester::REDIRECT]});
    let registered = async |name: &str| -> Value {
        let tester = at(name).await;
        tester.register(&metadata).await.json().await.unwrap()
    };
    let refused = registered("software-statement-required").await;
    assert_eq!(refused["error"], "unapproved_software_statement");
    let refused = registered("register-after-sign-in").await;
    assert_eq!(refused["error"], "invalid_token");
    let ends = registered("secrets-that-end").await;
    let issued = ends["client_id_issued_at"].as_i64().unwrap();
    let ends = ends["client_secret_expires_at"].as_i64().unwrap();
    assert!((9..=11).contains(&(ends - issued)));
    let alone = registered("no-management").await;
    assert!(alone["registration_client_uri"].is_null() && alone["client_id"].is_string());
}

#[tokio::test]
async fn idle_refresh_and_token_revoked_do_as_they_say() {
    let tester = at("idle-refresh").await;
    let (client_id, tokens) = tester.tokens(&tester.patient().clone(), SCOPE).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", client_id.as_str()),
    ];
    tester.mock.turn_clock(11);
    let refused = error(tester.token(&form).send().await.unwrap()).await;
    assert_eq!(refused.1, "invalid_grant");

    let tester = at("token-revoked").await;
    let token = tester.access_token(SCOPE).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(tester.fhir_status(&token, "Patient").await.as_u16());
    }
    assert_eq!(seen, [200, 200, 200, 401, 401]);
}
