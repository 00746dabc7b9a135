//! The token endpoint: code, refresh, revocation, and each way to prove who asks.

use crate::support::{
    FrozenClock, IssuerKey, NOW, REDIRECT, SeededRandom, Server, client, form, json_answer,
};
use base64::Engine as _;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::http::HttpError;
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use satchel_smart::secret::SecretString;
use satchel_smart::token::{
    TokenError, TokenErrorCode, TokenResponse, refresh_access_token, revoke_token,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use wiremock::{Request, ResponseTemplate};

pub(crate) const TOKENS: &str = r#"{"access_token":"at-1","token_type":"bearer","expires_in":3600,"refresh_token":"rt-1",
    "scope":"launch/patient patient/Condition.rs","patient":"p-1","need_patient_banner":false,"unknown":[1]}"#;

pub(crate) fn secret(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

pub(crate) async fn exchange(
    server: &Server,
    authentication: &ClientAuthentication,
) -> Result<TokenResponse, TokenError> {
    let clock = FrozenClock::new();
    let (sent, pending) = server.login(&clock);
    let code = pending
        .accept(
            &format!("{REDIRECT}?code=the+code&state={}", sent["state"]),
            &clock,
        )
        .unwrap();
    code.exchange(&client(), authentication, &clock, &SeededRandom::new())
        .await
}

pub(crate) async fn refresh(
    server: &Server,
    authentication: &ClientAuthentication,
) -> Result<TokenResponse, TokenError> {
    let url = server.url("/token");
    let (clock, random) = (FrozenClock::new(), SeededRandom::new());
    refresh_access_token(
        &client(),
        &url,
        "client-1",
        authentication,
        &secret("rt-0"),
        None,
        &clock,
        &random,
    )
    .await
}

pub(crate) async fn posted(server: &Server) -> Vec<(Request, HashMap<String, String>)> {
    let requests = server.requests("/token").await;
    requests
        .into_iter()
        .map(|request| {
            let form = form(&request);
            (request, form)
        })
        .collect()
}

pub(crate) fn assertion_claims(form: &HashMap<String, String>, key: &SigningKey) -> Value {
    let jwk = serde_json::from_value(key.public_jwk()).unwrap();
    let algorithm = match key.algorithm() {
        SigningAlgorithm::ES384 => Algorithm::ES384,
        SigningAlgorithm::RS384 => Algorithm::RS384,
    };
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let assertion = &form["client_assertion"];
    let header = jsonwebtoken::decode_header(assertion).unwrap();
    assert_eq!(
        (header.typ.as_deref(), header.kid.as_deref()),
        (Some("JWT"), Some(key.kid()))
    );
    assert!(header.jku.is_none() && header.jwk.is_none());
    jsonwebtoken::decode(
        assertion,
        &DecodingKey::from_jwk(&jwk).unwrap(),
        &validation,
    )
    .unwrap()
    .claims
}

#[tokio::test]
async fn d1_d2_d11_a_public_client_posts_code_verifier_redirect_uri_and_client_id() {
    let server = Server::start().await;
    server
        .answer("POST", "/token", json_answer(200, TOKENS))
        .await;
    let clock = FrozenClock::new();
    let (sent, pending) = server.login(&clock);
    let code = pending
        .accept(
            &format!("{REDIRECT}?code=the+code&state={}", sent["state"]),
            &clock,
        )
        .unwrap();
    let tokens = code
        .exchange(
            &client(),
            &ClientAuthentication::None,
            &clock,
            &SeededRandom::new(),
        )
        .await
        .unwrap();
    let (request, form) = &posted(&server).await[0];
    assert_eq!(
        request.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert!(!request.headers.contains_key("authorization"));
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["code"], "the code");
    assert_eq!(form["redirect_uri"], REDIRECT);
    assert_eq!(form["client_id"], "client-1");
    let digest =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, form["code_verifier"].as_bytes());
    let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    assert_eq!(
        challenge, sent["code_challenge"],
        "the verifier belongs to the challenge that was sent"
    );
    assert_eq!(tokens.access_token.expose(), "at-1");
    assert_eq!(tokens.refresh_token.unwrap().expose(), "rt-1");
    assert_eq!(tokens.expires_at.as_second(), NOW + 3600);
    assert_eq!(
        tokens.scope.to_string(),
        "launch/patient patient/Condition.rs"
    );
    assert_eq!(tokens.launch_context.patient.as_deref(), Some("p-1"));
    assert_eq!(tokens.launch_context.need_patient_banner, Some(false));
}

