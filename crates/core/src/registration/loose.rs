//! Registrations that hang in the air (checklist B23): written down before the server is asked, so that
//! one which was made there and never stored here is found at the next start, and deleted there.

use crate::engine::Engine;
use crate::lockfile;
use crate::problem::Result;
use crate::trace::{TraceKind, problem_of};
use crate::view::Role;
use satchel_smart::registration::{ClientInformation, RegistrationError, delete_registration};
use satchel_store::{ClientRow, LooseRegistrationRow};

/// How a registration hangs in the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loose {
    /// The server is being asked.
    Asking,
    /// It is to be deleted at the server.
    Unwanted,
    /// It may be there, and cannot be deleted from here: the person can, in the portal.
    Left,
}

impl Loose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Asking => "asking",
            Self::Unwanted => "unwanted",
            Self::Left => "left",
        }
    }
}

impl Engine {
    pub(super) async fn put_loose(
        &self,
        name: &str,
        fhir_base: &str,
        role: Role,
        client_id: Option<&str>,
        state: Loose,
    ) -> Result<()> {
        let row = LooseRegistrationRow {
            key_name: name.to_owned(),
            fhir_base: fhir_base.to_owned(),
            role: role.as_str().to_owned(),
            client_id: client_id.map(str::to_owned),
            state: state.as_str().to_owned(),
            since: self.now().to_string(),
        };
        Ok(self.inner.store.loose_put(&row).await?)
    }

    /// A registration that is not wanted: deleted at the server, or noted to be.
    pub(super) async fn let_go(
        &self,
        name: &str,
        fhir_base: &str,
        role: Role,
        client_id: &str,
    ) -> Result<()> {
        self.put_loose(name, fhir_base, role, Some(client_id), Loose::Unwanted)
            .await?;
        self.settle_loose(name).await
    }

    /// A stored registration goes: its row here, its keys, and the registration at the server.
    pub(super) async fn drop_row(&self, row: &ClientRow) -> Result<()> {
        let Some(name) = &row.key_name else {
            let none = self
                .inner
                .store
                .registration_delete(&row.fhir_base, &row.role, None);
            return Ok(none.await?);
        };
        if row.is_static {
            self.inner.keychain.delete(name).await?;
            let none = self
                .inner
                .store
                .registration_delete(&row.fhir_base, &row.role, None);
            return Ok(none.await?);
        }
        // An entry of an older version has the token alone; from now on it is to be found by itself.
        if let Some((uri, token)) = self
            .management(name, row.registration_client_uri.as_deref())
            .await?
        {
            let information = ClientInformation {
                registration_client_uri: Some(uri),
                registration_access_token: Some(token),
                ..ClientInformation::default()
            };
            self.put_management(name, &information).await?;
        }
        self.forget_rotation_keys(row).await?;
        let loose = LooseRegistrationRow {
            key_name: name.clone(),
            fhir_base: row.fhir_base.clone(),
            role: row.role.clone(),
            client_id: Some(row.client_id.clone()),
            state: Loose::Unwanted.as_str().to_owned(),
            since: self.now().to_string(),
        };
        self.inner
            .store
            .registration_delete(&row.fhir_base, &row.role, Some(&loose))
            .await?;
        self.settle_loose(name).await
    }

    /// Deletes a loose registration at the server. The private key or secret goes at once, whatever the
    /// server says (checklist B29); the means to delete it stay while the server cannot be reached.
    async fn settle_loose(&self, name: &str) -> Result<()> {
        let rows = self.inner.store.loose_list().await?;
        let Some(mut row) = rows.into_iter().find(|row| row.key_name == name) else {
            return Ok(());
        };
        self.inner.keychain.delete(name).await?;
        let deleted = match self.management(name, None).await? {
            Some((uri, token)) => {
                let information = ClientInformation {
                    registration_client_uri: Some(uri),
                    registration_access_token: Some(token),
                    ..ClientInformation::default()
                };
                delete_registration(&self.inner.http, &information).await
            }
            None => Err(RegistrationError::NotOffered { status: 0 }),
        };
        let state = match deleted {
            Ok(()) => None,
            Err(RegistrationError::NotOffered { status }) => {
                tracing::info!(status, "a registration stays at the server");
                Some(Loose::Left)
            }
            Err(error) => {
                tracing::info!(%error, "a registration is deleted at the server later");
                Some(Loose::Unwanted)
            }
        };
        if state != Some(Loose::Unwanted) {
            self.forget_management(name).await?;
        }
        match state {
            None => self.inner.store.loose_delete(name).await?,
            Some(state) => {
                state.as_str().clone_into(&mut row.state);
                self.inner.store.loose_put(&row).await?;
            }
        }
        Ok(())
    }

    /// The keychain's entries of what stays at servers: keys, and the means to delete it there.
    pub(crate) async fn forget_loose(&self) -> Result<()> {
        let _alone = self.alone().await?;
        for row in self.inner.store.loose_list().await? {
            self.inner.keychain.delete(&row.key_name).await?;
            self.forget_management(&row.key_name).await?;
        }
        Ok(())
    }

    /// Finishes what a crash or a missing network left half done: registrations that were made at a
    /// server and never stored are deleted there, exchanges of keys go on. It runs by itself when the
    /// engine is opened; this call waits for it.
    ///
    /// # Errors
    /// `keychain.*`, `store.*`. A server that does not answer is no error; it is asked again at the
    /// next start.
    pub async fn registrations_settle(&self) -> Result<()> {
        let _alone = self.alone().await?;
        self.settle_all().await
    }

    /// The same in the background, unless another process is at it.
    pub(crate) async fn settle_in_background(&self) -> Result<()> {
        let loose = self.inner.store.loose_list().await?;
        let rows = self.inner.store.registrations_list().await?;
        let due = loose.iter().any(|row| row.state != Loose::Left.as_str())
            || rows.iter().any(|row| row.rotation.is_some());
        if due {
            let engine = self.clone();
            tokio::spawn(async move {
                if let Err(problem) = engine.settle_if_alone().await {
                    let code = problem.code.code();
                    tracing::info!(code, "registrations are settled later");
                }
            });
        }
        Ok(())
    }

    async fn settle_if_alone(&self) -> Result<()> {
        let Ok(_here) = self.inner.registering.try_lock() else {
            return Ok(());
        };
        match lockfile::try_lock(&self.registering_lock())? {
            Some(_between_processes) => self.settle_all().await,
            None => Ok(()),
        }
    }

    async fn settle_all(&self) -> Result<()> {
        let work = self.settle_each();
        self.traced(TraceKind::Registration, problem_of, work).await
    }

    async fn settle_each(&self) -> Result<()> {
        for row in self.inner.store.loose_list().await? {
            if row.state != Loose::Left.as_str() {
                self.settle_loose(&row.key_name).await?;
            }
        }
        for row in self.inner.store.registrations_list().await? {
            if row.rotation.is_some()
                && let Err(problem) = self.go_on_rotating(row).await
            {
                let code = problem.code.code();
                tracing::info!(code, "a key is exchanged later");
            }
        }
        Ok(())
    }
}
