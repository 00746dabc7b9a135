//! Randomness of the authorization server.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 256 random bits, base64url: for ids, codes, tokens and secrets.
#[expect(
    clippy::expect_used,
    reason = "without a random source no secret can be made, and stopping is the safe answer"
)]
pub(super) fn secret() -> String {
    let mut bytes = [0_u8; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system's random source answers");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether two secrets are equal, in a time that does not depend on where they differ.
pub(super) fn same_secret(left: &str, right: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()
}
