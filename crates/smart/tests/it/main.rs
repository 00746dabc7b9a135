//! The protocol side against servers that answer in raw HTTP and JSON. Numbers in test names (a1, c34,
//! ...) are those of the protocol checklist.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod backend;
mod brands;
mod bulk;
mod bulk_files;
mod callback;
mod capabilities;
mod discovery;
mod exchange;
mod fhir;
mod fuzz_targets;
mod fuzzing;
mod http;
mod id_token;
mod installation;
mod launch;
mod logos;
mod loose;
mod management;
mod pages;
mod proof;
mod registration;
mod scopes;
mod support;
mod tls;
