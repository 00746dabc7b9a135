//! Finding what a search asks for, page by page.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::paging::{Cursor, Found, Includes};
use super::query::{Filter, Query};
use super::seen::Viewer;
use super::{answer, bundle, metadata};
use crate::auth::scopes::Reach;
use crate::data::{ChartNumber, Place};
use crate::state::App;

/// The most entries a page may have.
const LARGEST_PAGE: usize = 1000;

/// The most charts that a page looks into, which takes about a second.
const MOST_CHARTS: ChartNumber = 64;

/// The most people that a page looks at, where their charts are not needed.
const MOST_PEOPLE: ChartNumber = 20_000;

/// The answer to a new search; a strict one has no parameter that is unknown here.
pub(super) fn first_page(
    app: &App,
    viewer: &Viewer,
    kind: &str,
    query: &Query,
    strict: bool,
) -> Response {
    if !metadata::is_supported(app, kind) {
        return answer::unknown_type(kind);
    }
    let reach = viewer.access(kind, 's');
    let Some(access) = reach.filter(|_| !app.quirks.refused_types.iter().any(|one| one == kind))
    else {
        let text = format!("the token's scopes do not allow to search {kind}");
        if app.quirks.outcome_for_refused_scope {
            return bundle::only_outcome(&format!("{}/{kind}", app.fhir_base()), &text);
        }
        return answer::insufficient(&text);
    };
    let names: Vec<&str> = query.names().collect();
    let knows = |name: &str| Query::knows(kind, name);
    if let (Some(name), true) = (names.iter().find(|name| !knows(name)), strict) {
        let text = format!("the parameter {name} is not supported");
        return answer::outcome(StatusCode::BAD_REQUEST, "not-supported", &text);
    }
    if let Some(reason) = app.quirks.refuses(kind, &query.pairs(), knows) {
        if app.quirks.plain_text_errors {
            return (StatusCode::BAD_REQUEST, reason).into_response();
        }
        return answer::outcome(StatusCode::BAD_REQUEST, "required", &reason);
    }
    if app.quirks.failing_searches.iter().any(|one| one == kind) {
        let text = "a required field is missing in the chart";
        return answer::outcome(StatusCode::INTERNAL_SERVER_ERROR, "exception", text);
    }
    let filters = match query.filters(kind) {
        Ok(filters) => filters,
        Err(name) => {
            let text = format!("the value of {name} is none for this parameter");
            return answer::outcome(StatusCode::BAD_REQUEST, "value", &text);
        }
    };
    let most = app.quirks.most_entries.unwrap_or(LARGEST_PAGE);
    let count = match query.first("_count").map(str::parse::<usize>) {
        None => app.page_size.min(most),
        Some(Ok(count)) => count.min(most),
        Some(Err(_)) => {
            return answer::outcome(StatusCode::BAD_REQUEST, "value", "_count is a number");
        }
    };
    let only_count = count == 0 || query.first("_summary") == Some("count");
    let found = match known(app, kind, &filters) {
        Some(candidates) => Found::All {
            places: Arc::new(matches(app, viewer, &access, &filters, candidates)),
            position: 0,
        },
        None if only_count => {
            return answer::outcome(
                StatusCode::FORBIDDEN,
                "too-costly",
                "among so many people nothing is counted: name a patient",
            );
        }
        None => Found::Sought {
            filters: Arc::new(filters),
            chart: 0,
            skip: 0,
        },
    };
    let count = if only_count { 0 } else { count };
    let mut cursor = Cursor::new(viewer.grant.grant_id, kind, found, count);
    cursor.format = query.first("_format").map(Arc::from);
    cursor.includes = Arc::new(Includes {
        forward: query.all("_include").map(str::to_owned).collect(),
        provenance: query
            .all("_revinclude")
            .any(|name| name == "Provenance:target"),
    });
    if !only_count
        && app
            .quirks
            .count_ignored_at_first
            .iter()
            .any(|one| one == kind)
    {
        cursor.later = Some(count);
        cursor.count = app.page_size.min(most);
    }
    let parameters = query.understood(kind);
    let separator = if parameters.is_empty() { "" } else { "?" };
    let link = format!("{}/{kind}{separator}{parameters}", app.fhir_base());
    bundle::page(app, viewer, cursor, &link, None)
}

/// The answer to `Patient/{id}/$everything`.
pub(super) fn everything(app: &App, viewer: &Viewer, id: &str, query: &Query) -> Response {
    let key = format!("Patient/{id}");
    let reaches = |kind: &str, place: &Place| {
        let reach = viewer.access(kind, 'r');
        let resource = app.data.at(*place);
        reach.is_some_and(|reach| resource.is_some_and(|one| viewer.sees(&reach, &one)))
    };
    let Some(patient) = app.data.place(&key) else {
        return answer::not_found(&key);
    };
    if !reaches("Patient", &patient) {
        return answer::insufficient("this is beyond what the token was granted");
    }
    let mut found = vec![patient];
    for (kind, places) in app.data.compartment(id) {
        let reached = places
            .into_iter()
            .filter(|place| *place != patient && reaches(&kind, place));
        found.extend(reached);
    }
    let count = match query.first("_count").map(str::parse::<usize>) {
        Some(Ok(count)) if count > 0 => count.min(LARGEST_PAGE),
        _ => app.page_size,
    };
    let found = Found::All {
        places: Arc::new(found),
        position: 0,
    };
    let mut cursor = Cursor::new(viewer.grant.grant_id, "Patient", found, count);
    cursor.format = query.first("_format").map(Arc::from);
    let link = format!("{}/{key}/$everything", app.fhir_base());
    bundle::page(app, viewer, cursor, &link, None)
}

