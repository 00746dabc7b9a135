//! Bulk Data export (Bulk Data Access 2.0): kick-off, status, manifest, files, cancel, expiry.
//!
//! A job keeps what was asked, not what was found; a file is put together chart by chart while the client
//! reads it, so that the size of an export does not show in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::stream;
use serde_json::{Value, json};

use super::query::{Filter, Query};
use super::seen::Viewer;
use super::{At, answer};
use crate::auth::scopes::Access;
use crate::data::{ChartNumber, Data, Stored};
use crate::state::App;

/// Formats that a client may name, all of them NDJSON.
const FORMATS: [&str; 3] = ["application/fhir+ndjson", "application/ndjson", "ndjson"];

/// How long the files of an export can be fetched.
const LIFETIME_SECONDS: i64 = 3600;

/// How often a client asks before the export is ready, so that it must wait once.
const POLLS: u32 = 1;

/// How many charts are made ahead of what is sent.
const AHEAD: usize = 4;

/// The name of the file of what was deleted.
const DELETED: &str = "deleted";

/// The one group: everybody.
const EVERYONE: &str = "everyone";

const UNDERSTOOD: [&str; 6] = [
    "_outputFormat",
    "_since",
    "_until",
    "_type",
    "_typeFilter",
    "patient",
];

/// An export under way or ready.
struct Job {
    client_id: String,
    /// The kick-off request.
    request: String,
    transaction_time: String,
    expires: i64,
    polls: u32,
    selection: Arc<Selection>,
    /// Types with the number of their records, where that is known.
    files: BTreeMap<String, Option<usize>>,
    /// Whether there is a file of what was deleted.
    deleted: bool,
}

/// Which records an export has.
struct Selection {
    viewer: Viewer,
    whose: Whose,
    wanted: Wanted,
}

/// The exports of this server.
#[derive(Default)]
pub(crate) struct Exports {
    jobs: Mutex<HashMap<String, Job>>,
}

impl Exports {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/fhir/$export", get(of_system).post(of_system))
        .route("/fhir/Patient/$export", get(of_patients).post(of_patients))
        .route("/fhir/Group/{id}/$export", get(of_group).post(of_group))
        .route("/bulk/jobs/{id}", get(status).delete(cancel))
        .route("/bulk/files/{id}/{file}", get(file))
}

/// Whose records.
#[derive(Clone, Copy)]
enum Whose {
    Everything,
    Patients,
}

async fn of_system(
    State(app): State<App>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(raw): RawQuery,
    body: Bytes,
) -> Response {
    let request = format!("{}{uri}", app.origin);
    kick_off(&app, &headers, request, Whose::Everything, raw, &body)
}

async fn of_patients(
    State(app): State<App>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(raw): RawQuery,
    body: Bytes,
) -> Response {
    let request = format!("{}{uri}", app.origin);
    kick_off(&app, &headers, request, Whose::Patients, raw, &body)
}

async fn of_group(
    State(app): State<App>,
    At(id): At<String>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(raw): RawQuery,
    body: Bytes,
) -> Response {
    if id != EVERYONE {
        return answer::not_found(&format!("Group/{id}"));
    }
    let request = format!("{}{uri}", app.origin);
    kick_off(&app, &headers, request, Whose::Patients, raw, &body)
}

fn kick_off(
    app: &App,
    headers: &HeaderMap,
    request: String,
    whose: Whose,
    raw: Option<String>,
    body: &[u8],
) -> Response {
    let viewer = match Viewer::of(app, headers) {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal,
    };
    let prefers = |wanted: &str| {
        let all = headers.get_all("prefer").iter();
        all.filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split([',', ';']))
            .any(|value| value.trim() == wanted)
    };
    if !prefers("respond-async") {
        return refuse("an export needs the header Prefer: respond-async");
    }
    let query = match parameters(raw, body) {
        Ok(query) => query,
        Err(reason) => return refuse(reason),
    };
    match wanted(&query, prefers("handling=lenient")) {
        Ok(wanted) => {
            let selection = Selection {
                viewer,
                whose,
                wanted,
            };
            start(app, request, selection)
        }
        Err(reason) => refuse(&reason),
    }
}

fn refuse(reason: &str) -> Response {
    answer::outcome(StatusCode::BAD_REQUEST, "invalid", reason)
}

