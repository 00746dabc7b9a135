//! Proof Key for Code Exchange (RFC 7636), S256 only: there is no other method in this crate.

use crate::secret::SecretString;
use crate::time::{Random, random_text};
use oauth2::{PkceCodeChallenge, PkceCodeVerifier};

/// A new verifier: 256 random bits as 43 unreserved characters (RFC 7636 §4.1).
#[must_use]
pub fn new_verifier(random: &dyn Random) -> SecretString {
    SecretString::new(random_text(random, 32))
}

/// The S256 challenge of a verifier (RFC 7636 §4.2), or nothing when the verifier has not the 43 to
/// 128 characters of §4.1.
#[must_use]
pub fn challenge(verifier: &SecretString) -> Option<PkceCodeChallenge> {
    let text = verifier.expose();
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    ((43..=128).contains(&text.len()) && text.bytes().all(unreserved))
        .then(|| PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(text.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SystemRandom;

    #[test]
    fn rfc7636_appendix_b() {
        let verifier = SecretString::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
        let challenge = challenge(&verifier).unwrap();
        assert_eq!(
            challenge.as_str(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        assert_eq!(challenge.method().as_str(), "S256");
    }

    #[test]
    fn c5_a_new_verifier_each_time_of_43_unreserved_characters() {
        let (one, two) = (new_verifier(&SystemRandom), new_verifier(&SystemRandom));
        assert_eq!(one.expose().len(), 43);
        assert_ne!(one.expose(), two.expose());
        assert!(challenge(&one).is_some());
    }

    #[test]
    fn c5_a_verifier_of_wrong_length_or_alphabet_has_no_challenge() {
        for bad in [
            "short".to_owned(),
            "x".repeat(129),
            "é".repeat(43),
            " ".repeat(43),
        ] {
            assert!(challenge(&SecretString::new(bad)).is_none());
        }
    }
}
