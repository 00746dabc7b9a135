//! B41: the kinds of app that the vendor knows, in its four use cases, from registration to a refresh.
//! All but the native app that registers itself are those of `clients.example.json`.

use crate::portal::{self, Decision};
use crate::portals::Person;
use crate::tester::{JWT_BEARER, Tester, VERIFIER, error};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{RequestBuilder, Response, StatusCode};
use rstest::rstest;
use satchel_mock::World;
use satchel_mock::population::Account;
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

const YEAR: i64 = 31_536_000;

fn examples() -> Vec<Value> {
    serde_json::from_str(include_str!("../../clients.example.json")).unwrap()
}

/// An app and the tester's server.
struct App<'a> {
    tester: &'a Tester,
    client: Value,
    /// It runs in a browser, which says whence.
    origin: Option<&'static str>,
}

impl App<'_> {
    fn text(&self, name: &str) -> &str {
        self.client[name].as_str().unwrap_or_default()
    }

    fn redirect_uri(&self) -> &str {
        self.client["redirect_uris"][0].as_str().unwrap()
    }

    /// Sends a request as the app would; a browser must be allowed to read the answer.
    async fn send(&self, request: RequestBuilder) -> Response {
        let Some(origin) = self.origin else {
            return request.send().await.unwrap();
        };
        let answer = request.header("Origin", origin).send().await.unwrap();
        let allowed = &answer.headers()["Access-Control-Allow-Origin"];
        assert!(allowed == origin || allowed == "*", "{allowed:?}");
        answer
    }

    /// A token request, with the proof that the app registered.
    async fn token(&self, form: &[(&str, &str)]) -> Response {
        let client_id = self.text("client_id");
        let assertion;
        let mut form = form.to_vec();
        let mut basic = None;
        match self.text("token_endpoint_auth_method") {
            "none" => form.push(("client_id", client_id)),
            "client_secret_basic" => basic = Some(self.text("client_secret")),
            "client_secret_post" => {
                form.push(("client_id", client_id));
                form.push(("client_secret", self.text("client_secret")));
            }
            _ => {
                assertion = self.assertion();
                form.push(("client_assertion_type", JWT_BEARER));
                form.push(("client_assertion", &assertion));
            }
        }
        let mut request = self.tester.token(&form);
        if let Some(secret) = basic {
            request = request.basic_auth(client_id, Some(secret));
        }
        self.send(request).await
    }

    fn assertion(&self) -> String {
        let pem = include_str!("../../clients.example.pem");
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
        let mut header = Header::new(Algorithm::ES384);
        header.kid = Some("example-key".to_owned());
        let claims = json!({
            "iss": self.text("client_id"), "sub": self.text("client_id"),
            "aud": self.tester.url("/auth/token"), "exp": self.tester.mock.now() + 100,
            "jti": format!("{}", self.tester.mock.requests().len()),
        });
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    }

    /// A whole sign-in; gives the code.
    async fn code(&self, account: &Account, scope: &str, launch: Option<&str>) -> String {
        let mut parameters = self.tester.authorization(self.text("client_id"), scope);
        for (name, value) in &mut parameters {
            if name == "redirect_uri" {
                self.redirect_uri().clone_into(value);
            }
        }
        parameters.extend(launch.map(|launch| ("launch".to_owned(), launch.to_owned())));
        let url = self.tester.authorization_url(&parameters);
        let patient = account.patient_ids.first().map(String::as_str);
        let (name, password) = (&account.username, &account.password);
        let location = portal::sign_in(&url, name, password, patient, Decision::Approve).await;
        assert!(location.starts_with(self.redirect_uri()), "{location}");
        let location = Url::parse(&location).unwrap();
        let answer: HashMap<String, String> = location.query_pairs().into_owned().collect();
        assert_eq!(answer["iss"], self.tester.mock.issuer());
        answer["code"].clone()
    }

    /// Opens the app from the portal; gives the value of `launch`.
    async fn launch(&self, account: &Account) -> String {
        let person = Person::sign_in(self.tester, account).await;
        let fields = [
            ("client_id", self.text("client_id")),
            ("patient", account.patient_ids[0].as_str()),
        ];
        let address = person.press("/portal/launch", &fields).await;
        assert!(address.starts_with(self.text("initiate_login_uri")));
        let address = Url::parse(&address).unwrap();
        let opened: HashMap<String, String> = address.query_pairs().into_owned().collect();
        assert_eq!(opened["iss"], self.tester.mock.fhir_base());
        opened["launch"].clone()
    }

    async fn exchange(&self, code: &str, verifier: Option<&str>) -> Response {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri()),
        ];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        self.token(&form).await
    }

    async fn reads(&self, tokens: &Value, patient: &str) {
        let url = format!("{}/Patient/{patient}", self.tester.mock.fhir_base());
        let token = tokens["access_token"].as_str().unwrap();
        let answer = self
            .send(self.tester.http.get(url).bearer_auth(token))
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.json::<Value>().await.unwrap()["id"], patient);
    }
}

