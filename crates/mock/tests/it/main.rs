//! The mock server from outside, as an independent tester sees it: HTTP, forms, raw JSON. Numbers in
//! test names (b1, d8, ...) are those of the protocol checklist.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod authorize;
mod backend;
mod bulk;
mod bulk_errors;
mod command_line;
mod control;
mod discovery;
mod faults;
mod fhir;
mod fuzz;
mod guards;
mod handle;
mod kinds;
mod lines;
mod living;
mod openapi;
mod policies;
#[path = "../../../../tests/it/portal.rs"]
mod portal;
mod portals;
mod quirks;
mod quirks_more;
mod registration;
mod scenarios;
mod tester;
mod token;
mod us_core;
mod xml;
