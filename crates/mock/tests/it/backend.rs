//! E: backend services.

use crate::tester::{JWT_BEARER, Key, Tester, error, es384};
use reqwest::{Response, StatusCode};
use rstest::rstest;
use satchel_mock::World;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A backend service with its key.
struct Service<'a> {
    tester: &'a Tester,
    key: Key,
    client_id: String,
}

impl<'a> Service<'a> {
    async fn register(tester: &'a Tester, scope: &str) -> Self {
        let key = es384();
        let client = tester
            .client(&json!({
                "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
                "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.public]},
                "scope": scope,
            }))
            .await;
        let client_id = client["client_id"].as_str().unwrap().to_owned();
        Self {
            tester,
            key,
            client_id,
        }
    }

    fn assertion(&self, jti: &str) -> String {
        self.key.sign(&json!({
            "iss": self.client_id, "sub": self.client_id, "aud": self.tester.url("/auth/token"),
            "exp": self.tester.mock.now() + 100, "jti": jti,
        }))
    }

    /// Asks with one member of the form changed, or taken out.
    async fn ask_with(&self, scope: &str, jti: &str, change: (&str, Option<&str>)) -> Response {
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("scope", scope.to_owned()),
            ("client_assertion_type", JWT_BEARER.to_owned()),
            ("client_assertion", self.assertion(jti)),
        ];
        let (changed, value) = change;
        form.retain(|(name, _)| *name != changed);
        form.extend(value.map(|value| (changed, value.to_owned())));
        let request = self.tester.http.post(self.tester.url("/auth/token"));
        request.form(&form).send().await.unwrap()
    }

    async fn ask(&self, scope: &str, jti: &str) -> Response {
        self.ask_with(scope, jti, ("", None)).await
    }
}

#[tokio::test]
async fn e3_more_than_was_registered_is_left_out_and_nothing_else_is_invalid_scope() {
    let tester = Tester::new().await;
    let service = Service::register(&tester, "system/Patient.rs system/Observation.rs").await;
    let asked = "system/Patient.rs system/Condition.rs system/*.rs";
    let answer: Value = service.ask(asked, "1").await.json().await.unwrap();
    assert_eq!(answer["scope"], "system/Patient.rs");
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(tester.fhir_status(token, "Patient").await, StatusCode::OK);
    assert_eq!(
        tester.fhir_status(token, "Condition").await,
        StatusCode::FORBIDDEN
    );
    for (jti, scope) in [
        ("2", "system/Condition.rs"),
        ("3", "patient/Patient.rs"),
        ("4", "openid offline_access"),
        ("5", ""),
    ] {
        let refused = error(service.ask(scope, jti).await).await;
        assert_eq!(
            refused,
            (StatusCode::BAD_REQUEST, "invalid_scope".to_owned()),
            "{scope}"
        );
    }
}

#[tokio::test]
async fn e4_e5_the_answer_has_token_type_lifetime_and_scope_and_no_refresh_token() {
    let tester = Tester::new().await;
    let service = Service::register(&tester, "system/*.rs").await;
    let answer = service.ask("system/*.rs", "1").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["Content-Type"], "application/json");
    assert_eq!(answer.headers()["Cache-Control"], "no-store");
    assert_eq!(answer.headers()["Pragma"], "no-cache");
    let answer: Value = answer.json().await.unwrap();
    let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["access_token", "expires_in", "scope", "token_type"]
    );
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3600);
    assert_eq!(answer["scope"], "system/*.rs");
}

#[rstest]
#[case::grant_type("grant_type", Some("password"), 400, "unsupported_grant_type")]
#[case::no_grant_type("grant_type", None, 400, "invalid_request")]
#[case::code_grant("grant_type", Some("authorization_code"), 400, "unauthorized_client")]
#[case::assertion_type("client_assertion_type", Some("not-a-type"), 401, "invalid_client")]
#[case::no_assertion_type("client_assertion_type", None, 401, "invalid_client")]
#[case::jwt("client_assertion", Some("not.a.jwt"), 401, "invalid_client")]
#[case::no_jwt("client_assertion", None, 401, "invalid_client")]
#[tokio::test]
async fn e6_a_bad_grant_type_assertion_type_or_jwt_is_refused(
    #[case] name: &str,
    #[case] value: Option<&str>,
    #[case] status: u16,
    #[case] code: &str,
) {
    let tester = Tester::new().await;
    let service = Service::register(&tester, "system/*.rs").await;
    let refused = service.ask_with("system/*.rs", "1", (name, value)).await;
    let (given, error) = error(refused).await;
    assert_eq!((given.as_u16(), error.as_str()), (status, code));
    let right = service.ask("system/*.rs", "2").await;
    assert_eq!(right.status(), StatusCode::OK, "the rest was right");
}

