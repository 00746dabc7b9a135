//! The whole product without its window: the engine against the mock server, over real HTTP, a real
//! keychain and real encrypted files. Run inside `tests/session.sh`, as `make test` does.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first thing that is not as it should be, and says what it skipped"
)]

mod access_log;
mod attachments;
mod attacks;
mod backend;
mod bad_input;
mod boundaries;
mod bulk;
mod bulk_faults;
mod bulk_odd;
mod changes;
mod conformance;
#[cfg(unix)]
mod crash;
mod directory;
mod disk;
#[cfg(unix)]
mod erase;
mod evil;
mod faults;
mod health_app;
mod import;
mod landing;
mod launch;
#[cfg(unix)]
mod lock;
mod login;
mod overview;
mod portal;
mod records;
mod registration;
mod secrets;
mod shared_data;
mod sources;
mod sync;
mod takeaway;
mod tls;
mod tokens;
mod trace;
mod vendors;
mod visitor;
mod wild;
mod window;
mod world;
