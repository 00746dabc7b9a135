//! The lock: a passphrase that opens the database beside the keychain, or instead of what the keychain alone
//! would open.
//!
//! **Where the key is.** Without a passphrase the keychain's entry `database-key` holds the 32 bytes that
//! encrypt the database. With one, `database-key-sealed` holds the same bytes, sealed ([`sealed`]): nobody
//! opens them without the passphrase, and nobody without the keychain. When the person also chose "lock at
//! start", the plain entry is gone; else it stays, and Satchel opens by itself when it is started, and asks
//! for the passphrase only after it was locked.
//!
//! **Crash safety.** A key is written sealed, read back and opened, before anything that opened the database
//! so far is taken away; a new passphrase goes into `database-key-sealed-next` first. So at each moment the old
//! way opens the database, or the new one, or both; of two passphrases the one that is used next stays.
//!
//! **Forgotten** is forgotten: there is no second way in. The records are still at the servers; erase the
//! profile ([`Engine::erase`] needs no passphrase) and fetch them again.

mod attempts;
mod sealed;

pub(crate) use attempts::{Attempts, is_file as is_attempts_file};
pub(crate) use sealed::{Key, SealError, SealedKey};

use crate::access_log::LogEntry;
use crate::engine::{DATABASE_KEY_NAME, Engine};
use crate::keychain::Keychain;
use crate::lockfile;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::AccessAct;
use jiff::Timestamp;
use satchel_smart::Random;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(crate) const SEALED_NAME: &str = "database-key-sealed";
pub(crate) const SEALED_NEXT_NAME: &str = "database-key-sealed-next";
/// Characters; what NIST SP 800-63B asks of a password that nobody else guards.
const SHORTEST: usize = 8;

/// A passphrase; overwritten when it is dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes it as it was typed.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    fn check_length(&self) -> Result<()> {
        if self.0.chars().count() < SHORTEST {
            return Err(Problem::new(ProblemCode::PassphraseTooShort));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase([secret])")
    }
}

impl<'de> serde::Deserialize<'de> for Passphrase {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl From<SealError> for Problem {
    fn from(error: SealError) -> Self {
        Self::new(match error {
            SealError::Wrong => ProblemCode::WrongPassphrase,
            SealError::Broken => ProblemCode::SealBroken,
        })
    }
}

/// How the keychain holds the database key of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockStanding {
    /// There is a passphrase.
    pub passphrase: bool,
    /// The keychain alone does not open the database.
    pub at_start: bool,
    /// When the next passphrase is taken, after several wrong ones.
    pub retry_at: Option<Timestamp>,
}

/// The ways to the database key, in the keychain.
pub(crate) struct KeyWays<'a>(pub(crate) &'a Keychain);

