//! The id_token: verified against the issuer's published keys (OpenID Connect Core §3.1.3.7; SMART
//! App Launch 2.2, "Steps for using an ID token").

mod jwks;
pub(crate) mod refreshed;

use crate::http::{HttpClient, HttpError};
use crate::secret::SecretString;
use crate::text::plain;
use crate::trace;
use base64::Engine as _;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

/// Clocks may differ by this much.
const LEEWAY_SECONDS: f64 = 60.0;
/// As far as this the server's own clock is taken where ours says something else: people's clocks are off
/// by minutes. The id_token came in the same answer over TLS, and its nonce is of this sign-in.
const SERVERS_CLOCK: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

/// What a verified id_token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenClaims {
    /// `iss`.
    pub issuer: String,
    /// `sub`: the person at that issuer.
    pub subject: String,
    /// `fhirUser`, or `profile` as SMART 1 has it: who that is in FHIR.
    pub fhir_user: Option<String>,
}

/// Why an id_token does not hold.
#[derive(Debug, thiserror::Error)]
pub enum IdTokenError {
    /// `aud` does not contain this client, or `azp` is somebody else.
    #[error("the id_token is for another client")]
    WrongAudience,
    /// `iss` is not the server's issuer, or the server has none.
    #[error("the id_token is from another issuer")]
    WrongIssuer,
    /// `nonce` is not the one of this login.
    #[error("the id_token belongs to another login")]
    WrongNonce,
    /// `none`, a shared-secret algorithm, or an unknown one.
    #[error("the id_token's algorithm {0} is not accepted")]
    AlgorithmRefused(String),
    /// `exp` has passed.
    #[error("the id_token has expired")]
    Expired,
    /// `iat` or `nbf` lies ahead.
    #[error("the id_token was issued in the future")]
    IssuedInFuture,
    /// By the server's clock it is neither, so ours is wrong; by how much ours is ahead.
    #[error("this computer's clock is {}", off_by(*.0))]
    ClockWrong(jiff::SignedDuration),
    /// No key, or several without a way to choose.
    #[error("the id_token's key is not among the server's keys")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the id_token's signature is wrong")]
    BadSignature,
    /// Not a signed JWT with the required claims.
    #[error("the id_token is malformed: {0}")]
    Malformed(&'static str),
    /// The id_token of a refresh names another person, or another issuer, than the sign-in.
    #[error("the id_token of the refresh is for another person than the sign-in")]
    AnotherPerson,
    /// `openid` was granted but no id_token came.
    #[error("the id_token is missing")]
    Missing,
    /// The keys could not be fetched.
    #[error("the server's keys could not be read")]
    Jwks(#[source] HttpError),
}

/// What an id_token has to agree with.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The server's issuer, as written in its configuration.
    pub issuer: Option<&'a str>,
    /// This client.
    pub client_id: &'a str,
    /// The `nonce` that was sent with the login.
    pub nonce: &'a str,
    /// The time by this machine's clock.
    pub now: jiff::Timestamp,
    /// The `Date` of the answer that it came with (RFC 9110 §6.6.1).
    pub servers_time: Option<jiff::Timestamp>,
}

impl std::fmt::Debug for Expected<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expected({:?}, [secret])", self.issuer)
    }
}

