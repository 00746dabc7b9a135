//! Software statements (RFC 7591 §2.3): what their signer says of an app counts more than what the
//! app says of itself.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use super::answer::OAuthError;
use super::state::AuthState;

/// What was asked for, with the statement's claims in place.
///
/// # Errors
/// `invalid_software_statement` when it is no signed JWT; `unapproved_software_statement` when
/// nobody whom this server trusts has signed it, or it has expired.
pub(super) fn apply(
    auth: &AuthState,
    mut asked: Map<String, Value>,
) -> Result<Map<String, Value>, OAuthError> {
    let Some(statement) = asked.get("software_statement") else {
        return Ok(asked);
    };
    let invalid = |reason| OAuthError::new("invalid_software_statement", reason);
    let statement = statement
        .as_str()
        .ok_or_else(|| invalid("software_statement is no text"))?
        .to_owned();
    let header = jsonwebtoken::decode_header(&statement)
        .map_err(|_| invalid("software_statement is no signed JWT"))?;
    let claims = auth
        .config
        .software_statement_keys
        .iter()
        .filter_map(|key| check(&statement, header.alg, key))
        .next()
        .ok_or_else(|| {
            OAuthError::new(
                "unapproved_software_statement",
                "nobody whom this server trusts has signed it",
            )
        })?;
    let expired = claims
        .get("exp")
        .and_then(Value::as_i64)
        .is_some_and(|exp| exp <= auth.now());
    if expired {
        return Err(OAuthError::new(
            "unapproved_software_statement",
            "the software statement has expired",
        ));
    }
    for (name, value) in claims {
        if !matches!(
            name.as_str(),
            "iss" | "iat" | "exp" | "nbf" | "jti" | "sub" | "aud"
        ) {
            asked.insert(name, value);
        }
    }
    Ok(asked)
}

fn check(statement: &str, algorithm: Algorithm, key: &Value) -> Option<Map<String, Value>> {
    let asymmetric = matches!(
        algorithm,
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::RS256 | Algorithm::RS384
    );
    if !asymmetric {
        return None;
    }
    let key: Jwk = serde_json::from_value(key.clone()).ok()?;
    let key = DecodingKey::from_jwk(&key).ok()?;
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Map<String, Value>>(statement, &key, &validation)
        .ok()
        .map(|decoded| decoded.claims)
}
