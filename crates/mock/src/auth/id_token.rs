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
    match fault {
        Some(IdTokenFault::WrongAudience) => claims["aud"] = "another-client".into(),
        Some(IdTokenFault::WrongIssuer) => claims["iss"] = OTHER_ISSUER.into(),
        Some(IdTokenFault::WrongNonce) => claims["nonce"] = "another-nonce".into(),
        Some(IdTokenFault::Expired) => {
            claims["iat"] = (now - 7200).into();
            claims["exp"] = (now - 3600).into();
        }
        Some(IdTokenFault::NoNonce) => {
            claims.as_object_mut().map(|claims| claims.remove("nonce"));
        }
        Some(IdTokenFault::AlgNone) => return Some(unsigned(&claims)),
        _ => {}
    }
    let keys = auth.keys();
    let (signer, kid) = keys.signer(algorithm);
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned());
    match fault {
        Some(IdTokenFault::UnknownKey) => {
            header.kid = Some("a-key-that-nobody-published".to_owned())
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
