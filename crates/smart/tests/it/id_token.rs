//! id_tokens that hold and that do not (OpenID Connect Core §3.1.3.7).

use crate::support::{
    FrozenClock, IssuerKey, NOW, REDIRECT, SeededRandom, Server, client, json_answer, merge,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::id_token::IdTokenError;
use satchel_smart::token::{TokenError, TokenResponse};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

/// One login whose token response holds what `id_token` makes of the right claims.
struct Login {
    server: Server,
    clock: FrozenClock,
    keys: Vec<Value>,
}

impl Login {
    async fn new(keys: Vec<Value>) -> Self {
        Self {
            server: Server::start().await,
            clock: FrozenClock::new(),
            keys,
        }
    }

    fn claims(&self, nonce: &str) -> Value {
        json!({"iss": self.server.base.as_str(), "sub": "user-1", "aud": "client-1", "exp": NOW + 300, "iat": NOW,
            "nonce": nonce, "fhirUser": "Practitioner/7"})
    }

    async fn run(
        &self,
        id_token: impl Fn(Value) -> Option<String>,
    ) -> Result<TokenResponse, TokenError> {
        let (sent, pending) = self.server.login(&self.clock);
        let mut body =
            json!({"access_token": "at-1", "token_type": "bearer", "scope": "openid patient/*.rs"});
        if let Some(id_token) = id_token(self.claims(&sent["nonce"])) {
            body["id_token"] = json!(id_token);
        }
        self.server
            .answer("POST", "/token", json_answer(200, &body.to_string()))
            .await;
        let keys = json!({"keys": self.keys}).to_string();
        self.server
            .answer("GET", "/jwks", json_answer(200, &keys))
            .await;
        let callback = format!("{REDIRECT}?code=abc&state={}", sent["state"]);
        let code = pending.accept(&callback, &self.clock).unwrap();
        code.exchange(
            &client(),
            &ClientAuthentication::None,
            &self.clock,
            &SeededRandom::new(),
        )
        .await
    }

    async fn refusal(&self, id_token: impl Fn(Value) -> Option<String>) -> IdTokenError {
        match self.run(id_token).await {
            Err(TokenError::IdToken(error)) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn es384() -> IssuerKey {
    IssuerKey::new(Algorithm::ES384, "k1")
}

/// The refusal of a token that is well signed, with `changes` made to the right claims.
async fn with_claims(changes: Value) -> Result<TokenResponse, IdTokenError> {
    let key = es384();
    let login = Login::new(vec![key.jwk(json!({}))]).await;
    let answer = login
        .run(|mut claims| {
            merge(&mut claims, changes.clone());
            Some(key.sign(&claims))
        })
        .await;
    match answer {
        Ok(tokens) => Ok(tokens),
        Err(TokenError::IdToken(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn d30_good_id_tokens_of_every_accepted_algorithm() {
    for algorithm in [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
    ] {
        let key = IssuerKey::new(algorithm, "k1");
        let login = Login::new(vec![key.jwk(json!({}))]).await;
        let tokens = login.run(|claims| Some(key.sign(&claims))).await.unwrap();
        let claims = tokens.id_token_claims.unwrap();
        assert_eq!(
            (claims.subject.as_str(), claims.fhir_user.as_deref()),
            ("user-1", Some("Practitioner/7")),
            "{algorithm:?}"
        );
        assert_eq!(
            tokens.launch_context.fhir_user.as_deref(),
            Some("Practitioner/7")
        );
    }
}

#[tokio::test]
async fn d30_wrong_audience() {
    for changes in [
        json!({"aud": "client-2"}),
        json!({"aud": ["client-2", "client-3"]}),
        json!({"aud": null}),
        json!({"aud": []}),
        json!({"aud": ["client-1", "client-2"]}),
        json!({"aud": ["client-1", "client-2"], "azp": "client-2"}),
        json!({"azp": "client-2"}),
    ] {
        let refused = with_claims(changes.clone()).await;
        assert!(
            matches!(
                refused,
                Err(IdTokenError::WrongAudience | IdTokenError::Malformed(_))
            ),
            "{changes} {refused:?}"
        );
    }
    assert!(matches!(
        with_claims(json!({"aud": "client-2"})).await,
        Err(IdTokenError::WrongAudience)
    ));
    assert!(with_claims(json!({"aud": ["client-1"]})).await.is_ok());
    assert!(
        with_claims(json!({"aud": ["client-2", "client-1"], "azp": "client-1"}))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn d30_a20_wrong_issuer() {
    assert!(matches!(
        with_claims(json!({"iss": "https://evil.example"})).await,
        Err(IdTokenError::WrongIssuer)
    ));
    for changes in [
        json!({"iss": null}),
        json!({"iss": ["https://evil.example"]}),
        json!({"iss": 1}),
    ] {
        let refused = with_claims(changes.clone()).await;
        assert!(
            matches!(
                refused,
                Err(IdTokenError::WrongIssuer | IdTokenError::Malformed(_))
            ),
            "{changes}"
        );
    }
}

#[tokio::test]
async fn d30_wrong_or_missing_nonce() {
    for changes in [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"nonce": ""}),
    ] {
        assert!(matches!(
            with_claims(changes).await,
            Err(IdTokenError::WrongNonce)
        ));
    }
}

#[tokio::test]
async fn d30_times_by_the_clock_that_is_handed_in_with_a_minute_of_leeway() {
    for (changes, holds) in [
        (json!({"exp": NOW - 59}), true),
        (json!({"exp": NOW - 60}), false),
        (json!({"exp": 0}), false),
        (json!({"exp": (NOW + 5) as f64 + 0.5}), true),
    ] {
        match with_claims(changes.clone()).await {
            Ok(_) => assert!(holds, "{changes}"),
            Err(IdTokenError::Expired) => assert!(!holds, "{changes}"),
            Err(other) => panic!("{changes}: {other:?}"),
        }
    }
    assert!(with_claims(json!({"iat": NOW + 60})).await.is_ok());
    for changes in [json!({"iat": NOW + 61}), json!({"nbf": NOW + 61})] {
        assert!(matches!(
            with_claims(changes).await,
            Err(IdTokenError::IssuedInFuture)
        ));
    }
    for changes in [
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"iat": null}),
    ] {
        assert!(matches!(
            with_claims(changes).await,
            Err(IdTokenError::Malformed(_))
        ));
    }
}

#[tokio::test]
async fn d30_the_subject_is_there_and_of_bounded_length() {
    for changes in [
        json!({"sub": ""}),
        json!({"sub": null}),
        json!({"sub": "x".repeat(256)}),
    ] {
        assert!(matches!(
            with_claims(changes).await,
            Err(IdTokenError::Malformed(_))
        ));
    }
}

#[tokio::test]
async fn d30_none_and_shared_secrets_are_never_accepted() {
    let unsigned = |alg: &str, claims: &Value| {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!(
            "{}.{}.",
            part(json!({"alg": alg, "kid": "k1"})),
            part(claims.clone())
        )
    };
    for alg in [
        "none", "None", "NONE", "nOnE", "ES512", "EdDSA", "RS1", "HS256",
    ] {
        let login = Login::new(vec![es384().jwk(json!({}))]).await;
        let refused = login.refusal(|claims| Some(unsigned(alg, &claims))).await;
        assert!(
            matches!(refused, IdTokenError::AlgorithmRefused(found) if found == alg),
            "{alg}"
        );
    }
    // The public key as the shared secret: the classic confusion.
    let key = es384().jwk(json!({}));
    let login = Login::new(vec![key.clone()]).await;
    let hs256 = login
        .refusal(|claims| {
            let secret = EncodingKey::from_secret(key.to_string().as_bytes());
            Some(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &secret).unwrap())
        })
        .await;
    assert!(matches!(hs256, IdTokenError::AlgorithmRefused(_)));
}

#[tokio::test]
async fn d30_a_signature_of_another_key_or_of_changed_claims() {
    let (key, forger) = (es384(), es384());
    let login = Login::new(vec![key.jwk(json!({}))]).await;
    let forged = login.refusal(|claims| Some(forger.sign(&claims))).await;
    assert!(matches!(forged, IdTokenError::BadSignature));
    let login = Login::new(vec![key.jwk(json!({}))]).await;
    let changed = login
        .refusal(|claims| {
            let signed = key.sign(&claims);
            let parts: Vec<&str> = signed.split('.').collect();
            let mut other = claims;
            other["sub"] = json!("somebody-else");
            Some(format!(
                "{}.{}.{}",
                parts[0],
                URL_SAFE_NO_PAD.encode(other.to_string()),
                parts[2]
            ))
        })
        .await;
    assert!(matches!(changed, IdTokenError::BadSignature));
}

#[tokio::test]
async fn d30_what_is_no_signed_jwt_and_none_at_all() {
    for text in [
        "garbage",
        "a.b",
        "a.b.c.d.e",
        "..",
        "!!.e30.AA",
        "e30.e30.AA",
        "W10.e30.AA",
    ] {
        let login = Login::new(Vec::new()).await;
        assert!(
            matches!(
                login.refusal(|_| Some(text.into())).await,
                IdTokenError::Malformed(_)
            ),
            "{text}"
        );
    }
    let login = Login::new(Vec::new()).await;
    assert!(matches!(
        login.refusal(|_| None).await,
        IdTokenError::Missing
    ));
    let login = Login::new(Vec::new()).await;
    let critical = format!(
        "{}.e30.AA",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"ES384","crit":["exp"]}"#)
    );
    assert!(matches!(
        login.refusal(|_| Some(critical.clone())).await,
        IdTokenError::Malformed(_)
    ));
}

#[tokio::test]
async fn d31_the_right_key_is_found_among_others() {
    let (key, other, rsa) = (
        es384(),
        IssuerKey::new(Algorithm::ES384, "k2"),
        IssuerKey::new(Algorithm::RS256, "k1"),
    );
    let odd = [
        json!({"kty": "OKP", "kid": "k1", "crv": "X25519", "x": "AA"}),
        json!({"kty": "AKP", "kid": "k1"}),
        json!(7),
    ];
    let mut keys = odd.to_vec();
    keys.extend([
        rsa.jwk(json!({})),
        other.jwk(json!({})),
        key.jwk(json!({"use": "sig"})),
    ]);
    let login = Login::new(keys).await;
    assert!(login.run(|claims| Some(key.sign(&claims))).await.is_ok());
}

#[tokio::test]
async fn d31_without_a_key_id_there_must_be_exactly_one() {
    let (key, other) = (es384(), IssuerKey::new(Algorithm::ES384, "k2"));
    let one = Login::new(vec![key.jwk(json!({}))]).await;
    assert!(
        one.run(|claims| Some(key.sign_without_kid(&claims)))
            .await
            .is_ok()
    );
    let two = Login::new(vec![key.jwk(json!({})), other.jwk(json!({}))]).await;
    assert!(matches!(
        two.refusal(|claims| Some(key.sign_without_kid(&claims)))
            .await,
        IdTokenError::UnknownKey
    ));
}

#[tokio::test]
async fn d31_a_key_for_another_use_or_algorithm_is_not_taken() {
    for change in [
        json!({"use": "enc"}),
        json!({"alg": "ES256"}),
        json!({"kid": "other"}),
        json!({"kty": "RSA"}),
    ] {
        let key = es384();
        let login = Login::new(vec![key.jwk(change.clone())]).await;
        assert!(
            matches!(
                login.refusal(|claims| Some(key.sign(&claims))).await,
                IdTokenError::UnknownKey
            ),
            "{change}"
        );
    }
}

#[tokio::test]
async fn d31_an_unknown_key_is_looked_for_once_more_past_the_caches() {
    let key = es384();
    let login = Login::new(vec![key.jwk(json!({}))]).await;
    let stale = json_answer(200, r#"{"keys":[]}"#);
    login
        .server
        .answer_then(
            "GET",
            "/jwks",
            stale,
            json_answer(200, &json!({"keys": login.keys}).to_string()),
        )
        .await;
    assert!(login.run(|claims| Some(key.sign(&claims))).await.is_ok());
    let requests = login.server.requests("/jwks").await;
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].headers["cache-control"], "no-cache");
}

#[tokio::test]
async fn keys_that_cannot_be_read() {
    for answer in [ResponseTemplate::new(500), ResponseTemplate::new(404)] {
        let key = es384();
        let login = Login::new(Vec::new()).await;
        login.server.answer("GET", "/jwks", answer).await;
        assert!(matches!(
            login.refusal(|claims| Some(key.sign(&claims))).await,
            IdTokenError::Jwks(_)
        ));
    }
    let key = es384();
    let login = Login::new(Vec::new()).await;
    login
        .server
        .answer("GET", "/jwks", json_answer(200, "<html>"))
        .await;
    assert!(matches!(
        login.refusal(|claims| Some(key.sign(&claims))).await,
        IdTokenError::UnknownKey
    ));
}
