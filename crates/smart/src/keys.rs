//! This installation's signing keys: one per server, made here, of which only the public half ever
//! leaves the machine (SMART App Launch 2.2, "Client authentication: asymmetric").

use crate::secret::Secret;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use base64::Engine as _;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The two algorithms of SMART's asymmetric client authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// RSASSA-PKCS1-v1_5 with SHA-384; the key has 3072 bits.
    RS384,
}

impl SigningAlgorithm {
    /// The JWA name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ES384 => "ES384",
            Self::RS384 => "RS384",
        }
    }

    /// From the JWA name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "ES384" => Some(Self::ES384),
            "RS384" => Some(Self::RS384),
            _ => None,
        }
    }

    fn jwa(self) -> Algorithm {
        match self {
            Self::ES384 => Algorithm::ES384,
            Self::RS384 => Algorithm::RS384,
        }
    }
}

/// Why a key cannot be made or used. Says nothing about the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key could not be generated.
    #[error("the key could not be generated")]
    Generation,
    /// The stored bytes are no such key.
    #[error("the stored key cannot be read")]
    Unreadable,
    /// Signing failed.
    #[error("the signature could not be made")]
    Signing,
}

/// A private key with its public half. Debug shows the key id only.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    pkcs8: Secret<Vec<u8>>,
    signer: EncodingKey,
    public: Arc<Jwk>,
    kid: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a new key. RSA takes up to a few seconds: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`KeyError::Generation`].
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Generation;
        let pkcs8 = match algorithm {
            SigningAlgorithm::ES384 => {
                let pair =
                    EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(failed)?;
                pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
            }
            SigningAlgorithm::RS384 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
                pair.as_der().map_err(failed)?.as_ref().to_vec()
            }
        };
        Self::from_pkcs8(algorithm, &Zeroizing::new(pkcs8))
    }

    /// Reads a key that [`SigningKey::to_pkcs8`] gave. Its key id is computed, not stored: the
    /// RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`].
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let signer = match algorithm {
            SigningAlgorithm::ES384 => EncodingKey::from_ec_der(pkcs8),
            // The JWT library wants PKCS#1 inside; its PEM reader unwraps PKCS#8.
            SigningAlgorithm::RS384 => EncodingKey::from_rsa_pem(pem(pkcs8).as_bytes())
                .map_err(|_| KeyError::Unreadable)?,
        };
        let mut public =
            Jwk::from_encoding_key(&signer, algorithm.jwa()).map_err(|_| KeyError::Unreadable)?;
        let kid = public
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(|_| KeyError::Unreadable)?;
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_id = Some(kid.clone());
        Ok(Self {
            algorithm,
            pkcs8: Secret::new(pkcs8.to_vec()),
            signer,
            public: Arc::new(public),
            kid,
        })
    }

    /// The private key for the keychain, PKCS#8 DER.
    #[must_use]
    pub fn to_pkcs8(&self) -> Secret<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// The algorithm it signs with.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key id: the RFC 7638 SHA-256 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public JWK for registration: `kty`, `kid`, `use`, `alg` and the bare key (RFC 7517). No
    /// private member is ever in it.
    #[must_use]
    pub fn public_jwk(&self) -> serde_json::Value {
        serde_json::to_value(self.public.as_ref()).unwrap_or_default()
    }

    /// A compact JWS over `claims`, with `typ`, `alg` and `kid` in its header.
    pub(crate) fn sign<T: Serialize>(&self, claims: &T, typ: &str) -> Result<String, KeyError> {
        let mut header = Header::new(self.algorithm.jwa());
        header.typ = Some(typ.to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.signer).map_err(|_| KeyError::Signing)
    }
}

fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pkcs8));
    let mut pem = Zeroizing::new(String::with_capacity(base64.len() + base64.len() / 64 + 64));
    pem.push_str("-----BEGIN PRIVATE KEY-----\n");
    for line in base64.as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).unwrap_or_default());
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation};
    use std::collections::BTreeSet;

    fn members(key: &SigningKey) -> BTreeSet<String> {
        key.public_jwk()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn b5_no_private_member_leaves_the_machine() {
        let ec = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
        assert_eq!(
            members(&ec),
            set(&["kty", "kid", "use", "alg", "crv", "x", "y"])
        );
        assert_eq!(ec.public_jwk()["crv"], "P-384");
        let rsa = SigningKey::generate(SigningAlgorithm::RS384).unwrap();
        assert_eq!(members(&rsa), set(&["kty", "kid", "use", "alg", "n", "e"]));
        assert_eq!(rsa.public_jwk()["e"], "AQAB");
    }

    #[test]
    fn b6_a_key_survives_storage_and_signs_what_its_public_half_verifies() {
        for algorithm in [SigningAlgorithm::ES384, SigningAlgorithm::RS384] {
            let made = SigningKey::generate(algorithm).unwrap();
            let read = SigningKey::from_pkcs8(algorithm, made.to_pkcs8().expose()).unwrap();
            assert_eq!(made.public_jwk(), read.public_jwk());
            let jwt = read.sign(&serde_json::json!({"iss": "me"}), "JWT").unwrap();
            let header = jsonwebtoken::decode_header(&jwt).unwrap();
            assert_eq!(
                (header.kid.as_deref(), header.typ.as_deref()),
                (Some(made.kid()), Some("JWT"))
            );
            assert_eq!(header.alg, algorithm.jwa());
            let jwk: Jwk = serde_json::from_value(made.public_jwk()).unwrap();
            let mut validation = Validation::new(algorithm.jwa());
            validation.validate_exp = false;
            validation.required_spec_claims.clear();
            let key = DecodingKey::from_jwk(&jwk).unwrap();
            let claims = jsonwebtoken::decode::<serde_json::Value>(&jwt, &key, &validation)
                .unwrap()
                .claims;
            assert_eq!(claims["iss"], "me");
        }
    }

    #[test]
    fn rfc7638_section_3_1() {
        let jwk: Jwk = serde_json::from_str(concat!(
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"#,
            r#"BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","#,
            r#""e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#
        ))
        .unwrap();
        assert_eq!(
            jwk.thumbprint(ThumbprintHash::SHA256).unwrap(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn a_stored_key_that_is_none_is_refused_and_debug_shows_no_key() {
        for algorithm in [SigningAlgorithm::ES384, SigningAlgorithm::RS384] {
            assert_eq!(
                SigningKey::from_pkcs8(algorithm, b"garbage").unwrap_err(),
                KeyError::Unreadable
            );
        }
        let key = SigningKey::generate(SigningAlgorithm::ES384).unwrap();
        let other = SigningKey::from_pkcs8(SigningAlgorithm::RS384, key.to_pkcs8().expose());
        assert_eq!(other.unwrap_err(), KeyError::Unreadable);
        let text = format!("{key:?}");
        assert!(text.contains(key.kid()) && !text.contains("pkcs8") && !text.contains("signer"));
    }
}
