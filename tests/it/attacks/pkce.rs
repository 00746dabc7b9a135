//! PKCE taken away (checklist A6, RFC 9700 §4.8).

use super::rogue::{Rogue, foiled, form_of, victim};
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[case::it_offers_plain_only(json!({"code_challenge_methods_supported": ["plain"]}))]
#[case::it_offers_nothing(json!({"code_challenge_methods_supported": []}))]
#[case::it_says_nothing_about_it(json!({"code_challenge_methods_supported": null}))]
#[case::it_offers_something_like_it(json!({"code_challenge_methods_supported": ["s256", "S-256"]}))]
#[case::it_offers_it_as_a_text(json!({"code_challenge_methods_supported": "S256"}))]
#[tokio::test]
async fn a6_a_server_that_talks_pkce_down(#[case] document: Value) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.says(&document);
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.pkce_missing",
        "PKCE with S256",
    )
    .await;
    assert!(
        rogue.asked("/register").await.is_empty(),
        "nobody registered"
    );
    assert!(rogue.asked("/token").await.is_empty());
}

#[tokio::test]
async fn a6_pkce_that_is_taken_away_after_the_first_sign_in() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let id = rogue.sign_in(&victim.engine).await.unwrap();
    victim.engine.remove(&id).await.unwrap();
    rogue.says(&json!({"code_challenge_methods_supported": ["plain"]}));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.pkce_missing",
        "PKCE with S256",
    )
    .await;
    assert_eq!(
        rogue.asked("/token").await.len(),
        1,
        "the first sign-in's only"
    );
}

#[tokio::test]
async fn c5_a_server_that_checks_no_challenge_and_a_foreign_code() {
    // Whoever injected the code began another sign-in: its id_token has that one's nonce.
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(|desk| desk.claims = json!({"nonce": "of-the-attackers-sign-in"}));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "login.id_token", "another login").await;
    let form = form_of(&rogue.asked("/token").await[0]);
    assert!(
        form["code_verifier"].len() >= 43,
        "the verifier is sent, whether checked or not"
    );
}

#[rstest]
#[case::with_a_challenge_of_its_own("code_challenge", "code_challenge")]
#[case::with_a_method_of_its_own("code_challenge_method", "code_challenge_method")]
#[case::with_a_way_back_of_its_own("redirect_uri", "redirect_uri")]
#[case::with_a_state_of_its_own("state", "state")]
#[tokio::test]
async fn c8_an_authorization_endpoint(#[case] parameter: &str, #[case] names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let endpoint = format!("{}/authorize?{parameter}=theirs", rogue.uri());
    rogue.says(&json!({"authorization_endpoint": endpoint}));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "server.bad_configuration", names).await;
}
