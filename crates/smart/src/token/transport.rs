//! The OAuth library's way to our HTTP client, and the places where SMART differs from the library.

use super::error::Seen;
use crate::http::{Answer, HttpClient, HttpError};
use crate::secret::SecretString;
use ::http::header;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use url::{Url, form_urlencoded};

/// Sends one request of the OAuth library. It owns what it needs: a future of the library that
/// borrows a transport with borrows of its own cannot be moved into a task.
pub(crate) struct TokenTransport {
    pub(crate) http: HttpClient,
    /// Where to send it. The library insists on https for revocation, loopback included, so the
    /// address in its request is not used; our client's policy decides.
    pub(crate) endpoint: Url,
    /// Leaves `client_id` out of the body: SMART wants it there for public clients only ("Obtain
    /// access token"); the library always writes it.
    pub(crate) without_client_id: bool,
    /// Name and password of `client_secret_basic`.
    pub(crate) basic: Option<(String, SecretString)>,
    /// Takes the place of the library's `grant_type`: it has no request for grants that extend RFC
    /// 6749 (§4.5 there).
    pub(crate) grant_type: Option<&'static str>,
    pub(crate) seen: Mutex<Seen>,
}

impl TokenTransport {
    pub(crate) fn take_seen(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = if self.without_client_id {
            strip_client_id(&body)
        } else {
            body
        };
        let body = match self.grant_type {
            Some(grant_type) => replace_grant_type(&body, grant_type),
            None => body,
        };
        let asks_for_tokens = form_urlencoded::parse(&body).any(|(name, _)| name == "grant_type");
        let basic = self
            .basic
            .as_ref()
            .map(|(name, password)| (name.as_str(), password));
        let answer = self
            .http
            .for_documents()
            .post(&self.endpoint, parts.headers, basic, body)
            .await?;
        let (response, seen) = for_library(answer, asks_for_tokens);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(response)
    }
}

/// An answer in the library's form, and what is kept of it beside; `for_tokens` is false for a
/// revocation, whose answer has a body that nobody reads (RFC 7009 §2.2).
pub(crate) fn for_library(answer: Answer, for_tokens: bool) -> (HttpResponse, Seen) {
    let seen = Seen {
        status: answer.status,
        content_type: answer.content_type(),
        date: answer.date(),
    };
    // Any success is one: Inferno's servers and others answer 201 to backend services.
    // An error is one too, whatever its status says.
    let status = if answer.is_success() && for_tokens && says_error(&answer.body) {
        400
    } else if answer.is_success() {
        200
    } else {
        answer.status
    };
    let mut response = HttpResponse::new(answer.body);
    // What is no HTTP status is no success.
    *response.status_mut() =
        ::http::StatusCode::from_u16(status).unwrap_or(::http::StatusCode::BAD_GATEWAY);
    if let Some(content_type) = answer.headers.get(header::CONTENT_TYPE) {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type.clone());
    }
    (response, seen)
}

impl<'c> AsyncHttpClient<'c> for TokenTransport {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Whether a body is the refusal of RFC 6749 §5.2 and nothing else: some servers send it with 200.
fn says_error(body: &[u8]) -> bool {
    let members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(body).unwrap_or_default();
    let error = members
        .get("error")
        .is_some_and(serde_json::Value::is_string);
    error && !members.contains_key("access_token")
}

fn strip_client_id(body: &[u8]) -> Vec<u8> {
    let pairs = form_urlencoded::parse(body).filter(|(name, _)| name != "client_id");
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
        .into_bytes()
}

fn replace_grant_type(body: &[u8], grant_type: &str) -> Vec<u8> {
    let pairs = form_urlencoded::parse(body).filter(|(name, _)| name != "grant_type");
    form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", grant_type)
        .extend_pairs(pairs)
        .finish()
        .into_bytes()
}
