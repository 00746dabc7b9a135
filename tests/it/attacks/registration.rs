//! Answers to a registration that want more than they should (checklist B21, B26, RFC 7592 §3).

use super::rogue::{Rogue, foiled, json_answer, said, victim};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

#[rstest]
#[case::another_way_back(json!({"redirect_uris": ["https://evil.example/callback"]}),
    "registration.invalid_redirect_uri", "none of the")]
#[case::no_way_back(json!({"redirect_uris": []}), "registration.invalid_redirect_uri", "none of the")]
#[case::a_way_back_that_is_nearly_ours(json!({"redirect_uris": ["org.satchel.app:/callback"]}),
    "registration.invalid_redirect_uri", "none of the")]
#[case::no_client_id(json!({"client_id": null}), "registration.unusable", "no client_id")]
#[case::an_empty_client_id(json!({"client_id": ""}), "registration.unusable", "no client_id")]
#[case::a_password_that_it_does_not_send(json!({"token_endpoint_auth_method": "client_secret_basic"}),
    "registration.unusable", "client_secret_basic")]
#[case::a_proof_that_nobody_knows(json!({"token_endpoint_auth_method": "tls_client_auth"}),
    "registration.unusable", "tls_client_auth")]
#[tokio::test]
async fn b21_a_registration_with(#[case] answer: Value, #[case] code: &str, #[case] names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(|desk| desk.registered = answer);
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, code, names).await;
    assert!(
        rogue.asked("/token").await.is_empty(),
        "no sign-in was begun"
    );
}

#[tokio::test]
async fn b25_an_address_of_the_registration_at_another_origin_never_gets_its_token() {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    rogue.change(|desk| {
        desk.registered = json!({
            "registration_client_uri": format!("{}/register/1", thief.uri()),
            "registration_access_token": "the-registrations-token"
        });
    });
    let id = rogue.sign_in(&victim.engine).await.unwrap();
    let shown = victim.engine.registration_read(&id).await.unwrap();
    assert!(!shown.read_from_server, "there is no address to read it at");
    victim.engine.remove(&id).await.unwrap();
    assert!(
        thief.all_requests().await.is_empty(),
        "nothing arrived there"
    );
}

#[tokio::test]
async fn b26_an_address_of_the_registration_that_redirects_elsewhere_takes_no_token_with_it() {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    rogue.change(|desk| {
        desk.registered = json!({
            "registration_client_uri": format!("{}/register/1", rogue.uri()),
            "registration_access_token": "the-registrations-token"
        });
    });
    let there = format!("{}/register/1", thief.uri());
    let redirect = ResponseTemplate::new(307).insert_header("Location", there.as_str());
    rogue.answer("/register/1", redirect);
    let id = rogue.sign_in(&victim.engine).await.unwrap();
    let result = victim.engine.registration_read(&id).await;
    super::rogue::ends(result, "network.redirected", "did not follow");
    victim.engine.remove(&id).await.unwrap();
    assert!(
        thief.all_requests().await.is_empty(),
        "nothing arrived there"
    );
}

#[tokio::test]
async fn b26_a_registration_that_turns_into_another_apps() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(|desk| {
        desk.registered = json!({
            "registration_client_uri": format!("{}/register/1", rogue.uri()),
            "registration_access_token": "the-registrations-token"
        });
    });
    let id = rogue.sign_in(&victim.engine).await.unwrap();
    rogue.answer(
        "/register/1",
        json_answer(200, &json!({"client_id": "another-app"})),
    );
    let result = victim.engine.registration_read(&id).await;
    super::rogue::ends(result, "registration.unusable", "another client_id");
    let report = victim.engine.sync(&id).await.unwrap();
    assert!(report.complete, "the registration is as it was: {report:?}");
}

#[tokio::test]
async fn b1_a_registration_endpoint_that_redirects_elsewhere() {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    let base = rogue.base();
    victim
        .engine
        .registration_introduce(&base, "the-introduction".to_owned().into())
        .await
        .unwrap();
    let there = format!("{}/register", thief.uri());
    let redirect = ResponseTemplate::new(307).insert_header("Location", there.as_str());
    rogue.answer("/register", redirect);
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "network.redirected",
        "did not follow",
    )
    .await;
    assert!(
        thief.all_requests().await.is_empty(),
        "no introduction arrived there"
    );
}

#[tokio::test]
async fn a23_a_registration_endpoint_that_moves_after_the_registration() {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    rogue.sign_in(&victim.engine).await.unwrap();
    rogue.says(&json!({"token_endpoint": format!("{}/token", thief.uri())}));
    rogue.change(|desk| desk.metadata["token_endpoint"] = format!("{}/token", thief.uri()).into());
    let problem = rogue.sign_in(&victim.engine).await.unwrap_err();
    said(&problem.view(), "server.moved", &thief.uri());
    assert!(
        thief.all_requests().await.is_empty(),
        "nothing arrived there"
    );
}
