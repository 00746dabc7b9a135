//! How a client proves itself, and the one second try that a refused proof may deserve.

use crate::exchange::{TOKENS, assertion_claims, exchange, posted, refresh, secret};
use crate::support::{NOW, Server, json_answer};
use base64::Engine as _;
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use std::collections::HashSet;

#[tokio::test]
async fn d3_basic_is_name_and_password_as_they_are_and_encoded_only_when_that_was_refused() {
    let server = Server::start().await;
    let refused = json_answer(401, r#"{"error":"invalid_client"}"#);
    server
        .answer_then("POST", "/token", refused, json_answer(200, TOKENS))
        .await;
    let authentication = ClientAuthentication::ClientSecretBasic(secret("p:+%/ w"));
    refresh(&server, &authentication).await.unwrap();
    let posted = posted(&server).await;
    let header = |n: usize| {
        let value = posted[n].0.headers["authorization"]
            .to_str()
            .unwrap()
            .strip_prefix("Basic ")
            .unwrap()
            .to_owned();
        String::from_utf8(
            base64::engine::general_purpose::STANDARD
                .decode(value)
                .unwrap(),
        )
        .unwrap()
    };
    assert_eq!(
        (header(0).as_str(), header(1).as_str()),
        ("client-1:p:+%/ w", "client-1:p%3A%2B%25%2F+w")
    );
    for (_, form) in &posted {
        assert!(!form.contains_key("client_id") && !form.contains_key("client_secret"));
    }
}

#[tokio::test]
async fn d3_a_plain_secret_is_not_tried_twice() {
    let server = Server::start().await;
    server
        .answer(
            "POST",
            "/token",
            json_answer(401, r#"{"error":"invalid_client"}"#),
        )
        .await;
    let authentication = ClientAuthentication::ClientSecretBasic(secret("plain-secret_1"));
    assert!(refresh(&server, &authentication).await.is_err());
    assert_eq!(posted(&server).await.len(), 1);
}

#[tokio::test]
async fn client_secret_post_puts_both_into_the_body() {
    let server = Server::start().await;
    server
        .answer("POST", "/token", json_answer(200, TOKENS))
        .await;
    refresh(
        &server,
        &ClientAuthentication::ClientSecretPost(secret("s&=1")),
    )
    .await
    .unwrap();
    let (request, form) = &posted(&server).await[0];
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        ("client-1", "s&=1")
    );
    assert!(!request.headers.contains_key("authorization"));
}

#[tokio::test]
async fn d2_d5_d7_private_key_jwt() {
    for algorithm in [SigningAlgorithm::ES384, SigningAlgorithm::RS384] {
        let server = Server::start().await;
        server
            .answer("POST", "/token", json_answer(200, TOKENS))
            .await;
        let key = SigningKey::generate(algorithm).unwrap();
        let authentication = ClientAuthentication::PrivateKeyJwt(key.clone());
        exchange(&server, &authentication).await.unwrap();
        refresh(&server, &authentication).await.unwrap();
        let posted = posted(&server).await;
        let mut ids = HashSet::new();
        for (_, form) in &posted {
            assert!(!form.contains_key("client_id"), "SMART leaves it out");
            assert_eq!(
                form["client_assertion_type"],
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            let claims = assertion_claims(form, &key);
            assert_eq!(claims["iss"], "client-1");
            assert_eq!(claims["sub"], "client-1");
            assert_eq!(claims["aud"], server.url("/token").as_str());
            assert_eq!(
                (claims["iat"].as_i64(), claims["exp"].as_i64()),
                (Some(NOW), Some(NOW + 120))
            );
            ids.insert(claims["jti"].as_str().unwrap().to_owned());
        }
        assert!(ids.iter().all(|id| id.len() >= 22));
    }
}

#[tokio::test]
async fn d6_a_refused_assertion_is_signed_once_more_by_the_servers_clock() {
    let server = Server::start().await;
    let refused = || {
        json_answer(400, r#"{"error":"invalid_client"}"#)
            .insert_header("date", "Thu, 01 Jan 2026 01:00:00 GMT")
    };
    server
        .answer_then("POST", "/token", refused(), json_answer(200, TOKENS))
        .await;
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    refresh(&server, &ClientAuthentication::PrivateKeyJwt(key.clone()))
        .await
        .unwrap();
    let posted = posted(&server).await;
    let (first, second) = (
        assertion_claims(&posted[0].1, &key),
        assertion_claims(&posted[1].1, &key),
    );
    assert_eq!(
        (first["iat"].as_i64(), second["iat"].as_i64()),
        (Some(NOW), Some(NOW + 3600))
    );
    assert_ne!(first["jti"], second["jti"]);
    let server = Server::start().await;
    server.answer("POST", "/token", refused()).await;
    assert!(
        refresh(&server, &ClientAuthentication::PrivateKeyJwt(key))
            .await
            .is_err()
    );
    assert_eq!(
        server.requests("/token").await.len(),
        2,
        "once more, not for ever"
    );
}

#[tokio::test]
async fn d6_a_right_clock_is_no_reason_to_try_again() {
    let server = Server::start().await;
    let answer = json_answer(400, r#"{"error":"invalid_client"}"#)
        .insert_header("date", "Thu, 01 Jan 2026 00:00:59 GMT");
    server.answer("POST", "/token", answer).await;
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    assert!(
        refresh(&server, &ClientAuthentication::PrivateKeyJwt(key))
            .await
            .is_err()
    );
    assert_eq!(posted(&server).await.len(), 1);
}
