//! A page of search results, and a single resource. Three parts: status and headers, a line each; what
//! follows the FHIR base in the request's URL; the body.

use super::{answer, assert_plain, base, parts, policy};
use satchel_smart::fhir::bundle::{Entry, RawResource, SearchPage, parse_page};
use satchel_smart::fhir::client::{FhirClient, FhirError, read_resource_answer};
use satchel_smart::fhir::outcome::OperationOutcome;
use satchel_smart::http::HttpClient;
use satchel_smart::secret::SecretString;
use serde_json::Value;
use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use url::Url;

fn client() -> &'static FhirClient {
    static MADE: OnceLock<FhirClient> = OnceLock::new();
    MADE.get_or_init(|| FhirClient::new(HttpClient::new(policy(false)).unwrap(), base()))
}

pub(crate) fn run(data: &[u8]) -> bool {
    let mut taken = false;
    let [head, below, body] = parts::<3>(data);
    let request = request(below);
    let head_of = answer(request.as_str(), head, b"");
    let content_type = head_of.headers.get("content-type");
    let content_type = content_type.and_then(|value| value.to_str().ok());
    match parse_page(body, &request, content_type) {
        Ok(page) => {
            taken = true;
            assert_page(body, &page);
            for url in page.next.iter() {
                assert_token_stays(url);
            }
            let again = parse_page(body, &request, content_type);
            assert_eq!(format!("{:?}", again.ok()), format!("{:?}", Some(page)));
        }
        Err(error) => assert_refused(&error),
    }
    assert_token_stays(&request);

    let answered = || answer(request.as_str(), head, body);
    if let Ok(target) = answered().redirect_within(&base()) {
        assert!(is_at_base(&target), "a redirect leads away: {target}");
    }
    match read_resource_answer(answered(), "Patient", "p1") {
        Ok(resource) => {
            taken = true;
            assert!((200..300).contains(&answered().status));
            assert_eq!(resource.resource_type, "Patient");
            assert_resource(body, &resource);
        }
        Err(error) => assert_refused(&error),
    }
    taken
}

/// A URL of this server, or of another one when the text is a whole URL.
fn request(below: &[u8]) -> Url {
    let below = String::from_utf8_lossy(below);
    let otherwise = || Url::parse("https://ehr.example/fhir/Condition?patient=p1").unwrap();
    Url::parse(&below)
        .or_else(|_| Url::parse(&format!("https://ehr.example/fhir/{below}")))
        .ok()
        .filter(|url| url.has_host())
        .unwrap_or_else(otherwise)
}

/// At https://ehr.example/fhir or below it: the only place where a token may go.
fn is_at_base(url: &Url) -> bool {
    let text = url.as_str();
    text == "https://ehr.example/fhir"
        || ["/", "?", "#"]
            .iter()
            .any(|next| text.starts_with(&format!("https://ehr.example/fhir{next}")))
}

/// Asked for a page elsewhere, the client refuses before it asks anybody.
fn assert_token_stays(url: &Url) {
    assert_eq!(base().covers(url), is_at_base(url), "{url}");
    if is_at_base(url) {
        return;
    }
    let token = SecretString::new("hush-4b1d-token".to_owned());
    let page = pin!(client().search_page(url, &token));
    let polled = Future::poll(page, &mut Context::from_waker(Waker::noop()));
    match polled {
        Poll::Ready(Err(FhirError::ForeignNextLink { url: shown })) => {
            assert!(!shown.contains(['?', '#']), "{shown}");
        }
        other => panic!("the token went to {url}: {other:?}"),
    }
}

fn assert_page(body: &[u8], page: &SearchPage) {
    let text = std::str::from_utf8(body).unwrap();
    assert_eq!(page.bytes, body.len());
    for warning in &page.warnings {
        assert_plain(warning, 200);
    }
    for entry in &page.entries {
        match entry {
            Entry::Resource(resource) => {
                assert_resource(body, resource);
                assert_ne!(resource.resource_type, "OperationOutcome");
            }
            Entry::Malformed { raw, reason } => {
                assert!(text.contains(raw.as_str()), "not kept as it came");
                assert!(!reason.is_empty());
            }
            Entry::Outcome(outcome) => assert_outcome(outcome),
        }
    }
    // No entry is lost. (serde_json::Value reads less deep and no number beyond f64.)
    if let Ok(whole) = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}').trim()) {
        assert_eq!(whole["resourceType"], "Bundle");
        let entries = whole["entry"].as_array().map_or(0, Vec::len);
        assert_eq!(page.entries.len(), entries, "an entry was lost");
    }
}

fn assert_resource(body: &[u8], resource: &RawResource) {
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.contains(&resource.json), "not kept byte for byte");
    assert!(!resource.id.is_empty() && !resource.resource_type.is_empty());
    // A member that is there twice has no meaning in JSON.
    let once = |name: &str| resource.json.matches(name).count() <= 1;
    let plain = !resource.json.contains("\\u") && once("\"id\"") && once("\"resourceType\"");
    if let (true, Ok(whole)) = (plain, serde_json::from_str::<Value>(&resource.json)) {
        assert_eq!(whole["resourceType"], resource.resource_type.as_str());
        let id = whole["id"].as_str().filter(|id| !id.is_empty());
        assert!(id.is_none_or(|id| id == resource.id));
    }
}

fn assert_outcome(outcome: &OperationOutcome) {
    for issue in &outcome.issues {
        assert_plain(&issue.severity, 100);
        assert_plain(&issue.code, 100);
        assert_plain(issue.text.as_deref().unwrap_or_default(), 500);
    }
}

fn assert_refused(error: &FhirError) {
    match error {
        FhirError::Outcome { outcome, .. }
        | FhirError::Forbidden {
            outcome: Some(outcome),
        } => assert_outcome(outcome),
        FhirError::NotABundle { found } | FhirError::UnexpectedResource { found } => {
            assert_plain(found, 100);
        }
        _ => {}
    }
}