#[tokio::test]
async fn d19_every_code_of_rfc_6749_is_told_apart() {
    use TokenErrorCode::{
        InvalidClient, InvalidGrant, InvalidRequest, InvalidScope, Other, UnauthorizedClient,
        UnsupportedGrantType,
    };
    for (code, expected) in [
        ("invalid_request", InvalidRequest),
        ("invalid_client", InvalidClient),
        ("invalid_grant", InvalidGrant),
        ("unauthorized_client", UnauthorizedClient),
        ("unsupported_grant_type", UnsupportedGrantType),
        ("invalid_scope", InvalidScope),
        ("slow_down", Other("slow_down".into())),
    ] {
        for status in [400, 401] {
            let server = Server::start().await;
            let body =
                json!({"error": code, "error_description": "a\nb", "trace": "x"}).to_string();
            server
                .answer("POST", "/token", json_answer(status, &body))
                .await;
            match exchange(&server, &ClientAuthentication::None).await {
                Err(TokenError::OAuth {
                    error,
                    description,
                    status: s,
                }) => {
                    assert_eq!((error, s), (expected.clone(), status));
                    assert_eq!(description.as_deref(), Some("a b"));
                }
                other => panic!("{code}: {other:?}"),
            }
            assert_eq!(
                server.requests("/token").await.len(),
                1,
                "c39: a code is sent once"
            );
        }
    }
}

#[tokio::test]
async fn d18_authorization_details_of_other_places_change_nothing() {
    let server = Server::start().await;
    let mut answer: Value = serde_json::from_str(TOKENS).unwrap();
    answer["authorization_details"] = serde_json::json!([{"type": "smart_on_fhir",
        "locations": ["https://elsewhere.example/fhir"], "scope": "system/*.rs", "patient": "other"}]);
    let answer = json_answer(200, &answer.to_string());
    server.answer("POST", "/token", answer).await;
    let tokens = exchange(&server, &ClientAuthentication::None)
        .await
        .unwrap();
    assert_eq!(tokens.launch_context.patient.as_deref(), Some("p-1"));
    assert!(!tokens.scope.to_string().contains("system"));
}

