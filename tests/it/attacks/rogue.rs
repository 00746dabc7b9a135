//! A server that can lie about everything. Left alone it is an honest SMART server, so that what an
//! attack changes is all that stands between it and a sign-in that succeeds.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use satchel_core::view::Role;
use satchel_core::{
    Clock, Engine, EngineOptions, LoginOptions, Problem, RedirectKind, StartedLogin, SystemClock,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use url::Url;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

pub(crate) const CLIENT: &str = "rogue-client";

/// How an id_token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    /// ES256 by the published key, whatever the header says.
    Properly,
    /// By a key that nobody published.
    Stranger,
    /// Not at all.
    Empty,
    /// HMAC, the published key in DER as the secret.
    PublicKeyAsSecret,
}

/// What the server says; an attack changes it.
pub(crate) struct Desk {
    pub(crate) document: Value,
    pub(crate) metadata: Value,
    /// Over the answer to a registration, the token answer, the id_token's header and claims: members
    /// that are null are taken away.
    pub(crate) registered: Value,
    pub(crate) tokens: Value,
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) signing: Signing,
    /// Whole answers, by path: one after the other, the last one from then on.
    pub(crate) answers: HashMap<String, Vec<ResponseTemplate>>,
    nonce: Value,
    key: EcdsaKeyPair,
    stranger: EcdsaKeyPair,
    issuer: String,
}

pub(crate) struct Rogue {
    server: MockServer,
    desk: Arc<Mutex<Desk>>,
}

pub(crate) fn json_answer(status: u16, value: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(value.to_string(), "application/json")
}

pub(crate) fn query_of(address: &str) -> HashMap<String, String> {
    let url = Url::parse(address).expect("a URL");
    url.query_pairs().into_owned().collect()
}

pub(crate) fn form_of(request: &Request) -> HashMap<String, String> {
    let pairs = url::form_urlencoded::parse(&request.body);
    pairs.into_owned().collect()
}

fn merge(target: &mut Value, changes: &Value) {
    let members = target.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().into_iter().flatten() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}

fn key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")
}

/// The public key as a JWK.
fn jwk(key: &EcdsaKeyPair, kid: &str) -> Value {
    let point = key.public_key().as_ref();
    let part = |range| URL_SAFE_NO_PAD.encode(&point[range]);
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": part(1..33), "y": part(33..65)})
}