/// From the sign-in, or from the portal, to a read, a refresh and another read.
async fn journey(app: &App<'_>, account: &Account, level: &str, from_portal: bool) {
    let (context, launch) = if from_portal {
        ("launch", Some(app.launch(account).await))
    } else {
        ("launch/patient", None)
    };
    let scope = format!("openid fhirUser offline_access {context} {level}/*.rs");
    let code = app.code(account, &scope, launch.as_deref()).await;
    let answer = app.exchange(&code, Some(VERIFIER)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let tokens: Value = answer.json().await.unwrap();
    assert_eq!(tokens["scope"], scope);
    assert_eq!(tokens["patient"], account.patient_ids[0].as_str());
    assert_eq!(tokens["smart_style_url"].is_string(), from_portal);
    app.reads(&tokens, &account.patient_ids[0]).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let refreshed = app.token(&form).await;
    assert_eq!(refreshed.status(), StatusCode::OK);
    let refreshed: Value = refreshed.json().await.unwrap();
    assert_ne!(refreshed["refresh_token"], tokens["refresh_token"]);
    app.reads(&refreshed, &account.patient_ids[0]).await;
}

/// An app that registers itself, with the key that everybody knows in place of its own.
async fn self_registered(tester: &Tester) -> Value {
    let examples = examples();
    let key = examples.iter().find(|one| one["client_id"] == "server-key");
    tester
        .client(&json!({
            "token_endpoint_auth_method": "private_key_jwt", "application_type": "native",
            "jwks": key.unwrap()["jwks"], "initiate_login_uri": "org.example.tester:/launch",
        }))
        .await
}

#[rstest]
#[case::on_a_server_with_basic("server-basic")]
#[case::on_a_server_with_post("server-post")]
#[case::on_a_server_with_a_key("server-key")]
#[case::native_registering_itself("")]
#[case::in_the_browser("browser")]
#[case::native_with_a_static_secret("native-static")]
#[case::a_backend_service("backend")]
#[tokio::test]
async fn b41_every_kind_of_app_in_every_use_case(#[case] name: &str) {
    let is_service = name == "backend";
    let tester = Tester::at(World {
        patients: 2,
        clients: examples(),
        token_lifetime_seconds: if is_service { YEAR } else { 3600 },
        ..World::default()
    })
    .await;
    let known = examples().into_iter().find(|one| one["client_id"] == name);
    let client = match known {
        Some(client) => client,
        None => self_registered(&tester).await,
    };
    let app = App {
        tester: &tester,
        client,
        origin: (name == "browser").then_some("https://browser.example"),
    };
    let (patient, provider) = (tester.patient().clone(), tester.provider().clone());
    if is_service {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "system/*.rs"),
        ];
        let tokens: Value = app.token(&form).await.json().await.unwrap();
        assert_eq!(tokens["expires_in"], YEAR);
        assert!(tokens["refresh_token"].is_null() && tokens["patient"].is_null());
        for id in &provider.patient_ids {
            app.reads(&tokens, id).await;
        }
        tester.mock.turn_clock(YEAR - 60);
        app.reads(&tokens, &provider.patient_ids[0]).await;
        return;
    }
    for (account, level) in [(&patient, "patient"), (&provider, "user")] {
        for from_portal in [false, true] {
            journey(&app, account, level, from_portal).await;
        }
    }
    // Whoever holds the secret or the key proves nothing without the verifier of this one sign-in.
    let code = app
        .code(&patient, "launch/patient patient/*.rs", None)
        .await;
    let refused = error(app.exchange(&code, None).await).await;
    assert_eq!(refused.1, "invalid_grant");
}

#[tokio::test]
async fn b41_a_public_app_that_registers_never_gets_a_secret_and_needs_none() {
    let tester = Tester::new().await;
    for kind in ["native", "web"] {
        let client = tester
            .client(&json!({"application_type": kind, "client_secret": "of-its-own"}))
            .await;
        assert!(client["client_secret"].is_null() && client["client_secret_expires_at"].is_null());
        let form = [
            ("grant_type", "authorization_code"),
            ("code", "x"),
            ("client_id", client["client_id"].as_str().unwrap()),
            ("client_secret", "of-its-own"),
        ];
        let refused = error(tester.token(&form).send().await.unwrap()).await;
        assert_eq!(refused.1, "invalid_client", "a secret is no proof");
    }
}
