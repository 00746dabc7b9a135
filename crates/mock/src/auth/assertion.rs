//! Client authentication at the token and revocation endpoints, by the registered method and no
//! other (RFC 6749 §2.3, RFC 7523, SMART "Client authentication: asymmetric").

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::answer::{OAuthError, Params, scheme};
use super::clients::{Client, Method};
use super::state::AuthState;
use super::{chance, limits};
use crate::context::passed;
use crate::policy::{AssertionAudience, BasicEncoding};
use crate::world::Leniency;

/// What rfc7523bis calls an assertion that is for authenticating a client.
const CLIENT_AUTHENTICATION: &str = "client-authentication+jwt";

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far ahead the `exp` of an assertion may lie.
const LONGEST_ASSERTION_SECONDS: i64 = 300;

/// How far the clocks may differ.
const LEEWAY_SECONDS: i64 = 5;

/// The credentials a request carries.
enum Presented {
    Nothing,
    Basic(Vec<String>),
    Post(Vec<String>),
    Assertion(String),
}

/// Who asks: the id of the client, and the client.
///
/// # Errors
/// `invalid_client` (401, with a Basic challenge where Basic was tried or is registered), or
/// `invalid_request` when the request uses two methods at once.
pub(super) fn authenticate(
    auth: &AuthState,
    headers: &HeaderMap,
    form: &Params,
) -> Result<(String, Client), OAuthError> {
    let basic = scheme(headers, "Basic");
    let challenge = |error: OAuthError| OAuthError {
        challenge: basic.is_some(),
        ..error
    };
    let named = match form.get("client_id") {
        None if basic.is_none() => unnamed(auth, form),
        given => given.map(str::to_owned),
    };
    let encoding = auth.config.policy.basic_encoding;
    let (client_id, presented) =
        presented(basic, encoding, form, named.as_deref()).map_err(challenge)?;
    let client = auth
        .lock()
        .clients
        .get(&client_id)
        .cloned()
        .ok_or_else(|| challenge(OAuthError::invalid_client("the client is unknown")))?;
    let result = match (client.method, &presented) {
        (Method::None, Presented::Nothing) => Ok(()),
        (Method::Basic, Presented::Basic(given)) | (Method::Post, Presented::Post(given)) => {
            check_secret(auth, &client_id, &client, given)
        }
        (Method::PrivateKeyJwt, Presented::Assertion(assertion)) => {
            check_assertion(auth, &client_id, &client, assertion)
        }
        _ => Err(OAuthError::invalid_client(
            "the client did not authenticate by the method it registered",
        )),
    };
    result.map_err(|error| OAuthError {
        challenge: basic.is_some() || client.method == Method::Basic,
        ..error
    })?;
    passed(match client.method {
        Method::None => "RFC 6749 §2.1: a public client names itself",
        Method::Basic | Method::Post => "RFC 6749 §2.3.1: the client secret fits",
        Method::PrivateKeyJwt => "RFC 7523 §3: the client's assertion holds",
    });
    Ok((client_id, client))
}

/// A secret of the client, in one of the ways in which it may be written; not too often wrong.
fn check_secret(
    auth: &AuthState,
    client_id: &str,
    client: &Client,
    given: &[String],
) -> Result<(), OAuthError> {
    let now = auth.now();
    let what = format!("secret of {client_id}");
    let mut inner = auth.lock();
    if let Some(seconds) = inner.guesses.wait(&what, now) {
        return Err(limits::too_often("invalid_client", seconds));
    }
    let expected = client.secret.as_deref().unwrap_or_default();
    let fits = given.iter().any(|one| chance::same_secret(expected, one));
    if expected.is_empty() || !fits {
        inner.guesses.was_wrong(&what, now);
        return Err(OAuthError::invalid_client("the client secret is wrong"));
    }
    inner.guesses.was_right(&what);
    if client.secret_expires_at != 0 && now >= client.secret_expires_at {
        return Err(OAuthError::invalid_client("the client secret has expired"));
    }
    Ok(())
}

/// The client whose key signed an assertion that is itself the grant (RFC 7523 §2.1).
///
/// # Errors
/// `invalid_client` with the reason.
pub(super) fn by_key(auth: &AuthState, assertion: &str) -> Result<(String, Client), OAuthError> {
    let client_id = subject(assertion)
        .ok_or_else(|| OAuthError::invalid_client("the assertion cannot be read"))?;
    let client = auth.lock().clients.get(&client_id).cloned();
    let client = client.ok_or_else(|| OAuthError::invalid_client("the client is unknown"))?;
    check_assertion(auth, &client_id, &client, assertion)?;
    Ok((client_id, client))
}

/// The public client to which the refresh token of the form was given, where that is enough.
fn unnamed(auth: &AuthState, form: &Params) -> Option<String> {
    if !auth.tolerates(Leniency::RefreshWithoutClientId) {
        return None;
    }
    let token = form.get("refresh_token")?;
    let inner = auth.lock();
    let grant = inner.grants.get(&inner.refresh.get(token)?.grant_id)?;
    let client = inner.clients.get(&grant.client_id)?;
    (client.method == Method::None).then(|| grant.client_id.clone())
}

