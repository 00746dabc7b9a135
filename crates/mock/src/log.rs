//! What was asked of the server, without queries, headers and bodies: nothing secret gets here.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// One answered request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestLogEntry {
    /// The HTTP method.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query of the address, as sent; empty when there is none.
    pub query: String,
    /// The status of the answer; 0 when the connection was dropped on purpose.
    pub status: u16,
    /// Why it was refused: the rule of the standard that was not kept, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Goes with an answer that refuses, and says why.
#[derive(Debug, Clone)]
pub(crate) struct Reason(pub(crate) String);

/// All requests since the start, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: Mutex<Vec<RequestLogEntry>>,
}

impl RequestLog {
    /// Note one request.
    pub(crate) fn add(&self, entry: RequestLogEntry) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    /// A copy of the log.
    pub(crate) fn all(&self) -> Vec<RequestLogEntry> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
