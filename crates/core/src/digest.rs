//! SHA-256 as names: never of secrets that could be guessed.

use sha2::{Digest, Sha256};

/// Lower-case hex of the SHA-256 of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The first 16 hex digits: enough to tell servers of one installation apart.
pub(crate) fn short_hex(bytes: &[u8]) -> String {
    hex(bytes).chars().take(16).collect()
}

/// A number for these texts, in this order: the first half of the SHA-256 of them.
pub(crate) fn number(texts: &[&str]) -> u128 {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize()
        .iter()
        .take(16)
        .fold(0, |number, byte| (number << 8) | u128::from(*byte))
}
