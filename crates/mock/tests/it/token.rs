//! D and E: the token endpoint, the id_token, refresh, revocation, backend services.

use crate::portal::Decision;
use crate::tester::{JWT_BEARER, Key, REDIRECT, Tester, VERIFIER, error, es384, exchange, rs384};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const SCOPE: &str = "openid fhirUser launch/patient offline_access patient/*.rs";

#[expect(
    clippy::disallowed_methods,
    reason = "the server under test uses the real clock"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// A client with a key, and a code for it.
async fn with_key(tester: &Tester, key: &Key) -> (String, String) {
    let client = tester
        .client(&json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.public]}}))
        .await;
    let client_id = client["client_id"].as_str().unwrap().to_owned();
    let answer = tester
        .sign_in(&client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    (client_id, answer["code"].clone())
}

fn claims(tester: &Tester, client_id: &str) -> Value {
    json!({
        "iss": client_id,
        "sub": client_id,
        "aud": tester.url("/auth/token"),
        "exp": now() + 120,
        "jti": "jti-1",
    })
}

fn asserting<'a>(code: &'a str, assertion: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ]
}

#[tokio::test]
async fn d11_the_answer_has_all_that_a_native_app_needs() {
    let tester = Tester::new().await;
    let (_, answer) = tester.tokens(tester.patient(), SCOPE).await;
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3600);
    assert_eq!(answer["scope"], SCOPE);
    assert_eq!(answer["patient"], tester.patient().patient_ids[0].as_str());
    for name in ["access_token", "refresh_token", "id_token"] {
        assert!(answer[name].is_string(), "{name}");
    }
}

#[tokio::test]
async fn d11_without_offline_access_there_is_no_refresh_token() {
    let tester = Tester::new().await;
    let (_, answer) = tester
        .tokens(tester.patient(), "launch/patient patient/*.rs")
        .await;
    assert!(answer["refresh_token"].is_null() && answer["id_token"].is_null());
}

#[tokio::test]
async fn d30_the_id_token_holds_against_the_published_keys() {
    let tester = Tester::new().await;
    let (client_id, answer) = tester.tokens(tester.patient(), SCOPE).await;
    let token = answer["id_token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.alg, Algorithm::RS256);
    let keys = tester.get(&tester.url("/auth/jwks")).await;
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header.kid.as_deref().unwrap());
    let key = serde_json::from_value(key.unwrap().clone()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[&client_id]);
    validation.set_issuer(&[tester.mock.issuer()]);
    let key = DecodingKey::from_jwk(&key).unwrap();
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["nonce"], "the-nonce");
    let own = format!(
        "{}/Patient/{}",
        tester.mock.fhir_base(),
        tester.patient().patient_ids[0]
    );
    assert!(
        own.ends_with(
            claims["fhirUser"]
                .as_str()
                .unwrap()
                .trim_start_matches(tester.mock.fhir_base())
        )
    );
}

