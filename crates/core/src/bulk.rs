//! Bulk exports: whole populations, in files, made by the server while we wait (Bulk Data Access).
//!
//! [`crate::Engine::bulk_start`] asks for one and writes it down; [`crate::Engine::bulk_resume`] follows it to its end,
//! now or after a restart: it polls, fetches the files a few at a time and line by line, and tells the
//! server when they are not needed any more. [`crate::Engine::bulk_cancel`] ends it, [`crate::Engine::bulk_jobs`] lists.
//! [`crate::Engine::import_ndjson`] reads the same kind of file from the disk.
//!
//! An export of a group since a moment has three parts: who is in the group now, everything of those who
//! were not in it the last time, and what changed since then of all (Bulk Data Access, "Group membership").
//!
//! What counts as done: every file at its end, no line that could not be read, no error told by the
//! server. Only then does the next export begin at this one's `transactionTime`; anything less is
//! partial, and the next one fetches it again. Of the same record the newer one stays, and a record
//! of which parts were left out never replaces a whole one.

mod attachments;
mod file;
mod follow;
mod import;
mod job;
mod options;
mod parts;
mod report;
mod start;
mod write;

pub(crate) use attachments::content_id;
pub(crate) use import::is_imported;
pub use options::{BulkLevel, BulkOptions, BulkSince};
