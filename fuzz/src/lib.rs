//! What libFuzzer runs. The targets themselves are in `crates/smart/tests/it/fuzz_targets`, where the
//! stable build runs them too.

#[path = "../../crates/smart/tests/it/fuzz_targets/mod.rs"]
mod fuzz_targets;

/// The redirect that comes back from the browser, and the link of a portal.
pub fn callback_url(data: &[u8]) {
    let _taken = fuzz_targets::callback_url::run(data);
}

/// A smart-configuration, its issuer's metadata, a capability statement.
pub fn discovery_document(data: &[u8]) {
    let _taken = fuzz_targets::discovery_document::run(data);
}

/// A key set and an id_token.
pub fn jwks_jwt(data: &[u8]) {
    let _taken = fuzz_targets::jwks_jwt::run(data);
}

/// Answers of the token, introspection and registration endpoints.
pub fn token_answer(data: &[u8]) {
    let _taken = fuzz_targets::token_answer::run(data);
}

/// A page of search results, and a single resource.
pub fn bundle_page(data: &[u8]) {
    let _taken = fuzz_targets::bundle_page::run(data);
}
