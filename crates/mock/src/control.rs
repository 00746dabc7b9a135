//! The control API under `/_mock`: what was asked, which tokens are out, faults, the clock, and who is
//! there: people, practices, apps. For testers on this computer only.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::accounts::NewPerson;
use crate::log::RequestLogEntry;
use crate::population::Account;
use crate::scenario::PlannedFault;
use crate::server::MockServer;
use crate::state::App;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/_mock/openapi.json", get(openapi))
        .route("/_mock/requests", get(requests))
        .route("/_mock/counts", get(counts))
        .route("/_mock/tokens", get(tokens))
        .route("/_mock/faults", post(add_fault).delete(clear_faults))
        .route("/_mock/access", post(access))
        .route(
            "/_mock/clients",
            get(clients).post(add_client).delete(remove_client),
        )
        .route(
            "/_mock/people",
            get(people).post(add_person).delete(remove_person),
        )
        .route(
            "/_mock/practices",
            get(practices).post(add_practice).delete(remove_practice),
        )
        .route("/_mock/keys", post(rotate_keys))
        .route("/_mock/clock", get(clock).post(turn_clock))
}

/// This API, described (OpenAPI 3.1).
async fn openapi() -> impl IntoResponse {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], MockServer::openapi())
}

async fn requests(State(app): State<App>) -> Json<Vec<RequestLogEntry>> {
    Json(app.log.all())
}

/// Resources per type; only for as many people as can be counted in a moment.
async fn counts(State(app): State<App>) -> Result<Json<Value>, (StatusCode, &'static str)> {
    let too_many = (StatusCode::FORBIDDEN, "there are too many people to count");
    app.data
        .counts()
        .map(|counts| Json(json!(counts)))
        .ok_or(too_many)
}

async fn tokens(State(app): State<App>) -> Json<Vec<String>> {
    Json(app.auth.all_tokens())
}

async fn add_fault(State(app): State<App>, Json(planned): Json<PlannedFault>) -> StatusCode {
    planned.plan(&app.faults);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(app): State<App>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Access {
    enabled: bool,
    /// One app only.
    client_id: Option<String>,
    /// For the people of one practice only; the first, when an app is named and no practice.
    practice: Option<String>,
}

/// Switches access off or on: for all apps, or for one app at one practice.
async fn access(
    State(app): State<App>,
    Json(access): Json<Access>,
) -> Result<StatusCode, (StatusCode, &'static str)> {
    let Some(client_id) = access.client_id else {
        app.auth.set_access(access.enabled);
        return Ok(StatusCode::NO_CONTENT);
    };
    let practice = access.practice.as_deref();
    if app.set_app_access(&client_id, practice, access.enabled) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err((StatusCode::NOT_FOUND, "there is no such client"))
    }
}

/// Everybody who may sign in: the first people, and whoever works here or was made.
async fn people(State(app): State<App>) -> Json<Vec<Value>> {
    Json(app.people().iter().map(described).collect())
}

fn described(account: &Account) -> Value {
    json!({
        "username": account.username,
        "password": account.password,
        "role": account.role,
        "display_name": account.display_name,
        "patient_ids": account.patient_ids,
        "practice": account.practice,
        "fhir_user": account.fhir_user,
    })
}

/// Makes somebody: a patient with a new chart, a trusted person, somebody at a practice.
async fn add_person(
    State(app): State<App>,
    Json(new): Json<NewPerson>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let made = app.auth.accounts().make(new);
    made.map(|account| Json(described(&account)))
        .map_err(|reason| (StatusCode::BAD_REQUEST, reason))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    username: String,
}

/// Removes somebody, with the chart if it is theirs alone; what they granted ends.
async fn remove_person(State(app): State<App>, Json(who): Json<Named>) -> StatusCode {
    if app.remove_person(&who.username) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn practices(State(app): State<App>) -> Json<Value> {
    Json(json!(app.auth.accounts().practices()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPractice {
    id: String,
    name: String,
}

async fn add_practice(State(app): State<App>, Json(new): Json<NewPractice>) -> StatusCode {
    if app.auth.accounts().add_practice(&new.id, &new.name) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::CONFLICT
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldPractice {
    id: String,
}

/// Closes a practice, with its staff and its patients; the first stays.
async fn remove_practice(State(app): State<App>, Json(old): Json<OldPractice>) -> StatusCode {
    if app.remove_practice(&old.id) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

/// The registered apps, without their secrets.
async fn clients(State(app): State<App>) -> Json<Vec<Value>> {
    Json(app.auth.clients())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldClient {
    client_id: String,
}

/// Removes an app with everything it was granted.
async fn remove_client(State(app): State<App>, Json(old): Json<OldClient>) -> StatusCode {
    if app.auth.remove_client(&old.client_id) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
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
