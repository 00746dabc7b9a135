//! Time and randomness, handed in: the only place of the crate that asks the operating system.

use rand::rngs::OsRng;
use rand::{RngCore, TryRngCore};

/// Where the present moment comes from.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> jiff::Timestamp;

    /// Time since some moment in this process' life, which nobody can set back or forward. It may
    /// stand still while the machine sleeps: it tells a changed wall clock, and replaces none.
    fn elapsed(&self) -> std::time::Duration {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }
}

/// Where unpredictable bytes come from. Implementations for production must be cryptographically
/// secure: `state`, `nonce`, the PKCE verifier and `jti` are made of them.
pub trait Random: Send + Sync {
    /// Fills `dest` with random bytes.
    fn fill(&self, dest: &mut [u8]);
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where time comes from"
    )]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// The operating system's own generator. The thread's one that `rand` seeds from it keeps what it gave out in
/// its buffer, where a key could be read after it was forgotten everywhere else.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, dest: &mut [u8]) {
        OsRng.unwrap_err().fill_bytes(dest);
    }
}

/// `bytes` random bytes, base64url without padding: 32 bytes give 43 unreserved characters.
pub(crate) fn random_text(random: &dyn Random, bytes: usize) -> String {
    use base64::Engine as _;
    let mut buffer = zeroize::Zeroizing::new(vec![0_u8; bytes]);
    random.fill(&mut buffer);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(buffer.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_random_text_has_the_entropy_it_was_asked_for() {
        let (one, two) = (
            random_text(&SystemRandom, 32),
            random_text(&SystemRandom, 32),
        );
        assert_eq!(one.len(), 43);
        assert_ne!(one, two);
        assert!(
            one.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
    }
}
