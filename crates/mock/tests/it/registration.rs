//! B: dynamic client registration (RFC 7591), reading and deleting it (RFC 7592).

use crate::portal::Decision;
use crate::tester::{REDIRECT, Tester, error, es384, exchange, rs384};
use reqwest::StatusCode;
use rstest::rstest;
use satchel_mock::World;
use serde_json::{Value, json};

#[tokio::test]
async fn b4_an_installation_registers_itself_with_an_inline_key() {
    let tester = Tester::new().await;
    for key in [es384(), rs384()] {
        let client = tester
            .client(&json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.public]}}))
            .await;
        assert!(client["client_id"].as_str().unwrap().len() >= 20);
        assert_eq!(client["jwks"]["keys"][0], key.public);
        assert_eq!(client["redirect_uris"], json!([REDIRECT]));
        assert!(client["client_secret"].is_null(), "a key needs no secret");
    }
}

#[rstest]
#[case("client_secret_basic")]
#[case("client_secret_post")]
#[tokio::test]
async fn b20_a_client_with_a_secret_is_given_one_that_cannot_be_guessed(#[case] method: &str) {
    let tester = Tester::new().await;
    let metadata = json!({"token_endpoint_auth_method": method});
    let (one, other) = (
        tester.client(&metadata).await,
        tester.client(&metadata).await,
    );
    assert!(one["client_secret"].as_str().unwrap().len() >= 32);
    assert_ne!(one["client_secret"], other["client_secret"]);
    assert_ne!(one["client_id"], other["client_id"]);
    assert_eq!(one["client_secret_expires_at"], 0);
}

#[tokio::test]
async fn b41_a_public_client_gets_no_secret() {
    let tester = Tester::new().await;
    let client = tester.client(&json!({})).await;
    assert!(client["client_secret"].is_null());
    assert_eq!(client["token_endpoint_auth_method"], "none");
}

#[rstest]
#[case::http_elsewhere(json!({"redirect_uris": ["http://app.example/cb"]}), "invalid_redirect_uri")]
#[case::localhost_by_name(json!({"redirect_uris": ["http://localhost/cb"]}), "invalid_redirect_uri")]
#[case::scheme_without_period(json!({"redirect_uris": ["satchel:/cb"]}), "invalid_redirect_uri")]
#[case::fragment(json!({"redirect_uris": ["https://app.example/cb#x"]}), "invalid_redirect_uri")]
#[case::wildcard(json!({"redirect_uris": ["https://*.example/cb"]}), "invalid_redirect_uri")]
#[case::script(json!({"redirect_uris": ["javascript:alert(1)"]}), "invalid_redirect_uri")]
#[case::no_redirect(json!({"redirect_uris": []}), "invalid_client_metadata")]
#[case::unknown_method(json!({"token_endpoint_auth_method": "tls_client_auth"}), "invalid_client_metadata")]
#[case::no_key(json!({"token_endpoint_auth_method": "private_key_jwt"}), "invalid_client_metadata")]
#[case::implicit(json!({"grant_types": ["implicit"]}), "invalid_client_metadata")]
#[case::token_response(json!({"response_types": ["token"]}), "invalid_client_metadata")]
#[case::types_that_do_not_fit(json!({"grant_types": ["client_credentials"]}), "invalid_client_metadata")]
#[case::service_without_key(json!({"grant_types": ["client_credentials"], "response_types": []}), "invalid_client_metadata")]
#[case::jwks_twice(json!({"jwks": {"keys": []}, "jwks_uri": "https://app.example/jwks"}), "invalid_client_metadata")]
#[case::symmetric_key(json!({"jwks": {"keys": [{"kty": "oct", "k": "AAAA", "kid": "x"}]}}), "invalid_client_metadata")]
#[case::name_that_is_a_number(json!({"client_name": 7}), "invalid_client_metadata")]
#[tokio::test]
async fn b16_b17_b32_what_does_not_fit_is_refused_with_the_error_of_rfc_7591(
    #[case] change: Value,
    #[case] expected: &str,
) {
    let tester = Tester::new().await;
    let mut metadata = json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
    for (name, value) in change.as_object().unwrap() {
        metadata[name] = value.clone();
    }
    let refused = error(tester.register(&metadata).await).await;
    assert_eq!(refused, (StatusCode::BAD_REQUEST, expected.to_owned()));
}

