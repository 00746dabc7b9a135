//! The id_token (OpenID Connect Core §2, SMART "fhirUser").

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::clients::Client;
use super::state::{AuthState, Grant};
use super::wellknown::OTHER_ISSUER;
use crate::faults::IdTokenFault;
use crate::population::Account;

/// How long an id_token is valid.
const LIFETIME_SECONDS: i64 = 300;

/// Signs the id_token of `grant`, spoiled as `fault` says. `None` for a grant without a person,
/// or when signing fails.
pub(super) fn sign(
    auth: &AuthState,
    grant: &Grant,
    algorithm: Algorithm,
    nonce: Option<&str>,
    fault: Option<IdTokenFault>,
) -> Option<String> {
    let account = auth.config.accounts.get(grant.account?)?;
    let now = auth.now();
    let mut claims = json!({
        "iss": auth.config.issuer,
        "sub": subject(&account.username),
        "aud": grant.client_id,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    let granted = |name: &str| grant.scopes.iter().any(|scope| scope == name);
    if granted("fhirUser") {
        claims["fhirUser"] = if auth.config.quirks.relative_fhir_user {
            account.fhir_user.clone().into()
        } else {
            fhir_user(auth, &account).into()
        };
    }
    if granted("profile") {
        claims["name"] = account.display_name.clone().into();
    }
    if let Some(fault) = fault {
        spoil_claims(&mut claims, fault, now);
    }
    if fault == Some(IdTokenFault::AlgNone) {
        return Some(unsigned(&claims));
    }
    encode(auth, algorithm, &mut claims, fault)
}

/// Makes the claims wrong, where it is they that are to be wrong.
fn spoil_claims(claims: &mut Value, fault: IdTokenFault, now: i64) {
    let remove = |claims: &mut Value, name: &str| {
        claims.as_object_mut().map(|claims| claims.remove(name));
    };
    match fault {
        IdTokenFault::WrongAudience => claims["aud"] = "another-client".into(),
        IdTokenFault::WrongIssuer => claims["iss"] = OTHER_ISSUER.into(),
        IdTokenFault::WrongNonce => claims["nonce"] = "another-nonce".into(),
        IdTokenFault::Expired => {
            claims["iat"] = (now - 7200).into();
            claims["exp"] = (now - 3600).into();
        }
        IdTokenFault::IatInFuture => {
            claims["iat"] = (now + 3600).into();
            claims["exp"] = (now + 7200).into();
        }
        IdTokenFault::NoExp => remove(claims, "exp"),
        IdTokenFault::NoNonce => remove(claims, "nonce"),
        IdTokenFault::NoSubject => remove(claims, "sub"),
        IdTokenFault::WrongSubject => claims["sub"] = subject("nobody who ever signed in").into(),
        IdTokenFault::LongSubject => claims["sub"] = "s".repeat(256).into(),
        IdTokenFault::WrongAzp => {
            claims["aud"] = json!([claims["aud"], "another-client"]);
            claims["azp"] = "another-client".into();
        }
        IdTokenFault::ForeignFhirUser => {
            claims["fhirUser"] = format!("{OTHER_ISSUER}/fhir/Patient/1").into();
        }
        _ => {}
    }
}

/// Signs the claims, with the wrong key or in the wrong way where that is to be wrong.
fn encode(
    auth: &AuthState,
    algorithm: Algorithm,
    claims: &mut Value,
    fault: Option<IdTokenFault>,
) -> Option<String> {
    if let Some(IdTokenFault::UnpublishedKey { seconds }) = fault {
        auth.rotate_keys_published_after(seconds);
    }
    let keys = auth.keys();
    let (signer, kid) = keys.signer(algorithm);
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned());
    match fault {
        Some(IdTokenFault::UnknownKey) => {
            header.kid = Some("a-key-that-nobody-published".to_owned())
        }
        Some(IdTokenFault::NoKid) => {
            header.kid = None;
            auth.publish_another_key();
        }
        Some(IdTokenFault::RotatedKey) => {
            auth.rotate_keys();
        }
        Some(IdTokenFault::PublicKeyAsSecret) => {
            header.alg = Algorithm::HS256;
            let secret = EncodingKey::from_secret(&keys.public_bytes());
            return jsonwebtoken::encode(&header, &claims, &secret).ok();
        }
        Some(IdTokenFault::WrongSignature) => {
            let good = jsonwebtoken::encode(&header, &claims, signer).ok()?;
            claims["sub"] = "somebody-else".into();
            let other = jsonwebtoken::encode(&header, &claims, signer).ok()?;
            let (payload, _) = other.rsplit_once('.')?;
            let (_, signature) = good.rsplit_once('.')?;
            return Some(format!("{payload}.{signature}"));
        }
        _ => {}
    }
    jsonwebtoken::encode(&header, &claims, signer).ok()
}

/// What the client registered as `id_token_signed_response_alg` (OpenID Connect Dynamic Client
/// Registration §2): RS256 unless it is ES384.
pub(super) fn algorithm(client: &Client) -> Algorithm {
    match client.metadata.get("id_token_signed_response_alg") {
        Some(named) if named == "ES384" => Algorithm::ES384,
        _ => Algorithm::RS256,
    }
}

/// The address of the account's own record.
pub(super) fn fhir_user(auth: &AuthState, account: &Account) -> String {
    format!("{}/{}", auth.config.fhir_base, account.fhir_user)
}

/// A lasting name for the account that does not tell the user name.
pub(super) fn subject(username: &str) -> String {
    let digest = Sha256::digest(format!("satchel-mock subject {username}"));
    URL_SAFE_NO_PAD.encode(&digest[..16])
}

fn unsigned(claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!(
        "{}.{}.",
        encode(&json!({ "alg": "none", "typ": "JWT" })),
        encode(claims)
    )
}
