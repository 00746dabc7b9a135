//! Mix-up: a second server that brings the honest one's answer to itself (RFC 9700 §4.4, checklist H7).
//! The rogue server sends the person on to the honest portal, with its own sign-in's state and
//! challenge, in the name that this installation has there. Four combinations: the answer has the
//! honest `iss` or none; it arrives at the honest server's redirect path, or at the rogue's.

use super::rogue::{Rogue, ends, form_of, json_answer, query_of};
use crate::portal::{self, Decision};
use crate::world::{Setting, setting_in};
use rstest::rstest;
use satchel_mock::World;
use serde_json::{Value, json};
use url::Url;

/// A public client at the honest server: the easiest prey, since a code and its verifier are all that
/// is needed there.
async fn honest(methods: &[&str]) -> Setting {
    setting_in(World {
        patients: 2,
        auth_methods: methods.iter().map(|&one| one.to_owned()).collect(),
        ..World::default()
    })
    .await
}

fn with(address: &str, changes: &[(&str, Option<&str>)]) -> String {
    let mut url = Url::parse(address).unwrap();
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url.into()
}

/// Where the browser is at the end of the rogue's detour, and the two sign-ins' requests.
async fn detour(honest: &Setting, rogue: &Rogue) -> (String, Value) {
    let person = honest.patient().clone();
    let known = honest.connect(&person).await;
    let mine = honest
        .engine
        .login_reconnect(&known, satchel_core::RedirectKind::Scheme, None)
        .await
        .unwrap();
    honest.engine.login_cancel(&known).await.unwrap();
    let tricked = rogue.begin(&honest.engine).await.unwrap();
    let theirs = query_of(&tricked.view.authorization_url);
    let address = with(
        &mine.view.authorization_url,
        &[
            ("state", Some(&theirs["state"])),
            ("nonce", theirs.get("nonce").map(String::as_str)),
            ("code_challenge", Some(&theirs["code_challenge"])),
        ],
    );
    let (name, password) = (&person.username, &person.password);
    let callback = portal::sign_in(&address, name, password, None, Decision::Approve).await;
    let mine = query_of(&mine.view.authorization_url);
    let facts = json!({"client_id": mine["client_id"], "honest_uri": mine["redirect_uri"],
        "rogue_uri": tricked.redirect_uri});
    (callback, facts)
}

fn at(callback: &str, redirect_uri: &Value) -> String {
    let (_, query) = callback.split_once('?').unwrap();
    format!("{}?{query}", redirect_uri.as_str().unwrap())
}

#[rstest]
#[case::own_path_iss_sent(true, "login.bad_callback", "another address")]
#[case::own_path_iss_not_sent(false, "login.bad_callback", "another address")]
#[tokio::test]
async fn h7_an_answer_at_the_honest_servers_own_path(
    #[case] iss: bool,
    #[case] code: &str,
    #[case] names: &str,
) {
    let (honest, rogue) = (honest(&["none"]).await, Rogue::start().await);
    let (mut callback, facts) = detour(&honest, &rogue).await;
    assert!(callback.starts_with(facts["honest_uri"].as_str().unwrap()));
    if !iss {
        callback = with(&callback, &[("iss", None)]);
    }
    let given = honest.renewed();
    ends(honest.engine.login_finish(&callback).await, code, names);
    assert!(rogue.asked("/token").await.is_empty(), "no code got there");
    assert_eq!(honest.renewed(), given, "no token came of it");
}

#[rstest]
#[case::shared_path_iss_sent(json!({}))]
#[case::shared_path_iss_sent_and_the_rogue_names_no_issuer(
    json!({"issuer": null, "authorization_response_iss_parameter_supported": null}))]
#[tokio::test]
async fn h7_an_answer_with_the_honest_iss_at_a_shared_path(#[case] document: Value) {
    let (honest, rogue) = (honest(&["none"]).await, Rogue::start().await);
    rogue.says(&document);
    let (callback, facts) = detour(&honest, &rogue).await;
    let callback = at(&callback, &facts["rogue_uri"]);
    assert!(callback.contains("iss="), "{callback}");
    let given = honest.renewed();
    let result = honest.engine.login_finish(&callback).await;
    ends(result, "login.wrong_issuer", "another sign-in service");
    assert!(rogue.asked("/token").await.is_empty(), "no code got there");
    assert_eq!(honest.renewed(), given);
}

#[tokio::test]
async fn h7_an_answer_without_iss_at_a_shared_path() {
    let (honest, rogue) = (honest(&["private_key_jwt"]).await, Rogue::start().await);
    rogue.says(&json!({"authorization_response_iss_parameter_supported": null}));
    let refusal = json!({"error": "invalid_grant"});
    rogue.answer("/token", json_answer(400, &refusal));
    let (callback, facts) = detour(&honest, &rogue).await;
    let callback = with(&at(&callback, &facts["rogue_uri"]), &[("iss", None)]);
    let result = honest.engine.login_finish(&callback).await;
    ends(result, "token.refused", "InvalidGrant");
    // The rogue has code and verifier now. It has no key of this installation's at the honest server:
    // the one that proved it to the rogue is another one.
    let request = rogue.asked("/token").await.remove(0);
    let mut stolen = form_of(&request);
    stolen.insert(
        "client_id".into(),
        facts["client_id"].as_str().unwrap().into(),
    );
    stolen.insert(
        "redirect_uri".into(),
        facts["honest_uri"].as_str().unwrap().into(),
    );
    let given = honest.renewed();
    for proof in [true, false] {
        if !proof {
            stolen.retain(|name, _| !name.starts_with("client_assertion"));
        }
        let endpoint = format!("{}/auth/token", honest.mock.issuer().trim_end_matches('/'));
        let request = reqwest::Client::new().post(endpoint).form(&stolen);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_client_error(), "{}", answer.status());
    }
    assert_eq!(honest.renewed(), given, "no token came of it");
}

#[tokio::test]
async fn h7_the_rogue_sends_the_honest_servers_client_to_its_own_path() {
    let (honest, rogue) = (honest(&["none"]).await, Rogue::start().await);
    let (_, facts) = detour(&honest, &rogue).await;
    // The honest server redirects to what was registered there only: there is no answer to steal.
    let issuer = honest.mock.issuer().trim_end_matches('/');
    let address = format!(
        "{issuer}/auth/authorize?response_type=code&scope=openid&state=x&aud=x&code_challenge=x&code_challenge_method=S256"
    );
    let address = with(
        &address,
        &[
            ("client_id", facts["client_id"].as_str()),
            ("redirect_uri", facts["rogue_uri"].as_str()),
        ],
    );
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let answer = browser.build().unwrap().get(address).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    // And an answer that the rogue makes up is held against its own sign-in.
    let made_up = format!("{}?code=c0de&state=x", facts["rogue_uri"].as_str().unwrap());
    ends(
        honest.engine.login_finish(&made_up).await,
        "login.unknown_state",
        "no sign-in in progress",
    );
}
