//! Two steps instead of one, as some large vendors have it: a public client that all installations
//! share signs the person in; with that access token this installation registers a key of its own, and
//! asks for every later access token with it (RFC 7523 §2.1). There is no refresh token in this.

use super::{RegistrationError, answer, bearer};
use crate::client_auth::ClientAuthentication;
use crate::grant::{Grant, TokenEndpoint};
use crate::http::{HttpClient, json_headers};
use crate::keys::SigningKey;
use crate::secret::SecretString;
use crate::time::{Clock, Random};
use crate::token::{TokenError, TokenResponse};
use ::http::header;
use serde_json::{Map, Value, json};
use url::Url;

/// What the server made of this installation.
#[derive(Clone, Debug)]
pub struct InstallationClient {
    /// `client_id` of this installation alone.
    pub client_id: String,
    /// The grant types that it may use, as the server said; empty when it did not.
    pub grant_types: Vec<String>,
    /// Where and with what it is managed (RFC 7592 §3), where the server offers that.
    pub management: Option<(Url, SecretString)>,
}

/// Registers the public half of `key` for the person who has just signed in: one POST with the access
/// token as bearer, `software_id` (the shared client) and `jwks` in its body, and nothing else.
///
/// # Errors
/// [`RegistrationError::NotOffered`] where the site does not do this (403, 404, 405): the session then
/// lives until its access token ends. Any other [`RegistrationError`]: the same, and worth another try
/// at the next sign-in.
pub async fn register_installation(
    http: &HttpClient,
    endpoint: &Url,
    access_token: &SecretString,
    software_id: &str,
    key: &SigningKey,
) -> Result<InstallationClient, RegistrationError> {
    let mut headers = json_headers("application/json");
    let value = bearer(access_token).ok_or(RegistrationError::InitialAccessTokenNeeded)?;
    headers.insert(header::AUTHORIZATION, value);
    let body = json!({ "software_id": software_id, "jwks": { "keys": [bare_jwk(key)] } });
    let body = serde_json::to_vec(&body).map_err(|_| RegistrationError::NotJson)?;
    let response = http
        .for_documents()
        .post(endpoint, headers, None, body)
        .await?;
    if !response.is_success() {
        return Err(answer::refusal(&response));
    }
    let members: Map<String, Value> =
        serde_json::from_slice(&response.body).map_err(|_| RegistrationError::NotJson)?;
    let client_id = members.get("client_id").and_then(Value::as_str);
    let client_id = client_id
        .filter(|id| !id.is_empty())
        .ok_or(RegistrationError::MissingClientId)?;
    let grant_types = members.get("grant_types").and_then(Value::as_array);
    let grant_types = grant_types.into_iter().flatten().filter_map(Value::as_str);
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let (uri, token) = answer::management(&text, endpoint);
    Ok(InstallationClient {
        client_id: client_id.to_owned(),
        grant_types: grant_types.map(str::to_owned).collect(),
        management: uri.zip(token),
    })
}

/// The key id and the bare key material (RFC 7517 §4.5, RFC 7518 §6).
fn bare_jwk(key: &SigningKey) -> Value {
    let mut jwk = key.public_jwk();
    if let Some(members) = jwk.as_object_mut() {
        members.remove("use");
        members.remove("alg");
    }
    jwk
}

/// Asks for an access token with the JWT-bearer grant (RFC 7523 §2.1): `assertion`, not
/// `client_assertion`. The answer need not repeat `patient`; it is the one of the sign-in.
///
/// # Errors
/// [`TokenError`]; `InvalidGrant` means that the sign-in behind the key has ended.
pub async fn request_installation_token(
    http: &HttpClient,
    token_endpoint: &Url,
    client_id: &str,
    key: &SigningKey,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<TokenResponse, TokenError> {
    let endpoint = TokenEndpoint {
        http,
        url: token_endpoint,
        audience: token_endpoint,
        client_id,
        authentication: &ClientAuthentication::None,
        clock,
        random,
    };
    let wire = endpoint.request(&Grant::JwtBearer { key }).await?;
    let mut response = wire.into_response(clock.now(), None)?;
    response.refresh_token = None;
    Ok(response)
}
