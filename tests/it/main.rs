//! The whole product without its window: the engine against the mock server, over real HTTP, a real
//! keychain and real encrypted files. Run inside `tests/session.sh`, as `make test` does.

mod bad_input;
mod boundaries;
mod login;
mod portal;
mod secrets;
mod shared_data;
mod sync;
mod world;
