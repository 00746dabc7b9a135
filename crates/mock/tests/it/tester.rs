//! A tester's tools: an app with keys, registered at a server, and a person who signs in.

use crate::portal::{self, Decision};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use satchel_mock::population::{Account, AccountRole};
use satchel_mock::{MockServer, World};
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT: &str = "org.example.tester:/callback";
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(crate) struct Tester {
    pub(crate) mock: MockServer,
    pub(crate) http: Client,
}

/// A key of the app, its algorithm, and its public half.
pub(crate) struct Key {
    signer: EncodingKey,
    algorithm: Algorithm,
    pub(crate) public: Value,
}

pub(crate) fn es384() -> Key {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let signer = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    key(signer, Algorithm::ES384)
}

pub(crate) fn rs384() -> Key {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let body = STANDARD.encode(pair.as_der().unwrap().as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    let signer = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    key(signer, Algorithm::RS384)
}

fn key(signer: EncodingKey, algorithm: Algorithm) -> Key {
    let public = Jwk::from_encoding_key(&signer, algorithm).unwrap();
    let mut public = serde_json::to_value(public).unwrap();
    public["kid"] = "key-1".into();
    Key {
        signer,
        algorithm,
        public,
    }
}

impl Key {
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as("JWT", claims)
    }

    /// A JWT with this `typ`.
    pub(crate) fn sign_as(&self, typ: &str, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.typ = Some(typ.to_owned());
        header.kid = Some("key-1".to_owned());
        jsonwebtoken::encode(&header, claims, &self.signer).unwrap()
    }
}

impl Tester {
    pub(crate) async fn new() -> Self {
        Self::at(World {
            patients: 2,
            ..World::default()
        })
        .await
    }

    pub(crate) async fn at(world: World) -> Self {
        let http = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mock = MockServer::start(world).await.unwrap();
        Self { mock, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.mock.issuer())
    }

    pub(crate) fn patient(&self) -> &Account {
        self.account(AccountRole::Patient)
    }

    pub(crate) fn provider(&self) -> &Account {
        self.account(AccountRole::Provider)
    }

    pub(crate) fn administrator(&self) -> &Account {
        self.account(AccountRole::Administrator)
    }

    fn account(&self, role: AccountRole) -> &Account {
        let mut accounts = self.mock.accounts().iter();
        accounts.find(|one| one.role == role).unwrap()
    }

    pub(crate) async fn get(&self, url: &str) -> Value {
        let answer = self.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{url}");
        answer.json().await.unwrap()
    }

    pub(crate) async fn register(&self, metadata: &Value) -> Response {
        let request = self.http.post(self.url("/auth/register"));
        request
            .header("Content-Type", "application/json")
            .body(metadata.to_string())
            .send()
            .await
            .unwrap()
    }

    /// A public client.
    pub(crate) async fn public_client(&self) -> String {
        self.client(&json!({})).await["client_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Registers an app that may do everything a native app does; `more` overrides.
    pub(crate) async fn client(&self, more: &Value) -> Value {
        let mut metadata = json!({
            "client_name": "A tester's app",
            "redirect_uris": [REDIRECT],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        });
        for (name, value) in more.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        let answer = self.register(&metadata).await;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body
    }

    pub(crate) fn authorization(&self, client_id: &str, scope: &str) -> Vec<(String, String)> {
        let fhir_base = self.mock.fhir_base();
        [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("state", "the-state"),
            ("aud", fhir_base),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("nonce", "the-nonce"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    pub(crate) fn authorization_url(&self, parameters: &[(String, String)]) -> String {
        Url::parse_with_params(&self.url("/auth/authorize"), parameters)
            .unwrap()
            .to_string()
    }

    /// A whole sign-in; gives the parameters of the answer.
    pub(crate) async fn sign_in(
        &self,
        client_id: &str,
        scope: &str,
        account: &Account,
        decision: Decision,
    ) -> HashMap<String, String> {
        let url = self.authorization_url(&self.authorization(client_id, scope));
        let location = portal::sign_in(
            &url,
            &account.username,
            &account.password,
            account.patient_ids.first().map(String::as_str),
            decision,
        )
        .await;
        assert!(location.starts_with(REDIRECT), "{location}");
        Url::parse(&location)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect()
    }

    pub(crate) fn token(&self, form: &[(&str, &str)]) -> RequestBuilder {
        self.http.post(self.url("/auth/token")).form(form)
    }

    /// Sign-in and exchange by a public client; gives the client and the token answer.
    pub(crate) async fn tokens(&self, account: &Account, scope: &str) -> (String, Value) {
        let client_id = self.public_client().await;
        let answer = self
            .sign_in(&client_id, scope, account, Decision::Approve)
            .await;
        let form = exchange(&client_id, &answer["code"]);
        let answer = self.token(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        (client_id, answer.json().await.unwrap())
    }

    pub(crate) async fn access_token(&self, scope: &str) -> String {
        let (_, answer) = self.tokens(&self.patient().clone(), scope).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// How a FHIR request with that token ends.
    pub(crate) async fn fhir_status(&self, token: &str, path: &str) -> StatusCode {
        let url = format!("{}/{path}", self.mock.fhir_base());
        let request = self.http.get(url).bearer_auth(token);
        request.send().await.unwrap().status()
    }

    /// A FHIR request with that token.
    pub(crate) async fn fhir(&self, token: &str, path: &str) -> (StatusCode, Value) {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/{path}", self.mock.fhir_base())
        };
        let request = self.http.get(url).bearer_auth(token);
        let answer = request
            .header("Accept", "application/fhir+json")
            .send()
            .await
            .unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

/// The form of a public client that redeems its code.
pub(crate) fn exchange<'a>(client_id: &'a str, code: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("client_id", client_id),
    ]
}

/// The `error` of an OAuth error answer, which must be JSON that nobody stores.
pub(crate) async fn error(answer: Response) -> (StatusCode, String) {
    assert_eq!(answer.headers()["Cache-Control"], "no-store");
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert!(body["error_description"].is_string(), "{body}");
    (status, body["error"].as_str().unwrap().to_owned())
}