/// Reads the credentials and the client id they name.
fn presented(
    basic: Option<&str>,
    encoding: BasicEncoding,
    form: &Params,
    named: Option<&str>,
) -> Result<(String, Presented), OAuthError> {
    let assertion = form.get("client_assertion");
    let secret = form.get("client_secret");
    let used = [basic, assertion, secret];
    if used.iter().flatten().count() > 1 {
        return Err(OAuthError::invalid_request(
            "the client authenticates in more than one way",
        ));
    }
    let (client_id, presented) = if let Some(basic) = basic {
        let (id, secrets) = read_basic(basic, encoding)
            .ok_or_else(|| OAuthError::invalid_client("the Authorization header is unreadable"))?;
        (id, Presented::Basic(secrets))
    } else if let Some(assertion) = assertion {
        if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(OAuthError::invalid_client(
                "client_assertion_type is missing or wrong",
            ));
        }
        let id = subject(assertion)
            .ok_or_else(|| OAuthError::invalid_client("the assertion cannot be read"))?;
        (id, Presented::Assertion(assertion.to_owned()))
    } else {
        let id = named.ok_or_else(|| OAuthError::invalid_client("no client is named"))?;
        let presented = secret.map_or(Presented::Nothing, |secret| {
            Presented::Post(vec![secret.to_owned()])
        });
        (id.to_owned(), presented)
    };
    if named.is_some_and(|named| named != client_id) {
        return Err(OAuthError::invalid_client(
            "client_id and credentials name different clients",
        ));
    }
    Ok((client_id, presented))
}

/// Id and secret, each form-encoded before they are joined (RFC 6749 §2.3.1), or as they are: what the
/// secret may be.
fn read_basic(credentials: &str, encoding: BasicEncoding) -> Option<(String, Vec<String>)> {
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |part: &str| {
        url::form_urlencoded::parse(format!("x={}", part.replace('&', "%26")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    let (encoded, plain) = (decode(secret)?, secret.to_owned());
    Some(match encoding {
        BasicEncoding::FormEncoded => (decode(id)?, vec![encoded]),
        BasicEncoding::AsIs => (id.to_owned(), vec![plain]),
        BasicEncoding::Either => (decode(id)?, vec![encoded, plain]),
    })
}

#[derive(Deserialize)]
struct Subject {
    sub: String,
}

/// Whom the assertion says it is from; not to be trusted before the signature is checked.
fn subject(assertion: &str) -> Option<String> {
    jsonwebtoken::dangerous::insecure_decode_claims::<Subject>(assertion)
        .ok()
        .map(|claims| claims.sub)
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: i64,
    #[serde(default)]
    nbf: i64,
    jti: String,
}

fn check_assertion(
    auth: &AuthState,
    client_id: &str,
    client: &Client,
    assertion: &str,
) -> Result<(), OAuthError> {
    let invalid = OAuthError::invalid_client;
    let header = jsonwebtoken::decode_header(assertion)
        .map_err(|_| invalid("the header of the assertion cannot be read"))?;
    if !matches!(header.alg, Algorithm::ES384 | Algorithm::RS384) {
        return Err(invalid("assertions are signed with ES384 or RS384"));
    }
    let published = client.key_set.as_ref().map(|set| set.uri.as_str());
    if header.jku.is_some() && header.jku.as_deref() != published {
        return Err(invalid(
            "jku is not the jwks_uri that the client registered",
        ));
    }
    let kid = header
        .kid
        .ok_or_else(|| invalid("the assertion has no kid"))?;
    let key = client
        .keys
        .iter()
        .find(|key| key["kid"].as_str() == Some(&kid))
        .and_then(|key| serde_json::from_value::<Jwk>(key.clone()).ok())
        .and_then(|jwk| DecodingKey::from_jwk(&jwk).ok())
        .ok_or_else(|| invalid("the client has no key with this kid"))?;
    let mut validation = Validation::new(header.alg);
    // Times are checked below, by this server's own clock.
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    let (endpoint, issuer) = (auth.token_endpoint(), auth.config.issuer.clone());
    let audiences = match auth.config.policy.assertion_audience {
        AssertionAudience::Issuer => {
            if header.typ.as_deref() != Some(CLIENT_AUTHENTICATION) {
                return Err(invalid("typ of the assertion is client-authentication+jwt"));
            }
            vec![issuer]
        }
        AssertionAudience::TokenEndpoint if !auth.tolerates(Leniency::AssertionForIssuer) => {
            vec![endpoint]
        }
        _ => vec![endpoint, issuer],
    };
    validation.set_audience(&audiences);
    let claims = jsonwebtoken::decode::<Claims>(assertion, &key, &validation)
        .map_err(|_| {
            invalid("the assertion lacks a claim, is not for this token endpoint, or not signed by the client")
        })?
        .claims;
    passed("SMART asymmetric: signed by the registered key, for this token endpoint");
    if claims.iss != client_id || claims.sub != client_id {
        return Err(invalid(
            "iss and sub of the assertion must be the client_id",
        ));
    }
    let now = auth.now();
    if claims.exp < now - LEEWAY_SECONDS || claims.nbf > now + LEEWAY_SECONDS {
        return Err(invalid("the assertion is expired, or not valid yet"));
    }
    if claims.exp > now + LONGEST_ASSERTION_SECONDS + LEEWAY_SECONDS {
        return Err(invalid("the assertion is valid for more than five minutes"));
    }
    let mut inner = auth.lock();
    inner.seen_assertions.retain(|_, until| *until >= now);
    let seen = format!("{client_id} {}", claims.jti);
    let until = claims.exp + 2 * LEEWAY_SECONDS;
    if inner.seen_assertions.insert(seen, until).is_some() {
        return Err(invalid("the assertion was used before"));
    }
    passed("SMART asymmetric: within five minutes, jti never seen before");
    Ok(())
}
