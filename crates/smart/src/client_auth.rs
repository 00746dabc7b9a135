//! How a client proves itself at the token endpoint (RFC 6749 §2.3; SMART App Launch 2.2, "Client
//! authentication").

use crate::keys::{KeyError, SigningKey};
use crate::secret::SecretString;
use crate::time::{Random, random_text};
use serde::Serialize;
use url::Url;

/// A client's credential for one server.
#[derive(Clone, Debug)]
pub enum ClientAuthentication {
    /// A public client: `client_id` in the body, nothing to prove it.
    None,
    /// `client_secret_basic`.
    ClientSecretBasic(SecretString),
    /// `client_secret_post`.
    ClientSecretPost(SecretString),
    /// `private_key_jwt` (RFC 7523 §2.2), ES384 or RS384; the assertion is for the token endpoint, as
    /// SMART wants it.
    PrivateKeyJwt(SigningKey),
    /// The same with an assertion for the issuer, as rfc7523bis wants it. SMART and that draft cannot
    /// both be satisfied. What the draft guards against, an assertion replayed at another server,
    /// cannot happen here: the key is known to one server only.
    PrivateKeyJwtForIssuer {
        /// The key.
        key: SigningKey,
        /// The issuer, as in the server's metadata.
        issuer: String,
    },
}

/// The assertion type of RFC 7523 §2.2.
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion lives; SMART allows five minutes at most.
const ASSERTION_SECONDS: i64 = 120;

#[derive(Serialize)]
struct AssertionClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

/// A fresh client assertion: `iss` and `sub` the client, `aud` whom it is for, a random `jti`; never
/// used twice.
pub(crate) fn client_assertion(
    key: &SigningKey,
    client_id: &str,
    audience: Audience<'_>,
    now: jiff::Timestamp,
    random: &dyn Random,
) -> Result<SecretString, KeyError> {
    let iat = now.as_second();
    let (aud, typ) = match audience {
        Audience::TokenEndpoint(url) => (url.as_str(), "JWT"),
        Audience::Issuer(issuer) => (issuer, "client-authentication+jwt"),
    };
    let claims = AssertionClaims {
        iss: client_id,
        sub: client_id,
        aud,
        iat,
        exp: iat.saturating_add(ASSERTION_SECONDS),
        jti: random_text(random, 24),
    };
    key.sign(&claims, typ).map(SecretString::new)
}

/// Whom an assertion is for.
#[derive(Clone, Copy)]
pub(crate) enum Audience<'a> {
    /// The very URL that is posted to (SMART App Launch 2.2, "Client Authentication: Asymmetric").
    TokenEndpoint(&'a Url),
    /// The issuer (rfc7523bis §4).
    Issuer(&'a str),
}