impl KeyWays<'_> {
    /// The key as the keychain alone gives it.
    pub(crate) async fn plain(&self) -> Result<Option<Key>> {
        let Some(stored) = self.0.get(DATABASE_KEY_NAME).await? else {
            return Ok(None);
        };
        key_of(&stored).map(Some)
    }

    /// Lets the keychain alone give the key. Nothing is encrypted with one that it did not really keep.
    pub(crate) async fn keep_plain(&self, key: &Key) -> Result<()> {
        self.0
            .set(DATABASE_KEY_NAME, Zeroizing::new(key.to_vec()))
            .await?;
        match self.plain().await? {
            Some(kept) if kept == *key => {
                tracing::debug!(step = "lock.plain_kept", "lock");
                Ok(())
            }
            _ => Err(not_kept()),
        }
    }

    async fn sealed(&self, name: &str) -> Result<Option<SealedKey>> {
        let stored = self.0.get(name).await?;
        Ok(stored.map(|bytes| SealedKey::parse(&bytes)).transpose()?)
    }

    /// Whether there is a passphrase.
    pub(crate) async fn is_sealed(&self) -> Result<bool> {
        Ok(self.0.get(SEALED_NAME).await?.is_some())
    }

    /// Opens the sealed key. A change of the passphrase that was cut off leaves two: the one that opens stays.
    pub(crate) async fn open(&self, passphrase: &Passphrase) -> Result<Key> {
        let current = self
            .sealed(SEALED_NAME)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::NoPassphrase))?;
        let next = self.sealed(SEALED_NEXT_NAME).await.unwrap_or_default();
        match (open(current, passphrase).await, next) {
            (Ok(key), None) => Ok(key),
            (Ok(key), Some(_)) => {
                self.0.delete(SEALED_NEXT_NAME).await?;
                Ok(key)
            }
            (Err(problem), None) => Err(problem),
            (Err(_), Some(next)) => {
                let key = open(next.clone(), passphrase).await?;
                self.keep_sealed(SEALED_NAME, &next).await?;
                self.0.delete(SEALED_NEXT_NAME).await?;
                Ok(key)
            }
        }
    }

    /// Seals the key with a new passphrase. The old one opens it until the new one does.
    async fn seal(
        &self,
        key: &Key,
        passphrase: &Passphrase,
        random: &Arc<dyn Random>,
    ) -> Result<()> {
        let sealed = {
            let (key, passphrase, random) = (key.clone(), passphrase.clone(), Arc::clone(random));
            apart(move || SealedKey::seal(&key, &passphrase, random.as_ref())).await?
        };
        self.keep_sealed(SEALED_NEXT_NAME, &sealed).await?;
        // What was kept is what opens: from here on the new passphrase does.
        let kept = self.sealed(SEALED_NEXT_NAME).await?.ok_or_else(not_kept)?;
        if open(kept, passphrase).await? != *key {
            return Err(not_kept());
        }
        tracing::debug!(step = "lock.next_kept", "lock");
        self.keep_sealed(SEALED_NAME, &sealed).await?;
        tracing::debug!(step = "lock.sealed_kept", "lock");
        self.0.delete(SEALED_NEXT_NAME).await?;
        tracing::debug!(step = "lock.next_gone", "lock");
        Ok(())
    }

    async fn keep_sealed(&self, name: &str, sealed: &SealedKey) -> Result<()> {
        self.0.set(name, sealed.to_bytes()?).await?;
        match self.sealed(name).await? {
            Some(kept) if kept == *sealed => Ok(()),
            _ => Err(not_kept()),
        }
    }

    async fn forget_plain(&self) -> Result<()> {
        self.0.delete(DATABASE_KEY_NAME).await?;
        tracing::debug!(step = "lock.plain_gone", "lock");
        Ok(())
    }

    /// Nobody is asked for a passphrase any more.
    pub(crate) async fn forget_sealed(&self) -> Result<()> {
        self.0.delete(SEALED_NEXT_NAME).await?;
        self.0.delete(SEALED_NAME).await?;
        tracing::debug!(step = "lock.sealed_gone", "lock");
        Ok(())
    }
}

fn key_of(stored: &[u8]) -> Result<Key> {
    let bytes: &[u8; 32] = stored
        .try_into()
        .map_err(|_| Problem::with_detail(ProblemCode::WrongKey, "not 32 bytes"))?;
    Ok(Arc::new(Zeroizing::new(*bytes)))
}

/// A new key.
pub(crate) fn make_key(random: &dyn Random) -> Key {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    random.fill(bytes.as_mut());
    Arc::new(bytes)
}

fn not_kept() -> Problem {
    Problem::with_detail(ProblemCode::KeychainFailed, "the key was not kept")
}

async fn open(sealed: SealedKey, passphrase: &Passphrase) -> Result<Key> {
    let passphrase = passphrase.clone();
    apart(move || sealed.open(&passphrase)).await
}

/// Argon2 works for a while: away from the async threads.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> std::result::Result<T, SealError> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?
        .map_err(Problem::from)
}

/// Opens the sealed key, unless several wrong passphrases came before; a wrong one is counted.
pub(crate) async fn open_guarded(
    ways: &KeyWays<'_>,
    profile_dir: &Path,
    passphrase: &Passphrase,
    now: Timestamp,
) -> Result<Key> {
    let attempts = Attempts::read(profile_dir);
    attempts.check(now)?;
    let opened = ways.open(passphrase).await;
    if let Err(problem) = &opened
        && problem.code == ProblemCode::WrongPassphrase
    {
        attempts.add(profile_dir, now);
    }
    opened
}

impl Engine {
    /// How this profile is locked.
    ///
    /// # Errors
    /// `keychain.*`.
    pub async fn lock_standing(&self) -> Result<LockStanding> {
        let ways = KeyWays(&self.inner.keychain);
        standing(&ways, &self.inner.profile_dir, self.now()).await
    }

