//! The faults that fit every endpoint, and the request log, around all handlers.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::HttpBody as _;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use serde_json::Value;
use url::form_urlencoded;

use crate::clock;
use crate::context::{self, Context, DecodedJwt};
use crate::faults::{Endpoint, FaultKind};
use crate::log::{Reason, RequestLogEntry};
use crate::state::App;

/// Marks an answer that must never be sent: the connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DropConnection;

const LIMIT: usize = 512 * 1024 * 1024;

/// The longest form or registration.
const FORM_LIMIT: usize = 2 * 1024 * 1024;

/// Which part of the server a path belongs to.
fn endpoint_of(path: &str) -> Option<Endpoint> {
    Some(match path {
        "/fhir/.well-known/smart-configuration" => Endpoint::SmartConfiguration,
        "/.well-known/openid-configuration" => Endpoint::OpenIdConfiguration,
        "/auth/jwks" => Endpoint::Jwks,
        "/auth/token" => Endpoint::Token,
        "/auth/revoke" => Endpoint::Revoke,
        "/fhir/metadata" => Endpoint::Metadata,
        path if path.starts_with("/auth/register") => Endpoint::Register,
        path if path.starts_with("/auth/") => Endpoint::Authorize,
        path if path.starts_with("/bulk/jobs/") => Endpoint::BulkStatus,
        path if path.starts_with("/bulk/files/") => Endpoint::BulkFile,
        path if path == "/fhir" || path.starts_with("/fhir/") => Endpoint::Fhir,
        _ => return None,
    })
}

/// Faults that need no knowledge of what the endpoint does.
fn is_generic(kind: &FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Status { .. }
            | FaultKind::NotJson
            | FaultKind::Truncated
            | FaultKind::Delay { .. }
            | FaultKind::Drop
            | FaultKind::LostAnswer
            | FaultKind::Drip { .. }
            | FaultKind::WrongContentType { .. }
            | FaultKind::Huge { .. }
            | FaultKind::TooManyRequests { .. }
            | FaultKind::XmlAnswer
            | FaultKind::ExpiredToken
            | FaultKind::RevokedToken
            | FaultKind::RedirectElsewhere { .. }
            | FaultKind::Disconnect
    )
}

/// Answers a request, or misbehaves; either way it is noted.
pub(crate) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    // A code on its way to the app is nothing for a log.
    let callback = path.starts_with("/app/");
    let query = request.uri().query().filter(|_| !callback);
    let query = masked(query.unwrap_or_default());
    let method = request.method().to_string();
    let endpoint = endpoint_of(&path);
    let (request, parameters) = match with_parameters(request, endpoint).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let client_id = client_of(&app, request.headers(), &parameters);
    let context = Context::of(client_id.clone());
    let _under_way = (endpoint == Some(Endpoint::Fhir)).then(|| app.busy.enter());
    let answering = async {
        match endpoint.and_then(|endpoint| app.faults.take_if(endpoint, is_generic)) {
            Some(fault) => misbehave(&app, fault, request, next).await,
            None => next.run(request).await,
        }
    };
    let mut answer = context.during(answering).await;
    // The server's time, where hyper would tell the computer's.
    if let Some(date) = clock::http_date(app.auth.now()) {
        answer.headers_mut().insert(header::DATE, date);
    }
    let mut tokens = context::tokens_in(parameters);
    if endpoint == Some(Endpoint::Token) && answer.status() == StatusCode::OK {
        let (whole, given) = id_token_of(answer).await;
        answer = whole;
        tokens.extend(given);
    }
    if !path.starts_with("/_mock") {
        let dropped = answer.extensions().get::<DropConnection>().is_some();
        let status = if dropped { 0 } else { answer.status().as_u16() };
        let reason = answer.extensions().get::<Reason>();
        let reason = reason.map(|reason| reason.0.clone());
        app.log.add(RequestLogEntry {
            reason,
            method,
            path,
            query,
            status,
            client_id,
            passed: context.passed(),
            tokens,
        });
    }
    answer
}

/// The request, with the parameters of its address and of its form. Only the authorization server's are
/// read, which are short.
async fn with_parameters(
    request: Request,
    endpoint: Option<Endpoint>,
) -> Result<(Request, Vec<(String, String)>), Response> {
    let query = request.uri().query().unwrap_or_default();
    let mut parameters: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let posted = match endpoint {
        Some(Endpoint::Token | Endpoint::Revoke | Endpoint::Authorize) => {
            request.method() == Method::POST
        }
        Some(Endpoint::Register) => true,
        _ => return Ok((request, Vec::new())),
    };
    if !posted {
        return Ok((request, parameters));
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, FORM_LIMIT).await else {
        return Err(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    };
    parameters.extend(context::form(&parts.headers, &body));
    if endpoint == Some(Endpoint::Register)
        && let Ok(metadata) = serde_json::from_slice::<Value>(&body)
        && let Some(statement) = metadata["software_statement"].as_str()
    {
        parameters.push(("software_statement".to_owned(), statement.to_owned()));
    }
    Ok((Request::from_parts(parts, Body::from(body)), parameters))
}

/// Which app asks: as it says, or as the access token says.
fn client_of(app: &App, headers: &HeaderMap, parameters: &[(String, String)]) -> Option<String> {
    let by_token = || app.auth.client_of(bearer(headers)?);
    context::named_client(headers, parameters).or_else(by_token)
}

/// The access token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::trim)
}

