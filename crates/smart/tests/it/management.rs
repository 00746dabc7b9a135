//! What a client does with its registration afterwards (RFC 7592), and what more a registration says.

use crate::support::{Server, client, json_answer};
use satchel_smart::registration::{
    ClientInformation, ClientMetadata, RegistrationError, read_registration, register_client,
    update_registration,
};
use satchel_smart::secret::SecretString;
use serde_json::{Value, json};
use std::time::Duration;
use wiremock::ResponseTemplate;

const AT: &str = "/register/c-1";

fn secret(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

fn known(server: &Server) -> ClientInformation {
    ClientInformation {
        client_id: "c-1".into(),
        client_secret: Some(secret("old-secret")),
        client_secret_expires_at: Some(7),
        token_endpoint_auth_method: "client_secret_basic".into(),
        redirect_uris: vec!["org.satchel.app:/callback/abc".into()],
        grant_types: vec!["authorization_code".into()],
        registration_client_uri: Some(server.url(AT)),
        registration_access_token: Some(secret("old-token")),
        ..ClientInformation::default()
    }
}

fn exposed(secret: &Option<SecretString>) -> &str {
    secret.as_ref().map_or("", |secret| secret.expose())
}

#[tokio::test]
async fn b26_reading_takes_a_new_secret_and_a_new_token_at_once() {
    let server = Server::start().await;
    let answer = json!({
        "client_id": "c-1", "client_secret": "new-secret", "client_secret_expires_at": 99,
        "token_endpoint_auth_method": "client_secret_post", "client_name": "Satchel",
        "jwks": {"keys": [{"kty": "EC", "kid": "k-1"}]},
        "registration_client_uri": server.url(AT), "registration_access_token": "new-token",
    });
    server
        .answer("GET", AT, json_answer(200, &answer.to_string()))
        .await;
    let now = read_registration(&client(), &known(&server)).await.unwrap();
    assert_eq!(exposed(&now.client_secret), "new-secret");
    assert_eq!(exposed(&now.registration_access_token), "new-token");
    assert_eq!(now.client_secret_expires_at, Some(99));
    assert_eq!(now.token_endpoint_auth_method, "client_secret_post");
    assert_eq!(now.key_ids(), ["k-1"]);
    assert_eq!(now.registered["client_name"], "Satchel");
    let seen = format!("{now:?}");
    assert!(
        !seen.contains("new-secret") && !seen.contains("new-token"),
        "{seen}"
    );
    let asked = server.requests(AT).await;
    assert_eq!(asked[0].headers["authorization"], "Bearer old-token");
}

#[tokio::test]
async fn b26_what_an_answer_leaves_out_stays_and_a_token_alone_is_taken_too() {
    let server = Server::start().await;
    let first = json_answer(200, r#"{"client_id":"c-1"}"#);
    let then = json_answer(
        200,
        r#"{"client_id":"c-1","registration_access_token":"alone"}"#,
    );
    server.answer_then("GET", AT, first, then).await;
    let before = known(&server);
    let same = read_registration(&client(), &before).await.unwrap();
    assert_eq!(exposed(&same.client_secret), "old-secret");
    assert_eq!(same.client_secret_expires_at, Some(7));
    assert_eq!(exposed(&same.registration_access_token), "old-token");
    assert_eq!(same.redirect_uris, before.redirect_uris);
    let turned = read_registration(&client(), &before).await.unwrap();
    assert_eq!(exposed(&turned.registration_access_token), "alone");
    assert_eq!(turned.registration_client_uri, Some(server.url(AT)));
}

#[tokio::test]
async fn b26_another_client_id_and_another_origin_are_refused() {
    let server = Server::start().await;
    let other = json_answer(200, r#"{"client_id":"c-2"}"#);
    let elsewhere = json!({"client_id": "c-1", "registration_access_token": "t",
        "registration_client_uri": "https://evil.example/register/c-1"});
    let elsewhere = json_answer(200, &elsewhere.to_string());
    server.answer_then("GET", AT, other, elsewhere).await;
    let refused = read_registration(&client(), &known(&server)).await;
    assert!(matches!(refused, Err(RegistrationError::ClientIdChanged)));
    let kept = read_registration(&client(), &known(&server)).await.unwrap();
    assert_eq!(kept.registration_client_uri, Some(server.url(AT)));
    assert_eq!(exposed(&kept.registration_access_token), "old-token");
}

#[tokio::test]
async fn b27_updating_sends_the_whole_record_without_what_is_the_servers() {
    let server = Server::start().await;
    server
        .answer("PUT", AT, json_answer(200, r#"{"client_id":"c-1"}"#))
        .await;
    let mut wanted = known(&server);
    wanted.registered = json!({
        "client_id": "forged", "client_name": "Satchel", "x_vendor": [1],
        "registration_access_token": "t", "registration_client_uri": "u",
        "client_secret_expires_at": 1, "client_id_issued_at": 2,
    })
    .as_object()
    .unwrap()
    .clone();
    update_registration(&client(), &wanted).await.unwrap();
    let sent = &server.requests(AT).await[0];
    assert_eq!(sent.headers["authorization"], "Bearer old-token");
    assert_eq!(sent.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let expected = json!({"client_id": "c-1", "client_name": "Satchel", "x_vendor": [1],
        "client_secret": "old-secret"});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn b30_what_a_refusal_of_management_means() {
    for status in [401_u16, 403, 404, 405, 500] {
        for verb in ["GET", "PUT"] {
            let server = Server::start().await;
            server.answer(verb, AT, ResponseTemplate::new(status)).await;
            let answer = match verb {
                "GET" => read_registration(&client(), &known(&server)).await,
                _ => update_registration(&client(), &known(&server)).await,
            };
            match (status, answer.unwrap_err()) {
                (401, RegistrationError::Gone) | (500, RegistrationError::Http(_)) => {}
                (403..=405, RegistrationError::NotOffered { status: said }) if said == status => {}
                (_, other) => panic!("{verb} {status}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn b20_a_missing_end_of_a_secret_is_unknown_and_zero_is_never() {
    for (written, read) in [("", None), (r#","client_secret_expires_at":0"#, Some(0))] {
        let server = Server::start().await;
        let body = format!(
            r#"{{"client_id":"c-1","client_secret":"s","token_endpoint_auth_method":"client_secret_basic"{written}}}"#
        );
        server
            .answer("POST", "/register", json_answer(201, &body))
            .await;
        let metadata = ClientMetadata {
            token_endpoint_auth_method: "client_secret_basic".into(),
            ..ClientMetadata::default()
        };
        let answer = register_client(&client(), &server.url("/register"), &metadata, None).await;
        assert_eq!(answer.unwrap().client_secret_expires_at, read);
    }
}

#[tokio::test]
async fn b13_a_software_statement_is_sent_and_must_come_back_unmodified() {
    for (echoed, taken) in [(Some("a.b.c"), true), (None, true), (Some("x.y.z"), false)] {
        let server = Server::start().await;
        let mut answer = json!({"client_id": "c-1", "registration_client_uri": server.url(AT),
            "registration_access_token": "rat"});
        if let Some(echoed) = echoed {
            answer["software_statement"] = echoed.into();
        }
        server
            .answer("POST", "/register", json_answer(201, &answer.to_string()))
            .await;
        server
            .answer("DELETE", AT, ResponseTemplate::new(204))
            .await;
        let metadata = ClientMetadata {
            token_endpoint_auth_method: "none".into(),
            software_statement: Some("a.b.c".into()),
            ..ClientMetadata::default()
        };
        let result = register_client(&client(), &server.url("/register"), &metadata, None).await;
        let sent: Value =
            serde_json::from_slice(&server.requests("/register").await[0].body).unwrap();
        assert_eq!(sent["software_statement"], "a.b.c");
        match result {
            Ok(_) => assert!(taken),
            Err(RegistrationError::SoftwareStatementChanged) => {
                assert!(!taken);
                assert_eq!(server.requests(AT).await.len(), 1, "deleted again");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn b34_a_busy_registration_says_how_long_to_wait() {
    for (status, after, busy) in [
        (429, Some("7"), true),
        (503, Some("7"), true),
        (503, None, false),
    ] {
        let server = Server::start().await;
        let mut answer = ResponseTemplate::new(status);
        if let Some(after) = after {
            answer = answer.insert_header("retry-after", after);
        }
        server.answer("POST", "/register", answer).await;
        let metadata = ClientMetadata::default();
        match register_client(&client(), &server.url("/register"), &metadata, None).await {
            Err(RegistrationError::TooManyRequests { retry_after }) => {
                assert!(busy && retry_after == Some(Duration::from_secs(7)));
            }
            Err(RegistrationError::Http(_)) => assert!(!busy),
            other => panic!("{other:?}"),
        }
        assert_eq!(
            server.requests("/register").await.len(),
            1,
            "not tried again"
        );
    }
}
