//! The server's public keys (RFC 7517).

use super::IdTokenError;
use crate::http::{Get, HttpClient};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use serde_json::Value;
use url::Url;

/// The one key that fits among `keys`. A key id that is not there is looked for once more past all
/// caches: the server may just have changed its keys.
pub(super) async fn find(
    http: &HttpClient,
    jwks_uri: &Url,
    keys: &[u8],
    algorithm: Algorithm,
    kid: Option<&str>,
) -> Result<Jwk, IdTokenError> {
    if let Some(key) = choose(keys, algorithm, kid)? {
        return Ok(key);
    }
    let keys = fetch(http, jwks_uri, true).await?;
    choose(&keys, algorithm, kid)?.ok_or(IdTokenError::UnknownKey)
}

/// The document with the keys; `fresh` goes past all caches.
pub(super) async fn fetch(
    http: &HttpClient,
    jwks_uri: &Url,
    fresh: bool,
) -> Result<Vec<u8>, IdTokenError> {
    let get = Get {
        fresh,
        ..Get::json(jwks_uri)
    };
    let answer = http
        .for_documents()
        .get(get)
        .await
        .map_err(IdTokenError::Jwks)?;
    if answer.is_success() {
        Ok(answer.body)
    } else {
        Err(IdTokenError::Jwks(answer.status_error()))
    }
}

/// The one key that fits; `None` when there is none, an error when there are several.
pub(super) fn choose(
    jwks: &[u8],
    algorithm: Algorithm,
    kid: Option<&str>,
) -> Result<Option<Jwk>, IdTokenError> {
    let mut fitting = keys_of(jwks);
    fitting.retain(|key| {
        fits(key, algorithm) && (kid.is_none() || key.common.key_id.as_deref() == kid)
    });
    match (fitting.pop(), fitting.is_empty()) {
        (Some(_), false) => Err(IdTokenError::UnknownKey),
        (found, _) => Ok(found),
    }
}

/// The keys that can be read; entries of unknown kind are skipped.
fn keys_of(body: &[u8]) -> Vec<Jwk> {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let keys = document.get("keys").and_then(Value::as_array);
    keys.into_iter()
        .flatten()
        .filter_map(|key| serde_json::from_value(key.clone()).ok())
        .collect()
}

fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256 | Algorithm::RS384 | Algorithm::PS256) => {
            true
        }
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES256) => {
            ec.curve == EllipticCurve::P256
        }
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES384) => {
            ec.curve == EllipticCurve::P384
        }
        _ => false,
    };
    let signs = matches!(
        key.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    );
    let named = key
        .common
        .key_algorithm
        .is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    kind && signs && named
}
