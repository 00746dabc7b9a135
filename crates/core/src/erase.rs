//! Erasing everything: the keys first, then the data (checklist H13).
//!
//! The order is what makes it safe to be cut off at any point. 1. Access is ended at each server, where it
//! can be reached. 2. The keychain's entries of this profile go, the database key last. From then on the
//! file cannot be read by anybody, copies of it included. 3. The files go. A second call goes on where the
//! first one was cut off: it does not need the key that is gone.

use crate::engine::{DATABASE_FILE, DATABASE_KEY_NAME, Engine, EngineOptions, prepare_profile};
use crate::keychain::Keychain;
use crate::passphrase::{KeyWays, Passphrase, is_attempts_file};
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::Role;
use std::path::Path;

/// What was erased, and what the servers do not know of.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EraseReport {
    /// Connections that were there.
    pub connections: usize,
    /// Servers that could not be told: access is switched off in their portals, or lapses.
    pub servers_not_told: Vec<String>,
    /// The data could not be read (locked, without its key, or damaged), so no server was told.
    pub unread: bool,
}

impl Engine {
    /// Erases a profile: ends its accesses, deletes its keys, then its database. Nothing else may have the
    /// profile open. Other files in its folder stay. A locked profile needs its passphrase only for the
    /// servers to be told.
    ///
    /// # Errors
    /// `keychain.*`: then the keys are still there, and nothing was deleted; `lock.wrong_passphrase` and
    /// `lock.wait` of a passphrase that was given; `store.*`.
    pub async fn erase(
        options: EngineOptions,
        passphrase: Option<&Passphrase>,
    ) -> Result<EraseReport> {
        let profile_dir = prepare_profile(&options.profile_dir)?;
        let keychain = Keychain::new(&options.identity.keychain_service, &profile_dir);
        let opened = match passphrase {
            Some(passphrase) => Self::unlock(options, passphrase).await,
            None => Self::open(options).await,
        };
        let report = match opened {
            Ok(engine) => {
                let forgotten = engine.forget_everything().await;
                engine.close().await;
                forgotten?
            }
            // Without its key, locked, or broken: the data says nothing to anybody, and goes. Nobody who
            // forgot the passphrase has to keep it.
            Err(problem) if unreadable(problem.code) => EraseReport {
                unread: true,
                ..EraseReport::default()
            },
            Err(problem) => return Err(problem),
        };
        KeyWays(&keychain).forget_sealed().await?;
        keychain.delete(DATABASE_KEY_NAME).await?;
        tracing::debug!(step = "erase.keys_gone", "erase");
        delete_files(&profile_dir).map_err(|error| {
            // The kind, not the path: a path may name the person.
            Problem::with_detail(ProblemCode::StoreFailed, error.kind())
        })?;
        Ok(report)
    }

    /// Ends each access, and deletes each keychain entry but the database key.
    async fn forget_everything(&self) -> Result<EraseReport> {
        let mut report = EraseReport::default();
        for row in self.inner.store.connections_list().await? {
            report.connections += 1;
            self.sync_cancel(&row.id);
            if !self.end_access(&row.id).await? {
                report.servers_not_told.push(row.server_name.clone());
            }
            self.forget_tokens(&row.id).await?;
            self.forget_installation(&row).await?;
            self.forget_initial_access_token(&row.fhir_base).await?;
        }
        self.forget_queued().await?;
        for row in self.inner.store.registrations_list().await? {
            self.forget_registration(&row.fhir_base, Role::parse(&row.role))
                .await?;
        }
        self.forget_loose().await?;
        report.servers_not_told.sort();
        report.servers_not_told.dedup();
        Ok(report)
    }
}

fn unreadable(code: ProblemCode) -> bool {
    use ProblemCode as P;
    matches!(
        code,
        P::KeyMissing | P::WrongKey | P::StoreBroken | P::Locked
    )
}

/// The database with its companions, and the locks.
fn delete_files(profile_dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(profile_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(DATABASE_FILE) || name.ends_with(".lock") || is_attempts_file(&name) {
            std::fs::remove_file(entry.path())?;
        }
    }
    // Others' files may be in it: then it stays.
    let _ = std::fs::remove_dir(profile_dir);
    Ok(())
}
