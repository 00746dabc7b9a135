//! Search results as a bundle, put together from the resources' own bytes (FHIR R4, bundle.html#searchset).

use std::fmt::Write as _;
use std::sync::Arc;

use axum::response::Response;
use serde_json::json;
use url::form_urlencoded;

use super::paging::{Cursor, Found};
use super::search::{self, Page};
use super::seen::Viewer;
use super::{answer, habits, include};
use crate::data::Place;
use crate::faults::{Endpoint, FaultKind};
use crate::state::App;

/// The address of a page.
pub(super) fn page_link(app: &App, token: &str, format: Option<&str>) -> String {
    let base = if app.quirks.next_on_other_path {
        format!("{}/pages", app.origin)
    } else {
        app.fhir_base()
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("_page", token);
    if let Some(format) = format {
        query.append_pair("_format", format);
    }
    format!("{base}?{}", query.finish())
}

/// What some servers send in place of a refusal: a bundle with the reason as its only entry.
pub(super) fn only_outcome(link: &str, reason: &str) -> Response {
    let outcome = json!({
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "invalid", "diagnostics": reason}]
    });
    let entry = json!({"resource": outcome, "search": {"mode": "outcome"}}).to_string();
    answer::resource(text(Some(0), &[("self", link.to_owned())], &[entry]))
}

/// One page: the matches from the cursor's position on, what comes along, and the links. `token` names
/// the page itself, if it is not the first.
pub(super) fn page(
    app: &App,
    viewer: &Viewer,
    cursor: Cursor,
    link: &str,
    token: Option<&str>,
) -> Response {
    let fault = app.faults.take_if(Endpoint::Fhir, is_ours);
    if fault == Some(FaultKind::NotABundle) {
        let sheep =
            json!({"resourceType": "Basic", "id": "not-a-bundle", "code": {"text": "none"}});
        return answer::resource(sheep.to_string());
    }
    let quirks = &app.quirks;
    let Page {
        matches,
        next,
        total,
    } = search::page(app, viewer, &cursor);
    let mut entries = Vec::new();
    for place in &matches {
        entries.extend(entry(app, *place, "match"));
    }
    for place in include::companions(&app.data, viewer, &matches, &cursor.includes) {
        entries.extend(entry(app, place, "include"));
    }
    let mut links = vec![("self", link.to_owned())];
    let this = This {
        link,
        token,
        has_entries: !matches.is_empty(),
    };
    let next = next_link(app, &cursor, next, &this, fault.as_ref());
    let at_the_end = quirks.last_page_links_to_itself.then(|| link.to_owned());
    links.extend(next.or(at_the_end).map(|next| ("next", next)));
    if let (Some(relation), Some(previous)) = (&quirks.previous_link, &cursor.previous) {
        links.push((relation, previous.clone()));
    }
    match fault {
        Some(FaultKind::MalformedEntry) => spoil(&mut entries),
        Some(FaultKind::OtherPatient) => {
            entries.push(stranger(app, viewer, &cursor, matches.first().copied()))
        }
        _ => {}
    }
    if quirks.outcome_when_empty && entries.is_empty() {
        entries.push(NOTHING.to_owned());
    }
    if quirks.outcome_entry {
        entries.push(WARNING.to_owned());
    }
    let total = match total {
        Some(_) if quirks.no_total => None,
        Some(_) if quirks.total_of_page => Some(matches.len()),
        total => total,
    };
    answer::resource(text(total, &links, &entries))
}

fn is_ours(fault: &FaultKind) -> bool {
    matches!(
        fault,
        FaultKind::NotABundle
            | FaultKind::MalformedEntry
            | FaultKind::LoopingNext
            | FaultKind::ForeignNext
            | FaultKind::OtherPatient
    )
}

/// The page that is being made.
struct This<'a> {
    link: &'a str,
    token: Option<&'a str>,
    has_entries: bool,
}

