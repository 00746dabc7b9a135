//! C: the authorization endpoint and its pages.

use crate::portal::{self, Decision};
use crate::tester::{REDIRECT, Tester, exchange};
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::Value;
use std::collections::HashMap;
use url::Url;

const SCOPE: &str = "openid fhirUser launch/patient offline_access patient/*.rs";

/// Changes one parameter, or takes it out.
fn changed(
    mut parameters: Vec<(String, String)>,
    name: &str,
    value: Option<&str>,
) -> Vec<(String, String)> {
    parameters.retain(|(known, _)| known != name);
    parameters.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    parameters
}

async fn page(
    tester: &Tester,
    parameters: &[(String, String)],
) -> (StatusCode, Option<String>, String) {
    let url = tester.authorization_url(parameters);
    let answer = tester.http.get(url).send().await.unwrap();
    let status = answer.status();
    let location = answer
        .headers()
        .get("Location")
        .map(|value| value.to_str().unwrap().to_owned());
    (status, location, answer.text().await.unwrap())
}

#[tokio::test]
async fn c34_a_person_signs_in_and_consents_and_the_app_gets_code_state_and_iss() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let answer = tester
        .sign_in(&client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    assert!(answer["code"].len() >= 20);
    assert_eq!(answer["state"], "the-state");
    assert_eq!(answer["iss"], tester.mock.issuer());
}

#[tokio::test]
async fn c36_a_person_who_denies_is_an_access_denied() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let answer = tester
        .sign_in(&client_id, SCOPE, tester.patient(), Decision::Deny)
        .await;
    assert_eq!(answer["error"], "access_denied");
    assert_eq!(answer["state"], "the-state");
    assert_eq!(answer["iss"], tester.mock.issuer());
    assert!(!answer.contains_key("code"));
}

#[tokio::test]
async fn the_pages_have_the_field_names_that_testers_rely_on() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let (status, _, html) = page(&tester, &tester.authorization(&client_id, SCOPE)).await;
    assert_eq!(status, StatusCode::OK);
    for name in ["name=\"username\"", "name=\"password\""] {
        assert!(html.contains(name), "{name}");
    }
    assert!(!html.contains("<script"), "no script is needed");
}

#[tokio::test]
async fn h16_a_wrong_password_shows_the_form_again_and_lets_nobody_in() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let url = tester.authorization_url(&tester.authorization(&client_id, SCOPE));
    let answer = tester.http.get(&url).send().await.unwrap();
    let cookie = answer.headers()["Set-Cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite"),
        "{cookie}"
    );
    let form = portal::read_form(&answer.text().await.unwrap(), &Url::parse(&url).unwrap());
    let mut fields = form.fields;
    fields.push(("username".to_owned(), tester.patient().username.clone()));
    fields.push(("password".to_owned(), "wrong".to_owned()));
    let post = |cookie: &str| {
        let request = tester.http.post(form.action.clone()).form(&fields);
        request.header("Cookie", cookie.to_owned()).send()
    };
    let refused = post(cookie.split(';').next().unwrap()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let html = refused.text().await.unwrap();
    assert!(html.contains("name=\"password\"") && !html.contains("name=\"approve\""));

    let strange = post("portal_session=stolen").await.unwrap();
    assert!(
        strange.status().is_client_error(),
        "a sign-in is bound to its browser"
    );
}

#[rstest]
#[case::unknown_client("client_id", Some("nobody"))]
#[case::no_client("client_id", None)]
#[case::other_redirect("redirect_uri", Some("org.example.tester:/other"))]
#[case::redirect_in_capitals("redirect_uri", Some("org.example.tester:/CALLBACK"))]
#[case::no_redirect("redirect_uri", None)]
#[case::other_server("aud", Some("https://other.example/fhir"))]
#[case::no_aud("aud", None)]
#[tokio::test]
async fn c32_what_cannot_be_trusted_is_a_page_and_never_a_redirect(
    #[case] name: &str,
    #[case] value: Option<&str>,
) {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let parameters = changed(tester.authorization(&client_id, SCOPE), name, value);
    let (status, location, _) = page(&tester, &parameters).await;
    assert_eq!((status, location), (StatusCode::BAD_REQUEST, None));
}

