//! A frozen clock, seeded randomness, keys of an imagined issuer, and a server to talk to.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use satchel_smart::authorization::{AuthorizationRequest, PendingAuthorization};
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::{FhirBaseUrl, HttpClient, HttpPolicy};
use satchel_smart::{Clock, Random};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::time::Duration;
use url::Url;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_767_225_600;

/// A clock that stands still until it is moved.
pub(crate) struct FrozenClock(AtomicI64);

impl FrozenClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(NOW))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Bytes that differ from call to call and are the same in every run.
pub(crate) struct SeededRandom(AtomicU8);

impl SeededRandom {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(1))
    }
}

impl Random for SeededRandom {
    fn fill(&self, dest: &mut [u8]) {
        for byte in dest {
            *byte = self.0.fetch_add(37, Ordering::SeqCst);
        }
    }
}

pub(crate) fn policy() -> HttpPolicy {
    HttpPolicy {
        allow_http_on_loopback: true,
        timeout: Duration::from_secs(5),
        max_body_bytes: 1024 * 1024,
        ..HttpPolicy::default()
    }
}

/// A client that goes to public hosts only.
pub(crate) fn public_client() -> HttpClient {
    HttpClient::new(HttpPolicy {
        public_hosts_only: true,
        ..policy()
    })
    .unwrap()
}

pub(crate) fn client() -> HttpClient {
    HttpClient::new(policy()).unwrap()
}

/// A server with its FHIR base below `/fhir`.
pub(crate) struct Server {
    pub(crate) mock: MockServer,
    pub(crate) base: FhirBaseUrl,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let mock = MockServer::start().await;
        let base = FhirBaseUrl::parse(&format!("{}/fhir", mock.uri()), &policy()).unwrap();
        Self { mock, base }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.mock.uri())).unwrap()
    }

    pub(crate) async fn answer(&self, verb: &str, at: &str, response: ResponseTemplate) {
        Mock::given(method(verb))
            .and(path(at))
            .respond_with(response)
            .mount(&self.mock)
            .await;
    }

    /// The first answer once, the second from then on.
    pub(crate) async fn answer_then(
        &self,
        verb: &str,
        at: &str,
        first: ResponseTemplate,
        then: ResponseTemplate,
    ) {
        let given = || Mock::given(method(verb)).and(path(at));
        given()
            .respond_with(first)
            .up_to_n_times(1)
            .mount(&self.mock)
            .await;
        given().respond_with(then).mount(&self.mock).await;
    }

    pub(crate) async fn requests(&self, at: &str) -> Vec<Request> {
        let all = self.mock.received_requests().await.unwrap();
        all.into_iter()
            .filter(|request| request.url.path() == at)
            .collect()
    }

    /// A whole smart-configuration, as a server would write it.
    pub(crate) fn document(&self) -> Value {
        let at = |path: &str| self.url(path).to_string();
        json!({
            "issuer": at("/fhir"),
            "jwks_uri": at("/jwks"),
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "registration_endpoint": at("/register"),
            "revocation_endpoint": at("/revoke"),
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "scopes_supported": ["openid", "fhirUser", "launch/patient", "offline_access"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES384"],
            "capabilities": ["launch-standalone", "sso-openid-connect", "permission-v2", "permission-offline"]
        })
    }

    /// The configuration as a client holds it after discovery, without the trips.
    pub(crate) fn configuration(&self) -> SmartConfiguration {
        SmartConfiguration {
            issuer: Some(self.url("/fhir").to_string()),
            jwks_uri: Some(self.url("/jwks")),
            authorization_endpoint: Some(self.url("/authorize")),
            token_endpoint: self.url("/token"),
            registration_endpoint: None,
            revocation_endpoint: Some(self.url("/revoke")),
            introspection_endpoint: None,
            end_session_endpoint: None,
            management_endpoint: None,
            brand: None,
            associated_endpoints: Vec::new(),
            scopes_supported: Vec::new(),
            capabilities: vec!["sso-openid-connect".into(), "permission-v2".into()],
            token_endpoint_auth_methods: Vec::new(),
            token_endpoint_auth_signing_algs: Vec::new(),
            grant_types: Vec::new(),
            code_challenge_methods: vec!["S256".into()],
            iss_parameter_supported: false,
            raw: "{}".into(),
        }
    }

    pub(crate) fn request(&self) -> AuthorizationRequest {
        AuthorizationRequest {
            configuration: self.configuration(),
            fhir_base: self.base.clone(),
            audience: satchel_smart::authorization::Audience::Base,
            client_id: "client-1".into(),
            redirect_uri: REDIRECT.into(),
            scope: "launch/patient openid fhirUser patient/Condition.rs".into(),
            launch: None,
            prompt: None,
        }
    }

    /// A login that has begun: what the browser was given, and what waits for the answer.
    pub(crate) fn login(
        &self,
        clock: &FrozenClock,
    ) -> (HashMap<String, String>, PendingAuthorization) {
        let (url, pending) = self.request().start(clock, &SeededRandom::new()).unwrap();
        (query(&url), pending)
    }
}

pub(crate) const REDIRECT: &str = "org.satchel.app:/callback/abc";

pub(crate) fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

pub(crate) fn form(request: &Request) -> HashMap<String, String> {
    url::form_urlencoded::parse(&request.body)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

pub(crate) fn json_answer(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.to_owned(), "application/json")
}

/// An issuer's key: signs id_tokens, and is published as a JWK.
pub(crate) struct IssuerKey {
    algorithm: Algorithm,
    signer: EncodingKey,
    pub(crate) kid: String,
}

impl IssuerKey {
    pub(crate) fn new(algorithm: Algorithm, kid: &str) -> Self {
        let ec = |curve| {
            let pair = EcdsaKeyPair::generate(curve).unwrap();
            EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
        };
        let signer = match algorithm {
            Algorithm::ES256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            _ => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let der = pair.as_der().unwrap();
                let pem = format!(
                    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                    STANDARD.encode(der.as_ref())
                );
                EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
            }
        };
        Self {
            algorithm,
            signer,
            kid: kid.to_owned(),
        }
    }

    /// The JWK, with `changes` made to it.
    pub(crate) fn jwk(&self, changes: Value) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.signer, self.algorithm).unwrap())
                .unwrap();
        jwk["kid"] = json!(self.kid);
        merge(&mut jwk, changes);
        jwk
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.signer).unwrap()
    }

    pub(crate) fn sign_without_kid(&self, claims: &Value) -> String {
        jsonwebtoken::encode(&Header::new(self.algorithm), claims, &self.signer).unwrap()
    }
}

/// Sets members; `null` takes one away.
pub(crate) fn merge(target: &mut Value, changes: Value) {
    let members = target.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}