/// The parameters of the address, or of a posted `Parameters` resource.
fn parameters(raw: Option<String>, body: &[u8]) -> Result<Query, &'static str> {
    if body.is_empty() {
        return Ok(Query::parse(&raw.unwrap_or_default()));
    }
    let posted: Value = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
    if posted["resourceType"] != "Parameters" {
        return Err("the body is not a Parameters resource");
    }
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for parameter in posted["parameter"].as_array().into_iter().flatten() {
        let name = parameter["name"]
            .as_str()
            .ok_or("a parameter has no name")?;
        let value = parameter
            .as_object()
            .into_iter()
            .flatten()
            .find_map(|(member, value)| {
                let reference = || value["reference"].as_str();
                member
                    .starts_with("value")
                    .then(|| value.as_str().or_else(reference))
                    .flatten()
            });
        text.append_pair(name, value.ok_or("a parameter has no value")?);
    }
    Ok(Query::parse(&text.finish()))
}

/// What a client wants exported.
struct Wanted {
    /// Empty: all that its scopes reach.
    kinds: Vec<String>,
    /// Conditions that every resource fulfils.
    always: Vec<Filter>,
    /// By type: of these lists of conditions one must be fulfilled.
    by_kind: HashMap<String, Vec<Vec<Filter>>>,
    patients: Vec<String>,
    /// Of what was deleted: from which second on. Without it nobody asks for that.
    since: Option<i64>,
}

