//! What all handlers share.

use std::sync::Arc;

use crate::auth::AuthState;
use crate::data::Data;
use crate::faults::Faults;
use crate::fhir::paging::Cursors;
use crate::log::RequestLog;
use crate::quirks::Quirks;

/// The state of one running server.
pub(crate) struct Shared {
    /// Clients, grants and keys of the authorization server.
    pub(crate) auth: AuthState,
    /// The resources.
    pub(crate) data: Arc<Data>,
    /// What to do wrong.
    pub(crate) faults: Faults,
    /// What was asked so far.
    pub(crate) log: RequestLog,
    /// How much is asked at a time.
    pub(crate) busy: crate::log::Busy,
    /// `http(s)://127.0.0.1:PORT`.
    pub(crate) origin: String,
    /// Searches with pages left to read.
    pub(crate) cursors: Cursors,
    /// The habits of a vendor.
    pub(crate) quirks: Quirks,
    /// Bulk exports.
    pub(crate) exports: crate::fhir::Exports,
    /// How often each app asked.
    pub(crate) limits: crate::fhir::Limits,
    /// Entries per page when the client does not say.
    pub(crate) page_size: usize,
}

impl Shared {
    /// The FHIR base URL, without a trailing slash.
    pub(crate) fn fhir_base(&self) -> String {
        format!("{}/fhir", self.origin)
    }
}

/// The state as handlers get it.
pub(crate) type App = Arc<Shared>;