#[tokio::test]
async fn d12_answers_that_are_not_json() {
    let html = "<html>at-1 hush</html>";
    for (status, body, content_type) in [
        (500, html, "text/html"),
        (502, "", "text/html"),
        (400, "error=invalid_grant", "text/plain"),
        (200, html, "text/html"),
        (200, "", "application/json"),
        (
            200,
            "access_token=at-1&token_type=bearer",
            "application/x-www-form-urlencoded",
        ),
        (200, "{\"access_token\":\"hush", "application/json"),
    ] {
        let server = Server::start().await;
        let answer = ResponseTemplate::new(status).set_body_raw(body, content_type);
        server.answer("POST", "/token", answer).await;
        match exchange(&server, &ClientAuthentication::None).await {
            Err(TokenError::NotJson {
                status: s,
                content_type: c,
            }) => {
                assert_eq!((s, c.as_deref()), (status, Some(content_type)), "{body}");
            }
            other => panic!("{status} {body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn d12_json_that_is_no_token_response_and_no_value_in_the_error() {
    for (status, body) in [
        (200, r#"{"token_type":"bearer","refresh_token":"hush"}"#),
        (200, r#"{"access_token":["hush"],"token_type":"bearer"}"#),
        (200, r#"{"access_token":"hush"}"#),
        (200, r#"{"access_token":"hush","token_type":"mac"}"#),
        (200, r#"["hush"]"#),
        (200, r#"{"error":["invalid_grant"]}"#),
        (400, r#"{"message":"hush"}"#),
        (400, r#"{"error":{"code":"hush"}}"#),
    ] {
        let server = Server::start().await;
        server
            .answer("POST", "/token", json_answer(status, body))
            .await;
        let error = exchange(&server, &ClientAuthentication::None)
            .await
            .unwrap_err();
        assert!(
            matches!(error, TokenError::Malformed(_)),
            "{body}: {error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }
}

#[tokio::test]
async fn d19_a_refusal_with_status_200_is_a_refusal() {
    let server = Server::start().await;
    let body = r#"{"error":"invalid_grant","error_description":"used up"}"#;
    server
        .answer("POST", "/token", json_answer(200, body))
        .await;
    let refused = exchange(&server, &ClientAuthentication::None).await;
    assert!(
        matches!(
            refused,
            Err(TokenError::OAuth {
                error: TokenErrorCode::InvalidGrant,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_token_endpoint_that_redirects_is_not_followed() {
    let (server, other) = (Server::start().await, Server::start().await);
    let answer = ResponseTemplate::new(307).insert_header("location", other.url("/token").as_str());
    server.answer("POST", "/token", answer).await;
    let refused = exchange(&server, &ClientAuthentication::None).await;
    assert!(
        matches!(refused, Err(TokenError::Http(HttpError::Redirect { .. }))),
        "{refused:?}"
    );
    assert!(other.mock.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_token_endpoint_out_of_reach_is_a_network_error() {
    let server = Server::start().await;
    let clock = FrozenClock::new();
    let closed = url::Url::parse("http://127.0.0.1:1/token").unwrap();
    let none = ClientAuthentication::None;
    let answer = refresh_access_token(
        &client(),
        &closed,
        "c",
        &none,
        &secret("rt"),
        None,
        &clock,
        &SeededRandom::new(),
    )
    .await;
    assert!(matches!(
        answer,
        Err(TokenError::Http(HttpError::Connect { .. }))
    ));
    drop(server);
}

#[tokio::test]
async fn d21_d22_refresh_sends_the_token_and_keeps_quiet_about_what_the_server_left_out() {
    let server = Server::start().await;
    server
        .answer(
            "POST",
            "/token",
            json_answer(200, r#"{"access_token":"at-2","token_type":"Bearer"}"#),
        )
        .await;
    let tokens = refresh(&server, &ClientAuthentication::None).await.unwrap();
    assert!(tokens.refresh_token.is_none() && tokens.scope_omitted && tokens.scope.is_empty());
    let (_, form) = &posted(&server).await[0];
    assert_eq!(
        (form["grant_type"].as_str(), form["refresh_token"].as_str()),
        ("refresh_token", "rt-0")
    );
    assert!(!form.contains_key("scope"));
}

#[tokio::test]
async fn d37_revocation_with_the_clients_proof() {
    let server = Server::start().await;
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    let (clock, random) = (FrozenClock::new(), SeededRandom::new());
    let (http, url, token) = (client(), server.url("/revoke"), secret("rt-1"));
    let token_endpoint = server.url("/token");
    let authentication = ClientAuthentication::PrivateKeyJwt(key.clone());
    let revoke = || {
        revoke_token(
            &http,
            &url,
            &token_endpoint,
            "client-1",
            &authentication,
            &token,
            "refresh_token",
            &clock,
            &random,
        )
    };
    server
        .answer(
            "POST",
            "/revoke",
            ResponseTemplate::new(200).set_body_string("whatever"),
        )
        .await;
    revoke().await.unwrap();
    let request = &server.requests("/revoke").await[0];
    let sent = form(request);
    assert_eq!(
        (sent["token"].as_str(), sent["token_type_hint"].as_str()),
        ("rt-1", "refresh_token")
    );
    assert_eq!(
        assertion_claims(&sent, &key)["aud"],
        token_endpoint.as_str(),
        "the audience is the token endpoint here too"
    );
    for (status, body) in [(503, ""), (400, r#"{"error":"unsupported_token_type"}"#)] {
        server.mock.reset().await;
        server
            .answer("POST", "/revoke", json_answer(status, body))
            .await;
        match revoke().await {
            Err(TokenError::NotJson { status: 503, .. }) => assert_eq!(status, 503),
            Err(TokenError::OAuth {
                error: TokenErrorCode::Other(code),
                ..
            }) => assert_eq!(code, "unsupported_token_type"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn d30_when_the_id_token_does_not_hold_no_token_of_the_response_is_given_out() {
    let server = Server::start().await;
    let key = IssuerKey::new(Algorithm::ES384, "k1");
    let body = json!({"access_token": "at-1", "token_type": "bearer", "scope": "openid", "id_token": key.sign(&json!({"iss": "x"}))});
    server
        .answer("POST", "/token", json_answer(200, &body.to_string()))
        .await;
    server
        .answer(
            "GET",
            "/jwks",
            json_answer(200, &json!({"keys": [key.jwk(json!({}))]}).to_string()),
        )
        .await;
    let refused = exchange(&server, &ClientAuthentication::None).await;
    assert!(matches!(refused, Err(TokenError::IdToken(_))));
}

/// A refresh runs in a task of its own, so that cancelling its caller cannot lose a rotated token.
#[tokio::test]
async fn every_call_can_run_in_a_task_of_its_own() {
    let server = Server::start().await;
    server
        .answer("POST", "/token", json_answer(200, TOKENS))
        .await;
    let server = std::sync::Arc::new(server);
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    let here = std::sync::Arc::clone(&server);
    let task = tokio::spawn(async move {
        let (http, clock, random) = (client(), FrozenClock::new(), SeededRandom::new());
        let authentication = ClientAuthentication::PrivateKeyJwt(key.clone());
        let (url, token) = (here.url("/token"), secret("rt"));
        refresh_access_token(
            &http,
            &url,
            "c",
            &authentication,
            &token,
            None,
            &clock,
            &random,
        )
        .await
        .unwrap();
        let revoked = revoke_token(
            &http,
            &url,
            &url,
            "c",
            &authentication,
            &token,
            "refresh_token",
            &clock,
            &random,
        )
        .await;
        satchel_smart::backend::request_backend_token(
            &http,
            &url,
            "c",
            &authentication,
            "system/*.rs",
            &clock,
            &random,
        )
        .await
        .unwrap();
        let found = satchel_smart::discovery::discover(&http, &here.base).await;
        let (sent, pending) = here.login(&clock);
        let code = pending
            .accept(
                &format!("{REDIRECT}?code=abc&state={}", sent["state"]),
                &clock,
            )
            .unwrap();
        code.exchange(&http, &authentication, &clock, &random)
            .await
            .unwrap();
        (revoked.is_ok(), found.is_err())
    });
    assert_eq!(task.await.unwrap(), (true, true));
}

#[tokio::test]
async fn d31_the_keys_are_fetched_while_the_token_is_on_its_way() {
    let server = Server::start().await;
    let slow = |body: &str| json_answer(200, body).set_delay(std::time::Duration::from_secs(2));
    server.answer("POST", "/token", slow(TOKENS)).await;
    server.answer("GET", "/jwks", slow(r#"{"keys":[]}"#)).await;
    let begun = std::time::Instant::now();
    let exchanged = exchange(&server, &ClientAuthentication::None).await;
    assert!(exchanged.is_ok(), "no id_token came: {exchanged:?}");
    assert_eq!(server.requests("/jwks").await.len(), 1);
    assert!(begun.elapsed().as_millis() < 3_500, "one after the other");
}

#[tokio::test]
async fn a_refused_code_is_not_told_later_because_of_keys_that_do_not_come() {
    let server = Server::start().await;
    server
        .answer(
            "POST",
            "/token",
            json_answer(400, r#"{"error":"invalid_grant"}"#),
        )
        .await;
    let slow = json_answer(200, "{}").set_delay(std::time::Duration::from_secs(4));
    server.answer("GET", "/jwks", slow).await;
    let begun = std::time::Instant::now();
    let refused = exchange(&server, &ClientAuthentication::None).await;
    assert!(matches!(refused, Err(TokenError::OAuth { .. })));
    assert!(begun.elapsed().as_millis() < 3_000);
}
