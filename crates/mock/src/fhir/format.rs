//! In which format an answer leaves: JSON, or XML where that is asked for (FHIR R4, http.html#mime-type).

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use url::form_urlencoded;

use super::{answer, limits, xml};
use crate::auth::PRACTICE_CLAIM;
use crate::quirks::ErrorShape;
use crate::state::App;

/// Marks an answer that is a resource in JSON, which may as well be sent in XML.
#[derive(Clone, Copy, Debug)]
pub(super) struct IsResource;

/// The longest answer that is made here: a page of a thousand entries is some megabytes.
const LIMIT: usize = 512 * 1024 * 1024;

const JSON: [&str; 5] = [
    "application/fhir+json",
    "application/json",
    "application/json+fhir",
    "text/json",
    "json",
];
const XML: [&str; 5] = [
    "application/fhir+xml",
    "application/xml",
    "application/xml+fhir",
    "text/xml",
    "xml",
];

/// A format of FHIR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Xml,
}

/// Around the FHIR server: resources leave in the format that is asked for.
pub(crate) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    if !super::is_for_programs(request.uri().path()) {
        return next.run(request).await;
    }
    let otherwise = if app.quirks.xml_unless_json {
        Format::Xml
    } else {
        Format::Json
    };
    let query = request.uri().query().unwrap_or_default();
    let wanted = wanted(query, request.headers(), otherwise);
    let refusal = limits::refusal(&app).or_else(|| practice_missing(&app, &request));
    let answer = match refusal {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    let refused = answer.status().is_client_error() || answer.status().is_server_error();
    if answer.extensions().get::<IsResource>().is_none() {
        return answer;
    }
    if let (true, Some(shape)) = (refused, app.quirks.errors) {
        return in_shape(answer, shape);
    }
    match wanted {
        Some(Format::Json) => in_json(&app, answer),
        Some(Format::Xml) => in_xml(answer).await,
        // A refusal is better told in another format than not at all (RFC 9110 §15.5.7).
        None if answer.status().is_success() => {
            let text = "this server speaks application/fhir+json and application/fhir+xml";
            in_json(
                &app,
                answer::outcome(StatusCode::NOT_ACCEPTABLE, "not-supported", text),
            )
        }
        None => in_json(&app, answer),
    }
}

/// A request for records that does not name the practice of its token, where that is demanded.
fn practice_missing(app: &App, request: &Request) -> Option<Response> {
    let with_token = request.headers().contains_key(header::AUTHORIZATION);
    if !app.quirks.practice_parameter || !with_token {
        return None;
    }
    let query = request.uri().query().unwrap_or_default();
    let named = format!("ah-practice=Organization/{PRACTICE_CLAIM}");
    if query.split('&').any(|pair| pair == named) {
        return None;
    }
    let text = "the request names no practice (ah-practice)";
    Some(answer::outcome(StatusCode::FORBIDDEN, "forbidden", text))
}

/// A refusal as a server says it that keeps no `OperationOutcome` for it.
fn in_shape(answer: Response, shape: ErrorShape) -> Response {
    let (mut parts, _) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    if shape == ErrorShape::Empty {
        return Response::from_parts(parts, Body::empty());
    }
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    parts.headers.insert(header::CONTENT_TYPE, kind);
    let page = "<!doctype html><title>Error</title><h1>INVALID-MAP-TARGET</h1>";
    Response::from_parts(parts, Body::from(page))
}

fn in_json(app: &App, mut answer: Response) -> Response {
    let named = app.quirks.content_type.as_deref();
    if let Some(Ok(kind)) = named.map(HeaderValue::from_str) {
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    answer
}

async fn in_xml(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let kind = HeaderValue::from_static(xml::FHIR_XML);
    parts.headers.insert(header::CONTENT_TYPE, kind);
    parts.headers.remove(header::CONTENT_LENGTH);
    // The answer to HEAD.
    if body.is_end_stream() {
        return Response::from_parts(parts, body);
    }
    let json = to_bytes(body, LIMIT).await.unwrap_or_default();
    let document = std::str::from_utf8(&json).ok().and_then(xml::document);
    match document {
        Some(document) => Response::from_parts(parts, Body::from(document)),
        None => answer::outcome(
            StatusCode::INTERNAL_SERVER_ERROR,
            "exception",
            "this resource cannot be written in XML",
        ),
    }
}

/// Whether the query asks for the format by `_format`, and for one that is here.
pub(super) fn parameter(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(name, value)| name == "_format" && !value.is_empty());
    // A plus sign that was not encoded has become a blank.
    found.map(|(_, value)| value.replace(' ', "+"))
}

