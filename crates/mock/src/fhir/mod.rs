//! The FHIR R4 server: capability statement, read, search with pages. Read only.

mod answer;
mod bulk;
mod bundle;
mod include;
mod metadata;
pub(crate) mod paging;
pub(crate) use bulk::Exports;
mod query;
mod search;
mod seen;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::data::Stored;
use crate::state::App;
use query::Query;
use seen::Viewer;

/// Everything under `/fhir`, apart from the discovery document.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/fhir", get(page))
        .route("/fhir/", get(page))
        .route("/fhir/metadata", get(metadata::show))
        .route("/fhir/{kind}", get(search_by_get))
        .route("/fhir/{kind}/_search", post(search_by_post))
        .route("/fhir/{kind}/{id}", get(read))
        .route("/fhir/Patient/{id}/$everything", get(everything))
        .merge(bulk::router())
}

async fn page(State(app): State<App>, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    let viewer = match Viewer::of(&app, &headers) {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal,
    };
    let query = Query::parse(raw.as_deref().unwrap_or_default());
    match query.first("_page") {
        Some(token) => search::next_page(&app, &viewer, token),
        None => answer::outcome(
            StatusCode::NOT_FOUND,
            "not-supported",
            "a search needs a resource type",
        ),
    }
}

async fn search_by_get(
    State(app): State<App>,
    Path(kind): Path<String>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    let query = Query::parse(raw.as_deref().unwrap_or_default());
    searched(&app, &headers, &kind, &query)
}

async fn search_by_post(
    State(app): State<App>,
    Path(kind): Path<String>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: String,
) -> Response {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return answer::outcome(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-supported",
            "a posted search is a form",
        );
    }
    let both = format!("{}&{body}", raw.unwrap_or_default());
    searched(&app, &headers, &kind, &Query::parse(&both))
}

fn searched(app: &App, headers: &HeaderMap, kind: &str, query: &Query) -> Response {
    match Viewer::of(app, headers) {
        Ok(viewer) => search::first_page(app, &viewer, kind, query),
        Err(refusal) => refusal,
    }
}

async fn read(
    State(app): State<App>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let viewer = match Viewer::of(&app, &headers) {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal,
    };
    if !metadata::is_supported(&app.data, &kind) {
        return answer::unknown_type(&kind);
    }
    let Some(access) = viewer.access(&kind, 'r') else {
        return answer::insufficient(&format!("the token's scopes do not allow to read {kind}"));
    };
    let key = format!("{kind}/{id}");
    let Some(found) = app.data.find(&key) else {
        return answer::not_found(&key);
    };
    if !viewer.sees(&access, found) {
        return answer::insufficient("this is beyond what the token was granted");
    }
    if found.resource_type == "Binary" && !wants_json(&headers) {
        return content_of(found);
    }
    answer::version(found, &headers)
}

/// `GET Patient/{id}/$everything` (FHIR R4, patient-operation-everything.html): the patient's own
/// records of every type that the token reaches, in pages.
async fn everything(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    match Viewer::of(&app, &headers) {
        Ok(viewer) => {
            let query = Query::parse(raw.as_deref().unwrap_or_default());
            search::everything(&app, &viewer, &id, &query)
        }
        Err(refusal) => refusal,
    }
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("json"))
}

/// What a `Binary` contains, as itself (FHIR R4, binary.html#rest).
fn content_of(binary: &Stored) -> Response {
    let parsed: Value = serde_json::from_str(&binary.json).unwrap_or_default();
    let text = |key: &str| parsed.get(key).and_then(Value::as_str);
    let content_type = text("contentType").unwrap_or("application/octet-stream");
    match STANDARD.decode(text("data").unwrap_or_default()) {
        Ok(bytes) => (
            [(header::CONTENT_TYPE, content_type.to_owned())],
            Body::from(bytes),
        )
            .into_response(),
        Err(_) => answer::outcome(
            StatusCode::INTERNAL_SERVER_ERROR,
            "exception",
            "the content of this Binary is not base64",
        ),
    }
}
