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
    /// `private_key_jwt` (RFC 7523 §2.2), ES384 or RS384.
    PrivateKeyJwt(SigningKey),
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

/// A fresh client assertion: `iss` and `sub` the client, `aud` the very URL that is posted to, a
/// random `jti`; never used twice.
pub(crate) fn client_assertion(
    key: &SigningKey,
    client_id: &str,
    endpoint: &Url,
    now: jiff::Timestamp,
    random: &dyn Random,
) -> Result<SecretString, KeyError> {
    let iat = now.as_second();
    let claims = AssertionClaims {
        iss: client_id,
        sub: client_id,
        aud: endpoint.as_str(),
        iat,
        exp: iat.saturating_add(ASSERTION_SECONDS),
        jti: random_text(random, 24),
    };
    key.sign(&claims).map(SecretString::new)
}
