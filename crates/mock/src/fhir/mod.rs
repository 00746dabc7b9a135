//! The FHIR R4 server: capability statement, read, search with pages. Read only.

mod answer;
mod bulk;
mod bulk_errors;
mod bulk_files;
mod bulk_request;
mod bundle;
pub(crate) mod format;
mod habits;
mod include;
mod limits;
mod metadata;
mod order;
pub(crate) mod paging;
mod parameters;
pub(crate) use bulk::Exports;
pub(crate) use limits::Limits;
mod query;
mod search;
mod seen;
mod tree;
mod xml;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, OriginalUri, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::data::Stored;
use crate::state::App;
use query::Query;
use seen::Viewer;

/// Whether this is an address of the FHIR server.
pub(crate) fn is_for_programs(path: &str) -> bool {
    let places = ["/fhir", "/bulk", "/pages"];
    places.iter().any(|place| {
        path.strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The variable parts of an address; what cannot be read is refused in FHIR's shape.
struct At<T>(T);

impl<T, S> FromRequestParts<S> for At<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(read)) => Ok(Self(read)),
            Err(_) => Err(answer::outcome(
                StatusCode::BAD_REQUEST,
                "invalid",
                "the address cannot be read",
            )),
        }
    }
}

/// Everything under `/fhir`, apart from the discovery document.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/fhir", get(page))
        .route("/fhir/", get(page))
        .route("/pages", get(page))
        .route("/fhir/metadata", get(metadata::show))
        .route("/fhir/{kind}", get(search_by_get))
        .route("/fhir/{kind}/_search", post(search_by_post))
        .route("/fhir/{kind}/{id}", get(read))
        .route("/fhir/Patient/{id}/$everything", get(everything))
        .route("/fhir/DocumentReference/$docref", get(summary_document))
        .merge(bulk::router())
}

/// What the server answers where it has nothing: in FHIR's shape below the FHIR base.
pub(crate) async fn no_such_place(OriginalUri(uri): OriginalUri) -> Response {
    if uri.path().starts_with("/fhir") {
        return answer::outcome(
            StatusCode::NOT_FOUND,
            "not-supported",
            "there is nothing at this address",
        );
    }
    StatusCode::NOT_FOUND.into_response()
}

/// What the server answers to a method that an address does not take.
pub(crate) async fn not_done_here(OriginalUri(uri): OriginalUri) -> Response {
    if uri.path().starts_with("/fhir") {
        return answer::outcome(
            StatusCode::METHOD_NOT_ALLOWED,
            "not-supported",
            "this server only reads and searches",
        );
    }
    StatusCode::METHOD_NOT_ALLOWED.into_response()
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
    At(kind): At<String>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    let raw = raw.unwrap_or_default();
    let query = Query::parse(&habits::as_kept(&app.quirks, &raw));
    searched(&app, &headers, &kind, &query)
}

async fn search_by_post(
    State(app): State<App>,
    At(kind): At<String>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Bytes,
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
    let body = String::from_utf8_lossy(&body);
    let body = habits::as_kept(&app.quirks, &body);
    let both = format!("{}&{body}", raw.unwrap_or_default());
    searched(&app, &headers, &kind, &Query::parse(&both))
}

/// `Prefer: handling=strict` (FHIR R4, search.html#errors).
fn is_strict(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all("prefer").iter();
    preferences
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|value| value.trim() == "handling=strict")
}

fn searched(app: &App, headers: &HeaderMap, kind: &str, query: &Query) -> Response {
    match Viewer::of(app, headers) {
        Ok(viewer) => search::first_page(app, &viewer, kind, query, is_strict(headers)),
        Err(refusal) => refusal,
    }
}

async fn read(
    State(app): State<App>,
    At((kind, id)): At<(String, String)>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    let viewer = match Viewer::of(&app, &headers) {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal,
    };
    if !metadata::is_supported(&app, &kind) {
        return answer::unknown_type(&kind);
    }
    if let Some(elsewhere) = habits::merged(&app, &kind, &id) {
        return elsewhere;
    }
    let asked = format!("{kind}/{id}");
    if app.quirks.failing_reads.contains(&asked) {
        let text = "this record cannot be read";
        return answer::outcome(StatusCode::INTERNAL_SERVER_ERROR, "exception", text);
    }
    let as_fhir = headers.get_all(header::ACCEPT).iter();
    let as_fhir = as_fhir
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("fhir"));
    if app.quirks.binary_refuses_fhir && kind == "Binary" && as_fhir {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    let Some(access) = viewer.access(&kind, 'r') else {
        return answer::insufficient(&format!("the token's scopes do not allow to read {kind}"));
    };
    let key = format!("{kind}/{}", habits::as_kept(&app.quirks, &id));
    let Some(found) = app.data.find(&key) else {
        if app.data.was_deleted(&key) {
            return answer::outcome(StatusCode::GONE, "deleted", &format!("{key} was deleted"));
        }
        return answer::not_found(&key);
    };
    if !viewer.sees(&access, &found) && !habits::took_over(&app, &kind, &id) {
        return answer::insufficient("this is beyond what the token was granted");
    }
    let query = raw.unwrap_or_default();
    let as_itself = app.quirks.raw_binaries || !format::wants_resource(&query, &headers);
    if found.resource_type == "Binary" && as_itself {
        return content_of(&found);
    }
    answer::version(&found, &habits::told(&app, &found), &headers)
}

/// `GET Patient/{id}/$everything` (FHIR R4, patient-operation-everything.html): the patient's own
/// records of every type that the token reaches, in pages.
async fn everything(
    State(app): State<App>,
    At(id): At<String>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    if app.quirks.no_everything {
        let text = "this server has no $everything";
        return answer::outcome(StatusCode::NOT_FOUND, "not-supported", text);
    }
    match Viewer::of(&app, &headers) {
        Ok(viewer) => {
            let query = Query::parse(raw.as_deref().unwrap_or_default());
            search::everything(&app, &viewer, &id, &query)
        }
        Err(refusal) => refusal,
    }
}

/// `GET DocumentReference/$docref?patient=` (US Core, OperationDefinition docref): without further
/// parameters the current summary of the patient, an empty bundle where there is none.
async fn summary_document(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    let asked = Query::parse(raw.as_deref().unwrap_or_default());
    let Some(patient) = asked.first("patient") else {
        return answer::outcome(
            StatusCode::BAD_REQUEST,
            "required",
            "$docref needs the parameter patient",
        );
    };
    let kind = asked.first("type").unwrap_or("http://loinc.org|34133-9");
    let query = Query::of(&[("patient", patient), ("type", kind)]);
    searched(&app, &headers, "DocumentReference", &query)
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
