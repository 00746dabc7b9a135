//! A trace as an HTTP Archive (HAR 1.2), for the tools that testers have. Checks stand beside the
//! request that came before them, as `_checks`; the format lets members with an underscore in.

use super::{Body, Content, Exchange, Field, MaskedUrl, Outcome, Step, StepEvent};
use serde_json::{Value, json};

/// One piece of work: a page of the archive.
#[derive(Clone, Debug)]
pub struct HarPage {
    /// Its identifier, unique in the archive.
    pub id: String,
    /// What it was.
    pub title: String,
    /// When it began.
    pub started: jiff::Timestamp,
    /// What happened.
    pub steps: Vec<Step>,
}

/// The archive of these pages. `version` is that of the program that made it.
#[must_use]
pub fn to_har(pages: &[HarPage], creator: &str, version: &str) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    for page in pages {
        let first = entries.len();
        for step in &page.steps {
            let started = step.at.to_string();
            match &step.event {
                StepEvent::Check(check) => {
                    let noted = json!({
                        "number": check.number, "says": check.says, "passed": check.passed,
                    });
                    // A check before the first request of its page stands on the page's first entry.
                    if entries.len() == first {
                        entries.push(trip(&page.id, &started, None, "before any request"));
                    }
                    let last = entries
                        .last_mut()
                        .and_then(|entry| entry.get_mut("_checks"));
                    if let Some(Value::Array(checks)) = last {
                        checks.push(noted);
                    }
                }
                StepEvent::BrowserLeft(url) => {
                    let comment = "opened in the person's browser";
                    entries.push(trip(&page.id, &started, Some(url), comment));
                }
                StepEvent::BrowserCameBack(url) => {
                    let comment = "where the person's browser was sent at the end";
                    entries.push(trip(&page.id, &started, Some(url), comment));
                }
                StepEvent::Exchange(done) => entries.push(exchange(&page.id, &started, done)),
            }
        }
    }
    let pages: Vec<Value> = pages
        .iter()
        .map(|page| {
            json!({
                "startedDateTime": page.started.to_string(),
                "id": page.id,
                "title": page.title,
                "pageTimings": {},
            })
        })
        .collect();
    json!({
        "log": {
            "version": "1.2",
            "creator": { "name": creator, "version": version },
            "pages": pages,
            "entries": entries,
            "comment": "Values that begin with hidden- stand for secrets and for what may tell of a person; equal names are equal values.",
        }
    })
}

/// Something that is no request of ours: it has no answer here.
fn trip(page: &str, started: &str, url: Option<&MaskedUrl>, comment: &str) -> Value {
    let none = MaskedUrl {
        url: "about:blank".to_owned(),
        query: Vec::new(),
    };
    let request = request("GET", url.unwrap_or(&none), &[], None);
    entry(page, started, 0, request, no_response(""), comment)
}

fn exchange(page: &str, started: &str, done: &Exchange) -> Value {
    let request = request(&done.method, &done.url, &done.headers, done.body.as_ref());
    match &done.outcome {
        Outcome::Answered {
            status,
            headers,
            body,
            milliseconds,
        } => {
            let response = response(*status, headers, body);
            entry(page, started, *milliseconds, request, response, "")
        }
        Outcome::Failed { why, milliseconds } => {
            entry(page, started, *milliseconds, request, no_response(why), why)
        }
        Outcome::Waiting => entry(page, started, 0, request, no_response(""), "no answer yet"),
    }
}

fn entry(
    page: &str,
    started: &str,
    milliseconds: i64,
    request: Value,
    response: Value,
    comment: &str,
) -> Value {
    json!({
        "pageref": page,
        "startedDateTime": started,
        "time": milliseconds,
        "request": request,
        "response": response,
        "cache": {},
        "timings": { "send": 0, "wait": milliseconds, "receive": 0 },
        "comment": comment,
        "_checks": [],
    })
}

fn request(method: &str, url: &MaskedUrl, headers: &[Field], body: Option<&Body>) -> Value {
    let mut request = json!({
        "method": method,
        "url": url.url,
        "httpVersion": "HTTP",
        "cookies": [],
        "headers": fields(headers),
        "queryString": fields(&url.query),
        "headersSize": -1,
        "bodySize": body.map_or(0, |body| body.size),
    });
    if let (Some(body), Some(members)) = (body, request.as_object_mut()) {
        let mut data = json!({ "mimeType": body.content_type });
        match &body.content {
            Content::Form(form) => data["params"] = fields(form),
            content => data["text"] = Value::String(text(content).unwrap_or_default()),
        }
        decoded(&mut data, body);
        members.insert("postData".to_owned(), data);
    }
    request
}

fn response(status: u16, headers: &[Field], body: &Body) -> Value {
    let location = headers.iter().find(|field| field.name == "location");
    let mut content = json!({ "size": body.size, "mimeType": body.content_type });
    match text(&body.content) {
        Some(text) => content["text"] = Value::String(text),
        None => content["comment"] = Value::String("not shown".to_owned()),
    }
    decoded(&mut content, body);
    json!({
        "status": status,
        "statusText": ::http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or_default(),
        "httpVersion": "HTTP",
        "cookies": [],
        "headers": fields(headers),
        "content": content,
        "redirectURL": location.map_or("", |field| field.value.as_str()),
        "headersSize": -1,
        "bodySize": -1,
    })
}

fn no_response(why: &str) -> Value {
    json!({
        "status": 0,
        "statusText": why,
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": { "size": 0, "mimeType": "" },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    })
}

/// What may be seen of a body as text.
fn text(content: &Content) -> Option<String> {
    match content {
        Content::Json(value) => Some(value.to_string()),
        Content::Fhir {
            resource_type,
            total,
        } => Some(json!({ "resourceType": resource_type, "total": total }).to_string()),
        Content::Form(_) | Content::Hidden => None,
    }
}

fn decoded(data: &mut Value, body: &Body) {
    if let (false, Some(members)) = (body.tokens.is_empty(), data.as_object_mut()) {
        let tokens = body.tokens.iter().cloned().collect();
        members.insert("_decoded".to_owned(), Value::Object(tokens));
    }
}

fn fields(fields: &[Field]) -> Value {
    fields
        .iter()
        .map(|field| json!({ "name": field.name, "value": field.value }))
        .collect()
}
