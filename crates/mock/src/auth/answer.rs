//! What requests bring and answers carry: form fields, JSON that nobody may store, OAuth errors.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::log::Reason;

/// The fields of a form or a query.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text.
    pub(super) fn read(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of `name`; an empty one counts as absent (RFC 6749 §3.1).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// Every value of `name`.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether `name` occurs more than once, which RFC 6749 §3.1 forbids.
    pub(super) fn repeats(&self, name: &str) -> bool {
        self.all(name).count() > 1
    }

    /// The first name that occurs more than once.
    pub(super) fn repeated(&self) -> Option<&str> {
        self.0
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|name| self.repeats(name))
    }
}

/// An OAuth error answer (RFC 6749 §5.2, RFC 7591 §3.2.2).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    pub(super) status: StatusCode,
    pub(super) error: String,
    pub(super) description: &'static str,
    /// Whether the answer asks for HTTP Basic.
    pub(super) challenge: bool,
    /// The seconds of `Retry-After`.
    pub(super) retry_after: Option<i64>,
}

impl OAuthError {
    /// An error with status 400.
    pub(super) fn new(error: &str, description: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: error.to_owned(),
            description,
            challenge: false,
            retry_after: None,
        }
    }

    /// The client is not who it says: `invalid_client`, 401.
    pub(super) fn invalid_client(description: &'static str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::new("invalid_client", description)
        }
    }

    /// The code or refresh token is of no use: `invalid_grant`.
    pub(super) fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    /// The request is malformed: `invalid_request`.
    pub(super) fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.error });
        if !self.description.is_empty() {
            body["error_description"] = self.description.into();
        }
        let mut response = json_answer(self.status, &body);
        let reason = Reason(format!("{}: {}", self.error, self.description));
        response.extensions_mut().insert(reason);
        if let Some(seconds) = self.retry_after {
            let seconds = HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if self.challenge {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"satchel-mock\""),
            );
        }
        response
    }
}

/// JSON that nobody may store.
pub(super) fn json_answer(status: StatusCode, body: &Value) -> Response {
    let mut response = axum::Json(body).into_response();
    *response.status_mut() = status;
    forbid_storing(response.headers_mut());
    response
}

/// Marks the answer as one that nobody may store.
pub(super) fn forbid_storing(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}

/// The bearer token of the request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    scheme(headers, "Bearer")
}

/// The credentials of the `Authorization` header, if it has the given scheme.
pub(super) fn scheme<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case(name)
        .then(|| credentials.trim())
}

/// Whether the body is said to be a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}
