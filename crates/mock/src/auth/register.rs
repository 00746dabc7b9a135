//! Dynamic client registration (RFC 7591), with reading, replacing and deleting (RFC 7592).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::answer::{OAuthError, bearer, forbid_storing, json_answer};
use super::chance;
use super::clients::{Client, Decisions, Method, Practice, check_belongs, check_redirect_uri};
use super::state::{AccessGrant, AuthState};
use super::{scopes, software};
use crate::context::passed;
use crate::faults::{Endpoint, FaultKind};
use crate::policy::Management;
use crate::state::App;

/// Members that are kept and given back as they are, if they are text.
const PLAIN_MEMBERS: [&str; 11] = [
    "client_name",
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "software_id",
    "software_version",
    "application_type",
    "initiate_login_uri",
    "id_token_signed_response_alg",
    "software_statement",
];

/// RFC 7523 §2.1.
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Members of a JWK that only a private or a symmetric key has.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// `POST /auth/register`
pub(super) async fn create(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let fault = app.faults.take_if(Endpoint::Register, |fault| {
        matches!(fault, FaultKind::RegisterError { .. })
    });
    if let Some(FaultKind::RegisterError { error }) = fault {
        return OAuthError::new(&error, "the tester asked for this error").into_response();
    }
    // Who has signed in registers this installation's key for that sign-in (Epic's variant).
    let signed_in = bearer(&headers).and_then(|token| app.auth.check_bearer(token));
    if let Some(grant) = signed_in {
        return match register_installation(&app.auth, &grant, &body) {
            Ok(answer) => json_answer(StatusCode::CREATED, &answer),
            Err(error) => error.into_response(),
        };
    }
    if app.auth.config.policy.registration_after_sign_in {
        return unauthorized("registration needs the access token of somebody who is signed in");
    }
    if app.auth.config.registration_closed {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Some(expected) = &app.auth.config.initial_access_token {
        let given = bearer(&headers).unwrap_or_default();
        if !chance::same_secret(expected, given) {
            return unauthorized("registration needs the initial access token");
        }
    }
    match register(&app.auth, &body) {
        Ok(answer) => json_answer(StatusCode::CREATED, &answer),
        Err(error) => error.into_response(),
    }
}

/// `PUT /auth/register/{client_id}`
pub(super) async fn update(
    State(app): State<App>,
    Path(client_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if app.auth.config.policy.registration_management != Management::Full {
        return not_allowed();
    }
    let Some(client) = owned(&app.auth, &client_id, &headers) else {
        return unauthorized(NOT_ITS_TOKEN);
    };
    if client.practice.any_permits().is_err() {
        return forbidden();
    }
    match replace(&app.auth, &client, &body) {
        Ok(answer) => json_answer(StatusCode::OK, &answer),
        Err(error) => error.into_response(),
    }
}

/// `GET /auth/register/{client_id}`
pub(super) async fn read(
    State(app): State<App>,
    Path(client_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if app.auth.config.policy.registration_management == Management::None {
        return not_allowed();
    }
    match owned(&app.auth, &client_id, &headers) {
        Some(client) if client.practice.any_permits().is_err() => forbidden(),
        Some(_) => match renewed(&app.auth, &client_id) {
            Some(metadata) => json_answer(StatusCode::OK, &Value::Object(metadata)),
            None => unauthorized(NOT_ITS_TOKEN),
        },
        None => unauthorized(NOT_ITS_TOKEN),
    }
}

/// `DELETE /auth/register/{client_id}`: the client and everything it was granted is gone.
pub(super) async fn delete(
    State(app): State<App>,
    Path(client_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if app.auth.config.policy.registration_management != Management::Full {
        return not_allowed();
    }
    if owned(&app.auth, &client_id, &headers).is_none() {
        return unauthorized(NOT_ITS_TOKEN);
    }
    app.auth.lock().remove_client(&client_id);
    let mut response = StatusCode::NO_CONTENT.into_response();
    forbid_storing(response.headers_mut());
    response
}

const NOT_ITS_TOKEN: &str = "the registration access token does not fit";

/// RFC 7592 §2: the token is right, and yet the practice does not want the app.
fn forbidden() -> Response {
    OAuthError {
        status: StatusCode::FORBIDDEN,
        ..OAuthError::new("access_denied", "the practice does not permit the app")
    }
    .into_response()
}

/// RFC 7592 §2.2, §2.3: this server does not do that.
fn not_allowed() -> Response {
    let mut response = OAuthError {
        status: StatusCode::METHOD_NOT_ALLOWED,
        ..OAuthError::new(
            "invalid_request",
            "registrations are not managed like this here",
        )
    }
    .into_response();
    let allow = HeaderValue::from_static("GET");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

/// What the client registered. Where secrets end, reading gives a new one, and a new token for the next
/// time; the old ones are of no use any more (RFC 7592 §2.1).
fn renewed(auth: &AuthState, client_id: &str) -> Option<Map<String, Value>> {
    let mut inner = auth.lock();
    let client = inner.clients.get_mut(client_id)?;
    if client.secret_expires_at != 0 {
        let (secret, token) = (auth.new_client_secret(), chance::secret());
        client.secret_expires_at = auth.secret_expires_at();
        let metadata = &mut client.metadata;
        metadata.insert("client_secret".to_owned(), json!(secret));
        metadata.insert(
            "client_secret_expires_at".to_owned(),
            json!(client.secret_expires_at),
        );
        metadata.insert("registration_access_token".to_owned(), json!(token));
        client.secret = Some(secret);
        client.registration_token = token;
    }
    Some(client.metadata.clone())
}

/// RFC 6750 §3.1: the token is at fault.
fn unauthorized(reason: &'static str) -> Response {
    let mut response = OAuthError {
        status: StatusCode::UNAUTHORIZED,
        ..OAuthError::new("invalid_token", reason)
    }
    .into_response();
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer error=\"invalid_token\""),
    );
    response
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
/// `invalid_client_metadata`, `invalid_redirect_uri`, `invalid_software_statement` or
/// `unapproved_software_statement`.
pub(super) fn register(auth: &AuthState, body: &[u8]) -> Result<Value, OAuthError> {
    let asked = read_object(body)?;
    if auth.config.policy.software_statement_required && !asked.contains_key("software_statement") {
        return Err(OAuthError::new(
            "unapproved_software_statement",
            "registration needs a software statement",
        ));
    }
    let asked = software::apply(auth, asked)?;
    let described = describe(auth, &asked)?;
    passed("RFC 7591 §2: the metadata fit together");
    let secret = described.has_secret().then(|| auth.new_client_secret());
    let identity = Identity {
        client_id: chance::secret(),
        secret_expires_at: secret.as_ref().map_or(0, |_| auth.secret_expires_at()),
        secret,
        registration_token: chance::secret(),
        issued_at: auth.now(),
    };
    Ok(keep(auth, described, identity))
}

/// A key for one installation of an app that is known already: the app's `software_id` is the client to
/// which the access token was given. What comes out may use the JWT-bearer grant for the same person and
/// chart, and nothing else.
fn register_installation(
    auth: &AuthState,
    grant: &AccessGrant,
    body: &[u8],
) -> Result<Value, OAuthError> {
    let mut asked = read_object(body)?;
    if text(&asked, "software_id")? != Some(grant.client_id.as_str()) {
        return Err(metadata_error(
            "software_id must be the client to which the access token was given",
        ));
    }
    for (name, value) in [
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("grant_types", json!([JWT_BEARER])),
        ("response_types", json!([])),
    ] {
        if asked.get(name).is_some_and(|given| *given != value) {
            return Err(metadata_error(
                "an installation has a key and the JWT-bearer grant",
            ));
        }
        asked.insert(name.to_owned(), value);
    }
    asked.remove("redirect_uris");
    let described = describe(auth, &asked)?;
    let identity = Identity {
        client_id: chance::secret(),
        secret: None,
        secret_expires_at: 0,
        registration_token: chance::secret(),
        issued_at: auth.now(),
    };
    let client_id = identity.client_id.clone();
    let answer = keep(auth, described, identity);
    let mut inner = auth.lock();
    // The practice decided on the app, not on each of its installations.
    let app = inner.clients.get(&grant.client_id);
    let practice = app.map(|app| app.practice.clone());
    if let (Some(client), Some(practice)) = (inner.clients.get_mut(&client_id), practice) {
        client.practice = practice;
        client.signed_in = Some(grant.grant_id);
    }
    Ok(answer)
}

/// Replaces what a client registered; its id, its secret and its token stay (RFC 7592 §2.2).
fn replace(auth: &AuthState, client: &Client, body: &[u8]) -> Result<Value, OAuthError> {
    let mut asked = read_object(body)?;
    let own = |name: &str| client.metadata.get(name);
    if asked.get("client_id").is_none() || asked.get("client_id") != own("client_id") {
        return Err(metadata_error("client_id must be the client's own"));
    }
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        if asked.contains_key(name) {
            return Err(metadata_error("a member belongs to the server"));
        }
    }
    if asked.contains_key("client_secret")
        && asked.get("client_secret").and_then(Value::as_str) != client.secret.as_deref()
    {
        return Err(metadata_error("a client does not choose its secret"));
    }
    asked.remove("client_secret");
    let described = describe(auth, &software::apply(auth, asked)?)?;
    let renew = client.secret_expires_at != 0;
    let kept = client.secret.clone().filter(|_| !renew);
    let secret = described
        .has_secret()
        .then(|| kept.unwrap_or_else(|| auth.new_client_secret()));
    let registration_token = if renew {
        chance::secret()
    } else {
        client.registration_token.clone()
    };
    let identity = Identity {
        client_id: own("client_id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        secret_expires_at: if renew { auth.secret_expires_at() } else { 0 },
        secret,
        registration_token,
        issued_at: own("client_id_issued_at")
            .and_then(Value::as_i64)
            .unwrap_or_default(),
    };
    Ok(keep(auth, described, identity))
}

/// Takes a client in whose id and secret were agreed on by hand: the body has `client_id` and, for
/// the methods with a secret, `client_secret`.
///
/// # Errors
/// As [`register`].
pub(super) fn register_by_hand(auth: &AuthState, body: &Value) -> Result<String, OAuthError> {
    let asked = body
        .as_object()
        .ok_or_else(|| metadata_error("a client is a JSON object"))?;
    let client_id = text(asked, "client_id")?
        .filter(|id| !id.is_empty())
        .ok_or_else(|| metadata_error("client_id is missing"))?
        .to_owned();
    let secret = text(asked, "client_secret")?.map(str::to_owned);
    let described = describe(auth, asked)?;
    if described.has_secret() && secret.is_none() {
        return Err(metadata_error("client_secret is missing"));
    }
    let identity = Identity {
        client_id: client_id.clone(),
        secret: secret.filter(|_| described.has_secret()),
        // Nobody could tell the app of a new one.
        secret_expires_at: 0,
        registration_token: chance::secret(),
        issued_at: auth.now(),
    };
    keep(auth, described, identity);
    Ok(client_id)
}

fn read_object(body: &[u8]) -> Result<Map<String, Value>, OAuthError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(asked)) => Ok(asked),
        Ok(_) => Err(metadata_error("the body is not a JSON object")),
        Err(_) => Err(metadata_error("the body is not JSON")),
    }
}

/// What the server adds to a description.
struct Identity {
    client_id: String,
    secret: Option<String>,
    /// 0 is never.
    secret_expires_at: i64,
    registration_token: String,
    issued_at: i64,
}

/// What a client says of itself, checked.
struct Described {
    method: Method,
    method_name: String,
    grant_types: Vec<String>,
    response_types: Vec<String>,
    redirect_uris: Vec<String>,
    keys: Vec<Value>,
    scopes: Option<Vec<String>>,
    name: String,
    /// Members that are kept as they are.
    plain: Map<String, Value>,
}

impl Described {
    fn has_secret(&self) -> bool {
        matches!(self.method, Method::Basic | Method::Post)
    }
}

fn describe(auth: &AuthState, asked: &Map<String, Value>) -> Result<Described, OAuthError> {
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
    if auth.config.policy.strict_redirects {
        let home = text(asked, "client_uri")?;
        for uri in &redirect_uris {
            check_belongs(uri, home)
                .map_err(|reason| OAuthError::new("invalid_redirect_uri", reason))?;
        }
    }
    let keys = keys(asked, method)?;
    let scopes = text(asked, "scope")?.map(|scope| {
        let mut scopes = scopes::split(scope);
        scopes.retain(|scope| scopes::known_for_people(scope) || scopes::known_for_services(scope));
        scopes
    });
    let mut plain = Map::new();
    for name in PLAIN_MEMBERS {
        if let Some(value) = text(asked, name)? {
            plain.insert(name.to_owned(), value.into());
        }
    }
    if let Some(uri) = text(asked, "initiate_login_uri")? {
        check_redirect_uri(uri).map_err(metadata_error)?;
    }
    if let Some(uris) = list(asked, "post_logout_redirect_uris")? {
        for uri in &uris {
            check_redirect_uri(uri).map_err(metadata_error)?;
        }
        plain.insert("post_logout_redirect_uris".to_owned(), json!(uris));
    }
    if let Some(contacts) = list(asked, "contacts")? {
        plain.insert("contacts".to_owned(), json!(contacts));
    }
    Ok(Described {
        method,
        method_name: method_name.to_owned(),
        grant_types,
        response_types,
        redirect_uris,
        keys,
        scopes,
        name: text(asked, "client_name")?
            .unwrap_or("An app without a name")
            .to_owned(),
        plain,
    })
}

/// Stores the client; gives the answer to the registration.
fn keep(auth: &AuthState, described: Described, identity: Identity) -> Value {
    let Identity {
        client_id,
        secret,
        secret_expires_at,
        registration_token,
        issued_at,
    } = identity;
    let mut metadata = described.plain;
    let mut put = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    put("client_id", json!(client_id));
    put("client_id_issued_at", json!(issued_at));
    put("token_endpoint_auth_method", json!(described.method_name));
    put("grant_types", json!(described.grant_types));
    put("response_types", json!(described.response_types));
    put("redirect_uris", json!(described.redirect_uris));
    if let Some(secret) = &secret {
        put("client_secret", json!(secret));
        put("client_secret_expires_at", json!(secret_expires_at));
    }
    if !described.keys.is_empty() {
        put("jwks", json!({ "keys": described.keys }));
    }
    if let Some(scopes) = &described.scopes {
        put("scope", json!(scopes.join(" ")));
    }
    if auth.config.policy.registration_management != Management::None {
        let address = auth.url(&format!("/auth/register/{client_id}"));
        put("registration_client_uri", json!(address));
        put("registration_access_token", json!(registration_token));
    }
    let launch_url = metadata
        .get("initiate_login_uri")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let mut inner = auth.lock();
    // What the practice decided stays when an app replaces its registration.
    let practice = match inner.clients.get(&client_id) {
        Some(known) => known.practice.clone(),
        None if auth.config.practice_approval => Decisions::new(Practice::Waiting),
        None => Decisions::new(Practice::Approved),
    };
    let signed_in = inner
        .clients
        .get(&client_id)
        .and_then(|known| known.signed_in);
    let client = Client {
        launch_url,
        signed_in,
        practice,
        method: described.method,
        secret,
        secret_expires_at,
        keys: described.keys,
        redirect_uris: described.redirect_uris,
        grant_types: described.grant_types,
        scopes: described.scopes,
        name: described.name,
        registration_token,
        metadata: metadata.clone(),
    };
    inner.clients.insert(client_id, client);
    Value::Object(metadata)
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
                "authorization_code" | "refresh_token" | "client_credentials" | JWT_BEARER
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
    if has(JWT_BEARER) && method != Method::PrivateKeyJwt {
        return Err(metadata_error(
            "the JWT-bearer grant is for private_key_jwt only",
        ));
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