impl Desk {
    fn new(issuer: &str) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        Self {
            document: json!({
                "issuer": issuer,
                "jwks_uri": at("/jwks"),
                "authorization_endpoint": at("/authorize"),
                "token_endpoint": at("/token"),
                "registration_endpoint": at("/register"),
                "revocation_endpoint": at("/revoke"),
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "authorization_response_iss_parameter_supported": true,
                "capabilities": ["launch-standalone", "client-confidential-asymmetric",
                    "sso-openid-connect", "permission-v2", "permission-patient", "permission-offline"]
            }),
            metadata: json!({"issuer": issuer, "token_endpoint": at("/token"), "jwks_uri": at("/jwks")}),
            registered: json!({}),
            tokens: json!({}),
            header: json!({}),
            claims: json!({}),
            signing: Signing::Properly,
            answers: HashMap::new(),
            nonce: Value::Null,
            key: key(),
            stranger: key(),
            issuer: issuer.to_owned(),
        }
    }

    /// What `/jwks` answers.
    pub(crate) fn keys(&self) -> Value {
        json!({"keys": [jwk(&self.key, "rogue-1")]})
    }

    /// A key that signs nothing here, under a name of the caller's.
    pub(crate) fn strange_key(&self, kid: &str) -> Value {
        jwk(&self.stranger, kid)
    }

    pub(crate) fn answer_with(&mut self, path: &str, answers: Vec<ResponseTemplate>) {
        self.answers.insert(path.to_owned(), answers);
    }

    fn id_token(&self) -> String {
        let now = SystemClock.now().as_second();
        let mut header = json!({"alg": "ES256", "typ": "JWT", "kid": "rogue-1"});
        merge(&mut header, &self.header);
        let mut claims = json!({
            "iss": self.issuer, "sub": "person-1", "aud": CLIENT, "exp": now + 600, "iat": now,
            "nonce": self.nonce, "fhirUser": "Patient/p1"
        });
        merge(&mut claims, &self.claims);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let by = |key: &EcdsaKeyPair| {
            let signature = key.sign(&SystemRandom::new(), signed.as_bytes());
            signature.expect("a signature").as_ref().to_vec()
        };
        let signature = match self.signing {
            Signing::Properly => by(&self.key),
            Signing::Stranger => by(&self.stranger),
            Signing::Empty => Vec::new(),
            Signing::PublicKeyAsSecret => {
                let public = self.key.public_key().as_der().expect("a key");
                let secret = hmac::Key::new(hmac::HMAC_SHA256, public.as_ref());
                hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn token_answer(&self) -> ResponseTemplate {
        let mut answer = json!({
            "access_token": "rogue-access", "refresh_token": "rogue-refresh", "token_type": "Bearer",
            "expires_in": 300, "patient": "p1", "id_token": self.id_token(),
            "scope": "launch/patient openid fhirUser offline_access patient/*.rs"
        });
        merge(&mut answer, &self.tokens);
        json_answer(200, &answer)
    }

    fn answer(&mut self, request: &Request) -> ResponseTemplate {
        let path = request.url.path();
        if let Some(planned) = self.answers.get_mut(path) {
            if planned.len() > 1 {
                return planned.remove(0);
            }
            return planned[0].clone();
        }
        let fhir = |value: &Value| {
            ResponseTemplate::new(200).set_body_raw(value.to_string(), "application/fhir+json")
        };
        match path {
            "/fhir/.well-known/smart-configuration" => json_answer(200, &self.document),
            "/.well-known/openid-configuration" => json_answer(200, &self.metadata),
            "/jwks" => json_answer(200, &self.keys()),
            "/register" => {
                let mut answer: Value =
                    serde_json::from_slice(&request.body).expect("registrations are JSON");
                answer["client_id"] = CLIENT.into();
                merge(&mut answer, &self.registered);
                json_answer(201, &answer)
            }
            "/token" => self.token_answer(),
            "/revoke" => ResponseTemplate::new(200),
            "/fhir/metadata" => fhir(&json!({
                "resourceType": "CapabilityStatement", "status": "active", "fhirVersion": "4.0.1",
                "rest": [{"mode": "server", "resource": [
                    {"type": "Patient", "interaction": [{"code": "read"}]},
                    {"type": "Condition", "interaction": [{"code": "search-type"}],
                     "searchParam": [{"name": "patient", "type": "reference"}]}]}]
            })),
            "/fhir/Patient/p1" => fhir(&json!({"resourceType": "Patient", "id": "p1"})),
            path if path.starts_with("/fhir/") => {
                fhir(&json!({"resourceType": "Bundle", "type": "searchset", "entry": []}))
            }
            _ => ResponseTemplate::new(404),
        }
    }
}

impl Rogue {
    pub(crate) async fn start() -> Self {
        let server = MockServer::start().await;
        let desk = Arc::new(Mutex::new(Desk::new(&server.uri())));
        let answering = Arc::clone(&desk);
        Mock::given(any())
            .respond_with(move |request: &Request| answering.lock().unwrap().answer(request))
            .mount(&server)
            .await;
        Self { server, desk }
    }

    /// Changes what the server says.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Desk) -> T) -> T {
        change(&mut self.desk.lock().unwrap())
    }

    /// A whole answer in place of the right one, from now on.
    pub(crate) fn answer(&self, path: &str, answer: ResponseTemplate) {
        self.change(|desk| desk.answer_with(path, vec![answer]));
    }

    /// Sets members of the smart-configuration; null takes one away.
    pub(crate) fn says(&self, changes: &Value) {
        self.change(|desk| merge(&mut desk.document, changes));
    }

    pub(crate) fn uri(&self) -> String {
        self.server.uri()
    }

    pub(crate) fn base(&self) -> String {
        format!("{}/fhir", self.server.uri())
    }

    pub(crate) async fn asked(&self, path: &str) -> Vec<Request> {
        let mut all = self.all_requests().await;
        all.retain(|request| request.url.path() == path);
        all
    }

    pub(crate) async fn all_requests(&self) -> Vec<Request> {
        self.server.received_requests().await.expect("a log")
    }

    pub(crate) async fn begin(&self, engine: &Engine) -> Result<StartedLogin, Problem> {
        let options = LoginOptions::new(Role::Patient, &[RedirectKind::Scheme], None);
        let login = engine.login_begin(&self.base(), &options).await?;
        let nonce = query_of(&login.view.authorization_url)
            .remove("nonce")
            .map_or(Value::Null, Value::from);
        self.change(|desk| desk.nonce = nonce);
        Ok(login)
    }

    /// The answer that an honest portal would give.
    pub(crate) fn callback(&self, login: &StartedLogin) -> String {
        let state = &query_of(&login.view.authorization_url)["state"];
        let uri = &login.redirect_uri;
        format!("{uri}?code=c0de&state={state}&iss={}", self.uri())
    }

    /// A whole sign-in; gives the connection.
    pub(crate) async fn sign_in(&self, engine: &Engine) -> Result<String, Problem> {
        let login = self.begin(engine).await?;
        engine.login_finish(&self.callback(&login)).await
    }
}

/// An installation that is about to be attacked.
pub(crate) struct Victim {
    pub(crate) engine: Engine,
    _profile: TempDir,
}

pub(crate) async fn victim() -> Victim {
    victim_with(|_| {}).await
}

pub(crate) async fn victim_with(change: impl FnOnce(&mut EngineOptions)) -> Victim {
    let profile = TempDir::new().expect("a folder");
    let mut options = EngineOptions::new(profile.path());
    change(&mut options);
    let engine = Engine::open(options)
        .await
        .expect("run inside tests/session.sh");
    Victim {
        engine,
        _profile: profile,
    }
}

/// The attack ended in this problem, and what the person reads names what was wrong.
pub(crate) fn ends<T: std::fmt::Debug>(result: Result<T, Problem>, code: &str, names: &str) {
    let problem = result.expect_err("the attack must not succeed");
    said(&problem.view(), code, names);
}

/// As [`ends`], of a problem that is shown already.
pub(crate) fn said(view: &satchel_core::view::ProblemView, code: &str, names: &str) {
    let detail = view.detail.as_deref().unwrap_or_default();
    assert_eq!(view.code, code, "{view:?}");
    let words = format!("{} {} {detail}", view.message, view.advice);
    assert!(
        words.to_lowercase().contains(&names.to_lowercase()),
        "{names:?} is not said in {words:?}"
    );
}

/// As [`ends`], and nothing was gained: nobody is signed in, nothing is kept, no sign-in waits.
pub(crate) async fn foiled<T: std::fmt::Debug>(
    engine: &Engine,
    result: Result<T, Problem>,
    code: &str,
    names: &str,
) {
    ends(result, code, names);
    nothing_gained(engine).await;
}

pub(crate) async fn nothing_gained(engine: &Engine) {
    use satchel_core::view::ConnectionStateView;
    for connection in engine.connections().await.expect("connections") {
        assert_eq!(connection.state, ConnectionStateView::New);
        assert!(connection.granted.is_empty() && connection.access.is_none());
        assert_eq!(connection.record_count, 0);
    }
    let waiting = engine.logins_pending().await.expect("logins");
    assert!(waiting.is_empty(), "no sign-in is left over");
}

#[tokio::test]
async fn left_alone_the_rogue_server_is_signed_in_to() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let id = rogue.sign_in(&victim.engine).await.unwrap();
    let report = victim.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
}
