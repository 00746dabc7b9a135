//! What a health record app owes the person who uses it (section H of the checklist), over the whole
//! product.

use crate::portal::Decision;
use crate::world::{code, setting};
use satchel_core::view::Role;
use satchel_core::{Keychain, LoginOptions, RedirectKind};
use satchel_mock::{Endpoint, FaultKind};
use serde_json::Value;
use std::collections::HashMap;
use url::Url;

fn sent(address: &str) -> HashMap<String, String> {
    let url = Url::parse(address).unwrap();
    url.query_pairs().into_owned().collect()
}

fn file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn h4_the_window_may_only_call_our_commands_and_loads_nothing_from_elsewhere() {
    let config: Value = serde_json::from_str(&file("tauri.conf.json")).unwrap();
    let security = &config["app"]["security"];
    let policy = security["csp"].as_str().unwrap();
    for word in [
        "unsafe-inline",
        "unsafe-eval",
        "https:",
        "wss:",
        "*",
        "blob:",
    ] {
        assert!(!policy.contains(word), "{word} in {policy}");
    }
    for directive in [
        "default-src 'none'",
        "object-src 'none'",
        "form-action 'none'",
    ] {
        assert!(policy.contains(directive), "{directive} in {policy}");
    }
    assert!(security["dangerousDisableAssetCspModification"].is_null());
    let capabilities = security["capabilities"].as_array().unwrap();
    assert_eq!(capabilities.len(), 1);
    assert!(capabilities[0]["remote"].is_null());
    for permission in capabilities[0]["permissions"].as_array().unwrap() {
        let permission = permission.as_str().unwrap();
        assert!(permission.starts_with("core:event:allow-"), "{permission}");
    }
}

#[test]
fn h4_no_type_of_the_window_has_a_member_for_a_token_or_a_secret() {
    let members: Vec<String> = file("ui/src/api/bindings.ts")
        .split([',', ';', '{', '}'])
        .filter_map(|part| part.rsplit("*/").next()?.split_once(':'))
        .map(|(name, _)| name.trim().to_ascii_lowercase())
        .collect();
    assert!(members.iter().any(|name| name == "connectionid"));
    for secret in [
        "token",
        "secret",
        "verifier",
        "password",
        "privatekey",
        "assertion",
    ] {
        let named: Vec<_> = members
            .iter()
            .filter(|name| name.ends_with(secret))
            .collect();
        assert!(named.is_empty(), "{named:?}");
    }
}

#[tokio::test]
async fn h8_a_foreign_code_or_state_and_a_callback_that_comes_again_are_worth_nothing() {
    let (mine, theirs) = (setting().await, setting().await);
    let callback = mine.callback_of(mine.patient(), Decision::Approve).await;
    let other = theirs
        .callback_of(theirs.patient(), Decision::Approve)
        .await;
    // Our code with the state of another installation's sign-in: nobody here waits for that.
    let address = callback.split('?').next().unwrap();
    let (code_of, state_of) = (
        sent(&callback)["code"].clone(),
        sent(&other)["state"].clone(),
    );
    let foreign_state = format!("{address}?code={code_of}&state={state_of}");
    let answer = mine.engine.login_finish(&foreign_state).await;
    assert_eq!(code(answer), "login.unknown_state");
    assert_eq!(mine.asked("/auth/token"), 0);
    // Another installation's code with our state: the verifier is not that code's.
    let state = &sent(&callback)["state"];
    let mut injected = Url::parse(&callback).unwrap();
    injected.set_query(None);
    for (name, value) in sent(&callback) {
        let value = if name == "code" {
            sent(&other)["code"].clone()
        } else {
            value
        };
        injected.query_pairs_mut().append_pair(&name, &value);
    }
    assert!(sent(injected.as_str())["state"] == *state);
    let answer = mine.engine.login_finish(injected.as_str()).await;
    assert!(code(answer).starts_with("token."));
    // The pending sign-in was taken by that: the real answer comes to nobody.
    let answer = mine.engine.login_finish(&callback).await;
    assert_eq!(code(answer), "login.unknown_state");
    // And one that ended well does not end well twice.
    let again = mine.callback_of(mine.patient(), Decision::Approve).await;
    mine.engine.login_finish(&again).await.unwrap();
    assert_eq!(
        code(mine.engine.login_finish(&again).await),
        "login.unknown_state"
    );
}