#[tokio::test]
async fn e6_a_secret_is_no_way_in_for_a_service() {
    let tester = Tester::new().await;
    let client = tester
        .client(&json!({"token_endpoint_auth_method": "client_secret_post"}))
        .await;
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "system/*.rs"),
        ("client_id", client["client_id"].as_str().unwrap()),
        ("client_secret", client["client_secret"].as_str().unwrap()),
    ];
    let refused = error(tester.token(&form).send().await.unwrap()).await;
    assert_eq!(refused.1, "unauthorized_client");
}

#[rstest]
#[case::a_second(1)]
#[case::five_minutes(300)]
#[case::an_hour(3600)]
#[case::a_year(31_536_000)]
#[tokio::test]
async fn e14_a_token_lives_as_long_as_the_tester_says_and_dies_when_the_practice_says(
    #[case] lifetime: i64,
) {
    let tester = Tester::at(World {
        patients: 1,
        token_lifetime_seconds: lifetime,
        ..World::default()
    })
    .await;
    let service = Service::register(&tester, "system/*.rs").await;
    let get = async |jti: &str| {
        let answer: Value = service.ask("system/*.rs", jti).await.json().await.unwrap();
        assert_eq!(answer["expires_in"], lifetime);
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let read = async |token: &str| tester.fhir_status(token, "Patient").await.as_u16();
    let token = get("1").await;
    if lifetime > 1 {
        // The clock goes on by itself, too.
        tester.mock.turn_clock(lifetime - 30);
        assert_eq!(read(&token).await, 200);
    }
    tester.mock.turn_clock(31);
    assert_eq!(read(&token).await, 401);
    if lifetime == 1 {
        return;
    }
    let token = get("2").await;
    assert_eq!(read(&token).await, 200);
    tester.mock.set_app_access(&service.client_id, None, false);
    assert_eq!(read(&token).await, 401, "at once");
    let refused = error(service.ask("system/*.rs", "3").await).await;
    assert_eq!(refused.1, "unauthorized_client");
    tester.mock.set_app_access(&service.client_id, None, true);
    assert_eq!(read(&token).await, 200);
}

/// Publishes what is in `set`, and counts how often it is asked for.
async fn publish(set: Arc<Mutex<(Value, u32)>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move || async move {
        let mut set = set.lock().unwrap();
        set.1 += 1;
        ([("Cache-Control", "max-age=60")], axum::Json(set.0.clone()))
    };
    let router = axum::Router::new().route("/jwks.json", axum::routing::get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/jwks.json")
}

#[tokio::test]
async fn e7_keys_at_a_jwks_uri_are_fetched_and_not_kept_past_their_max_age() {
    let tester = Tester::new().await;
    let (old, new) = (es384(), es384());
    let set = |key: &Key| json!({"keys": [key.public]});
    let published = Arc::new(Mutex::new((set(&old), 0)));
    let uri = publish(Arc::clone(&published)).await;
    let client = tester
        .client(&json!({
            "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": uri,
        }))
        .await;
    assert_eq!(client["jwks_uri"], uri);
    assert!(client["jwks"].is_null());
    let client_id = client["client_id"].as_str().unwrap().to_owned();
    let service = |key: Key| Service {
        tester: &tester,
        key,
        client_id: client_id.clone(),
    };
    let (old, new) = (service(old), service(new));
    let ask = async |service: &Service<'_>, jti: &str| {
        service.ask("system/*.rs", jti).await.status().as_u16()
    };
    assert_eq!([ask(&old, "1").await, ask(&old, "2").await], [200, 200]);
    assert_eq!(published.lock().unwrap().1, 1, "fetched once");
    published.lock().unwrap().0 = set(&new.key);
    assert_eq!(ask(&new, "3").await, 401, "not known yet");
    tester.mock.turn_clock(61);
    assert_eq!([ask(&new, "4").await, ask(&old, "5").await], [200, 401]);
    published.lock().unwrap().0 = json!({"keys": "none"});
    tester.mock.turn_clock(61);
    assert_eq!(ask(&new, "6").await, 401, "no keys, no way in");

    for refused in ["http://app.example/jwks", "file:///jwks", "jwks"] {
        let metadata = json!({
            "grant_types": ["client_credentials"], "response_types": [],
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": refused,
        });
        let refused = error(tester.register(&metadata).await).await;
        assert_eq!(refused.1, "invalid_client_metadata");
    }
}
