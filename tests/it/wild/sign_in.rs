//! Discovery and the authorization endpoint.

use super::{assert_whole, habits, server};
use crate::world::{Setting, code};
use satchel_core::RedirectKind;
use satchel_core::view::{ConnectionStateView, Role, ScopeGrantView};
use satchel_mock::{Endpoint, FaultKind};
use serde_json::{Value, json};

/// The address of the portal to which a login leads.
async fn portal_address(setting: &Setting) -> url::Url {
    let base = setting.mock.fhir_base();
    let login = setting
        .engine
        .login_start(base, Role::Patient, RedirectKind::Scheme, None)
        .await
        .unwrap();
    login.view.authorization_url.parse().unwrap()
}

fn sent(url: &url::Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

/// What the portal answers to the request itself.
async fn portal_says(setting: &Setting) -> String {
    let url = portal_address(setting).await;
    let answer = reqwest::get(url).await.unwrap();
    answer.text().await.unwrap()
}

/// A person signs in and pulls everything at a server that is told about.
async fn works_when_told(vendor: &str, told: Value) {
    let mut setting = server(habits(vendor)).await;
    setting.told(told).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
}

#[tokio::test]
async fn w1_a_server_that_refuses_aud_is_not_sent_it_when_its_profile_says_so() {
    let setting = server(habits("no-aud")).await;
    assert!(
        portal_says(&setting).await.contains("(aud)"),
        "by the standard it is refused"
    );
    works_when_told("no-aud", json!({"aud": "omitted"})).await;
}

#[tokio::test]
async fn w2_aud_has_no_slash_at_its_end_unless_a_profile_says_so() {
    let setting = server(habits("aud-slash")).await;
    let url = portal_address(&setting).await;
    assert_eq!(sent(&url, "aud").as_deref(), Some(setting.mock.fhir_base()));
    assert!(!setting.mock.fhir_base().ends_with('/'));
    works_when_told("aud-slash", json!({"aud": "withSlash"})).await;
}

#[tokio::test]
async fn w3_scopes_that_a_server_does_not_list_are_asked_for_all_the_same() {
    let setting = server(habits("few-listed")).await;
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
}

#[tokio::test]
async fn w4_blue_button_is_asked_for_what_it_lists_and_not_for_what_it_refuses() {
    let setting = server(habits("bluebutton")).await;
    let url = portal_address(&setting).await;
    let asked = sent(&url, "scope").unwrap();
    assert!(
        asked.contains("patient/ExplanationOfBenefit.read") && !asked.contains('*'),
        "{asked}"
    );
    let mut setting = setting;
    setting
        .told(json!({"scopes": {"without": ["fhirUser", "offline_access"]}}))
        .await;
    let id = setting.connect(setting.patient()).await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
}

#[tokio::test]
async fn w5_a_server_of_smart_1_gets_no_word_of_smart_2_and_its_own_spelling() {
    let spelt = json!({"scopes": {"spelt": {"fhirUser": "fhiruser"}, "version": 1}});
    works_when_told("veradigm", spelt).await;
}

#[tokio::test]
async fn w6_a_server_of_smart_2_is_asked_for_letters() {
    let setting = server(habits("modmed")).await;
    let url = portal_address(&setting).await;
    let asked = sent(&url, "scope").unwrap();
    assert!(asked.contains(".rs") && !asked.contains(".read"), "{asked}");
    let (id, report) = setting.pulled().await;
    assert_whole(&setting, &id, &report).await;
}

#[tokio::test]
async fn w7_an_extra_scope_is_asked_for_where_the_profile_names_one() {
    works_when_told("kaiser-sandbox", json!({"scopes": {"with": ["sandbox"]}})).await;
}

#[tokio::test]
async fn w8_types_are_asked_for_one_by_one() {
    let setting = server(habits("few-listed")).await;
    let url = portal_address(&setting).await;
    let asked = sent(&url, "scope").unwrap();
    for kind in ["Organization", "Practitioner", "Observation"] {
        assert!(asked.contains(&format!("patient/{kind}.rs")), "{asked}");
    }
    assert!(!asked.contains('*'));
}

#[tokio::test]
async fn w10_scopes_that_a_server_no_longer_takes_end_the_sign_in_with_its_word() {
    let setting = server(habits("kaiser-sandbox")).await;
    let base = setting.mock.fhir_base();
    let login = setting
        .engine
        .login_start(base, Role::Patient, RedirectKind::Scheme, None)
        .await
        .unwrap();
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let answer = browser
        .build()
        .unwrap()
        .get(&login.view.authorization_url)
        .send()
        .await
        .unwrap();
    let callback = answer.headers()["location"].to_str().unwrap().to_owned();
    let problem = setting.engine.login_finish(&callback).await.unwrap_err();
    assert_eq!(problem.code.code(), "login.refused");
    assert!(problem.detail.unwrap().contains("invalid_scope"));
    let connections = setting.engine.connections().await.unwrap();
    assert_eq!(connections[0].state, ConnectionStateView::New);
}

#[tokio::test]
async fn w11_a_portal_that_shows_an_error_page_calls_nobody_back_and_the_sign_in_lapses() {
    let mut setting = server(habits("plain-json")).await;
    setting
        .mock
        .fault(Endpoint::Authorize, FaultKind::NotJson, 1);
    assert!(portal_says(&setting).await.contains("<h1>"));
    let waiting = setting.engine.logins_pending().await.unwrap();
    assert_eq!(waiting.len(), 1, "the person may still come back");
    setting.restart_later(700).await;
    assert!(setting.engine.logins_pending().await.unwrap().is_empty());
    let connections = setting.engine.connections().await.unwrap();
    assert_eq!(connections[0].state, ConnectionStateView::New);
}

#[tokio::test]
async fn w13_the_word_of_a_portal_for_the_other_kind_of_person_is_told() {
    let setting = server(habits("plain-json")).await;
    let url = portal_address(&setting).await;
    let (state, back) = (
        sent(&url, "state").unwrap(),
        sent(&url, "redirect_uri").unwrap(),
    );
    let iss = setting.mock.issuer();
    let callback = format!(
        "{back}?error=unauthorized_client&error_description=client-persona-mismatch&state={state}&iss={iss}"
    );
    let problem = setting.engine.login_finish(&callback).await.unwrap_err();
    assert_eq!(problem.code.code(), "login.refused");
    assert!(problem.detail.unwrap().contains("client-persona-mismatch"));
}

#[tokio::test]
async fn w14_a_practice_that_never_switched_its_endpoint_on_is_told_so() {
    let setting = server(habits("plain-json")).await;
    let gone = FaultKind::Status {
        status: 404,
        body: "<h1>no such practice</h1>".into(),
        content_type: "text/html".into(),
    };
    setting
        .mock
        .fault(Endpoint::SmartConfiguration, gone.clone(), 5);
    setting.mock.fault(Endpoint::Metadata, gone, 5);
    let base = setting.mock.fhir_base();
    assert_eq!(
        code(setting.engine.server_check(base).await),
        "server.not_fhir"
    );
}

#[tokio::test]
async fn w9_what_was_asked_for_and_not_granted_is_shown_and_not_asked_for() {
    let setting = server(habits("few-listed")).await;
    let id = setting.connect(setting.patient()).await;
    let access = setting
        .engine
        .connection(&id)
        .await
        .unwrap()
        .access
        .unwrap();
    assert!(
        access
            .scopes
            .iter()
            .all(|one| one.granted != ScopeGrantView::Nothing),
        "{access:?}"
    );
    assert!(access.not_shared.is_empty());
}
