//! From bytes to entries.

use super::{Entry, RawResource, SearchMode, SearchPage, head};
use crate::fhir::client::FhirError;
use crate::fhir::outcome::OperationOutcome;
use crate::fhir::search::ignored_parameters;
use crate::text::plain;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use url::Url;

/// A page of which everything has its proper kind: read in one go.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, rename = "resourceType")]
    resource_type: Cow<'a, str>,
    total: Option<u64>,
    #[serde(borrow, default)]
    link: Vec<Link<'a>>,
    #[serde(borrow, default)]
    entry: Vec<EntryParts<'a>>,
}

/// A page with something odd in it: every part is looked at by itself.
#[derive(Deserialize)]
struct OddPage<'a> {
    #[serde(borrow, default, rename = "resourceType")]
    resource_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    total: Option<&'a RawValue>,
    #[serde(borrow, default)]
    link: Option<&'a RawValue>,
    #[serde(borrow, default)]
    entry: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Link<'a> {
    #[serde(borrow)]
    relation: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
}

/// An entry. `resource` must be there: one without it is looked at by itself.
#[derive(Deserialize)]
struct EntryParts<'a> {
    #[serde(borrow, default, rename = "fullUrl")]
    full_url: Option<Text<'a>>,
    #[serde(borrow)]
    resource: &'a RawValue,
    #[serde(borrow, default)]
    search: Option<SearchPart<'a>>,
}

#[derive(Deserialize)]
struct SearchPart<'a> {
    #[serde(borrow, default)]
    mode: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Takes a page apart.
///
/// `request` is the URL that it is the answer to: relative links are resolved against it, and the
/// page's `self` link is held against it.
///
/// # Errors
/// [`FhirError::Truncated`] when the JSON ends too early, [`FhirError::NotJson`],
/// [`FhirError::NotABundle`], and [`FhirError::Outcome`] when an OperationOutcome came instead.
pub fn parse_page(
    body: &[u8],
    request: &Url,
    content_type: Option<&str>,
) -> Result<SearchPage, FhirError> {
    let text = as_text(body, content_type)?;
    let proper = match serde_json::from_str::<Page<'_>>(text) {
        Ok(page) if page.resource_type == "Bundle" => proper_page(page, request),
        Ok(_) => return Err(not_a_bundle(text)),
        Err(error) if error.is_data() => None,
        Err(error) => return Err(not_readable(&error, text, content_type)),
    };
    let mut page = match proper {
        Some(page) => page,
        None => odd_page(text, request, content_type)?,
    };
    page.bytes = body.len();
    Ok(page)
}

fn not_readable(error: &serde_json::Error, text: &str, content_type: Option<&str>) -> FhirError {
    if error.is_eof() && text.starts_with(['{', '[']) {
        FhirError::Truncated
    } else {
        not_json(text.as_bytes(), content_type)
    }
}

/// The body as text, without a byte order mark and outer white space.
pub(in crate::fhir) fn as_text<'a>(
    body: &'a [u8],
    content_type: Option<&str>,
) -> Result<&'a str, FhirError> {
    let text = std::str::from_utf8(body).map_err(|_| not_json(body, content_type))?;
    Ok(text.trim_start_matches('\u{feff}').trim())
}

pub(in crate::fhir) fn not_json(body: &[u8], content_type: Option<&str>) -> FhirError {
    let start = String::from_utf8_lossy(&body[..body.len().min(512)]);
    let start = start.trim_start_matches('\u{feff}').trim_start();
    let xml = content_type.is_some_and(|t| t.contains("xml") && !t.contains("html"))
        || start.starts_with("<?xml")
        || (start.starts_with('<') && start.contains("http://hl7.org/fhir"));
    FhirError::NotJson {
        content_type: content_type.map(str::to_owned),
        xml,
    }
}

fn not_a_bundle(text: &str) -> FhirError {
    if let Some(outcome) = OperationOutcome::parse(text) {
        return FhirError::Outcome {
            status: 200,
            outcome,
        };
    }
    let found = head::read(text).and_then(|head| head.resource_type);
    FhirError::NotABundle {
        found: found.map_or_else(|| "no resource".to_owned(), |found| plain(&found, 100)),
    }
}

