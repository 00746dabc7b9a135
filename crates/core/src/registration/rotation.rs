//! Another key for a registration, without a moment in which the server knows no key of ours
//! (checklist B28; RFC 7592 §2.2):
//!
//! 1. `Making`: a name is stored, a key is made under it.
//! 2. `Announcing`: the server is given the old and the new public key.
//! 3. `Withdrawing`: the new key signs from now on; the server is given the new public key alone.
//! 4. `Deleting`: the old private key goes.
//!
//! Each step is stored before it begins, and may be done twice. So a crash anywhere, also between the
//! server's answer and our writing it down, leaves a key that the server knows.

use super::credential::algorithm;
use super::step;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{AccessAct, Role};
use satchel_smart::registration::ClientInformation;
use satchel_store::ClientRow;
use serde::{Deserialize, Serialize};

/// How far it has come. Names are those of keychain entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum Rotation {
    Making { next: String },
    Announcing { next: String },
    Withdrawing { old: String },
    Deleting { old: String },
}

impl Rotation {
    fn of(row: &ClientRow) -> Option<Self> {
        let stored = row.rotation.as_deref()?;
        serde_json::from_str(stored).ok()
    }
}

impl Engine {
    /// Gives this installation another key at the server of a connection. Nobody has to sign in again.
    /// When it is cut off, the next start goes on with it.
    ///
    /// # Errors
    /// `registration.unmanaged` when the server does not let registrations be managed (RFC 7592), or
    /// this installation has no key there; `access.registration_gone`; `network.*`, `keychain.*`,
    /// `store.*`.
    pub async fn registration_rotate_key(&self, connection_id: &str) -> Result<()> {
        let work = self.rotate_key(connection_id);
        let done = self.traced(TraceKind::Registration, problem_of, work).await;
        self.log_access_of(connection_id, AccessAct::KeyExchanged, &done)
            .await;
        done
    }

    async fn rotate_key(&self, connection_id: &str) -> Result<()> {
        let connection = self.connection_row(connection_id).await?;
        let _alone = self.alone().await?;
        let mut row = self.registration_of(&connection).await?;
        if row.auth_method != "private_key_jwt" || row.is_static {
            return Err(Problem::with_detail(
                ProblemCode::RegistrationUnmanaged,
                format!("token_endpoint_auth_method is {}", row.auth_method),
            ));
        }
        if row
            .registered
            .as_ref()
            .is_some_and(|held| held.contains("\"jwks_uri\""))
        {
            return Err(Problem::with_detail(
                ProblemCode::RegistrationUnmanaged,
                "the keys are at a jwks_uri of the organisation",
            ));
        }
        if row.rotation.is_none() {
            self.known(&row).await?;
            let next = self.new_credential_name(&row.fhir_base, Role::parse(&row.role));
            self.at_step(&mut row, Some(Rotation::Making { next }))
                .await?;
        }
        self.go_on_rotating(row).await
    }

    /// From the stored step to the end.
    pub(super) async fn go_on_rotating(&self, mut row: ClientRow) -> Result<()> {
        while let Some(rotation) = Rotation::of(&row) {
            row = match rotation {
                Rotation::Making { next } => self.make_key(row, next).await?,
                Rotation::Announcing { next } => self.announce(row, next).await?,
                Rotation::Withdrawing { old } => self.withdraw(row, old).await?,
                Rotation::Deleting { old } => self.delete_old(row, &old).await?,
            };
        }
        // What cannot be read is no step.
        if row.rotation.is_some() {
            self.at_step(&mut row, None).await?;
        }
        Ok(())
    }

    async fn make_key(&self, mut row: ClientRow, next: String) -> Result<ClientRow> {
        let algorithm = algorithm(row.key_alg.as_deref());
        if self.stored_key(&next, algorithm).await?.is_none() {
            self.new_key(&next, algorithm).await?;
        }
        step("rotation.made");
        self.at_step(&mut row, Some(Rotation::Announcing { next }))
            .await?;
        Ok(row)
    }