fn wanted(query: &Query, lenient: bool) -> Result<Wanted, String> {
    let unknown = query.names().find(|name| !UNDERSTOOD.contains(name));
    if let (Some(name), false) = (unknown, lenient) {
        return Err(format!("the parameter {name} is not supported"));
    }
    if let Some(format) = query.first("_outputFormat")
        && !FORMATS.contains(&format)
    {
        return Err("_outputFormat is one of NDJSON's names".to_owned());
    }
    let list = |name: &str| -> Vec<String> {
        query
            .all(name)
            .flat_map(|value| value.split(','))
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let since = query.first("_since").and_then(crate::data::dates::range);
    let mut always = Vec::new();
    for (name, prefix) in [("_since", "ge"), ("_until", "le")] {
        if let Some(instant) = query.first(name) {
            let query = Query::of(&[("_lastUpdated", &format!("{prefix}{instant}"))]);
            let filters = query.filters("");
            always.extend(filters.map_err(|_| format!("{name} is an instant"))?);
        }
    }
    let mut by_kind: HashMap<String, Vec<Vec<Filter>>> = HashMap::new();
    for one in query.all("_typeFilter") {
        let (kind, conditions) = one
            .split_once('?')
            .ok_or_else(|| "_typeFilter is a search: Type?parameters".to_owned())?;
        let filters = Query::parse(conditions).filters(kind).map_err(|name| {
            format!("the value of {name} in _typeFilter is none for this parameter")
        })?;
        by_kind.entry(kind.to_owned()).or_default().push(filters);
    }
    let patients = list("patient");
    let ids = patients
        .iter()
        .map(|one| one.trim_start_matches("Patient/").to_owned());
    Ok(Wanted {
        kinds: list("_type"),
        always,
        by_kind,
        patients: ids.collect(),
        since: since.map(|range| range.start / 1000),
    })
}

fn start(app: &App, request: String, selection: Selection) -> Response {
    let (data, viewer) = (&app.data, &selection.viewer);
    for kind in &selection.wanted.kinds {
        if !super::metadata::is_supported(data, kind) {
            return refuse(&format!("the type {kind} is not supported"));
        }
        if !exports(viewer, kind) {
            return answer::insufficient(&format!(
                "the token's scopes do not allow to export {kind}"
            ));
        }
    }
    let kinds: BTreeSet<String> = if selection.wanted.kinds.is_empty() {
        let all = data.types().into_iter();
        all.filter(|kind| exports(viewer, kind)).collect()
    } else {
        selection.wanted.kinds.iter().cloned().collect()
    };
    if kinds.is_empty() {
        return answer::insufficient("the token's scopes allow no export");
    }
    let files = kinds.into_iter().filter_map(|kind| {
        // Among very many people the files are put together while they are read.
        if data.is_large() {
            return Some((kind, None));
        }
        let charts = selection.charts(data).into_iter();
        let count = charts
            .map(|chart| selection.find(data, chart, &kind).len())
            .sum();
        (count > 0).then_some((kind, Some(count)))
    });
    let files: BTreeMap<_, _> = files.collect();
    let deleted = if data.is_large() {
        selection.wanted.since.is_some()
    } else {
        let mut charts = selection.charts(data).into_iter();
        charts.any(|chart| selection.deleted(data, chart).is_some())
    };
    let now = app.auth.now();
    let id = format!("{:032x}", rand::random::<u128>());
    let job = Job {
        client_id: viewer.grant.client_id.clone(),
        request,
        transaction_time: jiff::Timestamp::from_second(now)
            .map(|time| time.to_string())
            .unwrap_or_default(),
        expires: now + LIFETIME_SECONDS,
        polls: 0,
        selection: Arc::new(selection),
        files,
        deleted,
    };
    let mut jobs = app.exports.lock();
    jobs.retain(|_, job| now < job.expires);
    jobs.insert(id.clone(), job);
    let address = format!("{}/bulk/jobs/{id}", app.origin);
    with_header(StatusCode::ACCEPTED, header::CONTENT_LOCATION, &address)
}

/// Whether the token may read every record of a type.
fn exports(viewer: &Viewer, kind: &str) -> bool {
    let reach = viewer.access(kind, 'r').unwrap_or_default();
    reach.iter().any(|one| one.access == Access::All)
}

impl Selection {
    /// The charts in which something of it may be.
    fn charts(&self, data: &Data) -> Vec<ChartNumber> {
        if self.wanted.patients.is_empty() {
            return (0..data.charts()).collect();
        }
        let keys = self
            .wanted
            .patients
            .iter()
            .map(|id| format!("Patient/{id}"));
        let own = keys
            .filter_map(|key| data.place(&key))
            .map(|place| place.chart);
        own.chain([0])
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// Its records of a type in one chart.
    fn find(&self, data: &Data, chart: ChartNumber, kind: &str) -> Vec<Arc<Stored>> {
        let reach = self.viewer.access(kind, 'r').unwrap_or_default();
        let wanted = &self.wanted;
        let fits = |resource: &Arc<Stored>| {
            let owners = &resource.fields.patients;
            let whose = match self.whose {
                Whose::Everything => true,
                Whose::Patients => !owners.is_empty(),
            };
            let asked = wanted.patients.is_empty()
                || owners.iter().any(|owner| wanted.patients.contains(owner));
            let kinds = wanted.by_kind.get(kind).is_none_or(|lists| {
                lists
                    .iter()
                    .any(|list| list.iter().all(|filter| filter.accepts(resource)))
            });
            whose
                && asked
                && kinds
                && self.viewer.sees(&reach, resource)
                && wanted.always.iter().all(|filter| filter.accepts(resource))
        };
        let places = data.in_chart(chart, kind).into_iter();
        places
            .filter_map(|place| data.at(place))
            .filter(fits)
            .collect()
    }

    /// What was deleted from one chart since the asker last looked, as a transaction that says so (Bulk
    /// Data, "Complete Status").
    fn deleted(&self, data: &Data, chart: ChartNumber) -> Option<String> {
        let since = self.wanted.since?;
        let kinds = &self.wanted.kinds;
        let meant = |key: &str| {
            let kind = key.split('/').next().unwrap_or_default();
            exports(&self.viewer, kind) && (kinds.is_empty() || kinds.iter().any(|one| one == kind))
        };
        let entries: Vec<Value> = data
            .deleted(chart)
            .into_iter()
            .filter(|(key, at)| *at >= since && meant(key))
            .map(|(key, _)| json!({"request": {"method": "DELETE", "url": key}}))
            .collect();
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        (!entries.is_empty()).then(|| bundle.to_string())
    }

    /// The lines of a file that one chart gives.
    fn lines(&self, data: &Data, chart: ChartNumber, file: &File) -> Bytes {
        let mut text = String::new();
        match file {
            File::Deleted => text.extend(self.deleted(data, chart).map(|line| line + "\n")),
            File::Of(kind) => {
                for resource in self.find(data, chart, kind) {
                    text.push_str(&one_line(&resource.json));
                    text.push('\n');
                }
            }
        }
        Bytes::from(text)
    }
}

/// A file of an export.
enum File {
    Of(String),
    Deleted,
}

fn with_header(status: StatusCode, name: header::HeaderName, value: &str) -> Response {
    let mut response = status.into_response();
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn gone() -> Response {
    answer::outcome(
        StatusCode::NOT_FOUND,
        "not-found",
        "there is no such export, or no more",
    )
}

/// `GET /bulk/jobs/{id}`
async fn status(State(app): State<App>, At(id): At<String>, headers: HeaderMap) -> Response {
    let viewer = match Viewer::of(&app, &headers) {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal,
    };
    let now = app.auth.now();
    let mut jobs = app.exports.lock();
    let own = jobs.get_mut(&id);
    let Some(job) = own.filter(|job| job.client_id == viewer.grant.client_id && now < job.expires)
    else {
        return gone();
    };
    if job.polls < POLLS {
        job.polls += 1;
        let mut response = with_header(StatusCode::ACCEPTED, header::RETRY_AFTER, "1");
        let progress = HeaderValue::from_static("half of it is ready");
        response.headers_mut().insert("x-progress", progress);
        return response;
    }
    let output: Vec<Value> = job
        .files
        .iter()
        .map(|(kind, count)| {
            let url = format!("{}/bulk/files/{id}/{kind}.ndjson", app.origin);
            let mut file = json!({"type": kind, "url": url});
            if let Some(count) = count {
                file["count"] = json!(count);
            }
            file
        })
        .collect();
    let deleted = format!("{}/bulk/files/{id}/{DELETED}.ndjson", app.origin);
    let deleted = job
        .deleted
        .then(|| json!({"type": "Bundle", "url": deleted}));
    let manifest = json!({
        "transactionTime": job.transaction_time,
        "request": job.request,
        "requiresAccessToken": true,
        "output": output,
        "deleted": deleted.into_iter().collect::<Vec<_>>(),
        "error": [],
    });
    let expires = jiff::Timestamp::from_second(job.expires)
        .map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default();
    let mut response = with_header(StatusCode::OK, header::EXPIRES, &expires);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    *response.body_mut() = Body::from(manifest.to_string());
    response
}

/// `DELETE /bulk/jobs/{id}`
async fn cancel(State(app): State<App>, At(id): At<String>, headers: HeaderMap) -> Response {
    let viewer = match Viewer::of(&app, &headers) {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal,
    };
    let mut jobs = app.exports.lock();
    let own = jobs
        .get(&id)
        .is_some_and(|job| job.client_id == viewer.grant.client_id);
    if !own {
        return gone();
    }
    jobs.remove(&id);
    StatusCode::ACCEPTED.into_response()
}

/// `GET /bulk/files/{id}/{Type}.ndjson`: one resource after the other.
async fn file(
    State(app): State<App>,
    At((id, file)): At<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let viewer = match Viewer::of(&app, &headers) {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal,
    };
    let now = app.auth.now();
    let name = file.strip_suffix(".ndjson").unwrap_or_default();
    let found = {
        let jobs = app.exports.lock();
        let own = jobs
            .get(&id)
            .filter(|job| job.client_id == viewer.grant.client_id && now < job.expires);
        own.and_then(|job| {
            let file = if name == DELETED && job.deleted {
                File::Deleted
            } else {
                job.files.get_key_value(name)?;
                File::Of(name.to_owned())
            };
            Some((Arc::clone(&job.selection), file))
        })
    };
    let Some((selection, file)) = found else {
        return gone();
    };
    let mut response = Body::from_stream(streamed(app, selection, file)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/fhir+ndjson"),
    );
    response
}

/// The file, chart by chart; the next charts are made while one is sent, and none when nobody reads on.
fn streamed(
    app: App,
    selection: Arc<Selection>,
    file: File,
) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        for chart in selection.charts(&app.data) {
            let lines = selection.lines(&app.data, chart, &file);
            if !lines.is_empty() && sender.blocking_send(lines).is_err() {
                return;
            }
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        let lines = receiver.recv().await?;
        Some((Ok(lines), receiver))
    })
}

/// A resource that was loaded from a file may be spread over lines.
fn one_line(json: &str) -> String {
    if !json.contains(['\n', '\r']) {
        return json.to_owned();
    }
    // Line breaks stand between the parts of JSON only; inside text they are escaped.
    json.replace(['\n', '\r'], " ")
}
