//! Dynamic client registration (RFC 7591).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{OAuthError, bearer, json_answer};
use super::chance;
use super::clients::{Client, Decisions, Practice};
use super::key_sets::KeySet;
use super::metadata::{Described, describe, metadata_error, read_object, text};
use super::software;
use super::state::{AccessGrant, AuthState};
use crate::context::passed;
use crate::faults::{Endpoint, FaultKind};
use crate::policy::Management;
use crate::state::App;

/// RFC 7523 §2.1.
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

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

/// RFC 6750 §3.1: the token is at fault.
pub(super) fn unauthorized(reason: &'static str) -> Response {
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

/// What the server adds to a description.
pub(super) struct Identity {
    pub(super) client_id: String,
    pub(super) secret: Option<String>,
    /// 0 is never.
    pub(super) secret_expires_at: i64,
    pub(super) registration_token: String,
    pub(super) issued_at: i64,
}

/// Stores the client; gives the answer to the registration.
pub(super) fn keep(auth: &AuthState, described: Described, identity: Identity) -> Value {
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
    let key_set = metadata.get("jwks_uri").and_then(Value::as_str);
    let key_set = key_set.map(|uri| KeySet {
        uri: uri.to_owned(),
        until: i64::MIN,
    });
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
        key_set,
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