#[tokio::test]
async fn c38_a_code_is_redeemed_once_and_a_second_try_withdraws_what_it_gave() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let answer = tester
        .sign_in(&client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    let form = exchange(&client_id, &answer["code"]);
    let first: Value = tester
        .token(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = first["access_token"].as_str().unwrap();
    assert_eq!(tester.fhir(token, "Patient").await.0, StatusCode::OK);
    let second = error(tester.token(&form).send().await.unwrap()).await;
    assert_eq!(
        second,
        (StatusCode::BAD_REQUEST, "invalid_grant".to_owned())
    );
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[rstest]
#[case::wrong_verifier(
    "code_verifier",
    Some("wrong-verifier-wrong-verifier-wrong-verifier"),
    "invalid_grant"
)]
#[case::no_verifier("code_verifier", None, "invalid_grant")]
#[case::other_redirect("redirect_uri", Some("org.example.tester:/other"), "invalid_grant")]
#[case::unknown_code("code", Some("nothing"), "invalid_grant")]
#[case::no_code("code", None, "invalid_request")]
#[case::no_grant_type("grant_type", None, "invalid_request")]
#[case::other_grant_type("grant_type", Some("password"), "unsupported_grant_type")]
#[case::unknown_client("client_id", Some("nobody"), "invalid_client")]
#[case::no_client("client_id", None, "invalid_client")]
#[tokio::test]
async fn d19_each_token_error_has_its_code(
    #[case] name: &str,
    #[case] value: Option<&str>,
    #[case] expected: &str,
) {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let answer = tester
        .sign_in(&client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    let mut form = exchange(&client_id, &answer["code"]);
    form.retain(|(known, _)| *known != name);
    let owned = name.to_owned();
    form.extend(value.map(|value| (&*owned.leak(), value)));
    let (status, code) = error(tester.token(&form).send().await.unwrap()).await;
    assert_eq!(code, expected);
    let unauthorized = expected == "invalid_client";
    assert_eq!(status == StatusCode::UNAUTHORIZED, unauthorized, "{status}");
}

#[tokio::test]
async fn d8_es384_and_rs384_assertions_authenticate() {
    let tester = Tester::new().await;
    for key in [es384(), rs384()] {
        let (client_id, code) = with_key(&tester, &key).await;
        let assertion = key.sign(&claims(&tester, &client_id));
        let answer = tester
            .token(&asserting(&code, &assertion))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
}

#[rstest]
#[case::iss("iss", json!("another"))]
#[case::sub("sub", json!("another"))]
#[case::aud_of_another("aud", json!("https://other.example/token"))]
#[case::aud_is_the_issuer("aud", json!("ISSUER"))]
#[case::expired("exp", json!(1))]
#[case::valid_for_too_long("exp", json!(u32::MAX))]
#[case::no_exp("exp", Value::Null)]
#[case::no_jti("jti", Value::Null)]
#[tokio::test]
async fn d8_an_assertion_with_a_wrong_claim_is_an_invalid_client(
    #[case] name: &str,
    #[case] value: Value,
    #[values(true, false)] elliptic: bool,
) {
    let tester = Tester::new().await;
    let key = if elliptic { es384() } else { rs384() };
    let (client_id, code) = with_key(&tester, &key).await;
    let mut wrong = claims(&tester, &client_id);
    wrong[name] = if value == "ISSUER" {
        tester.mock.issuer().into()
    } else {
        value
    };
    if wrong[name].is_null() {
        wrong.as_object_mut().unwrap().remove(name);
    }
    let assertion = key.sign(&wrong);
    let refused = error(
        tester
            .token(&asserting(&code, &assertion))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        refused,
        (StatusCode::UNAUTHORIZED, "invalid_client".to_owned())
    );
    // Nothing was used up: with the right claims the same code works.
    let assertion = key.sign(&claims(&tester, &client_id));
    let answer = tester
        .token(&asserting(&code, &assertion))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn d8_an_assertion_is_used_once() {
    let tester = Tester::new().await;
    let key = es384();
    let (client_id, code) = with_key(&tester, &key).await;
    let assertion = key.sign(&claims(&tester, &client_id));
    let first = tester
        .token(&asserting(&code, &assertion))
        .send()
        .await
        .unwrap();
    let first: Value = first.json().await.unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", first["refresh_token"].as_str().unwrap()),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &assertion),
    ];
    let (_, code) = error(tester.token(&form).send().await.unwrap()).await;
    assert_eq!(code, "invalid_client");
}

#[tokio::test]
async fn d8_an_assertion_by_another_key_or_without_signature_is_refused() {
    let tester = Tester::new().await;
    let key = es384();
    let (client_id, code) = with_key(&tester, &key).await;
    let forged = es384().sign(&claims(&tester, &client_id));
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!(
        "{}.{}.",
        encode(&json!({"alg": "none", "kid": "key-1"})),
        encode(&claims(&tester, &client_id))
    );
    for assertion in [forged, unsigned, "no.jwt.at-all".to_owned()] {
        let (_, code) = error(
            tester
                .token(&asserting(&code, &assertion))
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(code, "invalid_client");
    }
}

#[tokio::test]
async fn d3_a_basic_secret_is_checked_and_a_wrong_one_is_challenged() {
    let tester = Tester::new().await;
    let client = tester
        .client(&json!({"token_endpoint_auth_method": "client_secret_basic"}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let secret = client["client_secret"].as_str().unwrap();
    let answer = tester
        .sign_in(client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    let mut form = exchange(client_id, &answer["code"]);
    form.retain(|(name, _)| *name != "client_id");
    let wrong = tester
        .token(&form)
        .basic_auth(client_id, Some("wrong"))
        .send()
        .await
        .unwrap();
    assert!(
        wrong.headers()["WWW-Authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Basic")
    );
    assert_eq!(
        error(wrong).await,
        (StatusCode::UNAUTHORIZED, "invalid_client".to_owned())
    );
    let right = tester
        .token(&form)
        .basic_auth(client_id, Some(secret))
        .send()
        .await
        .unwrap();
    assert_eq!(right.status(), StatusCode::OK);
}

#[tokio::test]
async fn d2_a_client_authenticates_by_the_method_that_it_registered_and_by_one_only() {
    let tester = Tester::new().await;
    let client = tester
        .client(&json!({"token_endpoint_auth_method": "client_secret_basic"}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let secret = client["client_secret"].as_str().unwrap();
    let mut form = exchange(client_id, "code");
    let nothing = error(tester.token(&form).send().await.unwrap()).await.1;
    form.push(("client_secret", secret));
    let posted = error(tester.token(&form).send().await.unwrap()).await.1;
    let both = tester
        .token(&form)
        .basic_auth(client_id, Some(secret))
        .send()
        .await
        .unwrap();
    let both = error(both).await.1;
    assert_eq!(
        [nothing.as_str(), &posted, &both],
        ["invalid_client", "invalid_client", "invalid_request"]
    );
}

async fn refresh(tester: &Tester, client_id: &str, token: &str) -> reqwest::Response {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", client_id),
    ];
    tester.token(&form).send().await.unwrap()
}

#[tokio::test]
async fn d24_a_refresh_token_rotates_and_its_second_use_withdraws_the_grant() {
    let tester = Tester::new().await;
    let (client_id, first) = tester.tokens(tester.patient(), SCOPE).await;
    let old = first["refresh_token"].as_str().unwrap();
    let second: Value = refresh(&tester, &client_id, old)
        .await
        .json()
        .await
        .unwrap();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_ne!(second["access_token"], first["access_token"]);
    for name in ["expires_in", "token_type", "scope"] {
        assert_eq!(second[name], first[name], "d25: {name}");
    }
    let reused = error(refresh(&tester, &client_id, old).await).await;
    assert_eq!(
        reused,
        (StatusCode::BAD_REQUEST, "invalid_grant".to_owned())
    );
    let token = second["access_token"].as_str().unwrap();
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    let newest = second["refresh_token"].as_str().unwrap();
    assert_eq!(
        error(refresh(&tester, &client_id, newest).await).await.1,
        "invalid_grant"
    );
}

#[tokio::test]
async fn d24_a_refresh_token_is_bound_to_its_client() {
    let tester = Tester::new().await;
    let (_, answer) = tester.tokens(tester.patient(), SCOPE).await;
    let other = tester.public_client().await;
    let token = answer["refresh_token"].as_str().unwrap();
    assert_eq!(
        error(refresh(&tester, &other, token).await).await.1,
        "invalid_grant"
    );
}

#[tokio::test]
async fn d21_a_refresh_may_ask_for_less_but_not_for_more() {
    let tester = Tester::new().await;
    let (client_id, answer) = tester
        .tokens(
            tester.patient(),
            "launch/patient offline_access patient/Patient.rs",
        )
        .await;
    let token = answer["refresh_token"].as_str().unwrap();
    let ask = |scope: &'static str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", client_id.as_str()),
            ("scope", scope),
        ];
        tester.token(&form).send()
    };
    assert_eq!(
        error(ask("patient/*.rs").await.unwrap()).await.1,
        "invalid_scope"
    );
    let less: Value = ask("patient/Patient.rs")
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(less["scope"], "patient/Patient.rs");
}

#[tokio::test]
async fn d37_revoking_the_refresh_token_ends_the_access_and_unknown_tokens_are_fine() {
    let tester = Tester::new().await;
    let (client_id, answer) = tester.tokens(tester.patient(), SCOPE).await;
    let access = answer["access_token"].as_str().unwrap();
    let refresh_token = answer["refresh_token"].as_str().unwrap();
    let revoke = |token: &str| {
        let form = [
            ("token", token.to_owned()),
            ("client_id", client_id.clone()),
        ];
        tester
            .http
            .post(tester.url("/auth/revoke"))
            .form(&form)
            .send()
    };
    assert_eq!(revoke("unknown").await.unwrap().status(), StatusCode::OK);
    assert_eq!(tester.fhir(access, "Patient").await.0, StatusCode::OK);
    assert_eq!(
        revoke(refresh_token).await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(
        tester.fhir(access, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        error(refresh(&tester, &client_id, refresh_token).await)
            .await
            .1,
        "invalid_grant"
    );
}

#[tokio::test]
async fn e1_e4_a_backend_service_gets_a_token_by_its_key_and_no_refresh_token() {
    let tester = Tester::new().await;
    let key = es384();
    let client = tester
        .client(&json!({
            "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.public]},
            "scope": "system/*.rs",
        }))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let ask = |scope: &'static str, jti: &str| {
        let mut claims = claims(&tester, client_id);
        claims["jti"] = jti.into();
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("scope", scope.to_owned()),
            ("client_assertion_type", JWT_BEARER.to_owned()),
            ("client_assertion", key.sign(&claims)),
        ];
        tester
            .http
            .post(tester.url("/auth/token"))
            .form(&form)
            .send()
    };
    let answer: Value = ask("system/*.rs", "1").await.unwrap().json().await.unwrap();
    assert_eq!(answer["scope"], "system/*.rs");
    assert!(answer["refresh_token"].is_null() && answer["expires_in"].is_number());
    let token = answer["access_token"].as_str().unwrap();
    let (status, bundle) = tester.fhir(token, "Patient").await;
    assert_eq!((status, &bundle["total"]), (StatusCode::OK, &json!(2)));
    assert_eq!(
        error(ask("patient/*.rs", "2").await.unwrap()).await.1,
        "invalid_scope"
    );
}

#[tokio::test]
async fn d23_a_token_ends_at_its_time() {
    let tester = Tester::at(satchel_mock::World {
        patients: 1,
        token_lifetime_seconds: -1,
        ..satchel_mock::World::default()
    })
    .await;
    let token = tester.access_token(SCOPE).await;
    assert_eq!(
        tester.fhir(&token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn c38_a_code_lives_for_a_minute() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let answer = tester
        .sign_in(&client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    tester.mock.turn_clock(61);
    let late = tester
        .token(&exchange(&client_id, &answer["code"]))
        .send()
        .await
        .unwrap();
    assert_eq!(error(late).await.1, "invalid_grant");
}

#[tokio::test]
async fn d8_an_assertion_is_judged_by_the_servers_clock() {
    let tester = Tester::new().await;
    let key = es384();
    let (client_id, code) = with_key(&tester, &key).await;
    let assertion = key.sign(&claims(&tester, &client_id));
    tester.mock.turn_clock(-600);
    let early = tester
        .token(&asserting(&code, &assertion))
        .send()
        .await
        .unwrap();
    assert_eq!(
        error(early).await.1,
        "invalid_client",
        "valid for more than five minutes"
    );
    tester.mock.turn_clock(1200);
    let late = tester
        .token(&asserting(&code, &assertion))
        .send()
        .await
        .unwrap();
    assert_eq!(error(late).await.1, "invalid_client", "expired");
}

async fn introspect(
    tester: &Tester,
    form: &[(&str, &str)],
    basic: Option<(&str, &str)>,
) -> reqwest::Response {
    let request = tester.http.post(tester.url("/auth/introspect")).form(form);
    match basic {
        Some((id, secret)) => request.basic_auth(id, Some(secret)).send().await.unwrap(),
        None => request.send().await.unwrap(),
    }
}

#[tokio::test]
async fn d35_introspection_tells_a_trusted_client_what_a_token_is_good_for() {
    let tester = Tester::new().await;
    let (client_id, answer) = tester.tokens(tester.patient(), SCOPE).await;
    let server = tester
        .client(&json!({"token_endpoint_auth_method": "client_secret_basic"}))
        .await;
    let basic = (
        server["client_id"].as_str().unwrap(),
        server["client_secret"].as_str().unwrap(),
    );
    let token = answer["access_token"].as_str().unwrap();
    let known: Value = introspect(&tester, &[("token", token)], Some(basic))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(known["active"], true);
    assert_eq!(known["scope"], SCOPE);
    assert_eq!(known["client_id"], client_id.as_str());
    assert_eq!(known["patient"], answer["patient"]);
    assert_eq!(known["iss"], tester.mock.issuer());
    assert!(known["exp"].is_number() && known["sub"].is_string() && known["fhirUser"].is_string());

    let inactive = json!({"active": false});
    let strange: Value = introspect(&tester, &[("token", "unknown")], Some(basic))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(strange, inactive);
    let other = tester.public_client().await;
    let curious = [("token", token), ("client_id", other.as_str())];
    let told: Value = introspect(&tester, &curious, None)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        told, inactive,
        "a public client learns of its own tokens only"
    );
    let own = [("token", token), ("client_id", client_id.as_str())];
    let told: Value = introspect(&tester, &own, None).await.json().await.unwrap();
    assert_eq!(told["active"], true);

    tester.mock.turn_clock(3601);
    let told: Value = introspect(&tester, &[("token", token)], Some(basic))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(told, inactive);
    let nobody = introspect(&tester, &[("token", token)], None).await;
    assert_eq!(error(nobody).await.1, "invalid_client");
}

#[tokio::test]
async fn each_looseness_is_a_switch_and_off_by_default() {
    let strict = Tester::new().await;
    let lenient = Tester::at(satchel_mock::World {
        patients: 1,
        lenient: satchel_mock::Leniency::ALL.map(|(_, one)| one).to_vec(),
        ..satchel_mock::World::default()
    })
    .await;
    for (tester, tolerant) in [(&strict, false), (&lenient, true)] {
        let (_, answer) = tester.tokens(&tester.patient().clone(), SCOPE).await;
        let token = answer["refresh_token"].as_str().unwrap();
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let refreshed = tester.token(&form).send().await.unwrap();
        assert_eq!(
            refreshed.status().is_success(),
            tolerant,
            "refresh without client_id"
        );

        let key = es384();
        let (client_id, code) = with_key(tester, &key).await;
        let mut for_issuer = claims(tester, &client_id);
        for_issuer["aud"] = tester.mock.issuer().into();
        let assertion = key.sign(&for_issuer);
        let exchanged = tester
            .token(&asserting(&code, &assertion))
            .send()
            .await
            .unwrap();
        assert_eq!(
            exchanged.status().is_success(),
            tolerant,
            "d9: assertion for the issuer"
        );
    }
}
