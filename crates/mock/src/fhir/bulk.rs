//! Bulk Data export (Bulk Data Access 2.0): kick-off, status, manifest, files, cancel, expiry.
//!
//! A job keeps what was asked, not what was found; a file is put together chart by chart while the client
//! reads it, so that the size of an export does not show in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::bulk_errors::{self, ERRORS, Failure, Note};
use super::bulk_files::{File, Selection, Whose, exports, streamed};
use super::bulk_request::{parameters, wanted};
use super::seen::Viewer;
use super::{At, answer};
use crate::clock::http_date;
use crate::data::Data;
use crate::state::App;

/// How long the files of an export can be fetched.
const LIFETIME_SECONDS: i64 = 3600;

/// How often a client asks before the export is ready, so that it must wait once.
const POLLS: u32 = 1;

/// The name of the file of what was deleted.
const DELETED: &str = "deleted";

/// The one group: everybody.
const EVERYONE: &str = "everyone";

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
    /// What is not in it.
    notes: Vec<Note>,
    /// It failed for good.
    failed: bool,
    /// Its manifest was given out, and stays as it is.
    is_told: bool,
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

/// The types to export, or the refusal; unknown ones are noted where the asker is lenient.
#[expect(
    clippy::result_large_err,
    reason = "the error is the answer, which is made once per request"
)]
fn kinds(app: &App, selection: &mut Selection) -> Result<BTreeSet<String>, Response> {
    let (data, viewer) = (&app.data, &selection.viewer);
    let mut named = BTreeSet::new();
    for kind in &selection.wanted.kinds {
        if !super::metadata::is_supported(app, kind) {
            let text = format!("the type {kind} is not supported");
            if !selection.wanted.lenient {
                return Err(refuse(&text));
            }
            selection.wanted.notes.push(Note::left_out(&text));
            continue;
        }
        if !exports(viewer, kind) {
            return Err(answer::insufficient(&format!(
                "the token's scopes do not allow to export {kind}"
            )));
        }
        named.insert(kind.clone());
    }
    if !selection.wanted.kinds.is_empty() {
        if named.is_empty() {
            return Err(refuse("none of the types is supported"));
        }
        return Ok(named);
    }
    let all = data.types().into_iter();
    let all: BTreeSet<String> = all.filter(|kind| exports(viewer, kind)).collect();
    if all.is_empty() {
        return Err(answer::insufficient("the token's scopes allow no export"));
    }
    Ok(all)
}

/// The files of an export by type, and whether there is one of what was deleted.
fn files(
    data: &Data,
    selection: &Selection,
    kinds: BTreeSet<String>,
) -> (BTreeMap<String, Option<usize>>, bool) {
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
    let files = files.collect();
    let deleted = if data.is_large() {
        selection.wanted.since.is_some()
    } else {
        let mut charts = selection.charts(data).into_iter();
        charts.any(|chart| selection.deleted(data, chart).is_some())
    };
    (files, deleted)
}

fn start(app: &App, request: String, mut selection: Selection) -> Response {
    let kinds = match kinds(app, &mut selection) {
        Ok(kinds) => kinds,
        Err(refusal) => return refusal,
    };
    let (data, client_id) = (&app.data, selection.viewer.grant.client_id.clone());
    let now = app.auth.now();
    let is_running = |job: &Job| job.client_id == client_id && job.polls < POLLS;
    if app.quirks.one_export_at_a_time && app.exports.lock().values().any(is_running) {
        let text = "an export of this app is being prepared";
        let mut busy = answer::outcome(StatusCode::TOO_MANY_REQUESTS, "throttled", text);
        let wait = HeaderValue::from_static("1");
        busy.headers_mut().insert(header::RETRY_AFTER, wait);
        return busy;
    }
    let (files, deleted) = files(data, &selection, kinds);
    let mut notes = std::mem::take(&mut selection.wanted.notes);
    let patients = selection.wanted.patients.iter();
    let unknown = patients.filter(|id| data.place(&format!("Patient/{id}")).is_none());
    notes.extend(unknown.map(|id| Note::unknown_patient(id)));
    let id = format!("{:032x}", rand::random::<u128>());
    let job = Job {
        client_id,
        request,
        transaction_time: jiff::Timestamp::from_second(now)
            .map(|time| time.to_string())
            .unwrap_or_default(),
        expires: now + LIFETIME_SECONDS,
        polls: 0,
        selection: Arc::new(selection),
        files,
        deleted,
        notes,
        failed: false,
        is_told: false,
    };
    let mut jobs = app.exports.lock();
    jobs.retain(|_, job| now < job.expires);
    jobs.insert(id.clone(), job);
    let address = format!("{}/bulk/jobs/{id}", app.origin);
    with_header(StatusCode::ACCEPTED, header::CONTENT_LOCATION, &address)
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
    match bulk_errors::planned(&app) {
        Some(Failure::Transient) => return bulk_errors::failed(&Failure::Transient),
        Some(Failure::ForGood) => job.failed = true,
        None => {}
    }
    if job.failed {
        return bulk_errors::failed(&Failure::ForGood);
    }
    if job.polls < POLLS {
        job.polls += 1;
        let mut response = with_header(StatusCode::ACCEPTED, header::RETRY_AFTER, "1");
        let progress = HeaderValue::from_static("half of it is ready");
        response.headers_mut().insert("x-progress", progress);
        return response;
    }
    if !job.is_told {
        job.is_told = true;
        if let Some((kind, note)) = bulk_errors::missing(&app, job.files.keys()) {
            job.files.remove(&kind);
            job.notes.push(note);
        }
    }
    manifest(&app, &id, job)
}

/// The list of the files (Bulk Data Access, "Response - Output Manifest").
fn manifest(app: &App, id: &str, job: &Job) -> Response {
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
        "error": bulk_errors::listed(app, id, &job.notes),
    });
    let mut response = StatusCode::OK.into_response();
    if let Some(expires) = http_date(job.expires) {
        response.headers_mut().insert(header::EXPIRES, expires);
    }
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
            let file = match name {
                DELETED if job.deleted => File::Deleted,
                ERRORS if !job.notes.is_empty() => File::Errors(job.notes.clone()),
                _ => File::Of(job.files.get_key_value(name)?.0.clone()),
            };
            Some((Arc::clone(&job.selection), file))
        })
    };
    let Some((selection, file)) = found else {
        return gone();
    };
    if let Some(expired) = bulk_errors::expired(&app) {
        return expired;
    }
    let body = match &file {
        File::Errors(notes) => Body::from(bulk_errors::file(notes)),
        File::Of(_) | File::Deleted => Body::from_stream(streamed(app, selection, file)),
    };
    let mut response = body.into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/fhir+ndjson"),
    );
    response
}
