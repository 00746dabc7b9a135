//! Answers in FHIR's shape.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::format::IsResource;
use crate::clock::http_date;
use crate::data::Stored;
use crate::log::Reason;

/// The media type of FHIR in JSON.
pub(crate) const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

/// The bytes of a resource in JSON; it leaves in the format that is asked for.
pub(crate) fn resource(json: String) -> Response {
    let mut answer = ([(header::CONTENT_TYPE, FHIR_JSON)], Body::from(json)).into_response();
    answer.extensions_mut().insert(IsResource);
    answer
}

/// A resource, told as `json`, with its `ETag` and `Last-Modified`; 304 when the asker has it already (FHIR R4,
/// http.html#cread).
pub(crate) fn version(found: &Stored, json: &str, headers: &HeaderMap) -> Response {
    let etag = found.etag();
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim() == etag || value.trim() == "*");
    let mut answer = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        resource(json.to_owned())
    };
    let headers = answer.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    let modified = found
        .fields
        .last_updated
        .and_then(|range| http_date(range.start.div_euclid(1000)));
    if let Some(modified) = modified {
        headers.insert(header::LAST_MODIFIED, modified);
    }
    answer
}

/// An `OperationOutcome` with one issue (FHIR R4, operationoutcome.html).
pub(crate) fn outcome(status: StatusCode, code: &str, text: &str) -> Response {
    // Written out: the elements are in R4's order, which counts when the answer becomes XML.
    let body = format!(
        r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","code":{},"diagnostics":{}}}]}}"#,
        json!(code),
        json!(text)
    );
    let mut answer = (status, resource(body)).into_response();
    answer
        .extensions_mut()
        .insert(Reason(format!("{code}: {text}")));
    answer
}

/// 401 (RFC 6750, 3); without `error` when there was no token at all.
pub(crate) fn unauthorized(had_token: bool) -> Response {
    let (challenge, text) = if had_token {
        (
            "Bearer realm=\"fhir\", error=\"invalid_token\"",
            "the access token is unknown, expired or withdrawn",
        )
    } else {
        ("Bearer realm=\"fhir\"", "an access token is needed")
    };
    challenged(StatusCode::UNAUTHORIZED, "login", challenge, text)
}

/// 403 (RFC 6750, 3.1).
pub(crate) fn insufficient(text: &str) -> Response {
    let challenge = "Bearer realm=\"fhir\", error=\"insufficient_scope\"";
    challenged(StatusCode::FORBIDDEN, "forbidden", challenge, text)
}

/// 404 for a resource.
pub(crate) fn not_found(key: &str) -> Response {
    let text = format!("there is no {key}");
    outcome(StatusCode::NOT_FOUND, "not-found", &text)
}

/// 404 for a resource type.
pub(crate) fn unknown_type(kind: &str) -> Response {
    let text = format!("the resource type {kind} is not supported");
    outcome(StatusCode::NOT_FOUND, "not-supported", &text)
}

fn challenged(status: StatusCode, code: &str, challenge: &'static str, text: &str) -> Response {
    let mut answer = outcome(status, code, text);
    answer.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    );
    answer
}
