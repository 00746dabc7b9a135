//! What was asked of the server, without queries, headers and bodies: nothing secret gets here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::context::DecodedJwt;

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
    /// The app that sent it, as far as it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The rules of the standards that it passed, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<&'static str>,
    /// The tokens that it brought or got, decoded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<DecodedJwt>,
}

/// How many requests are kept; the oldest are forgotten.
const KEPT: usize = 20_000;

/// Goes with an answer that refuses, and says why.
#[derive(Debug, Clone)]
pub(crate) struct Reason(pub(crate) String);

/// The last requests, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: Mutex<VecDeque<RequestLogEntry>>,
}

impl RequestLog {
    /// Note one request.
    pub(crate) fn add(&self, entry: RequestLogEntry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// A copy of the log.
    pub(crate) fn all(&self) -> Vec<RequestLogEntry> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }
}

/// How many requests for records are under way, and how many were at most.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// One request that is under way.
pub(crate) struct UnderWay<'a>(&'a Busy);

impl Busy {
    pub(crate) fn enter(&self) -> UnderWay<'_> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        UnderWay(self)
    }

    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}