/// The answer to a `next` link; 410 when it is unknown or of another grant.
pub(super) fn next_page(app: &App, viewer: &Viewer, token: &str) -> Response {
    let now = app.auth.now();
    let kept = app.cursors.get(token, viewer.grant.grant_id);
    let kept = kept.filter(|cursor| cursor.expires.is_none_or(|expires| now < expires));
    let Some(cursor) = kept else {
        return answer::outcome(
            StatusCode::GONE,
            "not-found",
            "this page is gone: search again",
        );
    };
    if viewer.access(&cursor.resource_type, 's').is_none() {
        return answer::insufficient("the token's scopes do not allow this search any more");
    }
    let link = bundle::page_link(app, token, cursor.format.as_deref());
    bundle::page(app, viewer, cursor, &link, Some(token))
}

/// Where to look for what fits the filters; `None` when that is everywhere among too many people.
fn known(app: &App, kind: &str, filters: &[Filter]) -> Option<Vec<Place>> {
    let data = &app.data;
    let asked = filters.iter().find_map(|filter| match filter {
        Filter::Patient(ids) => Some(ids),
        _ => None,
    });
    if let Some(ids) = asked {
        let of_patients = ids.iter().flat_map(|one| data.of_patient(one, kind));
        return Some(of_patients.collect());
    }
    if let Some(ids) = by_id(filters) {
        let keys = ids.iter().map(|id| format!("{kind}/{id}"));
        return Some(keys.filter_map(|key| data.place(&key)).collect());
    }
    (!data.is_large()).then(|| data.of_type(kind).collect())
}

/// What the filters accept of what the viewer may see, in the order of loading.
fn matches(
    app: &App,
    viewer: &Viewer,
    access: &[Reach],
    filters: &[Filter],
    candidates: Vec<Place>,
) -> Vec<Place> {
    let fits = |place: &Place| {
        app.data.at(*place).is_some_and(|resource| {
            viewer.sees(access, &resource) && filters.iter().all(|filter| filter.accepts(&resource))
        })
    };
    candidates.into_iter().filter(fits).collect()
}

/// One page: what is on it, what comes after it, and how many there are in all where that is known.
pub(super) struct Page {
    pub(super) matches: Vec<Place>,
    pub(super) next: Option<Found>,
    pub(super) total: Option<usize>,
}

/// The page at which a cursor points.
pub(super) fn page(app: &App, viewer: &Viewer, cursor: &Cursor) -> Page {
    match &cursor.found {
        Found::All { places, position } => {
            let from = (*position).min(places.len());
            let to = (from + cursor.count).min(places.len());
            Page {
                matches: places.get(from..to).unwrap_or_default().to_vec(),
                next: (cursor.count > 0 && to < places.len()).then(|| Found::All {
                    places: Arc::clone(places),
                    position: to,
                }),
                total: Some(places.len()),
            }
        }
        Found::Sought {
            filters,
            chart,
            skip,
        } => seek(app, viewer, cursor, filters, *chart, *skip),
    }
}

/// Looks chart by chart. A page that looked into many charts ends, full or not: the next goes on.
fn seek(
    app: &App,
    viewer: &Viewer,
    cursor: &Cursor,
    filters: &Arc<Vec<Filter>>,
    first: ChartNumber,
    skip: usize,
) -> Page {
    let kind = &cursor.resource_type;
    let access = viewer.access(kind, 's').unwrap_or_default();
    let most = if kind == "Patient" {
        MOST_PEOPLE
    } else {
        MOST_CHARTS
    };
    let (mut found, mut skip) = (Vec::new(), skip);
    let from = |chart, skip| Found::Sought {
        filters: Arc::clone(filters),
        chart,
        skip,
    };
    for chart in first..app.data.charts() {
        if chart - first >= most {
            return Page {
                matches: found,
                next: Some(from(chart, 0)),
                total: None,
            };
        }
        let places = app.data.in_chart(chart, kind);
        for place in matches(app, viewer, &access, filters, places)
            .into_iter()
            .skip(std::mem::take(&mut skip))
        {
            if found.len() == cursor.count {
                let on_this_page = found.iter().filter(|one: &&Place| one.chart == chart);
                let earlier = if chart == first { skip_of(cursor) } else { 0 };
                return Page {
                    next: Some(from(chart, earlier + on_this_page.count())),
                    matches: found,
                    total: None,
                };
            }
            found.push(place);
        }
    }
    Page {
        matches: found,
        next: None,
        total: None,
    }
}

fn skip_of(cursor: &Cursor) -> usize {
    match cursor.found {
        Found::Sought { skip, .. } => skip,
        Found::All { .. } => 0,
    }
}

fn by_id(filters: &[Filter]) -> Option<&[String]> {
    filters.iter().find_map(|filter| match filter {
        Filter::Id(ids) => Some(ids.as_slice()),
        _ => None,
    })
}