/// The format that is asked for: `_format` before `Accept`; `None` when it is none of ours.
fn wanted(query: &str, headers: &HeaderMap, otherwise: Format) -> Option<Format> {
    if let Some(named) = parameter(query) {
        return named_format(named.split(';').next().unwrap_or_default());
    }
    let accepts = headers.get_all(header::ACCEPT).iter();
    let accepts: Vec<&str> = accepts.filter_map(|value| value.to_str().ok()).collect();
    preferred(&accepts.join(","), otherwise)
}

fn named_format(name: &str) -> Option<Format> {
    let name = name.trim().to_ascii_lowercase();
    if JSON.contains(&name.as_str()) {
        return Some(Format::Json);
    }
    XML.contains(&name.as_str()).then_some(Format::Xml)
}

/// What an `Accept` likes best (RFC 9110 §12.5.1). What is named goes before what only a wildcard lets in;
/// where that does not decide, `otherwise` does.
fn preferred(accept: &str, otherwise: Format) -> Option<Format> {
    let ranges: Vec<(String, f32)> = accept
        .split(',')
        .filter(|range| !range.trim().is_empty())
        .map(|range| {
            let mut parts = range.split(';');
            let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q="));
            (name, weight.map_or(1.0, |q| q.parse().unwrap_or(0.0)))
        })
        .collect();
    if ranges.is_empty() {
        return Some(otherwise);
    }
    let best = |fits: &dyn Fn(&str) -> bool| {
        let weights = ranges.iter().filter(|(name, _)| fits(name));
        weights.map(|(_, weight)| *weight).reduce(f32::max)
    };
    let any = best(&|name| name == "application/*").or_else(|| best(&|name| name == "*/*"));
    // The weight, and whether the format was named.
    let weigh = |format: Format| {
        let named = best(&|name| named_format(name) == Some(format));
        (named.or(any).unwrap_or(0.0), named.is_some())
    };
    let (json, xml) = (weigh(Format::Json), weigh(Format::Xml));
    if json.0 <= 0.0 && xml.0 <= 0.0 {
        return None;
    }
    match json.partial_cmp(&xml) {
        Some(std::cmp::Ordering::Greater) => Some(Format::Json),
        Some(std::cmp::Ordering::Less) => Some(Format::Xml),
        _ => Some(otherwise),
    }
}

/// Whether a `Binary` is asked for as a resource (FHIR R4, binary.html#rest); else it is sent as itself.
pub(super) fn wants_resource(query: &str, headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter();
    let mut accepts = accepts.filter_map(|value| value.to_str().ok());
    parameter(query).is_some()
        || accepts.any(|value| value.contains("json") || value.contains("application/fhir+xml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", Some(Format::Json))]
    #[case("*/*", Some(Format::Json))]
    #[case("application/json", Some(Format::Json))]
    #[case("application/json, text/plain, */*", Some(Format::Json))]
    #[case("application/fhir+xml", Some(Format::Xml))]
    #[case("text/xml; charset=utf-8", Some(Format::Xml))]
    #[case("application/fhir+xml, */*", Some(Format::Xml))]
    #[case("application/fhir+xml;q=0.5, application/json", Some(Format::Json))]
    #[case("application/fhir+xml, application/fhir+json", Some(Format::Json))]
    #[case("application/json;q=0.1, */*", Some(Format::Xml))]
    #[case("application/json;q=0, application/xml;q=0", None)]
    #[case("text/html", None)]
    #[case("*/*;q=0", None)]
    #[case("application/xml;q=nonsense", None)]
    fn what_accept_likes_best(#[case] accept: &str, #[case] expected: Option<Format>) {
        assert_eq!(preferred(accept, Format::Json), expected);
    }

    #[rstest]
    #[case("", Some(Format::Xml))]
    #[case("*/*", Some(Format::Xml))]
    #[case("application/json, */*", Some(Format::Json))]
    #[case("application/fhir+json", Some(Format::Json))]
    #[case("application/xml, application/json", Some(Format::Xml))]
    fn where_xml_comes_first_json_is_named(#[case] accept: &str, #[case] expected: Option<Format>) {
        assert_eq!(preferred(accept, Format::Xml), expected);
    }

    #[rstest]
    #[case("_format=json", Some(Format::Json))]
    #[case("a=b&_format=application/fhir+xml", Some(Format::Xml))]
    #[case(
        "_format=application%2Ffhir%2Bxml%3Bcharset%3Dutf-8",
        Some(Format::Xml)
    )]
    #[case("_format=text/turtle", None)]
    #[case("_format=", Some(Format::Json))]
    fn the_parameter_goes_first(#[case] query: &str, #[case] expected: Option<Format>) {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/fhir+json"),
        );
        assert_eq!(wanted(query, &headers, Format::Json), expected);
    }
}