/// The link to the page that comes next, or to where a fault wants it.
fn next_link(
    app: &App,
    cursor: &Cursor,
    next: Option<Found>,
    this: &This<'_>,
    fault: Option<&FaultKind>,
) -> Option<String> {
    let format = cursor.format.as_deref();
    if fault == Some(&FaultKind::ForeignNext) {
        return Some("http://127.0.0.1:9/fhir?_page=elsewhere".to_owned());
    }
    if cursor.loops
        && let Some(token) = this.token
    {
        return Some(page_link(app, token, format));
    }
    if fault == Some(&FaultKind::LoopingNext) {
        let same = Cursor {
            loops: true,
            ..cursor.clone()
        };
        return Some(page_link(app, &app.cursors.add(same), format));
    }
    let found = match (next, &cursor.found) {
        (Some(next), _) => again(app, cursor, next),
        // Where there was a page with entries, one without follows.
        (None, Found::All { places, .. }) if app.quirks.empty_last_page && this.has_entries => {
            Found::All {
                places: Arc::clone(places),
                position: places.len(),
            }
        }
        (None, _) => return None,
    };
    let next = Cursor {
        found,
        count: cursor.later.unwrap_or(cursor.count),
        later: None,
        previous: Some(this.link.to_owned()),
        expires: app
            .quirks
            .pages_live
            .map(|seconds| app.auth.now() + seconds),
        ..cursor.clone()
    };
    Some(page_link(app, &app.cursors.add(next), format))
}

/// The next page, or the one that begins with this one's last entry where a quirk wants that.
fn again(app: &App, cursor: &Cursor, next: Found) -> Found {
    match next {
        Found::All { places, position } if app.quirks.duplicate_entries && cursor.count > 1 => {
            Found::All {
                places,
                position: position - 1,
            }
        }
        next => next,
    }
}

fn entry(app: &App, place: Place, mode: &str) -> Option<String> {
    let resource = app.data.at(place)?;
    let url = habits::full_url(app, &resource);
    Some(format!(
        r#"{{"fullUrl":{},"resource":{},"search":{{"mode":"{mode}"}}}}"#,
        json!(url),
        habits::told(app, &resource)
    ))
}

/// What Epic says on results that are right.
const WARNING: &str = r#"{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"suppressed","details":{"text":"This response may not contain the entire record."}}]},"search":{"mode":"outcome"}}"#;

/// What some say when there is nothing.
const NOTHING: &str = r#"{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"processing","details":{"text":"Resource request returns no results."}}]},"search":{"mode":"outcome"}}"#;

fn text(total: Option<usize>, links: &[(&str, String)], entries: &[String]) -> String {
    let total = total.map_or_else(String::new, |total| format!("\"total\":{total},"));
    let mut text = format!(r#"{{"resourceType":"Bundle","type":"searchset",{total}"link":["#);
    for (position, (relation, url)) in links.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"relation":"{relation}","url":{}}}"#,
            json!(url)
        );
    }
    text.push(']');
    if !entries.is_empty() {
        text.push_str(",\"entry\":[");
        text.push_str(&entries.join(","));
        text.push(']');
    }
    text.push('}');
    text
}

/// The first entry loses its id, the second is no resource; on a shorter page they are added.
fn spoil(entries: &mut Vec<String>) {
    let bad = [
        r#"{"fullUrl":"urn:broken:1","resource":{"resourceType":"Observation","oops":true},"search":{"mode":"match"}}"#,
        r#"{"fullUrl":"urn:broken:2","resource":"not a resource","search":{"mode":"match"}}"#,
    ];
    entries.splice(..entries.len().min(2), bad.map(str::to_owned));
}

/// An entry about somebody the search was not about: a real one, if another patient has such.
fn stranger(app: &App, viewer: &Viewer, cursor: &Cursor, first: Option<Place>) -> String {
    let kind = &cursor.resource_type;
    let searched = first.and_then(|place| app.data.at(place));
    let searched = searched.and_then(|resource| resource.fields.patients.first().cloned());
    let own = viewer.grant.patient.clone().or(searched);
    let charts = (0..app.data.charts()).take(3);
    let mut places = charts.flat_map(|chart| app.data.in_chart(chart, kind));
    let other = places.find(|place| {
        let resource = app.data.at(*place);
        resource.is_some_and(|one| {
            let patients = &one.fields.patients;
            !patients.is_empty() && !patients.iter().any(|one| Some(one) == own.as_ref())
        })
    });
    other.and_then(|place| entry(app, place, "match")).unwrap_or_else(|| {
        let resource = json!({
            "resourceType": kind,
            "id": "of-somebody-else",
            "subject": {"reference": "Patient/somebody-else"},
            "patient": {"reference": "Patient/somebody-else"}
        });
        json!({"fullUrl": format!("{}/{kind}/of-somebody-else", app.fhir_base()), "resource": resource, "search": {"mode": "match"}}).to_string()
    })
}
