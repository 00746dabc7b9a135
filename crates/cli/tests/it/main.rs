//! The program `satchel` as a tester's script uses it: real processes, a real keychain, the mock
//! server over HTTP. Run inside `tests/session.sh`, as `make test` does.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod bulk;
mod chart;
mod connect;
mod log;
mod passphrase;
mod people;
#[path = "../../../../tests/it/portal.rs"]
mod portal;
mod problems;
mod registration;
mod schedule;
mod servers;
mod shell;
mod trace;