    async fn announce(&self, mut row: ClientRow, next: String) -> Result<ClientRow> {
        let old = self.key_of(&row).await?;
        let new = self
            .stored_key(&next, algorithm(row.key_alg.as_deref()))
            .await?;
        let Some(new) = new else {
            self.at_step(&mut row, None).await?;
            return Err(Problem::new(ProblemCode::AccessRegistrationGone));
        };
        let both = vec![old.public_jwk(), new.public_jwk()];
        let told = self.tell(&row, both, new.kid()).await;
        step("rotation.announced");
        match told {
            Ok(told) => row = told,
            Err(problem) if is_final(&problem) => {
                let mut row = self.stored_again(row).await?;
                self.at_step(&mut row, None).await?;
                self.inner.keychain.delete(&next).await?;
                return Err(problem);
            }
            Err(problem) => return Err(problem),
        }
        // The means of management belong to the key's name, and move before it does.
        let known = self.known(&row).await?;
        self.put_management(&next, &known).await?;
        let old = row.key_name.replace(next).unwrap_or_default();
        self.at_step(&mut row, Some(Rotation::Withdrawing { old }))
            .await?;
        step("rotation.switched");
        Ok(row)
    }

    async fn withdraw(&self, row: ClientRow, old: String) -> Result<ClientRow> {
        let new = self.key_of(&row).await?;
        let told = self.tell(&row, vec![new.public_jwk()], new.kid()).await;
        step("rotation.withdrawn");
        let mut row = match told {
            Ok(told) => told,
            // The server keeps the old public key; nobody will have the private one.
            Err(problem) if is_final(&problem) => self.stored_again(row).await?,
            Err(problem) => return Err(problem),
        };
        self.at_step(&mut row, Some(Rotation::Deleting { old }))
            .await?;
        Ok(row)
    }

    async fn delete_old(&self, mut row: ClientRow, old: &str) -> Result<ClientRow> {
        self.inner.keychain.delete(old).await?;
        self.forget_management(old).await?;
        step("rotation.deleted");
        self.at_step(&mut row, None).await?;
        Ok(row)
    }

    /// The server's record with these keys in it; it must then hold the one that is to sign.
    async fn tell(
        &self,
        row: &ClientRow,
        keys: Vec<serde_json::Value>,
        signer: &str,
    ) -> Result<ClientRow> {
        let row = self.read_at_server(row.clone()).await?;
        let row = self.update_at_server(row, Some(keys)).await?;
        let held = ClientInformation {
            registered: row
                .registered
                .as_deref()
                .and_then(|json| serde_json::from_str(json).ok())
                .unwrap_or_default(),
            ..ClientInformation::default()
        };
        // A server that does not repeat the keys is taken at its word.
        let key_ids = held.key_ids();
        if key_ids.is_empty() || key_ids.iter().any(|kid| kid == signer) {
            Ok(row)
        } else {
            Err(Problem::with_detail(
                ProblemCode::RegistrationUnusable,
                "the server did not take the new key",
            ))
        }
    }

    async fn stored_again(&self, row: ClientRow) -> Result<ClientRow> {
        let stored = self.inner.store.registration_get(&row.fhir_base, &row.role);
        Ok(stored.await?.unwrap_or(row))
    }

    async fn at_step(&self, row: &mut ClientRow, rotation: Option<Rotation>) -> Result<()> {
        row.rotation = rotation
            .map(|rotation| serde_json::to_string(&rotation))
            .transpose()
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        Ok(self.inner.store.registration_put(row).await?)
    }

    /// The other key of a registration that goes while its key is exchanged.
    pub(super) async fn forget_rotation_keys(&self, row: &ClientRow) -> Result<()> {
        match Rotation::of(row) {
            Some(Rotation::Making { next: name } | Rotation::Announcing { next: name })
            | Some(Rotation::Withdrawing { old: name } | Rotation::Deleting { old: name }) => {
                self.inner.keychain.delete(&name).await?;
                self.forget_management(&name).await
            }
            None => Ok(()),
        }
    }
}

/// A problem that will be the same the next time.
fn is_final(problem: &Problem) -> bool {
    matches!(
        problem.code,
        ProblemCode::RegistrationUnmanaged
            | ProblemCode::AccessRegistrationGone
            | ProblemCode::RegistrationUnusable
            | ProblemCode::RegistrationRefused
    )
}