/// Verifies an id_token against a set of keys that is at hand (`jwks`, RFC 7517): algorithm, key,
/// signature, issuer, audience, time and nonce.
///
/// # Errors
/// [`IdTokenError`].
pub fn verify_with_keys(
    jwks: &[u8],
    expected: &Expected<'_>,
    id_token: &SecretString,
) -> Result<IdTokenClaims, IdTokenError> {
    let (algorithm, kid) = read_header(id_token.expose())?;
    let key = jwks::choose(jwks, algorithm, kid.as_deref())?.ok_or(IdTokenError::UnknownKey)?;
    verify_with_key(&key, algorithm, expected, id_token)
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    #[serde(rename = "fhirUser")]
    fhir_user: Option<Value>,
    profile: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Fetches the keys of an issuer.
pub(crate) async fn fetch_keys(
    http: &HttpClient,
    jwks_uri: Option<&Url>,
) -> Result<Vec<u8>, IdTokenError> {
    jwks::fetch(http, jwks_uri.ok_or(IdTokenError::UnknownKey)?, false).await
}

/// Verifies an id_token: algorithm, key, signature, issuer, audience, time and nonce. `keys` are
/// fetched already, or on their way.
pub(crate) async fn verify(
    http: &HttpClient,
    jwks_uri: Option<&Url>,
    keys: impl Future<Output = Result<Vec<u8>, IdTokenError>>,
    expected: &Expected<'_>,
    id_token: &SecretString,
) -> Result<IdTokenClaims, IdTokenError> {
    let (algorithm, kid) = trace::checked(
        "D30",
        "The id_token is signed in an accepted way",
        read_header(id_token.expose()),
    )?;
    expected.issuer.ok_or(IdTokenError::WrongIssuer)?;
    let jwks_uri = jwks_uri.ok_or(IdTokenError::UnknownKey)?;
    let key = trace::checked(
        "D31",
        "Its key is among the server's keys",
        match keys.await {
            Ok(keys) => jwks::find(http, jwks_uri, &keys, algorithm, kid.as_deref()).await,
            Err(error) => Err(error),
        },
    )?;
    verify_with_key(&key, algorithm, expected, id_token)
}

fn verify_with_key(
    key: &Jwk,
    algorithm: Algorithm,
    expected: &Expected<'_>,
    id_token: &SecretString,
) -> Result<IdTokenClaims, IdTokenError> {
    let issuer = expected.issuer.ok_or(IdTokenError::WrongIssuer)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| IdTokenError::UnknownKey)?;
    let claims = traced(read_claims(
        id_token.expose(),
        &key,
        algorithm,
        issuer,
        expected.client_id,
    ))?;
    trace::checked(
        "D30",
        "It is neither expired nor from the future",
        check_times(&claims, expected),
    )?;
    trace::check(
        "D30",
        "Its nonce is the one of this sign-in",
        claims.nonce.as_deref() == Some(expected.nonce),
    );
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(IdTokenError::WrongNonce);
    }
    let text = |value: Option<Value>| {
        value
            .as_ref()
            .and_then(Value::as_str)
            .map(|t| plain(t, 500))
    };
    Ok(IdTokenClaims {
        issuer: claims.iss,
        subject: claims.sub,
        fhir_user: text(claims.fhir_user).or_else(|| text(claims.profile)),
    })
}

/// Algorithm and key id, from a header that holds nothing which we would have to understand and do
/// not (RFC 7515 §4.1.11).
fn read_header(token: &str) -> Result<(Algorithm, Option<String>), IdTokenError> {
    let malformed = IdTokenError::Malformed;
    let parts: Vec<&str> = token.split('.').collect();
    let &[header, _, _] = parts.as_slice() else {
        return Err(malformed("not a compact JWS"));
    };
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| malformed("the header is not base64url"))?;
    let header: Map<String, Value> = serde_json::from_slice(&header)
        .map_err(|_| malformed("the header is not a JSON object"))?;
    let name = header
        .get("alg")
        .and_then(Value::as_str)
        .ok_or(malformed("the header has no alg"))?;
    let algorithm = match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "PS256" => Algorithm::PS256,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        other => return Err(IdTokenError::AlgorithmRefused(plain(other, 40))),
    };
    if header.contains_key("crit") {
        return Err(malformed("the header has a critical extension"));
    }
    Ok((
        algorithm,
        header.get("kid").and_then(Value::as_str).map(str::to_owned),
    ))
}