#[tokio::test]
async fn b5_a_private_key_is_refused_whoever_sends_it() {
    let tester = Tester::new().await;
    let mut key = es384().public;
    key["d"] = "AAAA".into();
    let metadata = json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key]}});
    let (_, code) = error(tester.register(&metadata).await).await;
    assert_eq!(code, "invalid_client_metadata");
}

#[tokio::test]
async fn b17_what_is_no_json_is_refused() {
    let tester = Tester::new().await;
    let request = tester.http.post(tester.url("/auth/register")).body("{");
    let (status, code) = error(request.send().await.unwrap()).await;
    assert_eq!(
        (status, code.as_str()),
        (StatusCode::BAD_REQUEST, "invalid_client_metadata")
    );
}

#[tokio::test]
async fn b25_b29_a_registration_is_read_and_deleted_with_its_own_token_only() {
    let tester = Tester::new().await;
    let client = tester.client(&json!({})).await;
    let address = client["registration_client_uri"].as_str().unwrap();
    let token = client["registration_access_token"].as_str().unwrap();
    let strange = tester
        .http
        .get(address)
        .bearer_auth("another")
        .send()
        .await
        .unwrap();
    assert_eq!(strange.status(), StatusCode::UNAUTHORIZED);
    let read = tester
        .http
        .get(address)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(
        read.json::<Value>().await.unwrap()["client_id"],
        client["client_id"]
    );
    let deleted = tester
        .http
        .delete(address)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    let again = tester
        .http
        .get(address)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn b27_b28_a_client_replaces_its_registration_to_rotate_its_key_and_keeps_its_id() {
    let tester = Tester::new().await;
    let (old, new) = (es384(), rs384());
    let metadata = json!({
        "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"], "response_types": [], "jwks": {"keys": [old.public]},
    });
    let client: Value = tester.register(&metadata).await.json().await.unwrap();
    let put = |token: &str, body: &Value| {
        let address = client["registration_client_uri"].as_str().unwrap();
        let request = tester.http.put(address).bearer_auth(token);
        request
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .send()
    };
    let own = client["registration_access_token"].as_str().unwrap();
    let mut next = metadata.clone();
    next["jwks"] = json!({"keys": [new.public]});
    assert_eq!(
        error(put(own, &next).await.unwrap()).await.1,
        "invalid_client_metadata",
        "client_id is missing"
    );
    next["client_id"] = client["client_id"].clone();
    assert_eq!(
        put("another", &next).await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let answer: Value = put(own, &next).await.unwrap().json().await.unwrap();
    assert_eq!(answer["client_id"], client["client_id"]);
    assert_eq!(answer["client_id_issued_at"], client["client_id_issued_at"]);
    assert_eq!(answer["jwks"]["keys"], json!([new.public]));
    let mut wrong = next.clone();
    wrong["client_secret"] = "chosen".into();
    assert_eq!(
        error(put(own, &wrong).await.unwrap()).await.1,
        "invalid_client_metadata"
    );

    let ask = |key: &crate::tester::Key| {
        let claims = json!({
            "iss": client["client_id"], "sub": client["client_id"], "aud": tester.url("/auth/token"),
            "exp": answer["client_id_issued_at"].as_i64().unwrap() + 200, "jti": "1",
        });
        let assertion = key.sign(&claims);
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "system/*.rs"),
            ("client_assertion_type", crate::tester::JWT_BEARER),
            ("client_assertion", assertion.as_str()),
        ];
        tester.token(&form).send()
    };
    assert_eq!(
        error(ask(&old).await.unwrap()).await.1,
        "invalid_client",
        "the old key is gone"
    );
    assert_eq!(ask(&new).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn b14_b15_registration_may_need_an_initial_access_token() {
    let tester = Tester::at(World {
        patients: 1,
        initial_access_token: Some("letter-of-introduction".to_owned()),
        ..World::default()
    })
    .await;
    let metadata = json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
    let refused = tester.register(&metadata).await;
    assert!(refused.headers().contains_key("WWW-Authenticate"));
    assert_eq!(
        error(refused).await,
        (StatusCode::UNAUTHORIZED, "invalid_token".to_owned())
    );
    let request = tester
        .http
        .post(tester.url("/auth/register"))
        .bearer_auth("letter-of-introduction");
    let taken = request.body(metadata.to_string()).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn b13_b15_a_software_statement_counts_more_than_the_apps_own_words() {
    let trusted = es384();
    let tester = Tester::at(World {
        patients: 1,
        software_statement_keys: vec![trusted.public.clone()],
        ..World::default()
    })
    .await;
    let with = |statement: String| {
        json!({
            "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none",
            "client_name": "Something else", "software_statement": statement,
        })
    };
    let claims = json!({"iss": "https://approver.example", "client_name": "Approved app", "software_id": "app-1"});
    let answer: Value = tester
        .register(&with(trusted.sign(&claims)))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&answer["client_name"], &answer["software_id"]),
        (&json!("Approved app"), &json!("app-1"))
    );
    let mut expired = claims.clone();
    expired["exp"] = 1.into();
    for (statement, code) in [
        ("not.a.jwt".to_owned(), "invalid_software_statement"),
        (es384().sign(&claims), "unapproved_software_statement"),
        (trusted.sign(&expired), "unapproved_software_statement"),
    ] {
        assert_eq!(error(tester.register(&with(statement)).await).await.1, code);
    }
}

