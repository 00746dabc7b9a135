//! The control API under `/_mock`: what was asked, which tokens are out, faults, and the portal's
//! switch. For testers on this computer only.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::log::RequestLogEntry;
use crate::scenario::Planned;
use crate::state::App;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/_mock/openapi.json", get(openapi))
        .route("/_mock/requests", get(requests))
        .route("/_mock/counts", get(counts))
        .route("/_mock/tokens", get(tokens))
        .route("/_mock/faults", post(add_fault).delete(clear_faults))
        .route("/_mock/access", post(access))
        .route("/_mock/clients", post(add_client))
        .route("/_mock/keys", post(rotate_keys))
        .route("/_mock/clock", get(clock).post(turn_clock))
}

/// This API, described (OpenAPI 3.1).
async fn openapi() -> impl IntoResponse {
    let json = HeaderValue::from_static("application/json");
    (
        [(header::CONTENT_TYPE, json)],
        include_str!("../openapi.json"),
    )
}

async fn requests(State(app): State<App>) -> Json<Vec<RequestLogEntry>> {
    Json(app.log.all())
}

/// Resources per type.
async fn counts(State(app): State<App>) -> Json<Value> {
    let counts: serde_json::Map<String, Value> = app
        .data
        .types()
        .map(|kind| (kind.to_owned(), json!(app.data.of_type(kind).len())))
        .collect();
    Json(Value::Object(counts))
}

async fn tokens(State(app): State<App>) -> Json<Vec<String>> {
    Json(app.auth.all_tokens())
}

async fn add_fault(State(app): State<App>, Json(planned): Json<Planned>) -> StatusCode {
    app.faults.add(
        planned.endpoint,
        planned.fault,
        planned.after,
        planned.times,
    );
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(app): State<App>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Access {
    enabled: bool,
}

async fn access(State(app): State<App>, Json(access): Json<Access>) -> StatusCode {
    app.auth.set_access(access.enabled);
    StatusCode::NO_CONTENT
}

/// The server's time, in seconds since 1970.
async fn clock(State(app): State<App>) -> Json<Value> {
    Json(json!({ "now": app.auth.now() }))
}

#[derive(Deserialize)]
struct Turn {
    seconds: i64,
}

async fn turn_clock(State(app): State<App>, Json(turn): Json<Turn>) -> Json<Value> {
    app.auth.turn_clock(turn.seconds);
    clock(State(app)).await
}

/// Takes a client in, as RFC 7591 describes it, with the `client_id` and `client_secret` it shall have.
async fn add_client(
    State(app): State<App>,
    Json(client): Json<Value>,
) -> Result<Json<Value>, (StatusCode, String)> {
    match app.auth.register_by_hand(&client) {
        Ok(client_id) => Ok(Json(json!({ "client_id": client_id }))),
        Err(reason) => Err((StatusCode::BAD_REQUEST, reason)),
    }
}

/// New signing keys; the old ones are no longer published.
async fn rotate_keys(State(app): State<App>) -> StatusCode {
    if app.auth.rotate_keys() {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}
