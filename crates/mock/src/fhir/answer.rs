//! Answers in FHIR's shape.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The media type of FHIR in JSON.
pub(crate) const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

/// The bytes of a resource.
pub(crate) fn resource(json: String) -> Response {
    ([(header::CONTENT_TYPE, FHIR_JSON)], Body::from(json)).into_response()
}

/// An `OperationOutcome` with one issue (FHIR R4, operationoutcome.html).
pub(crate) fn outcome(status: StatusCode, code: &str, text: &str) -> Response {
    let body = json!({
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": text}]
    });
    (status, resource(body.to_string())).into_response()
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
