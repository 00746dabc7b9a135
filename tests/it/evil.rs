//! A server that means harm, beside one that does not.

use crate::portal::Decision;
use crate::world::{Setting, setting};
use satchel_core::view::Role;
use satchel_core::{LoginOptions, RedirectKind};
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

fn sent(address: &str) -> HashMap<String, String> {
    let url = Url::parse(address).unwrap();
    url.query_pairs().into_owned().collect()
}

/// A server whose metadata sends everything that is signed to the honest one's token endpoint.
async fn evil(honest: &Setting, client_id: &str, loopback_only: bool) -> MockServer {
    let server = MockServer::start().await;
    let at = |place: &str| format!("{}{place}", server.uri());
    let document = json!({
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": format!("{}/auth/token", honest.mock.issuer().trim_end_matches('/')),
        "registration_endpoint": at("/register"),
        "capabilities": ["launch-standalone", "client-confidential-asymmetric", "permission-v2"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "grant_types_supported": ["authorization_code"]
    });
    let json_of = |value: &Value| {
        ResponseTemplate::new(200).set_body_raw(value.to_string(), "application/json")
    };
    Mock::given(method("GET"))
        .and(path("/fhir/.well-known/smart-configuration"))
        .respond_with(json_of(&document))
        .mount(&server)
        .await;
    let client_id = client_id.to_owned();
    Mock::given(method("POST"))
        .and(path("/register"))
        .respond_with(move |request: &Request| {
            let mut answer: Value = serde_json::from_slice(&request.body).unwrap();
            answer["client_id"] = client_id.clone().into();
            let mut uris = answer["redirect_uris"].as_array().unwrap().iter();
            let loopback = |uri: &Value| uri.as_str().unwrap().starts_with("http://127.0.0.1/");
            if loopback_only && !uris.all(loopback) {
                let refusal = r#"{"error":"invalid_redirect_uri"}"#;
                return ResponseTemplate::new(400).set_body_raw(refusal, "application/json");
            }
            ResponseTemplate::new(201).set_body_raw(answer.to_string(), "application/json")
        })
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn d10_an_assertion_that_an_evil_server_sends_to_the_honest_one_is_worth_nothing_there() {
    let honest = setting().await;
    // The honest server gives a code to this installation, and the evil one gets hold of it.
    let login = honest
        .engine
        .login_start(
            honest.mock.fhir_base(),
            Role::Patient,
            RedirectKind::Scheme,
            None,
        )
        .await
        .unwrap();
    let request = sent(&login.view.authorization_url);
    let person = honest.patient().clone();
    let callback = crate::portal::sign_in(
        &login.view.authorization_url,
        &person.username,
        &person.password,
        None,
        Decision::Approve,
    )
    .await;
    let stolen = sent(&callback)["code"].clone();
    let evil = evil(&honest, &request["client_id"], false).await;
    let base = format!("{}/fhir", evil.uri());
    let options = LoginOptions::new(Role::Patient, &[RedirectKind::Scheme], None);
    let tricked = honest.engine.login_begin(&base, &options).await.unwrap();
    let mine = sent(&tricked.view.authorization_url);
    assert_eq!(
        mine["client_id"], request["client_id"],
        "as the evil server wants it"
    );
    let answer = format!(
        "{}?code={stolen}&state={}",
        tricked.redirect_uri, mine["state"]
    );
    let problem = honest.engine.login_finish(&answer).await.unwrap_err();
    assert_eq!(problem.code.code(), "token.refused", "{problem:?}");
    let attempt = honest
        .mock
        .requests()
        .into_iter()
        .rfind(|one| one.path == "/auth/token");
    assert!(attempt.is_some_and(|one| one.status == 400 || one.status == 401));
    assert!(honest.mock.tokens().is_empty(), "no token came of it");
    // The honest sign-in goes on as if nothing had been.
    honest.engine.login_finish(&callback).await.unwrap();
}

#[tokio::test]
async fn h7_an_honest_answer_does_not_end_a_login_at_the_evil_server_nor_the_other_way_round() {
    let honest = setting().await;
    let callback = honest
        .callback_of(honest.patient(), Decision::Approve)
        .await;
    let evil = evil(&honest, "any", false).await;
    let base = format!("{}/fhir", evil.uri());
    let options = LoginOptions::new(Role::Patient, &[RedirectKind::Scheme], None);
    let tricked = honest.engine.login_begin(&base, &options).await.unwrap();
    let (state, code) = (
        &sent(&tricked.view.authorization_url)["state"],
        &sent(&callback)["code"],
    );
    let honest_path = callback.split('?').next().unwrap();
    let crossed = format!("{honest_path}?code={code}&state={state}");
    let problem = honest.engine.login_finish(&crossed).await.unwrap_err();
    assert_eq!(
        problem.code.code(),
        "login.bad_callback",
        "another server's address"
    );
    assert_eq!(honest.asked("/auth/token"), 0, "the code went nowhere");
    honest.engine.login_finish(&callback).await.unwrap();
}

#[tokio::test]
async fn c24_a_server_that_allows_loopback_only_is_asked_that_way() {
    let honest = setting().await;
    let server = evil(&honest, "c", true).await;
    let options = LoginOptions::new(
        Role::Patient,
        &[RedirectKind::Scheme, RedirectKind::Loopback],
        Some(4711),
    );
    let base = format!("{}/fhir", server.uri());
    let begun = honest.engine.login_begin(&base, &options).await.unwrap();
    assert_eq!(begun.redirect, RedirectKind::Loopback);
    assert!(
        begun.redirect_uri.starts_with("http://127.0.0.1:4711/"),
        "{}",
        begun.redirect_uri
    );
}
