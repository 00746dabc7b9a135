//! Answers of the token, introspection and other endpoints that real servers give: which are taken,
//! and which would cost the person too much.

use crate::exchange::{exchange, posted, secret};
use crate::support::{FrozenClock, IssuerKey, SeededRandom, Server, client, form, json_answer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::id_token::{IdTokenClaims, IdTokenError};
use satchel_smart::introspection::{Introspection, introspect_token};
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use satchel_smart::token::{TokenError, TokenErrorCode, TokenResponse, refresh_access_token};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

fn part(jwt: &str, index: usize) -> Value {
    let part = jwt.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn refresh_as(server: &Server, who: &IdTokenClaims) -> Result<TokenResponse, TokenError> {
    refresh_access_token(
        &client(),
        &server.url("/token"),
        "client-1",
        &ClientAuthentication::None,
        &secret("rt-0"),
        Some(who),
        &FrozenClock::new(),
        &SeededRandom::new(),
    )
    .await
}

#[tokio::test]
async fn d34_the_id_token_of_a_refresh_may_be_poor_but_not_another_persons() {
    let key = IssuerKey::new(Algorithm::ES384, "k1");
    let who = IdTokenClaims {
        issuer: "https://ehr.example".into(),
        subject: "ana".into(),
        fhir_user: None,
    };
    let ours = json!({"iss": "https://ehr.example", "sub": "ana", "aud": "client-1"});
    let signed = |change: Value| {
        let mut claims = ours.clone();
        crate::support::merge(&mut claims, change);
        Some(key.sign(&claims))
    };
    for (case, id_token, expected) in [
        ("the same", signed(json!({})), "taken"),
        ("no id_token", None, "taken"),
        (
            "no aud, as of the SMART launcher",
            signed(json!({"aud": null})),
            "taken",
        ),
        (
            "several in aud",
            signed(json!({"aud": ["x", "client-1"]})),
            "taken",
        ),
        ("not readable", Some("not-a-jwt".to_owned()), "taken"),
        (
            "another sub",
            signed(json!({"sub": "ben"})),
            "another person",
        ),
        (
            "another iss",
            signed(json!({"iss": "https://evil.example"})),
            "another person",
        ),
        (
            "another aud",
            signed(json!({"aud": "client-2"})),
            "another app",
        ),
    ] {
        let server = Server::start().await;
        let mut body =
            json!({"access_token": "at-2", "token_type": "Bearer", "refresh_token": "rt-1"});
        if let Some(id_token) = id_token {
            body["id_token"] = id_token.into();
        }
        server
            .answer("POST", "/token", json_answer(200, &body.to_string()))
            .await;
        let found = match refresh_as(&server, &who).await {
            Ok(tokens) => {
                assert_eq!(tokens.access_token.expose(), "at-2");
                "taken"
            }
            Err(TokenError::IdToken(IdTokenError::AnotherPerson)) => "another person",
            Err(TokenError::IdToken(IdTokenError::WrongAudience)) => "another app",
            Err(other) => panic!("{case}: {other:?}"),
        };
        assert_eq!(found, expected, "{case}");
    }
}

#[tokio::test]
async fn d20_only_what_never_left_this_machine_is_known_not_to_have_happened() {
    let who = IdTokenClaims {
        issuer: "i".into(),
        subject: "s".into(),
        fhir_user: None,
    };
    let server = Server::start().await;
    for (status, body, unknown) in [
        (200, "{}", true),
        (502, "<html>", true),
        (404, "<html>", false),
        (400, r#"{"error":"invalid_grant"}"#, false),
    ] {
        server.mock.reset().await;
        server
            .answer("POST", "/token", json_answer(status, body))
            .await;
        let error = refresh_as(&server, &who).await.unwrap_err();
        assert_eq!(error.outcome_unknown(), unknown, "{status} {body}");
    }
    let slow = ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(20));
    server.mock.reset().await;
    server.answer("POST", "/token", slow).await;
    assert!(
        refresh_as(&server, &who)
            .await
            .unwrap_err()
            .outcome_unknown(),
        "timed out"
    );
    let nobody = refresh_access_token(
        &client(),
        &url::Url::parse("http://127.0.0.1:1/token").unwrap(),
        "c",
        &ClientAuthentication::None,
        &secret("rt"),
        None,
        &FrozenClock::new(),
        &SeededRandom::new(),
    )
    .await;
    assert!(!nobody.unwrap_err().outcome_unknown(), "nothing was sent");
}

#[tokio::test]
async fn c39_a_code_is_sent_once_whatever_the_server_answers() {
    for (status, body) in [
        (400, r#"{"error":"invalid_grant"}"#),
        (503, "busy"),
        (200, "{}"),
        (500, r#"{"error":"server_error"}"#),
    ] {
        let server = Server::start().await;
        server
            .answer("POST", "/token", json_answer(status, body))
            .await;
        assert!(
            exchange(&server, &ClientAuthentication::None)
                .await
                .is_err()
        );
        assert_eq!(posted(&server).await.len(), 1, "{status} {body}");
    }
}

#[tokio::test]
async fn d9_the_assertion_is_for_the_token_endpoint_or_where_that_is_set_for_the_issuer() {
    let server = Server::start().await;
    let body = r#"{"access_token":"at","token_type":"Bearer","scope":"patient/Condition.rs"}"#;
    server
        .answer("POST", "/token", json_answer(200, body))
        .await;
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    let issuer = "https://ehr.example/as".to_owned();
    let modes = [
        (
            ClientAuthentication::PrivateKeyJwt(key.clone()),
            server.url("/token").to_string(),
            "JWT",
        ),
        (
            ClientAuthentication::PrivateKeyJwtForIssuer {
                key,
                issuer: issuer.clone(),
            },
            issuer,
            "client-authentication+jwt",
        ),
    ];
    for (place, (authentication, audience, typ)) in modes.iter().enumerate() {
        exchange(&server, authentication).await.unwrap();
        let (_, sent) = &posted(&server).await[place];
        let assertion = &sent["client_assertion"];
        assert_eq!(part(assertion, 1)["aud"], *audience);
        assert_eq!(part(assertion, 0)["typ"], *typ);
        assert!(!sent.contains_key("client_id"));
    }
}

#[tokio::test]
async fn d15_a_style_is_never_fetched_and_an_unknown_intent_is_only_a_word() {
    let server = Server::start().await;
    let body = json!({"access_token": "at", "token_type": "Bearer", "scope": "patient/Condition.rs",
        "patient": "p-1", "intent": "order-pizza", "smart_style_url": server.url("/style.json").as_str()});
    server
        .answer("POST", "/token", json_answer(200, &body.to_string()))
        .await;
    let tokens = exchange(&server, &ClientAuthentication::None)
        .await
        .unwrap();
    assert_eq!(tokens.launch_context.intent.as_deref(), Some("order-pizza"));
    assert_eq!(
        tokens.launch_context.smart_style_url, None,
        "plain http is not even kept"
    );
    assert!(server.requests("/style.json").await.is_empty());
}

async fn introspect(server: &Server) -> Result<Introspection, TokenError> {
    introspect_token(
        &client(),
        &server.url("/introspect"),
        &server.url("/token"),
        "client-1",
        &ClientAuthentication::ClientSecretBasic(secret("pw")),
        &secret("at-1"),
        &FrozenClock::new(),
        &SeededRandom::new(),
    )
    .await
}

#[tokio::test]
async fn d36_introspection_is_asked_with_the_clients_proof() {
    let server = Server::start().await;
    let body = r#"{"active":true,"scope":"openid patient/Goal.rs","client_id":"client-1","exp":1767229200,"patient":"p-1","aud":"x"}"#;
    server
        .answer_then(
            "POST",
            "/introspect",
            json_answer(200, body),
            json_answer(200, r#"{"active":false}"#),
        )
        .await;
    let told = introspect(&server).await.unwrap();
    assert!(told.active && told.scope.unwrap().contains("patient/Goal.rs"));
    assert_eq!(told.expires_at.unwrap().as_second(), 1_767_229_200);
    let request = &server.requests("/introspect").await[0];
    assert_eq!(form(request)["token"], "at-1");
    assert!(
        request.headers["authorization"]
            .to_str()
            .unwrap()
            .starts_with("Basic ")
    );
    assert!(!introspect(&server).await.unwrap().active);
}

#[tokio::test]
async fn d36_a_401_or_403_of_the_introspection_endpoint_is_an_error_and_no_verdict() {
    for (status, body) in [
        (401, r#"{"error":"invalid_client"}"#),
        (403, ""),
        (401, "<html>"),
    ] {
        let server = Server::start().await;
        server
            .answer("POST", "/introspect", json_answer(status, body))
            .await;
        match introspect(&server).await {
            Err(
                TokenError::OAuth {
                    error: TokenErrorCode::InvalidClient,
                    ..
                }
                | TokenError::NotJson { .. },
            ) => {}
            other => panic!("{status}: {other:?}"),
        }
    }
}
