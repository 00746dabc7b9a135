//! The same requests by bare reqwest, with nothing looked at that the next one does not need: what the
//! server and the way to it take. Keys, signatures and the person are not timed.

use crate::portal::{self, Decision};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::RequestBuilder;
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use url::Url;

const REDIRECT: &str = "org.satchel.app:/callback/floor";
const SCOPE: &str = "launch/patient openid fhirUser offline_access patient/*.rs";
const VERIFIER: &str = "floor-floor-floor-floor-floor-floor-floor-floor";

/// What one case took: as a whole, and each request by its kind.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) whole: Duration,
    pub(crate) trips: HashMap<&'static str, Duration>,
}

impl Taken {
    fn add(&mut self, kind: &'static str, (body, took): (Value, Duration)) -> Value {
        self.whole += took;
        self.trips.insert(kind, took);
        body
    }
}

/// An app that knows nothing of caution.
pub(crate) struct Bare {
    http: reqwest::Client,
    base: String,
    key: SigningKey,
    client_id: String,
    configuration: Value,
    refresh_token: String,
    /// Makes each assertion another one.
    count: u64,
    /// The server's clock minus this machine's.
    pub(crate) turned: i64,
}

impl Bare {
    pub(crate) fn new(base: &str, turned: i64) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: base.to_owned(),
            key: SigningKey::generate(SigningAlgorithm::ES384).expect("a key"),
            client_id: String::new(),
            configuration: Value::Null,
            refresh_token: String::new(),
            count: 0,
            turned,
        }
    }

    pub(crate) async fn sign_in(&mut self, (name, password): &(String, String)) -> Taken {
        let mut taken = Taken::default();
        self.describe(&mut taken).await;
        let issuer = self.text("issuer");
        let openid = format!("{issuer}/.well-known/openid-configuration");
        taken.add("issuer", timed(self.http.get(openid)).await);
        if self.client_id.is_empty() {
            let metadata = json!({
                "redirect_uris": [REDIRECT], "client_name": "Floor", "scope": SCOPE,
                "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
                "token_endpoint_auth_method": "private_key_jwt", "application_type": "native",
                "jwks": {"keys": [self.key.public_jwk()]},
            });
            let request = self.http.post(self.text("registration_endpoint"));
            let answer = taken.add("registration", timed(request.json(&metadata)).await);
            self.client_id = member(&answer, "client_id");
        }
        let code = self.person(name, password).await;
        let form = self.proved(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ]);
        let token = timed(self.http.post(self.text("token_endpoint")).form(&form));
        let keys = timed(self.http.get(self.text("jwks_uri")));
        let begun = Instant::now();
        let ((token, token_took), (_, keys_took)) = tokio::join!(token, keys);
        taken.whole += begun.elapsed();
        taken.trips.insert("token", token_took);
        taken.trips.insert("keys", keys_took);
        self.refresh_token = member(&token, "refresh_token");
        taken
    }

    /// Refresh and introspection, and before that the description where it is old.
    pub(crate) async fn check(&mut self, old: bool) -> Taken {
        let mut taken = Taken::default();
        if old {
            self.describe(&mut taken).await;
        }
        let refresh_token = self.refresh_token.clone();
        let form = self.proved(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &refresh_token),
        ]);
        let request = self.http.post(self.text("token_endpoint")).form(&form);
        let token = taken.add("token", timed(request).await);
        if let Some(new) = token["refresh_token"].as_str() {
            self.refresh_token = new.to_owned();
        }
        let form = self.proved(&[("token", &member(&token, "access_token"))]);
        let request = self.http.post(self.text("introspection_endpoint"));
        taken.add("introspection", timed(request.form(&form)).await);
        taken
    }

    async fn describe(&mut self, taken: &mut Taken) {
        let url = format!("{}/.well-known/smart-configuration", self.base);
        self.configuration = taken.add("discovery", timed(self.http.get(url)).await);
    }

    fn text(&self, name: &str) -> String {
        member(&self.configuration, name)
    }

    /// The browser's part: gives the code.
    async fn person(&self, name: &str, password: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut url = Url::parse(&self.text("authorization_endpoint")).expect("a URL");
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("state", "floor-floor-floor-floor"),
            ("aud", &self.base),
            ("nonce", "floor"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let back = portal::sign_in(url.as_str(), name, password, None, Decision::Approve).await;
        let back = Url::parse(&back).expect("a callback");
        let code = back.query_pairs().find(|(name, _)| name == "code");
        code.expect("a code").1.into_owned()
    }

    /// The form with the client's proof.
    fn proved(&mut self, form: &[(&str, &str)]) -> Vec<(String, String)> {
        self.count += 1;
        let now = satchel_smart::Clock::now(&satchel_smart::SystemClock).as_second() + self.turned;
        let claims = json!({"iss": self.client_id, "sub": self.client_id, "iat": now, "exp": now + 120,
            "aud": self.text("token_endpoint"), "jti": format!("floor-{}-{}", self.client_id, self.count)});
        let mut header = Header::new(Algorithm::ES384);
        header.kid = Some(self.key.kid().to_owned());
        let key = EncodingKey::from_ec_der(self.key.to_pkcs8().expose());
        let assertion = jsonwebtoken::encode(&header, &claims, &key).expect("signed");
        let bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let proof = [
            ("client_assertion_type", bearer),
            ("client_assertion", &assertion),
        ];
        form.iter()
            .chain(&proof)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }
}

fn member(value: &Value, name: &str) -> String {
    let text = value[name].as_str();
    text.unwrap_or_else(|| panic!("{name} in {value}"))
        .to_owned()
}

async fn timed(request: RequestBuilder) -> (Value, Duration) {
    let begun = Instant::now();
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let body = answer.bytes().await.expect("a body");
    let took = begun.elapsed();
    assert!(
        status.is_success(),
        "{status}: {}",
        String::from_utf8_lossy(&body)
    );
    (serde_json::from_slice(&body).expect("JSON"), took)
}