    /// Sets a passphrase, or another one in place of `current`. With `at_start`, the keychain alone does not
    /// open the database from then on. Where this is cut off, the old way still opens it.
    ///
    /// # Errors
    /// `lock.passphrase_too_short`; `lock.wrong_passphrase` and `lock.wait` of `current`, which is needed when
    /// there is a passphrase; `keychain.*`.
    pub async fn passphrase_set(
        &self,
        current: Option<&Passphrase>,
        new: &Passphrase,
        at_start: bool,
    ) -> Result<()> {
        new.check_length()?;
        let ways = KeyWays(&self.inner.keychain);
        let _alone = self.no_other_opens().await?;
        let key = self.current_key(&ways, current).await?;
        ways.seal(&key, new, &self.inner.random).await?;
        self.open_at_start(&ways, &key, !at_start).await?;
        self.log_access(LogEntry::everywhere(AccessAct::LockChanged))
            .await;
        Ok(())
    }

    /// Whether Satchel is locked when it is started.
    ///
    /// # Errors
    /// `lock.no_passphrase`, `lock.wrong_passphrase`, `lock.wait`, `keychain.*`.
    pub async fn lock_at_start(&self, current: &Passphrase, on: bool) -> Result<()> {
        let ways = KeyWays(&self.inner.keychain);
        let _alone = self.no_other_opens().await?;
        // Opened before the plain one goes: so it does open.
        let key = self.sealed_key(&ways, current).await?;
        self.open_at_start(&ways, &key, !on).await?;
        self.log_access(LogEntry::everywhere(AccessAct::LockChanged))
            .await;
        Ok(())
    }

    /// Takes the passphrase away: the keychain alone opens the database again.
    ///
    /// # Errors
    /// `lock.no_passphrase`, `lock.wrong_passphrase`, `lock.wait`, `keychain.*`.
    pub async fn passphrase_remove(&self, current: &Passphrase) -> Result<()> {
        let ways = KeyWays(&self.inner.keychain);
        let _alone = self.no_other_opens().await?;
        let key = self.sealed_key(&ways, current).await?;
        self.open_at_start(&ways, &key, true).await?;
        ways.forget_sealed().await?;
        self.log_access(LogEntry::everywhere(AccessAct::LockChanged))
            .await;
        Ok(())
    }

    /// Locks: what runs is stopped, the database is closed, and the key and what is known of tokens are
    /// forgotten. Whatever is asked of this engine from then on ends with `app.locked`;
    /// [`Engine::unlock`] makes another one.
    ///
    /// # Errors
    /// `lock.no_passphrase`: nothing was done then; `keychain.*`.
    pub async fn lock(&self) -> Result<()> {
        if !KeyWays(&self.inner.keychain).is_sealed().await? {
            return Err(Problem::new(ProblemCode::NoPassphrase));
        }
        self.log_access(LogEntry::everywhere(AccessAct::Locked))
            .await;
        self.close().await;
        Ok(())
    }

    /// Wrong passphrases since the last right one are told in the access log.
    pub(crate) async fn log_unlocked(&self) {
        let attempts = Attempts::read(&self.inner.profile_dir);
        for at in attempts.times() {
            self.log_access(LogEntry::everywhere(AccessAct::UnlockFailed).at_time(*at))
                .await;
        }
        Attempts::forget(&self.inner.profile_dir);
        self.log_access(LogEntry::everywhere(AccessAct::Unlocked))
            .await;
    }

    /// Another process of the profile that opens it waits.
    async fn no_other_opens(&self) -> Result<lockfile::FileLock> {
        lockfile::lock(self.inner.profile_dir.join("start.lock")).await
    }

    async fn current_key(&self, ways: &KeyWays<'_>, current: Option<&Passphrase>) -> Result<Key> {
        if ways.is_sealed().await? {
            let wrong = || Problem::new(ProblemCode::WrongPassphrase);
            return self.sealed_key(ways, current.ok_or_else(wrong)?).await;
        }
        let missing = || Problem::new(ProblemCode::KeyMissing);
        ways.plain().await?.ok_or_else(missing)
    }

    async fn sealed_key(&self, ways: &KeyWays<'_>, current: &Passphrase) -> Result<Key> {
        open_guarded(ways, &self.inner.profile_dir, current, self.now()).await
    }

    async fn open_at_start(&self, ways: &KeyWays<'_>, key: &Key, opens: bool) -> Result<()> {
        match opens {
            true => ways.keep_plain(key).await,
            false => ways.forget_plain().await,
        }
    }
}

/// How a profile is locked, for a program that may not open it.
pub(crate) async fn standing(
    ways: &KeyWays<'_>,
    profile_dir: &Path,
    now: Timestamp,
) -> Result<LockStanding> {
    let passphrase = ways.is_sealed().await?;
    Ok(LockStanding {
        passphrase,
        at_start: passphrase && ways.plain().await?.is_none(),
        retry_at: Attempts::read(profile_dir).wait_until(now),
    })
}
