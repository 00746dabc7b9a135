//! What an export could not do: the manifest's `error` files (Bulk Data Access, "Response - Output
//! Manifest"), and exports that fail on purpose.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use crate::faults::{Endpoint, FaultKind};
use crate::state::App;

/// The name of the file of what went wrong.
pub(super) const ERRORS: &str = "errors";

/// Something that is not in an export, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    severity: &'static str,
    code: &'static str,
    text: String,
}

impl Note {
    /// A part of the request that was not followed.
    pub(super) fn left_out(reason: &str) -> Self {
        Note {
            severity: "information",
            code: "not-supported",
            text: format!("left out: {reason}"),
        }
    }

    /// A patient who was named and is not here.
    pub(super) fn unknown_patient(id: &str) -> Self {
        Note {
            severity: "warning",
            code: "not-found",
            text: format!("there is no Patient/{id}"),
        }
    }

    /// A file that could not be made.
    fn failed(kind: &str) -> Self {
        Note {
            severity: "error",
            code: "exception",
            text: format!("the file of {kind} could not be made"),
        }
    }

    /// A line of the error file.
    fn line(&self) -> String {
        let issue = json!({"severity": self.severity, "code": self.code, "diagnostics": self.text});
        json!({"resourceType": "OperationOutcome", "issue": [issue]}).to_string()
    }
}

/// The `error` of a manifest.
pub(super) fn listed(app: &App, id: &str, notes: &[Note]) -> Vec<Value> {
    if notes.is_empty() {
        return Vec::new();
    }
    let url = format!("{}/bulk/files/{id}/{ERRORS}.ndjson", app.origin);
    vec![json!({"type": "OperationOutcome", "url": url, "count": notes.len()})]
}

/// The error file.
pub(super) fn file(notes: &[Note]) -> String {
    notes.iter().map(|note| note.line() + "\n").collect()
}

/// How an export fails that a tester wants to fail.
pub(super) enum Failure {
    /// This time only (Bulk Data Access, "Response - Error Status").
    Transient,
    /// For good.
    ForGood,
}

/// The failure that is planned for this status request.
pub(super) fn planned(app: &App) -> Option<Failure> {
    let ours = |kind: &FaultKind| {
        matches!(
            kind,
            FaultKind::TransientError | FaultKind::FileGenerationFailed
        )
    };
    match app.faults.take_if(Endpoint::BulkStatus, ours)? {
        FaultKind::TransientError => Some(Failure::Transient),
        _ => Some(Failure::ForGood),
    }
}

/// The answer to a status request of an export that failed.
pub(super) fn failed(failure: &Failure) -> Response {
    let (code, text) = match failure {
        Failure::Transient => ("transient", "something went wrong: ask again"),
        Failure::ForGood => ("exception", "the files of this export could not be made"),
    };
    answer::outcome(StatusCode::INTERNAL_SERVER_ERROR, code, text)
}

/// The type whose file is missing because a tester wants that: the last of them.
pub(super) fn missing<'a>(
    app: &App,
    kinds: impl DoubleEndedIterator<Item = &'a String>,
) -> Option<(String, Note)> {
    let ours = |kind: &FaultKind| *kind == FaultKind::SomeFileGenerationFailed;
    app.faults.take_if(Endpoint::BulkStatus, ours)?;
    let mut backwards = kinds.rev();
    backwards
        .next()
        .map(|kind| (kind.clone(), Note::failed(kind)))
}

/// The answer to a request for a file that a tester wants to be gone while the export is still there.
pub(super) fn expired(app: &App) -> Option<Response> {
    let ours = |kind: &FaultKind| *kind == FaultKind::FileExpired;
    app.faults.take_if(Endpoint::BulkFile, ours)?;
    let text = "this file is no longer there";
    Some(answer::outcome(StatusCode::GONE, "not-found", text))
}
