//! The server's published keys, swapped or spoilt (checklist D31).

use super::rogue::{Rogue, Signing, foiled, json_answer, victim};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

#[tokio::test]
async fn d31_keys_that_are_swapped_between_two_looks_at_them() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(|desk| {
        // The first look finds no such key, the second one a stranger's under its name.
        let swapped = json!({"keys": [desk.strange_key("rogue-1")]});
        let answers = [json!({"keys": []}), swapped].map(|keys| json_answer(200, &keys));
        desk.answer_with("/jwks", answers.to_vec());
    });
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "login.id_token", "signature").await;
    assert_eq!(rogue.asked("/jwks").await.len(), 2, "and no third look");
}

#[tokio::test]
async fn d31_several_keys_and_no_kid_to_choose_by() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(|desk| {
        desk.header = json!({"kid": null});
        let mut keys = desk.keys();
        let stranger = desk.strange_key("rogue-2");
        keys["keys"].as_array_mut().unwrap().push(stranger);
        desk.answer_with("/jwks", vec![json_answer(200, &keys)]);
    });
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "login.id_token", "not among").await;
}

#[tokio::test]
async fn d31_two_keys_under_one_kid() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(|desk| {
        let mut keys = desk.keys();
        let stranger = desk.strange_key("rogue-1");
        keys["keys"].as_array_mut().unwrap().push(stranger);
        desk.answer_with("/jwks", vec![json_answer(200, &keys)]);
        desk.signing = Signing::Stranger;
    });
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "login.id_token", "not among").await;
}

#[tokio::test]
async fn a24_keys_that_lie_at_another_origin_by_a_redirect() {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    let there = format!("{}/jwks", thief.uri());
    let redirect = ResponseTemplate::new(302).insert_header("Location", there.as_str());
    rogue.answer("/jwks", redirect);
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "login.id_token",
        "which is not followed",
    )
    .await;
    assert!(thief.all_requests().await.is_empty());
}

#[tokio::test]
async fn d31_a_key_for_encryption_only() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(|desk| {
        let mut keys = desk.keys();
        keys["keys"][0]["use"] = "enc".into();
        desk.answer_with("/jwks", vec![json_answer(200, &keys)]);
    });
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "login.id_token", "not among").await;
}

#[rstest]
#[case::no_keys(json!({"keys": []}), "not among")]
#[case::no_key_set(json!([]), "not among")]
#[case::a_shared_secret(json!({"keys": [{"kty": "oct", "kid": "rogue-1", "k": "c2VjcmV0"}]}), "not among")]
#[case::a_point_that_is_not_on_the_curve(json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "rogue-1",
    "x": "AAAA", "y": "AAAA"}]}), "id_token")]
#[tokio::test]
async fn d31_keys_that_are_none(#[case] keys: Value, #[case] names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.answer("/jwks", json_answer(200, &keys));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "login.id_token", names).await;
}

#[tokio::test]
async fn d31_keys_that_the_server_does_not_hand_out() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.answer("/jwks", ResponseTemplate::new(500));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "login.id_token",
        "keys could not be read",
    )
    .await;
}