/// The checks of [`read_claims`] in its order, up to the one that failed.
fn traced(read: Result<Claims, IdTokenError>) -> Result<Claims, IdTokenError> {
    let all = [
        "Its signature holds",
        "Its iss is the issuer",
        "Its aud is this installation",
        "Its claims are complete",
    ];
    let failed = match &read {
        Ok(_) => None,
        Err(IdTokenError::WrongIssuer) => Some(1),
        Err(IdTokenError::WrongAudience) => Some(2),
        Err(IdTokenError::Malformed(_)) => Some(3),
        Err(_) => Some(0),
    };
    for (place, says) in all.into_iter().enumerate() {
        match failed {
            // A token that cannot be read says nothing about the checks before it.
            Some(3) if place < 3 => {}
            Some(failed) if place > failed => {}
            _ => trace::check("D30", says, failed != Some(place)),
        }
    }
    read
}

fn read_claims(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    issuer: &str,
    client_id: &str,
) -> Result<Claims, IdTokenError> {
    // The library skips what it does not need without looking at it; a claims set is UTF-8 as a whole
    // (RFC 7519 §7.2, step 10).
    let claims = token.split('.').nth(1).unwrap_or_default();
    let utf8 = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .is_ok_and(|bytes| std::str::from_utf8(&bytes).is_ok());
    if !utf8 {
        return Err(IdTokenError::Malformed("the claims are not UTF-8"));
    }
    let mut validation = Validation::new(algorithm);
    // Times are checked with the clock that was handed in; the library would take the system's.
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[client_id]);
    let claims = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|error| {
        match error.kind() {
            ErrorKind::InvalidSignature => IdTokenError::BadSignature,
            ErrorKind::InvalidIssuer => IdTokenError::WrongIssuer,
            ErrorKind::InvalidAudience => IdTokenError::WrongAudience,
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => IdTokenError::UnknownKey,
            _ => IdTokenError::Malformed("a required claim is missing or of the wrong kind"),
        }
    })?;
    let claims = claims.claims;
    if claims.iss != issuer {
        return Err(IdTokenError::WrongIssuer);
    }
    let (ours, several) = match &claims.aud {
        Audience::One(one) => (one == client_id, false),
        Audience::Many(many) => (many.iter().any(|one| one == client_id), many.len() > 1),
    };
    let authorized = match &claims.azp {
        Some(azp) => azp == client_id,
        None => !several,
    };
    if !ours || !authorized {
        return Err(IdTokenError::WrongAudience);
    }
    if claims.sub.is_empty() || claims.sub.len() > 255 {
        return Err(IdTokenError::Malformed("sub is empty or too long"));
    }
    Ok(claims)
}

/// By our clock; where that says no, by the server's, if the two are not far apart.
fn check_times(claims: &Claims, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let error = match holds_at(claims, expected.now) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let Some(time) = expected.servers_time else {
        return Err(error);
    };
    let ahead = expected.now.duration_since(time);
    if holds_at(claims, time).is_err() {
        Err(error)
    } else if ahead.abs() <= SERVERS_CLOCK {
        tracing::info!(
            seconds = ahead.as_secs(),
            "this computer's clock is not the server's"
        );
        Ok(())
    } else {
        Err(IdTokenError::ClockWrong(ahead))
    }
}

/// How far our clock is from the server's, in words.
fn off_by(ahead: jiff::SignedDuration) -> String {
    let minutes = (ahead.abs().as_secs() + 30) / 60;
    let (count, unit) = match minutes {
        0..60 => (minutes, "minute"),
        60..1440 => ((minutes + 30) / 60, "hour"),
        _ => ((minutes + 720) / 1440, "day"),
    };
    let several = if count == 1 { "" } else { "s" };
    let side = if ahead.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    format!("{count} {unit}{several} {side} the server's")
}

fn holds_at(claims: &Claims, now: jiff::Timestamp) -> Result<(), IdTokenError> {
    let now = now.as_duration().as_secs_f64();
    if claims.exp + LEEWAY_SECONDS <= now {
        return Err(IdTokenError::Expired);
    }
    let begins = claims.nbf.map_or(claims.iat, |nbf| nbf.max(claims.iat));
    if begins > now + LEEWAY_SECONDS {
        return Err(IdTokenError::IssuedInFuture);
    }
    Ok(())
}
