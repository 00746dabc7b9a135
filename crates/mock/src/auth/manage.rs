//! What a client does with its registration later (RFC 7592): read, replace and delete it.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::answer::{OAuthError, bearer, forbid_storing, json_answer};
use super::clients::Client;
use super::metadata::{describe, metadata_error, read_object};
use super::register::{Identity, keep, unauthorized};
use super::state::AuthState;
use super::{chance, software};
use crate::policy::Management;
use crate::state::App;

const NOT_ITS_TOKEN: &str = "the registration access token does not fit";

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

/// The client, if the request carries its registration access token.
fn owned(auth: &AuthState, client_id: &str, headers: &HeaderMap) -> Option<Client> {
    let token = bearer(headers)?;
    let inner = auth.lock();
    let client = inner.clients.get(client_id)?;
    chance::same_secret(&client.registration_token, token).then(|| client.clone())
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