#[rstest]
#[case::plain_pkce("code_challenge_method", Some("plain"), "invalid_request")]
#[case::no_method("code_challenge_method", None, "invalid_request")]
#[case::no_challenge("code_challenge", None, "invalid_request")]
#[case::short_challenge("code_challenge", Some("abc"), "invalid_request")]
#[case::implicit("response_type", Some("token"), "unsupported_response_type")]
#[case::no_response_type("response_type", None, "invalid_request")]
#[case::no_scope("scope", None, "invalid_scope")]
#[case::system_scope("scope", Some("system/*.rs"), "invalid_scope")]
#[case::silent("prompt", Some("none"), "login_required")]
#[tokio::test]
async fn c36_what_the_app_asks_wrongly_is_told_to_the_app(
    #[case] name: &str,
    #[case] value: Option<&str>,
    #[case] expected: &str,
) {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let parameters = changed(tester.authorization(&client_id, SCOPE), name, value);
    let (status, location, _) = page(&tester, &parameters).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let location = location.unwrap();
    assert!(location.starts_with(REDIRECT), "{location}");
    let answer: HashMap<String, String> = Url::parse(&location)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    assert_eq!(answer["error"], expected);
    assert_eq!(answer["state"], "the-state");
    assert_eq!(answer["iss"], tester.mock.issuer());
}

#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let mut parameters = tester.authorization(&client_id, SCOPE);
    parameters.push(("scope".to_owned(), "openid".to_owned()));
    let (_, location, _) = page(&tester, &parameters).await;
    assert!(location.unwrap().contains("error=invalid_request"));
}

#[tokio::test]
async fn c21_a_request_may_be_posted() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let request = tester
        .http
        .post(tester.url("/auth/authorize"))
        .form(&tester.authorization(&client_id, SCOPE));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.unwrap().contains("name=\"password\""));
}

#[tokio::test]
async fn c28_any_port_fits_a_registered_loopback_address() {
    let tester = Tester::new().await;
    let client = tester
        .client(&serde_json::json!({"redirect_uris": ["http://127.0.0.1/callback"]}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let parameters = tester.authorization(client_id, SCOPE);
    let with_port = changed(
        parameters.clone(),
        "redirect_uri",
        Some("http://127.0.0.1:49152/callback"),
    );
    assert_eq!(page(&tester, &with_port).await.0, StatusCode::OK);
    let other_path = changed(
        parameters,
        "redirect_uri",
        Some("http://127.0.0.1:49152/other"),
    );
    assert_eq!(page(&tester, &other_path).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn access_that_is_switched_off_is_denied() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    tester.mock.set_access(false);
    let (_, location, _) = page(&tester, &tester.authorization(&client_id, SCOPE)).await;
    assert!(location.unwrap().contains("error=access_denied"));
}

#[tokio::test]
async fn c40_a_provider_picks_the_patient() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let mut provider = tester.provider().clone();
    assert!(provider.patient_ids.len() > 1);
    provider.patient_ids.swap(0, 1);
    let scope = "launch/patient user/*.rs";
    let answer = tester
        .sign_in(&client_id, scope, &provider, Decision::Approve)
        .await;
    let form = exchange(&client_id, &answer["code"]);
    let tokens: Value = tester
        .token(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(tokens["patient"], provider.patient_ids[0].as_str());
}

#[tokio::test]
async fn c40_the_consent_page_has_a_box_per_scope_and_grants_only_what_is_ticked() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let scope = "launch/patient patient/Condition.rs patient/Observation.rs";
    let url = tester.authorization_url(&tester.authorization(&client_id, scope));
    let first = tester.http.get(&url).send().await.unwrap();
    let cookie = first.headers()["Set-Cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let send = |form: portal::Form| {
        let request = tester.http.post(form.action).form(&form.fields);
        request.header("Cookie", cookie.clone()).send()
    };
    let here = Url::parse(&url).unwrap();
    let mut form = portal::read_form(&first.text().await.unwrap(), &here);
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    form.fields
        .push(field("username", &tester.patient().username));
    form.fields
        .push(field("password", &tester.patient().password));
    let mut consent = send(form).await.unwrap();
    if consent.status().is_redirection() {
        let location = here
            .join(consent.headers()["Location"].to_str().unwrap())
            .unwrap();
        let request = tester.http.get(location).header("Cookie", cookie.clone());
        consent = request.send().await.unwrap();
    }
    let html = consent.text().await.unwrap();
    for one in ["patient/Condition.rs", "patient/Observation.rs"] {
        assert!(html.contains(&format!("value=\"{one}\"")), "{one}");
    }
    let mut form = portal::read_form(&html, &here);
    form.fields
        .retain(|(_, value)| value != "patient/Observation.rs");
    form.fields.push(field("approve", "yes"));
    let answer = send(form).await.unwrap();
    let location = Url::parse(answer.headers()["Location"].to_str().unwrap()).unwrap();
    let code = location
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let tokens = tester
        .token(&exchange(&client_id, &code))
        .send()
        .await
        .unwrap();
    let tokens: Value = tokens.json().await.unwrap();
    let granted = tokens["scope"].as_str().unwrap();
    assert!(granted.contains("patient/Condition.rs"), "{granted}");
    assert!(!granted.contains("Observation"), "{granted}");
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(tester.fhir(token, "Condition").await.0, StatusCode::OK);
    assert_eq!(
        tester.fhir(token, "Observation").await.0,
        StatusCode::FORBIDDEN
    );
}
