//! SMART Backend Services.

use crate::support::{FrozenClock, NOW, SeededRandom, Server, client, form, json_answer};
use satchel_smart::backend::request_backend_token;
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use satchel_smart::token::{TokenError, TokenErrorCode, TokenResponse};

async fn ask(server: &Server) -> Result<TokenResponse, TokenError> {
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    let (clock, random) = (FrozenClock::new(), SeededRandom::new());
    let url = server.url("/token");
    request_backend_token(
        &client(),
        &url,
        "client-1",
        &ClientAuthentication::PrivateKeyJwt(key),
        "system/Patient.rs system/Goal.rs",
        &clock,
        &random,
    )
    .await
}

#[tokio::test]
async fn e1_e2_e4_client_credentials_with_an_assertion_and_system_scopes() {
    let server = Server::start().await;
    let body = r#"{"access_token":"at","token_type":"bearer","expires_in":300,"scope":"system/Patient.rs","refresh_token":"never"}"#;
    server
        .answer("POST", "/token", json_answer(200, body))
        .await;
    let tokens = ask(&server).await.unwrap();
    assert_eq!(tokens.expires_at.as_second(), NOW + 300);
    assert!(
        tokens.scope.allows_read("Patient") && !tokens.scope.allows_read("Goal"),
        "d16: as granted"
    );
    assert!(tokens.refresh_token.is_none(), "e4");
    let sent = form(&server.requests("/token").await[0]);
    assert_eq!(sent["grant_type"], "client_credentials");
    assert_eq!(sent["scope"], "system/Patient.rs system/Goal.rs");
    assert!(
        sent.contains_key("client_assertion")
            && !sent.contains_key("client_id")
            && !sent.contains_key("client_secret")
    );
}

#[tokio::test]
async fn e5_status_201_is_tolerated_and_e9_a_year_is_written_down_as_it_is() {
    let server = Server::start().await;
    let body = r#"{"access_token":"at","token_type":"bearer","expires_in":31536000}"#;
    server
        .answer("POST", "/token", json_answer(201, body))
        .await;
    let tokens = ask(&server).await.unwrap();
    assert_eq!(tokens.expires_at.as_second(), NOW + 31_536_000);
    assert_eq!(tokens.scope.to_string(), "system/Patient.rs system/Goal.rs");
}

#[tokio::test]
async fn e6_refusals() {
    let server = Server::start().await;
    server
        .answer(
            "POST",
            "/token",
            json_answer(400, r#"{"error":"invalid_scope"}"#),
        )
        .await;
    let refused = ask(&server).await;
    assert!(matches!(
        refused,
        Err(TokenError::OAuth {
            error: TokenErrorCode::InvalidScope,
            status: 400,
            ..
        })
    ));
}
