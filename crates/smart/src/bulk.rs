//! Bulk Data Access (versions 2, 3 and 4), the client's side: an export is asked for, its state is
//! polled, its manifest names files, and these are read line by line.
//!
//! The way through: [`ExportRequest`] says what is wanted, [`BulkClient::kick_off`] asks and gives an
//! [`ExportJob`]; [`BulkClient::poll`] tells how it stands, [`Backoff`] how long to wait between two
//! polls; the [`Manifest`] names [`ManifestFile`]s; [`BulkClient::download`] opens one, and
//! [`Download::next_batch`] gives its lines, which [`read_line`] takes apart. [`BulkClient::delete`]
//! ends the export, before its end or after. [`NdjsonReader`] reads the same lines from anywhere else.
//!
//! What is absent: storage, waiting, deciding whether to try again. A file passes through in pieces;
//! nothing here grows with its size.
//!
//! Addresses of exports and files are secrets ([`CapabilityUrl`]): whoever has one may have the file.

mod attachment;
mod capability;
mod client;
mod decode;
mod error;
mod line;
mod manifest;
mod ndjson;
mod request;
mod status;

pub use attachment::Attachment;
pub use capability::ExportOffers;
pub use client::{BulkClient, Download, ExportJob};
pub use error::BulkError;
pub use line::{BulkLine, Deletion, LineFault, read_line};
pub use manifest::{CapabilityUrl, Manifest, ManifestFile, TokenRule};
pub use ndjson::{Line, NdjsonReader};
pub use request::{ExportLevel, ExportRequest, Instant, RequestError, TypeFilter};
pub use status::{Backoff, ExportStatus};
