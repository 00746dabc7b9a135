//! The store over real files: what it keeps, what it refuses, what it never leaves behind.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod access_log;
mod bulk;
mod directories;
mod encryption;
mod history;
mod kit;
mod login;
mod migration;
mod opening;
mod people;
mod provenance;
mod raw_pages;
mod records;
mod registrations;
mod schedules;
mod schema;
mod search;
mod space;