/// `None` when any entry has to be looked at by itself, with its raw text at hand.
fn proper_page(page: Page<'_>, request: &Url) -> Option<SearchPage> {
    let mut result = SearchPage {
        total: page.total,
        ..SearchPage::default()
    };
    read_links(&page.link, request, &mut result);
    result.entries = page
        .entry
        .iter()
        .map(|parts| entry(parts).ok())
        .collect::<Option<_>>()?;
    Some(result)
}

fn odd_page(
    text: &str,
    request: &Url,
    content_type: Option<&str>,
) -> Result<SearchPage, FhirError> {
    let page: OddPage<'_> = serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => not_a_bundle(text),
        false => not_readable(&error, text, content_type),
    })?;
    let resource_type = page
        .resource_type
        .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    if resource_type.as_deref() != Some("Bundle") {
        return Err(not_a_bundle(text));
    }
    let total = page
        .total
        .and_then(|raw| raw.get().trim_matches('"').parse().ok());
    let mut result = SearchPage {
        total,
        ..SearchPage::default()
    };
    let links: Vec<Link<'_>> = items(page.link)
        .iter()
        .filter_map(|raw| serde_json::from_str(raw.get()).ok())
        .collect();
    read_links(&links, request, &mut result);
    if page.entry.is_some_and(|raw| !raw.get().starts_with('[')) {
        result
            .warnings
            .push("the page's entry is not a list".to_owned());
    }
    result.entries = items(page.entry).into_iter().map(odd_entry).collect();
    Ok(result)
}

fn items(raw: Option<&RawValue>) -> Vec<&RawValue> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

fn odd_entry(raw: &RawValue) -> Entry {
    let read = match serde_json::from_str::<EntryParts<'_>>(raw.get()) {
        Ok(parts) => entry(&parts),
        Err(_) if raw.get().starts_with('{') => {
            Err("the entry has no resource, or a member of the wrong kind")
        }
        Err(_) => Err("the entry is not an object"),
    };
    read.unwrap_or_else(|reason| Entry::Malformed {
        raw: raw.get().to_owned(),
        reason: reason.to_owned(),
    })
}

fn entry(parts: &EntryParts<'_>) -> Result<Entry, &'static str> {
    let json = parts.resource.get();
    let head = head::read(json).ok_or("the resource is not an object")?;
    let resource_type = filled(head.resource_type).ok_or("the resource has no resourceType")?;
    if resource_type == "OperationOutcome" {
        let outcome = OperationOutcome::parse(json).ok_or("the OperationOutcome cannot be read")?;
        return Ok(Entry::Outcome(outcome));
    }
    let id = filled(head.id).ok_or("the resource has no id")?;
    let mode = parts
        .search
        .as_ref()
        .and_then(|search| search.mode.as_ref());
    Ok(Entry::Resource(RawResource {
        json: json.to_owned(),
        resource_type,
        id,
        version_id: head.version_id.map(Cow::into_owned),
        last_updated: head.last_updated.map(Cow::into_owned),
        full_url: parts
            .full_url
            .as_ref()
            .map(|Text(url)| url.clone().into_owned()),
        mode: match mode {
            Some(Text(mode)) if mode == "include" => SearchMode::Include,
            _ => SearchMode::Match,
        },
    }))
}

fn filled(text: Option<Cow<'_, str>>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// A single resource as it came, for a read. `None` when it has no type, or no id and `id` is none.
pub(in crate::fhir) fn single(json: &str, id: &str) -> Option<RawResource> {
    serde_json::from_str::<serde::de::IgnoredAny>(json).ok()?;
    let head = head::read(json)?;
    Some(RawResource {
        json: json.to_owned(),
        resource_type: filled(head.resource_type)?,
        id: filled(head.id).unwrap_or_else(|| id.to_owned()),
        version_id: head.version_id.map(Cow::into_owned),
        last_updated: head.last_updated.map(Cow::into_owned),
        full_url: None,
        mode: SearchMode::Match,
    })
}

fn read_links(links: &[Link<'_>], request: &Url, page: &mut SearchPage) {
    let find = |relation: &str| links.iter().find(|link| link.relation == relation);
    if let Some(next) = find("next") {
        match request.join(&next.url) {
            Ok(url) => page.next = Some(url),
            Err(_) => page
                .warnings
                .push("the link to the next page is not a URL".to_owned()),
        }
    }
    if let Some(done) = find("self").and_then(|link| request.join(&link.url).ok()) {
        for name in ignored_parameters(request, &done) {
            page.warnings.push(format!(
                "the server ignored the search parameter {}",
                plain(&name, 60)
            ));
        }
    }
}