#[tokio::test]
async fn b41_static_clients_are_taken_in_at_the_start_and_while_the_server_runs() {
    let client = json!({
        "client_id": "static-app", "client_secret": "static-secret", "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "client_secret_post",
    });
    let tester = Tester::at(World {
        patients: 1,
        clients: vec![client],
        ..World::default()
    })
    .await;
    let add = |client: Value| {
        let request = tester
            .http
            .post(format!("{}/clients", tester.mock.control()));
        request
            .header("Content-Type", "application/json")
            .body(client.to_string())
            .send()
    };
    let public = json!({"client_id": "static-public", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
    assert_eq!(add(public).await.unwrap().status(), StatusCode::OK);
    let without = json!({"client_id": "x", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "client_secret_basic"});
    let refused = add(without).await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("client_secret is missing")
    );

    for (client_id, secret) in [
        ("static-app", Some("static-secret")),
        ("static-public", None),
    ] {
        let answer = tester
            .sign_in(
                client_id,
                "launch/patient patient/*.rs",
                tester.patient(),
                Decision::Approve,
            )
            .await;
        let mut form = exchange(client_id, &answer["code"]);
        form.extend(secret.map(|secret| ("client_secret", secret)));
        assert_eq!(
            tester.token(&form).send().await.unwrap().status(),
            StatusCode::OK,
            "{client_id}"
        );
    }
}

#[tokio::test]
async fn b36_b37_b40_an_app_that_was_signed_in_registers_this_installations_key_and_needs_no_refresh_token()
 {
    let tester = Tester::new().await;
    let scope = "launch/patient offline_access patient/*.rs";
    let account = tester.patient().clone();
    let (app, tokens) = tester.tokens(&account, scope).await;
    let key = es384();
    let register = |software: &str| {
        let metadata = json!({"software_id": software, "jwks": {"keys": [key.public]}});
        let request = tester.http.post(tester.url("/auth/register"));
        let request = request.bearer_auth(tokens["access_token"].as_str().unwrap());
        request.body(metadata.to_string()).send()
    };
    let other = error(register("another-app").await.unwrap()).await;
    assert_eq!(other.1, "invalid_client_metadata");
    let installation: Value = register(&app).await.unwrap().json().await.unwrap();
    assert_ne!(installation["client_id"], app.as_str());
    let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    assert_eq!(installation["grant_types"], json!([grant_type]));

    let ask = |key: &crate::tester::Key, jti: &str| {
        let claims = json!({
            "iss": installation["client_id"], "sub": installation["client_id"], "aud": tester.url("/auth/token"),
            "exp": installation["client_id_issued_at"].as_i64().unwrap() + 200, "jti": jti,
        });
        let assertion = key.sign(&claims);
        let client_id = installation["client_id"].as_str().unwrap();
        let form = [
            ("grant_type", grant_type),
            ("assertion", assertion.as_str()),
            ("client_id", client_id),
        ];
        tester.token(&form).send()
    };
    let answer: Value = ask(&key, "1").await.unwrap().json().await.unwrap();
    assert_eq!(answer["patient"], account.patient_ids[0].as_str());
    assert!(answer["refresh_token"].is_null());
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(tester.fhir(token, "Patient").await.0, StatusCode::OK);
    assert_eq!(
        error(ask(&key, "1").await.unwrap()).await.1,
        "invalid_grant",
        "an assertion is used once"
    );
    assert_eq!(
        error(ask(&es384(), "2").await.unwrap()).await.1,
        "invalid_grant",
        "another key"
    );
    tester.mock.set_access(false);
    assert_eq!(
        error(ask(&key, "3").await.unwrap()).await.1,
        "invalid_grant",
        "the sign-in has ended"
    );
}
