//! The two-step variant: a shared public client signs in, this installation's key goes on from there.

use crate::support::{FrozenClock, SeededRandom, Server, client, form, json_answer};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use satchel_smart::registration::{
    RegistrationError, register_installation, request_installation_token,
};
use satchel_smart::secret::SecretString;
use satchel_smart::token::{TokenError, TokenErrorCode};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn token() -> SecretString {
    SecretString::new("access-1".into())
}

#[tokio::test]
async fn b36_the_key_is_registered_with_the_access_token_and_nothing_else_is_said() {
    let server = Server::start().await;
    let answer =
        json!({"client_id": "dynamic-1", "grant_types": [JWT_BEARER], "redirect_uris": []});
    server
        .answer("POST", "/register", json_answer(201, &answer.to_string()))
        .await;
    let key = SigningKey::generate(SigningAlgorithm::RS384).unwrap();
    let at = server.url("/register");
    let made = register_installation(&client(), &at, &token(), "static-1", &key)
        .await
        .unwrap();
    assert_eq!(
        (made.client_id.as_str(), made.grant_types.len()),
        ("dynamic-1", 1)
    );
    let sent = &server.requests("/register").await[0];
    assert_eq!(sent.headers["authorization"], "Bearer access-1");
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let jwk = key.public_jwk();
    let bare = json!({"kty": "RSA", "kid": jwk["kid"], "n": jwk["n"], "e": jwk["e"]});
    assert_eq!(
        body,
        json!({"software_id": "static-1", "jwks": {"keys": [bare]}})
    );
}

#[tokio::test]
async fn b38_a_site_without_it_is_told_from_a_failure() {
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    for (status, offered) in [(404, false), (405, false), (500, true), (201, true)] {
        let server = Server::start().await;
        server
            .answer("POST", "/register", ResponseTemplate::new(status))
            .await;
        let at = server.url("/register");
        match register_installation(&client(), &at, &token(), "static-1", &key).await {
            Err(RegistrationError::NotOffered { .. }) => assert!(!offered, "{status}"),
            Err(_) => assert!(offered, "{status}"),
            Ok(_) => panic!("{status}"),
        }
    }
}

#[tokio::test]
async fn b37_the_grant_is_an_assertion_of_the_installation_without_any_other_proof() {
    let server = Server::start().await;
    let answer =
        r#"{"access_token":"a-2","token_type":"Bearer","expires_in":60,"refresh_token":"r"}"#;
    server
        .answer("POST", "/token", json_answer(200, answer))
        .await;
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    let (clock, random, at) = (
        FrozenClock::new(),
        SeededRandom::new(),
        server.url("/token"),
    );
    let got = request_installation_token(&client(), &at, "dynamic-1", &key, &clock, &random)
        .await
        .unwrap();
    assert_eq!(got.access_token.expose(), "a-2");
    assert!(
        got.refresh_token.is_none(),
        "no refresh token in this grant"
    );
    assert!(got.scope_omitted && got.launch_context.patient.is_none());
    let sent = &server.requests("/token").await[0];
    assert!(!sent.headers.contains_key("authorization"));
    let mut fields = form(sent);
    let assertion = fields.remove("assertion").unwrap();
    let mut names: Vec<(String, String)> = fields.into_iter().collect();
    names.sort();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        names,
        [
            pair("client_id", "dynamic-1"),
            pair("grant_type", JWT_BEARER)
        ]
    );
    assert_eq!(
        String::from_utf8_lossy(&sent.body)
            .matches("grant_type=")
            .count(),
        1
    );
    let jwk: Jwk = serde_json::from_value(key.public_jwk()).unwrap();
    let mut validation = Validation::new(Algorithm::ES384);
    validation.validate_exp = false;
    validation.set_audience(&[at.as_str()]);
    let claims = jsonwebtoken::decode::<Value>(
        &assertion,
        &DecodingKey::from_jwk(&jwk).unwrap(),
        &validation,
    )
    .unwrap()
    .claims;
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("dynamic-1"), &json!("dynamic-1"))
    );
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 120);
    assert!(claims["jti"].as_str().unwrap().len() >= 20);
}

#[tokio::test]
async fn b37_an_ended_sign_in_is_told_and_a_wrong_clock_is_tried_once_more() {
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    for (date, tries) in [
        ("Thu, 01 Jan 2026 00:00:10 GMT", 1),
        ("Thu, 01 Jan 2026 00:20:00 GMT", 2),
    ] {
        let server = Server::start().await;
        let refused = json_answer(400, r#"{"error":"invalid_grant"}"#).insert_header("date", date);
        server.answer("POST", "/token", refused).await;
        let (clock, random, at) = (
            FrozenClock::new(),
            SeededRandom::new(),
            server.url("/token"),
        );
        let ended =
            request_installation_token(&client(), &at, "dynamic-1", &key, &clock, &random).await;
        assert!(matches!(
            ended,
            Err(TokenError::OAuth {
                error: TokenErrorCode::InvalidGrant,
                ..
            })
        ));
        let sent = server.requests("/token").await;
        assert_eq!(sent.len(), tries, "{date}");
        let assertions: std::collections::HashSet<String> = sent
            .iter()
            .map(|one| form(one)["assertion"].clone())
            .collect();
        assert_eq!(assertions.len(), tries, "never the same assertion twice");
    }
}
