//! The server's own signing keys, made at every start, and their public half (RFC 7517).

use std::sync::{Arc, PoisonError, RwLockWriteGuard};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::state::AuthState;

/// A private key, its id and its public half.
struct Key {
    signer: EncodingKey,
    kid: String,
    public: Jwk,
}

impl Key {
    fn new(signer: EncodingKey, algorithm: Algorithm) -> Option<Self> {
        let mut public = Jwk::from_encoding_key(&signer, algorithm).ok()?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).ok()?;
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_id = Some(kid.clone());
        Some(Self {
            signer,
            kid,
            public,
        })
    }
}

/// The keys of this server: RS256 signs id_tokens, or ES384 for clients that registered
/// `id_token_signed_response_alg` so.
pub(super) struct Keys {
    rsa: Key,
    ec: Key,
}

impl Keys {
    /// Makes both; some tenths of a second. `None` when the machine cannot make keys.
    pub(super) fn generate() -> Option<Self> {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
        let rsa = EncodingKey::from_rsa_pem(pem(rsa.as_der().ok()?.as_ref()).as_bytes()).ok()?;
        let ec = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).ok()?;
        let ec = EncodingKey::from_ec_der(ec.to_pkcs8v1().ok()?.as_ref());
        Some(Self {
            rsa: Key::new(rsa, Algorithm::RS256)?,
            ec: Key::new(ec, Algorithm::ES384)?,
        })
    }

    /// The key that signs id_tokens with this algorithm (RS256 unless ES384 is named), and its id.
    pub(super) fn signer(&self, algorithm: Algorithm) -> (&EncodingKey, &str) {
        let key = match algorithm {
            Algorithm::ES384 => &self.ec,
            _ => &self.rsa,
        };
        (&key.signer, &key.kid)
    }

    /// The public key's bytes as an attacker would use them for a secret.
    pub(super) fn public_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.rsa.public).unwrap_or_default()
    }

    /// The public keys.
    fn public(&self) -> [&Jwk; 2] {
        [&self.rsa.public, &self.ec.public]
    }
}

/// The keys that sign, and those that are published: the same, but for a tester's faults.
pub(super) struct KeyRing {
    current: Arc<Keys>,
    /// What is published until a moment by the server's clock, in place of the current ones.
    late: Option<(Arc<Keys>, i64)>,
    /// Published beside the server's own.
    beside: Vec<Jwk>,
}

impl KeyRing {
    /// A ring with these keys.
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            current: Arc::new(keys),
            late: None,
            beside: Vec::new(),
        }
    }

    /// The published keys as a JWK set.
    fn published(&self, now: i64) -> Value {
        let late = self.late.as_ref().filter(|(_, until)| now < *until);
        let keys = late.map_or(&self.current, |(old, _)| old);
        let all: Vec<&Jwk> = keys.public().into_iter().chain(&self.beside).collect();
        json!({ "keys": all })
    }
}

impl AuthState {
    fn ring(&self) -> RwLockWriteGuard<'_, KeyRing> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The signing keys as they are now.
    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.ring().current)
    }

    /// The JWK set as it is published now.
    pub(super) fn published_keys(&self) -> Value {
        let now = self.now();
        self.ring().published(now)
    }

    /// Makes new signing keys and forgets the old ones; `false` when the machine cannot make keys.
    pub(crate) fn rotate_keys(&self) -> bool {
        self.rotate_keys_published_after(0)
    }

    /// As [`AuthState::rotate_keys`], but the old ones are what is published for so many seconds more.
    pub(super) fn rotate_keys_published_after(&self, seconds: i64) -> bool {
        let Some(new) = Keys::generate() else {
            return false;
        };
        let until = self.now().saturating_add(seconds);
        let mut ring = self.ring();
        let old = std::mem::replace(&mut ring.current, Arc::new(new));
        ring.late = (seconds > 0).then_some((old, until));
        true
    }

    /// Publishes one more RSA key, which signs nothing: who is told no `kid` cannot know which it is.
    pub(super) fn publish_another_key(&self) {
        if let Some(keys) = Keys::generate() {
            self.ring().beside.push(keys.rsa.public);
        }
    }
}

/// PKCS#8 as PEM: the JWT library unwraps PKCS#8 RSA keys in its PEM reader only.
fn pem(pkcs8: &[u8]) -> String {
    let mut text = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    for (position, letter) in STANDARD.encode(pkcs8).chars().enumerate() {
        if position > 0 && position % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str("\n-----END PRIVATE KEY-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_keys_have_no_private_members() {
        let set = KeyRing::new(Keys::generate().unwrap()).published(0);
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(keys[0]["kty"], "RSA");
        assert_eq!(keys[0]["alg"], "RS256");
        assert_eq!(keys[1]["kty"], "EC");
        assert_eq!(keys[1]["crv"], "P-384");
        for key in keys {
            assert_eq!(key["use"], "sig");
            for private in ["d", "p", "q", "dp", "dq", "qi"] {
                assert!(key.get(private).is_none(), "{private} is published");
            }
        }
    }
}