/// The client is sent to another place.
fn redirect(status: u16, to: &str) -> Response {
    let mut answer = StatusCode::TEMPORARY_REDIRECT.into_response();
    if let Ok(status) = StatusCode::from_u16(status) {
        *answer.status_mut() = status;
    }
    if let Ok(location) = HeaderValue::from_str(to) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

/// The answer of the token endpoint, and the id_token in it, decoded.
async fn id_token_of(answer: Response) -> (Response, Vec<DecodedJwt>) {
    let is_json = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let spoilt = answer.extensions().get::<DropConnection>().is_some();
    let small = answer
        .body()
        .size_hint()
        .exact()
        .is_some_and(|size| size < 1 << 20);
    if !is_json || spoilt || !small {
        return (answer, Vec::new());
    }
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, LIMIT).await.unwrap_or_default();
    let given: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = given["id_token"].as_str();
    let token = token.map(|token| ("id_token".to_owned(), token.to_owned()));
    (
        Response::from_parts(parts, Body::from(body)),
        context::tokens_in(token),
    )
}

/// The query with what only the two ends should know left out.
fn masked(query: &str) -> String {
    let secret = ["code=", "launch=", "id_token_hint=", "access_token="];
    let parts =
        query.split('&').map(
            |part| match secret.iter().find(|name| part.starts_with(*name)) {
                Some(name) => format!("{name}***"),
                None => part.to_owned(),
            },
        );
    parts.collect::<Vec<_>>().join("&")
}

async fn misbehave(app: &App, fault: FaultKind, request: Request, next: Next) -> Response {
    match fault {
        FaultKind::ExpiredToken | FaultKind::RevokedToken => {
            if let Some(token) = bearer(request.headers()) {
                match fault {
                    FaultKind::ExpiredToken => app.auth.expire(token),
                    _ => app.auth.withdraw(token),
                }
            }
            next.run(request).await
        }
        FaultKind::RedirectElsewhere { status, origin } => {
            let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
            redirect(status, &format!("{origin}{target}"))
        }
        FaultKind::Status { status, body, content_type } => {
            let mut answer = body.into_response();
            *answer.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            answer.headers_mut().remove(header::CONTENT_TYPE);
            if let (false, Ok(value)) = (content_type.is_empty(), HeaderValue::from_str(&content_type)) {
                answer.headers_mut().insert(header::CONTENT_TYPE, value);
            }
            answer
        }
        FaultKind::NotJson => (
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>",
        )
            .into_response(),
        FaultKind::XmlAnswer => (
            [(header::CONTENT_TYPE, "application/fhir+xml; charset=utf-8")],
            "<?xml version=\"1.0\"?><Bundle xmlns=\"http://hl7.org/fhir\"><type value=\"searchset\"/></Bundle>",
        )
            .into_response(),
        FaultKind::TooManyRequests { retry_after } => {
            let mut answer = StatusCode::TOO_MANY_REQUESTS.into_response();
            if let Some(seconds) = retry_after {
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            answer
        }
        FaultKind::Delay { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            next.run(request).await
        }
        FaultKind::LostAnswer => {
            drop(next.run(request).await);
            dropped()
        }
        FaultKind::Drip { ms } => drip(next.run(request).await, Duration::from_millis(ms)).await,
        FaultKind::WrongContentType { content_type } => {
            let mut answer = next.run(request).await;
            if let Ok(value) = HeaderValue::from_str(&content_type) {
                answer.headers_mut().insert(header::CONTENT_TYPE, value);
            }
            answer
        }
        FaultKind::Huge { megabytes } => huge(next.run(request).await, megabytes),
        FaultKind::Truncated => half_of(next.run(request).await).await,
        FaultKind::Disconnect => cut_off(next.run(request).await).await,
        _ => dropped(),
    }
}

/// The connection is closed in place of an answer.
fn dropped() -> Response {
    let mut answer = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    answer.extensions_mut().insert(DropConnection);
    answer
}

/// The answer in twenty pieces.
async fn drip(answer: Response, wait: Duration) -> Response {
    let (parts, body) = answer.into_parts();
    let whole = to_bytes(body, LIMIT).await.unwrap_or_default();
    let size = whole.len().div_ceil(20).max(1);
    let pieces: Vec<Bytes> = whole.chunks(size).map(Bytes::copy_from_slice).collect();
    let slowly = stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(wait).await;
        Ok::<_, Infallible>(piece)
    });
    Response::from_parts(parts, Body::from_stream(slowly))
}

/// The answer with blanks behind it, made while they are sent.
fn huge(answer: Response, megabytes: u32) -> Response {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let blanks = Bytes::from(vec![b' '; 1 << 20]);
    let behind = stream::iter(0..megabytes).map(move |_| Ok::<_, axum::Error>(blanks.clone()));
    Response::from_parts(
        parts,
        Body::from_stream(body.into_data_stream().chain(behind)),
    )
}

/// The first half of an answer, of which more was promised.
async fn cut_off(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let whole = to_bytes(body, LIMIT).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    let half = whole.slice(..whole.len() / 2);
    let cut = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let pieces = stream::iter([Ok(half), Err(cut)]).then(|piece| async {
        // What was sent leaves before the connection is cut.
        tokio::time::sleep(Duration::from_millis(20)).await;
        piece
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// The first half of an answer.
async fn half_of(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let whole = to_bytes(body, LIMIT).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(whole.slice(..whole.len() / 2)))
}
