//! Who answers: `iss` of the answer, and the issuer in what a server says about itself (checklist C34,
//! C35, A19, A20).

use super::rogue::{Rogue, ends, foiled, nothing_gained, query_of, victim};
use rstest::rstest;
use serde_json::{Value, json};

/// The answer with another `iss`; `{}` stands for the issuer.
async fn answered(document: Value, iss: &str, code: &str, names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.says(&document);
    let login = rogue.begin(&victim.engine).await.unwrap();
    let state = &query_of(&login.view.authorization_url)["state"];
    let iss = iss
        .replace("{CAPITALS}", &rogue.uri().to_uppercase())
        .replace("{}", &rogue.uri());
    let callback = format!("{}?code=c0de&state={state}{iss}", login.redirect_uri);
    let result = victim.engine.login_finish(&callback).await;
    ends(result, code, names);
    assert!(
        rogue.asked("/token").await.is_empty(),
        "the code went nowhere"
    );
    // What cannot be read ends no sign-in: the person's own answer may still come.
    let waits = victim.engine.login_pending().await.unwrap().is_some();
    assert_eq!(waits, code == "login.bad_callback");
    victim
        .engine
        .login_cancel(&login.view.connection_id)
        .await
        .unwrap();
    nothing_gained(&victim.engine).await;
}

#[rstest]
#[case::it_is_another_server("&iss=https://other.example", "other.example")]
#[case::it_is_left_out_although_promised("", "instead of")]
#[case::it_is_empty("&iss=", "instead of")]
#[case::it_has_a_slash_more("&iss={}/", "instead of")]
#[case::it_is_in_capitals("&iss={CAPITALS}", "instead of")]
#[case::it_begins_with_the_right_one("&iss={}.evil.example", "evil.example")]
#[tokio::test]
async fn c34_an_answer_with_a_wrong_iss(#[case] iss: &str, #[case] names: &str) {
    answered(json!({}), iss, "login.wrong_issuer", names).await;
}

#[tokio::test]
async fn c31_an_answer_with_two_iss() {
    let iss = "&iss={}&iss=https://other.example";
    answered(json!({}), iss, "login.bad_callback", "iss twice").await;
}

#[tokio::test]
async fn c34_an_error_from_another_server_is_not_told_as_the_persons_no() {
    let iss = "&iss=https://other.example&error=access_denied";
    answered(json!({}), iss, "login.wrong_issuer", "other.example").await;
}

#[tokio::test]
async fn c35_an_iss_of_elsewhere_from_a_server_that_names_no_issuer() {
    let silent = json!({"issuer": null, "authorization_response_iss_parameter_supported": null});
    let iss = "&iss=https://other.example";
    answered(silent, iss, "login.wrong_issuer", "other.example").await;
}

#[tokio::test]
async fn a19_the_issuers_own_metadata_names_somebody_else() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(|desk| desk.metadata["issuer"] = "https://other.example".into());
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.issuer_mismatch",
        "other.example",
    )
    .await;
    assert!(
        rogue.asked("/register").await.is_empty(),
        "nobody registered"
    );
}

#[tokio::test]
async fn a20_a_server_in_the_name_of_an_issuer_that_does_not_vouch_for_it() {
    let (rogue, victim, honest) = (Rogue::start().await, victim().await, Rogue::start().await);
    rogue.says(&json!({"issuer": honest.uri()}));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.issuer_mismatch",
        &honest.uri(),
    )
    .await;
    assert!(
        rogue.asked("/register").await.is_empty(),
        "nobody registered"
    );
}

#[tokio::test]
async fn a20_a_server_in_the_name_of_an_issuer_that_says_nothing() {
    let (rogue, victim, honest) = (Rogue::start().await, victim().await, Rogue::start().await);
    honest.answer(
        "/.well-known/openid-configuration",
        wiremock::ResponseTemplate::new(404),
    );
    rogue.says(&json!({"issuer": honest.uri()}));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.issuer_mismatch",
        &honest.uri(),
    )
    .await;
}

#[tokio::test]
async fn a19_the_issuer_differs_by_a_slash() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.says(&json!({"issuer": format!("{}/", rogue.uri())}));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.issuer_mismatch",
        "is not the expected",
    )
    .await;
}
