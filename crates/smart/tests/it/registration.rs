//! Dynamic client registration (RFC 7591), and what servers make of it.

use crate::support::{Server, client, json_answer};
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use satchel_smart::registration::{
    ClientInformation, ClientMetadata, RegistrationError, RegistrationErrorCode,
    delete_registration, register_client, register_client_with_ladder,
};
use satchel_smart::secret::SecretString;
use serde_json::{Value, json};
use std::time::Duration;
use wiremock::ResponseTemplate;

const HTTPS: &str = "https://app.satchel.example/callback/abc";
const LOOPBACK: &str = "http://127.0.0.1/callback/abc";
const SCHEME: &str = "org.satchel.app:/callback/abc";

fn metadata() -> ClientMetadata {
    let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
    ClientMetadata {
        redirect_uris: vec![HTTPS.into(), LOOPBACK.into(), SCHEME.into()],
        client_name: "Satchel".into(),
        software_id: Some("id-1".into()),
        software_version: Some("1.0".into()),
        scope: Some("openid patient/*.rs".into()),
        grant_types: vec!["authorization_code".into(), "refresh_token".into()],
        response_types: vec!["code".into()],
        token_endpoint_auth_method: "private_key_jwt".into(),
        jwks: Some(json!({"keys": [key.public_jwk()]})),
        application_type: Some("native".into()),
        ..ClientMetadata::default()
    }
}

async fn register(server: &Server) -> Result<ClientInformation, RegistrationError> {
    register_client(&client(), &server.url("/register"), &metadata(), None).await
}

async fn bodies(server: &Server) -> Vec<Value> {
    let requests = server.requests("/register").await;
    requests
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect()
}

#[tokio::test]
async fn b1_b9_one_post_of_one_json_object_with_everything_explicit() {
    let server = Server::start().await;
    server
        .answer(
            "POST",
            "/register",
            json_answer(201, r#"{"client_id":"c-1"}"#),
        )
        .await;
    let information = register(&server).await.unwrap();
    assert_eq!(information.client_id, "c-1");
    assert_eq!(information.token_endpoint_auth_method, "private_key_jwt");
    assert_eq!(information.redirect_uris, [HTTPS, LOOPBACK, SCHEME]);
    let requests = server.requests("/register").await;
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].headers["content-type"], "application/json");
    assert_eq!(requests[0].headers["accept"], "application/json");
    assert!(!requests[0].headers.contains_key("authorization"));
    let body = &bodies(&server).await[0];
    assert_eq!(body["redirect_uris"], json!([HTTPS, LOOPBACK, SCHEME]));
    assert_eq!(body["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(
        body["grant_types"],
        json!(["authorization_code", "refresh_token"])
    );
    assert_eq!(body["response_types"], json!(["code"]));
    assert!(body.get("jwks_uri").is_none() && body.get("logo_uri").is_none());
}

#[tokio::test]
async fn b5_only_the_public_half_of_the_key_is_on_the_wire() {
    let server = Server::start().await;
    server
        .answer(
            "POST",
            "/register",
            json_answer(201, r#"{"client_id":"c-1"}"#),
        )
        .await;
    register(&server).await.unwrap();
    let body = &bodies(&server).await[0];
    let key = body["jwks"]["keys"][0].as_object().unwrap();
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(!key.contains_key(private), "{private}");
    }
    assert_eq!(
        (&key["kty"], &key["use"], &key["alg"]),
        (&json!("EC"), &json!("sig"), &json!("ES384"))
    );
}

#[tokio::test]
async fn b7_a_backend_service_says_that_it_has_no_response_types() {
    let metadata = ClientMetadata {
        grant_types: vec!["client_credentials".into()],
        token_endpoint_auth_method: "private_key_jwt".into(),
        ..ClientMetadata::default()
    };
    let body = serde_json::to_value(&metadata).unwrap();
    assert_eq!(body["response_types"], json!([]));
    assert!(body.get("redirect_uris").is_none());
}

