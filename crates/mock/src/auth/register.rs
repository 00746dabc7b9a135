//! Dynamic client registration (RFC 7591) with reading and deleting (RFC 7592).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::answer::{OAuthError, bearer, forbid_storing, json_answer};
use super::chance;
use super::clients::{Client, Method, check_redirect_uri};
use super::scopes;
use super::state::AuthState;
use crate::faults::{Endpoint, FaultKind};
use crate::state::App;

/// Members that are kept and given back as they are, if they are text.
const PLAIN_MEMBERS: [&str; 9] = [
    "client_name",
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "software_id",
    "software_version",
    "application_type",
    "id_token_signed_response_alg",
];

/// Members of a JWK that only a private or a symmetric key has.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// `POST /auth/register`
pub(super) async fn create(State(app): State<App>, body: Bytes) -> Response {
    let fault = app.faults.take_if(Endpoint::Register, |fault| {
        matches!(fault, FaultKind::RegisterError { .. })
    });
    if let Some(FaultKind::RegisterError { error }) = fault {
        return OAuthError::new(&error, "the tester asked for this error").into_response();
    }
    match register(&app.auth, &body) {
        Ok(answer) => json_answer(StatusCode::CREATED, &answer),
        Err(error) => error.into_response(),
    }
}

/// `GET /auth/register/{client_id}`
pub(super) async fn read(
    State(app): State<App>,
    Path(client_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match owned(&app.auth, &client_id, &headers) {
        Some(client) => json_answer(StatusCode::OK, &Value::Object(client.metadata)),
        None => unauthorized(),
    }
}

/// `DELETE /auth/register/{client_id}`: the client and everything it was granted is gone.
pub(super) async fn delete(
    State(app): State<App>,
    Path(client_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if owned(&app.auth, &client_id, &headers).is_none() {
        return unauthorized();
    }
    app.auth.lock().remove_client(&client_id);
    let mut response = StatusCode::NO_CONTENT.into_response();
    forbid_storing(response.headers_mut());
    response
}

fn unauthorized() -> Response {
    let mut error = OAuthError::new(
        "invalid_token",
        "the registration access token does not fit",
    );
    error.status = StatusCode::UNAUTHORIZED;
    error.into_response()
}

/// The client, if the request carries its registration access token.
fn owned(auth: &AuthState, client_id: &str, headers: &HeaderMap) -> Option<Client> {
    let token = bearer(headers)?;
    let inner = auth.lock();
    let client = inner.clients.get(client_id)?;
    chance::same_secret(&client.registration_token, token).then(|| client.clone())
}

fn metadata_error(description: &'static str) -> OAuthError {
    OAuthError::new("invalid_client_metadata", description)
}

/// Registers the client that `body` describes and gives the answer.
///
/// # Errors
/// `invalid_client_metadata` or `invalid_redirect_uri`.
pub(super) fn register(auth: &AuthState, body: &[u8]) -> Result<Value, OAuthError> {
    let asked: Value =
        serde_json::from_slice(body).map_err(|_| metadata_error("the body is not JSON"))?;
    let asked = asked
        .as_object()
        .ok_or_else(|| metadata_error("the body is not a JSON object"))?;
    let method_name = text(asked, "token_endpoint_auth_method")?.unwrap_or("client_secret_basic");
    let method = Method::parse(method_name)
        .filter(|_| {
            auth.config
                .auth_methods
                .iter()
                .any(|known| known == method_name)
        })
        .ok_or_else(|| metadata_error("token_endpoint_auth_method is not on offer"))?;
    let (grant_types, response_types) = flows(asked, method)?;
    let redirect_uris = redirect_uris(asked, &grant_types)?;
    let keys = keys(asked, method)?;
    let scopes = text(asked, "scope")?.map(|scope| {
        let mut scopes = scopes::split(scope);
        scopes.retain(|scope| scopes::known_for_people(scope) || scopes::known_for_services(scope));
        scopes
    });

    let client_id = chance::secret();
    let secret = matches!(method, Method::Basic | Method::Post).then(chance::secret);
    let registration_token = chance::secret();
    let mut metadata = Map::new();
    for name in PLAIN_MEMBERS {
        if let Some(value) = text(asked, name)? {
            metadata.insert(name.to_owned(), value.into());
        }
    }
    if let Some(contacts) = list(asked, "contacts")? {
        metadata.insert("contacts".to_owned(), json!(contacts));
    }
    let mut put = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    put("client_id", json!(client_id));
    put("client_id_issued_at", json!(chance::now()));
    put("token_endpoint_auth_method", json!(method_name));
    put("grant_types", json!(grant_types));
    put("response_types", json!(response_types));
    put("redirect_uris", json!(redirect_uris));
    if let Some(secret) = &secret {
        put("client_secret", json!(secret));
        put("client_secret_expires_at", json!(0));
    }
    if !keys.is_empty() {
        put("jwks", json!({ "keys": keys }));
    }
    if let Some(scopes) = &scopes {
        put("scope", json!(scopes.join(" ")));
    }
    let address = auth.url(&format!("/auth/register/{client_id}"));
    put("registration_client_uri", json!(address));
    put("registration_access_token", json!(registration_token));

    let client = Client {
        method,
        secret,
        keys,
        redirect_uris,
        grant_types,
        scopes,
        name: text(asked, "client_name")?
            .unwrap_or("An app without a name")
            .to_owned(),
        registration_token,
        metadata: metadata.clone(),
    };
    auth.lock().clients.insert(client_id, client);
    Ok(Value::Object(metadata))
}

/// Grant and response types, which must fit each other (RFC 7591 §2.1).
fn flows(
    asked: &Map<String, Value>,
    method: Method,
) -> Result<(Vec<String>, Vec<String>), OAuthError> {
    let grants =
        list(asked, "grant_types")?.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
    let has = |name: &str| grants.iter().any(|grant| grant == name);
    let by_code = has("authorization_code");
    let responses = list(asked, "response_types")?.unwrap_or_else(|| {
        if by_code {
            vec!["code".to_owned()]
        } else {
            Vec::new()
        }
    });
    if grants.is_empty()
        || grants.iter().any(|grant| {
            !matches!(
                grant.as_str(),
                "authorization_code" | "refresh_token" | "client_credentials"
            )
        })
    {
        return Err(metadata_error("a grant type is not on offer"));
    }
    if responses.iter().any(|response| response != "code") {
        return Err(metadata_error("a response type is not on offer"));
    }
    if by_code == responses.is_empty() {
        return Err(metadata_error(
            "grant_types and response_types do not fit each other",
        ));
    }
    if has("refresh_token") && !by_code {
        return Err(metadata_error("refresh_token without authorization_code"));
    }
    if has("client_credentials") && method != Method::PrivateKeyJwt {
        return Err(metadata_error(
            "client_credentials is for private_key_jwt only",
        ));
    }
    Ok((grants, responses))
}

fn redirect_uris(asked: &Map<String, Value>, grants: &[String]) -> Result<Vec<String>, OAuthError> {
    let uris = list(asked, "redirect_uris")?.unwrap_or_default();
    if uris.is_empty() && grants.iter().any(|grant| grant == "authorization_code") {
        return Err(metadata_error("authorization_code needs redirect_uris"));
    }
    for uri in &uris {
        check_redirect_uri(uri)
            .map_err(|reason| OAuthError::new("invalid_redirect_uri", reason))?;
    }
    Ok(uris)
}

/// The public keys of the client, checked.
fn keys(asked: &Map<String, Value>, method: Method) -> Result<Vec<Value>, OAuthError> {
    if asked.contains_key("jwks") && asked.contains_key("jwks_uri") {
        return Err(metadata_error("jwks and jwks_uri exclude each other"));
    }
    if asked.contains_key("jwks_uri") {
        return Err(metadata_error("jwks_uri is not supported: register jwks"));
    }
    let keys = match asked.get("jwks") {
        Some(jwks) => jwks["keys"]
            .as_array()
            .cloned()
            .ok_or_else(|| metadata_error("jwks is not a JWK set"))?,
        None => Vec::new(),
    };
    if method == Method::PrivateKeyJwt && keys.is_empty() {
        return Err(metadata_error("private_key_jwt needs a key in jwks"));
    }
    for key in &keys {
        check_key(key)?;
    }
    Ok(keys)
}

fn check_key(key: &Value) -> Result<(), OAuthError> {
    if PRIVATE_MEMBERS.iter().any(|name| key.get(name).is_some()) {
        return Err(metadata_error("a key in jwks is not a public one"));
    }
    let expected = match (key["kty"].as_str(), key["crv"].as_str()) {
        (Some("EC"), Some("P-384")) => "ES384",
        (Some("RSA"), _) => "RS384",
        _ => return Err(metadata_error("keys are for ES384 or RS384")),
    };
    if key.get("alg").is_some_and(|alg| alg != expected) {
        return Err(metadata_error(
            "the alg of a key does not fit ES384 or RS384",
        ));
    }
    if key["kid"].as_str().is_none_or(str::is_empty) {
        return Err(metadata_error("a key in jwks has no kid"));
    }
    let readable = serde_json::from_value(key.clone())
        .ok()
        .and_then(|jwk| jsonwebtoken::DecodingKey::from_jwk(&jwk).ok());
    if readable.is_none() {
        return Err(metadata_error("a key in jwks cannot be read"));
    }
    Ok(())
}

/// The member as text.
fn text<'a>(asked: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, OAuthError> {
    match asked.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(metadata_error("a member that should be text is not")),
    }
}

/// The member as a list of texts.
fn list(asked: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, OAuthError> {
    match asked.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|_| metadata_error("a member that should be a list of texts is not")),
    }
}
