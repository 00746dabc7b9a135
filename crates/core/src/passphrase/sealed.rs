//! The database key, sealed with a passphrase: Argon2id makes a key of the passphrase (RFC 9106), AES-256-GCM
//! seals the database key with it. Pure but for the randomness that is handed in.

use super::Passphrase;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use satchel_smart::Random;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The 32 bytes of the database key, in one place that is overwritten: what is moved leaves copies behind.
pub(crate) type Key = Arc<Zeroizing<[u8; 32]>>;

/// What is written; raised when the shape changes.
const VERSION: u32 = 1;
/// RFC 9106 §4, the second recommended choice, on one lane: 64 MiB three times. OWASP's minimum is 19 MiB
/// twice. A quarter of a second on the machines of 2026.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// More than that is not read: it would be asked of this computer's memory.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 16;
const SALT: usize = 16;

/// Why a sealed key was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// The passphrase does not open it, or it was tampered with: nobody can tell which.
    #[error("the passphrase does not open it")]
    Wrong,
    /// It is none of ours.
    #[error("it cannot be read")]
    Broken,
}

/// As it stands in the keychain: JSON, 300 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedKey {
    version: u32,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

impl SealedKey {
    /// Seals a key.
    pub(crate) fn seal(
        key: &Key,
        passphrase: &Passphrase,
        random: &dyn Random,
    ) -> Result<Self, SealError> {
        let (mut salt, mut nonce) = ([0_u8; SALT], [0_u8; NONCE_LEN]);
        random.fill(&mut salt);
        random.fill(&mut nonce);
        let mut this = Self {
            version: VERSION,
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: STANDARD.encode(salt),
            nonce: STANDARD.encode(nonce),
            sealed: String::new(),
        };
        let mut bytes = Zeroizing::new(key.to_vec());
        let wrapping = this.wrapping_key(passphrase)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        wrapping
            .seal_in_place_append_tag(nonce, Aad::from(this.header()), &mut *bytes)
            .map_err(|_| SealError::Broken)?;
        this.sealed = STANDARD.encode(&*bytes);
        Ok(this)
    }

    /// Opens it.
    pub(crate) fn open(&self, passphrase: &Passphrase) -> Result<Key, SealError> {
        let nonce = decode(&self.nonce)?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| SealError::Broken)?;
        let mut bytes = decode(&self.sealed)?;
        let wrapping = self.wrapping_key(passphrase)?;
        let opened = wrapping
            .open_in_place(nonce, Aad::from(self.header()), &mut bytes)
            .map_err(|_| SealError::Wrong)?;
        let key: &[u8; 32] = (&*opened).try_into().map_err(|_| SealError::Broken)?;
        Ok(Arc::new(Zeroizing::new(*key)))
    }

    /// Reads what the keychain holds.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let this: Self = serde_json::from_slice(bytes).map_err(|_| SealError::Broken)?;
        let known = this.version == VERSION
            && this.memory_kib <= MOST_MEMORY_KIB
            && this.passes <= MOST_PASSES
            && this.lanes <= MOST_LANES;
        if known {
            Ok(this)
        } else {
            Err(SealError::Broken)
        }
    }

    /// What the keychain is to hold.
    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        serde_json::to_vec(self)
            .map(Zeroizing::new)
            .map_err(|_| SealError::Broken)
    }

    fn wrapping_key(&self, passphrase: &Passphrase) -> Result<LessSafeKey, SealError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| SealError::Broken)?;
        let salt = decode(&self.salt)?;
        let mut blocks = Zeroizing::new(vec![Block::new(); params.block_count()]);
        let mut key = Zeroizing::new([0_u8; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose().as_bytes(),
                &salt,
                key.as_mut_slice(),
                blocks.as_mut_slice(),
            )
            .map_err(|_| SealError::Broken)?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| SealError::Broken)?;
        Ok(LessSafeKey::new(key))
    }

    /// Sealed with it, so that nothing of it can be changed.
    fn header(&self) -> String {
        let Self {
            version,
            memory_kib,
            passes,
            lanes,
            salt,
            ..
        } = self;
        format!("satchel database key {version} argon2id {memory_kib} {passes} {lanes} {salt}")
    }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
    STANDARD
        .decode(text)
        .map(Zeroizing::new)
        .map_err(|_| SealError::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use satchel_smart::SystemRandom;

    fn words(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned())
    }

    fn key() -> Key {
        Arc::new(Zeroizing::new([7; 32]))
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_words_and_with_no_others() {
        let sealed =
            SealedKey::seal(&key(), &words("four plain old words"), &SystemRandom).unwrap();
        let kept = sealed.to_bytes().unwrap();
        assert!(
            kept.len() < 400,
            "Windows keeps 2,560 bytes: {}",
            kept.len()
        );
        let read = SealedKey::parse(&kept).unwrap();
        assert_eq!(read.open(&words("four plain old words")).unwrap(), key());
        for other in [
            "four plain old word",
            "four plain old words ",
            "Four plain old words",
            "",
        ] {
            assert_eq!(read.open(&words(other)), Err(SealError::Wrong), "{other}");
        }
    }

    #[test]
    fn the_same_key_and_words_are_sealed_differently_each_time() {
        let (one, other) = (
            SealedKey::seal(&key(), &words("the same words"), &SystemRandom).unwrap(),
            SealedKey::seal(&key(), &words("the same words"), &SystemRandom).unwrap(),
        );
        assert!(one.salt != other.salt && one.nonce != other.nonce && one.sealed != other.sealed);
    }

    #[test]
    fn what_was_changed_does_not_open_and_what_would_need_all_memory_is_not_tried() {
        let passphrase = words("the same words");
        let sealed = SealedKey::seal(&key(), &passphrase, &SystemRandom).unwrap();
        let weaker = SealedKey {
            passes: 2,
            ..sealed.clone()
        };
        assert_eq!(weaker.open(&passphrase), Err(SealError::Wrong));
        let mut bytes = STANDARD.decode(&sealed.sealed).unwrap();
        bytes[3] ^= 1;
        let touched = SealedKey {
            sealed: STANDARD.encode(bytes),
            ..sealed.clone()
        };
        assert_eq!(touched.open(&passphrase), Err(SealError::Wrong));
        let greedy = SealedKey {
            memory_kib: u32::MAX,
            ..sealed.clone()
        };
        let newer = SealedKey {
            version: 2,
            ..sealed
        };
        for other in [greedy, newer] {
            let parsed = SealedKey::parse(&other.to_bytes().unwrap());
            assert_eq!(parsed, Err(SealError::Broken));
        }
        assert_eq!(SealedKey::parse(b"not json"), Err(SealError::Broken));
    }

    /// RFC 9106 §5.3, the tag of Argon2id: the crate does what the RFC says.
    #[test]
    fn argon2id_gives_the_tag_of_the_rfc() {
        let params = argon2::ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(argon2::AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let secret = [3; 8];
        let argon =
            Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon
            .hash_password_into(&[1; 32], &[2; 16], &mut tag)
            .unwrap();
        let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
        );
    }
}