#[tokio::test]
async fn b14_an_initial_access_token_is_sent_as_bearer_and_its_refusal_is_told_apart() {
    let server = Server::start().await;
    server
        .answer(
            "POST",
            "/register",
            json_answer(401, r#"{"error":"invalid_token"}"#),
        )
        .await;
    let token = SecretString::new("iat-1".into());
    let answer = register_client(
        &client(),
        &server.url("/register"),
        &metadata(),
        Some(&token),
    )
    .await;
    assert!(matches!(
        answer,
        Err(RegistrationError::InitialAccessTokenNeeded)
    ));
    assert_eq!(
        server.requests("/register").await[0].headers["authorization"],
        "Bearer iat-1"
    );
}

#[tokio::test]
async fn b19_status_200_is_taken_and_a_body_without_client_id_refused() {
    for (status, body, registered) in [
        (200, r#"{"client_id":"c-1"}"#, true),
        (201, "{}", false),
        (201, r#"{"client_id":""}"#, false),
        (201, r#"{"client_id":7}"#, false),
    ] {
        let server = Server::start().await;
        server
            .answer("POST", "/register", json_answer(status, body))
            .await;
        match register(&server).await {
            Ok(_) => assert!(registered, "{body}"),
            Err(RegistrationError::MissingClientId) => assert!(!registered, "{body}"),
            Err(other) => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn b20_b21_what_the_server_granted_counts() {
    let server = Server::start().await;
    let granted = json!({"client_id": "c-1", "client_secret": "hush", "client_secret_expires_at": 1_800_000_000,
        "token_endpoint_auth_method": "client_secret_basic", "redirect_uris": [SCHEME], "grant_types": ["authorization_code"],
        "scope": "openid", "registration_client_uri": server.url("/register/c-1"), "registration_access_token": "rat"});
    server
        .answer("POST", "/register", json_answer(201, &granted.to_string()))
        .await;
    let information = register(&server).await.unwrap();
    assert_eq!(
        information.token_endpoint_auth_method,
        "client_secret_basic"
    );
    assert_eq!(information.client_secret.as_ref().unwrap().expose(), "hush");
    assert_eq!(information.client_secret_expires_at, Some(1_800_000_000));
    assert_eq!(information.redirect_uris, [SCHEME]);
    assert_eq!(information.grant_types, ["authorization_code"]);
    assert_eq!(information.scope.as_deref(), Some("openid"));
    assert!(
        !format!("{information:?}").contains("hush")
            && !format!("{information:?}").contains("\"rat\"")
    );
}

#[tokio::test]
async fn b21_a_registration_that_cannot_be_used_is_deleted_again() {
    for (change, method) in [
        (
            json!({"token_endpoint_auth_method": "tls_client_auth"}),
            Some("tls_client_auth"),
        ),
        (
            json!({"token_endpoint_auth_method": "client_secret_basic"}),
            Some("client_secret_basic"),
        ),
        (json!({"redirect_uris": ["https://other.example/cb"]}), None),
    ] {
        let server = Server::start().await;
        let mut answer = json!({"client_id": "c-1", "registration_client_uri": server.url("/register/c-1"),
            "registration_access_token": "rat"});
        crate::support::merge(&mut answer, change);
        server
            .answer("POST", "/register", json_answer(201, &answer.to_string()))
            .await;
        server
            .answer("DELETE", "/register/c-1", ResponseTemplate::new(204))
            .await;
        match (register(&server).await, method) {
            (Err(RegistrationError::UnsupportedAuthMethod(found)), Some(method)) => {
                assert_eq!(found, method)
            }
            (Err(RegistrationError::RedirectUrisNotGranted), None) => {}
            other => panic!("{other:?}"),
        }
        let deleted = server.requests("/register/c-1").await;
        assert_eq!(deleted.len(), 1);
        assert_eq!(deleted[0].headers["authorization"], "Bearer rat");
    }
}

#[tokio::test]
async fn b25_a_management_uri_at_another_origin_is_not_kept() {
    let server = Server::start().await;
    let with = |change: fn(&mut url::Url)| {
        let mut uri = server.url("/register/c-1");
        change(&mut uri);
        uri.to_string()
    };
    for uri in [
        "https://evil.example/register/c-1".to_owned(),
        with(|uri| uri.set_username("me").unwrap()),
        with(|uri| uri.set_password(Some("pw")).unwrap()),
        with(|uri| uri.set_fragment(Some("x"))),
    ] {
        let answer = json!({"client_id": "c-1", "registration_client_uri": uri,
            "registration_access_token": "rat"});
        server.mock.reset().await;
        server
            .answer("POST", "/register", json_answer(201, &answer.to_string()))
            .await;
        let information = register(&server).await.unwrap();
        assert!(
            information.registration_client_uri.is_none()
                && information.registration_access_token.is_none(),
            "{uri}"
        );
        let deleted = delete_registration(&client(), &information).await;
        assert!(matches!(
            deleted,
            Err(RegistrationError::NotOffered { status: 0 })
        ));
    }
}

#[tokio::test]
async fn b29_b30_deleting() {
    for (status, gone) in [
        (204, true),
        (200, true),
        (401, true),
        (403, false),
        (405, false),
        (404, false),
    ] {
        let server = Server::start().await;
        server
            .answer("DELETE", "/register/c-1", ResponseTemplate::new(status))
            .await;
        let information = ClientInformation {
            registration_client_uri: Some(server.url("/register/c-1")),
            registration_access_token: Some(SecretString::new("rat".into())),
            ..ClientInformation::default()
        };
        match delete_registration(&client(), &information).await {
            Ok(()) => assert!(gone, "{status}"),
            Err(RegistrationError::NotOffered { status: s }) => assert!(!gone && s == status),
            Err(other) => panic!("{status}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn b32_every_code_of_rfc_7591_is_told_apart() {
    use RegistrationErrorCode::{
        InvalidClientMetadata, InvalidRedirectUri, InvalidSoftwareStatement, Other,
        UnapprovedSoftwareStatement,
    };
    for (code, expected) in [
        ("invalid_redirect_uri", InvalidRedirectUri),
        ("invalid_client_metadata", InvalidClientMetadata),
        ("invalid_software_statement", InvalidSoftwareStatement),
        ("unapproved_software_statement", UnapprovedSoftwareStatement),
        ("house_is_full", Other("house_is_full".into())),
    ] {
        let server = Server::start().await;
        let body =
            json!({"error": code, "error_description": "No\u{202e}\n!", "extra": 1}).to_string();
        server
            .answer("POST", "/register", json_answer(400, &body))
            .await;
        match register(&server).await {
            Err(RegistrationError::Refused { error, description }) => {
                assert_eq!(error, expected);
                assert_eq!(description.as_deref(), Some("No  !"));
            }
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn b32_b34_refusals_without_a_code() {
    let html = |status| ResponseTemplate::new(status).set_body_raw("<html>no</html>", "text/html");
    for status in [403, 404, 405] {
        let server = Server::start().await;
        server.answer("POST", "/register", html(status)).await;
        assert!(
            matches!(register(&server).await, Err(RegistrationError::NotOffered { status: s }) if s == status)
        );
    }
    let server = Server::start().await;
    server.answer("POST", "/register", html(400)).await;
    assert!(matches!(
        register(&server).await,
        Err(RegistrationError::NotJson)
    ));
    server.mock.reset().await;
    server.answer("POST", "/register", html(201)).await;
    assert!(matches!(
        register(&server).await,
        Err(RegistrationError::NotJson)
    ));
    server.mock.reset().await;
    server.answer("POST", "/register", html(502)).await;
    assert!(matches!(
        register(&server).await,
        Err(RegistrationError::Http(_))
    ));
    server.mock.reset().await;
    server
        .answer(
            "POST",
            "/register",
            html(429).insert_header("retry-after", "7"),
        )
        .await;
    assert!(matches!(
        register(&server).await,
        Err(RegistrationError::TooManyRequests { retry_after: Some(wait) }) if wait == Duration::from_secs(7)
    ));
}

#[tokio::test]
async fn b33_the_ladder_of_redirect_uris() {
    let server = Server::start().await;
    server
        .answer(
            "POST",
            "/register",
            json_answer(400, r#"{"error":"invalid_redirect_uri"}"#),
        )
        .await;
    let answer =
        register_client_with_ladder(&client(), &server.url("/register"), &metadata(), None).await;
    assert!(matches!(
        answer,
        Err(RegistrationError::Refused {
            error: RegistrationErrorCode::InvalidRedirectUri,
            ..
        })
    ));
    let tried: Vec<Value> = bodies(&server)
        .await
        .into_iter()
        .map(|body| body["redirect_uris"].clone())
        .collect();
    assert_eq!(
        tried,
        [
            json!([HTTPS, LOOPBACK, SCHEME]),
            json!([HTTPS]),
            json!([LOOPBACK]),
            json!([SCHEME])
        ]
    );
}

#[tokio::test]
async fn b33_the_ladder_of_metadata_ends_where_the_server_is_content() {
    let server = Server::start().await;
    let refused = json_answer(400, r#"{"error":"invalid_client_metadata"}"#);
    server
        .answer_then(
            "POST",
            "/register",
            refused,
            json_answer(201, r#"{"client_id":"c-1"}"#),
        )
        .await;
    let answer =
        register_client_with_ladder(&client(), &server.url("/register"), &metadata(), None).await;
    assert_eq!(answer.unwrap().client_id, "c-1");
    let tried = bodies(&server).await;
    assert_eq!(tried.len(), 2);
    assert!(
        tried[0].get("application_type").is_some() && tried[1].get("application_type").is_none()
    );
    assert!(tried[1].get("software_id").is_some());
}

/// As npm `oidc-provider` does, which says "initiate_login_uri must be a https uri".
#[tokio::test]
async fn b33_b12_a_launch_address_that_is_not_https_is_given_up_first() {
    let server = Server::start().await;
    server
        .answer_then(
            "POST",
            "/register",
            json_answer(400, r#"{"error":"invalid_client_metadata"}"#),
            json_answer(201, r#"{"client_id":"c-1"}"#),
        )
        .await;
    let asked = ClientMetadata {
        initiate_login_uri: Some("org.example.app:/launch/patient".to_owned()),
        ..metadata()
    };
    let answer =
        register_client_with_ladder(&client(), &server.url("/register"), &asked, None).await;
    assert_eq!(answer.unwrap().client_id, "c-1");
    let tried = bodies(&server).await;
    assert_eq!(tried.len(), 2);
    assert!(tried[0].get("initiate_login_uri").is_some());
    assert!(tried[1].get("initiate_login_uri").is_none() && tried[1].get("scope").is_none());
    assert!(tried[1].get("application_type").is_some());
}

#[tokio::test]
async fn b33_other_refusals_are_not_tried_again() {
    let server = Server::start().await;
    server
        .answer(
            "POST",
            "/register",
            json_answer(400, r#"{"error":"unapproved_software_statement"}"#),
        )
        .await;
    let answer =
        register_client_with_ladder(&client(), &server.url("/register"), &metadata(), None).await;
    assert!(answer.is_err());
    assert_eq!(bodies(&server).await.len(), 1);
}