#[tokio::test]
async fn h9_an_answer_that_names_another_address_is_followed_nowhere() {
    let setting = setting().await;
    let elsewhere = wiremock::MockServer::start().await;
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let target = elsewhere.uri();
    let mut answer = Url::parse(&callback).unwrap();
    for name in [
        "redirect",
        "redirect_uri",
        "next",
        "returnTo",
        "url",
        "target_link_uri",
    ] {
        answer.query_pairs_mut().append_pair(name, &target);
    }
    setting.engine.login_finish(answer.as_str()).await.unwrap();
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn h11_a_call_that_is_sent_on_to_another_origin_is_not_followed_with_the_token() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let elsewhere = wiremock::MockServer::start().await;
    let redirect = FaultKind::RedirectElsewhere {
        status: 307,
        origin: elsewhere.uri(),
    };
    setting.mock.fault(Endpoint::Fhir, redirect, 1_000);
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(!report.complete);
    assert!(
        elsewhere.received_requests().await.unwrap().is_empty(),
        "not even without the token"
    );
    // A typed http:// address of a server elsewhere gets no request in clear.
    let options = LoginOptions::new(Role::Patient, &[RedirectKind::Scheme], None);
    let typed = setting
        .engine
        .login_begin("http://ehr.example.org/fhir", &options);
    assert_eq!(code(typed.await), "server.not_https");
}

#[tokio::test]
async fn h13_a_removed_connections_keys_are_gone_from_the_keychain() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let names = key_names(&setting).await;
    assert!(!names.is_empty());
    setting.engine.remove(&id).await.unwrap();
    let keychain: Keychain = setting.keychain();
    for name in names {
        for name in [name.clone(), format!("{name}/management")] {
            assert!(
                keychain.get(&name).await.unwrap().is_none(),
                "{name} is left"
            );
        }
    }
    let row = setting.store().await.registrations_list().await.unwrap();
    assert!(row.is_empty());
}

async fn key_names(setting: &crate::world::Setting) -> Vec<String> {
    let rows = setting.store().await.registrations_list().await.unwrap();
    rows.into_iter().filter_map(|row| row.key_name).collect()
}

#[tokio::test]
async fn d18_one_sign_in_is_for_the_one_server_that_the_person_added() {
    let setting = setting().await;
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let login = setting.engine.login_pending().await.unwrap().unwrap();
    let asked = sent(&login.authorization_url);
    assert!(!asked.contains_key("authorization_details"));
    assert_eq!(asked["aud"], setting.mock.fhir_base());
    setting.engine.login_finish(&callback).await.unwrap();
    assert_eq!(setting.engine.connections().await.unwrap().len(), 1);
}

#[tokio::test]
async fn d40_the_portal_signs_the_person_out_where_it_offers_that_and_else_nothing_is_wrong() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let address = setting.engine.sign_out_address(&id).await.unwrap().unwrap();
    let asked = sent(&address);
    assert_eq!(asked.len(), 1, "the app and nobody else: {asked:?}");
    assert!(asked.contains_key("client_id"));
    let page = reqwest::get(&address).await.unwrap();
    assert!(page.status().is_success());
    assert_eq!(setting.asked("/auth/logout"), 1);
    // A server that is away says nothing about it, and the removal goes on.
    setting
        .mock
        .fault(Endpoint::SmartConfiguration, FaultKind::Drop, 100);
    let later = setting.engine.sign_out_address(&id).await;
    assert!(later.is_ok());
    setting.engine.remove(&id).await.unwrap();
}
