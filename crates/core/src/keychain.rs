//! The operating system's keychain: Secret Service on Linux, Keychain on macOS, Credential Manager
//! on Windows. It holds the database key and, for each server, this installation's private key or
//! client secret. There is no fall-back: without a keychain Satchel does not store anything.

use std::path::Path;
use zeroize::Zeroizing;

/// Why the keychain did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum KeychainError {
    /// No keychain service runs on this machine.
    #[error("no keychain service answers: {0}")]
    Missing(#[source] keyring_core::Error),
    /// It is there but locked, or the person refused to unlock it.
    #[error("the keychain is locked: {0}")]
    Locked(#[source] keyring_core::Error),
    /// Anything else.
    #[error("the keychain failed: {0}")]
    Failed(#[source] keyring_core::Error),
    /// The worker thread ended.
    #[error("the keychain call was interrupted")]
    Interrupted,
}

/// The keychain entries of one profile.
#[derive(Clone, Debug)]
pub struct Keychain {
    service: String,
    profile: String,
}

impl Keychain {
    /// Entries under `service`, named after the profile's folder.
    #[must_use]
    pub fn new(service: &str, profile_dir: &Path) -> Self {
        Self {
            service: service.to_owned(),
            profile: profile_dir.display().to_string(),
        }
    }

    /// Reads an entry; `None` when it is not there.
    ///
    /// # Errors
    /// [`KeychainError`] when the keychain is missing, locked or fails.
    pub async fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
        self.with_entry(name, |entry| match entry.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(keyring_core::Error::NoEntry) => Ok(None),
            Err(error) => Err(classify(error)),
        })
        .await
    }

    /// Writes an entry; at most 2,560 bytes, which is what Windows takes.
    ///
    /// # Errors
    /// [`KeychainError`] when the keychain is missing, locked or fails.
    pub async fn set(&self, name: &str, secret: Zeroizing<Vec<u8>>) -> Result<(), KeychainError> {
        self.with_entry(name, move |entry| {
            entry.set_secret(&secret).map_err(classify)
        })
        .await
    }

    /// Removes an entry; one that is not there is no error.
    ///
    /// # Errors
    /// [`KeychainError`] when the keychain is missing, locked or fails.
    pub async fn delete(&self, name: &str) -> Result<(), KeychainError> {
        self.with_entry(name, |entry| match entry.delete_credential() {
            Ok(()) | Err(keyring_core::Error::NoEntry) => Ok(()),
            Err(error) => Err(classify(error)),
        })
        .await
    }

    /// Runs `work` away from the async threads: a locked keychain may wait for the person.
    async fn with_entry<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&keyring_core::Entry) -> Result<T, KeychainError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let service = self.service.clone();
        let account = format!("{}#{name}", self.profile);
        tokio::task::spawn_blocking(move || {
            ensure_store()?;
            let entry = keyring_core::Entry::new(&service, &account).map_err(classify)?;
            work(&entry)
        })
        .await
        .map_err(|_| KeychainError::Interrupted)?
    }
}

/// Chooses the platform's store through `keyring`. That crate asks only once in the life of a
/// process; on Linux, where the service may be started later, we ask again.
fn ensure_store() -> Result<(), KeychainError> {
    if keyring_core::get_default_store().is_some() {
        return Ok(());
    }
    match keyring::Entry::store_status() {
        Ok(()) => Ok(()),
        Err(_) => start_store_again(),
    }
}

#[cfg(target_os = "linux")]
fn start_store_again() -> Result<(), KeychainError> {
    let store = zbus_secret_service_keyring_store::Store::new().map_err(KeychainError::Missing)?;
    keyring_core::set_default_store(store);
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn start_store_again() -> Result<(), KeychainError> {
    Err(KeychainError::Missing(keyring_core::Error::NoDefaultStore))
}

fn classify(error: keyring_core::Error) -> KeychainError {
    match &error {
        keyring_core::Error::NoDefaultStore => KeychainError::Missing(error),
        keyring_core::Error::NoStorageAccess(_) => KeychainError::Locked(error),
        _ => KeychainError::Failed(error),
    }
}
