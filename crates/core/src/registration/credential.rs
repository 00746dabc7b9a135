//! What proves this installation to a server: in the keychain, and nowhere else.

use crate::digest;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use satchel_smart::registration::ClientInformation;
use satchel_smart::secret::{Secret, SecretString};
use satchel_store::ClientRow;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::{Zeroize, Zeroizing};

/// Where a registration is managed, and with what (RFC 7592 §3), as the keychain keeps it: with the
/// address, so that a registration whose row was never written can be deleted.
#[derive(Serialize, Deserialize)]
struct ManagementEntry {
    registration_client_uri: String,
    registration_access_token: String,
}

impl Drop for ManagementEntry {
    fn drop(&mut self) {
        self.registration_access_token.zeroize();
    }
}

fn management_name(name: &str) -> String {
    format!("{name}/management")
}

/// The stored name of an algorithm.
pub(super) fn algorithm(name: Option<&str>) -> SigningAlgorithm {
    name.and_then(SigningAlgorithm::parse)
        .unwrap_or(SigningAlgorithm::ES384)
}

fn initial_name(fhir_base: &str) -> String {
    format!("initial-access/{}", digest::short_hex(fhir_base.as_bytes()))
}

impl Engine {
    /// Makes a key and keeps it under `name`.
    pub(super) async fn new_key(
        &self,
        name: &str,
        algorithm: SigningAlgorithm,
    ) -> Result<SigningKey> {
        let key = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm))
            .await
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))??;
        let pkcs8 = Zeroizing::new(key.to_pkcs8().expose().clone());
        self.inner.keychain.set(name, pkcs8).await?;
        Ok(key)
    }

    /// The key under `name`, if it is there.
    pub(super) async fn stored_key(
        &self,
        name: &str,
        algorithm: SigningAlgorithm,
    ) -> Result<Option<SigningKey>> {
        let stored = self.inner.keychain.get(name).await?;
        Ok(match stored {
            Some(pkcs8) => Some(SigningKey::from_pkcs8(algorithm, &pkcs8)?),
            None => None,
        })
    }

    /// Keeps what the registration under `name` is managed with, if the server gave it.
    pub(super) async fn put_management(
        &self,
        name: &str,
        information: &ClientInformation,
    ) -> Result<()> {
        let (Some(uri), Some(token)) = (
            &information.registration_client_uri,
            &information.registration_access_token,
        ) else {
            return Ok(());
        };
        let entry = ManagementEntry {
            registration_client_uri: uri.to_string(),
            registration_access_token: token.expose().clone(),
        };
        let bytes = serde_json::to_vec(&entry)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        self.inner
            .keychain
            .set(&management_name(name), Zeroizing::new(bytes))
            .await?;
        Ok(())
    }

    /// What the registration under `name` is managed with. `uri` is for entries of older versions,
    /// which hold the token alone.
    pub(super) async fn management(
        &self,
        name: &str,
        uri: Option<&str>,
    ) -> Result<Option<(Url, SecretString)>> {
        let Some(bytes) = self.inner.keychain.get(&management_name(name)).await? else {
            return Ok(None);
        };
        let entry: Option<ManagementEntry> = serde_json::from_slice(&bytes).ok();
        let (uri, token) = match (&entry, uri) {
            (Some(entry), _) => (
                entry.registration_client_uri.as_str(),
                entry.registration_access_token.clone(),
            ),
            (None, Some(uri)) => match std::str::from_utf8(&bytes) {
                Ok(token) => (uri, token.to_owned()),
                Err(_) => return Ok(None),
            },
            (None, None) => return Ok(None),
        };
        Ok(Url::parse(uri).ok().map(|uri| (uri, Secret::new(token))))
    }

    pub(super) async fn forget_management(&self, name: &str) -> Result<()> {
        Ok(self.inner.keychain.delete(&management_name(name)).await?)
    }

    /// Whether a registration can still be used: its secret has not ended, and its credential is in
    /// this computer's keychain. A database that was restored elsewhere has none (checklist B45).
    pub(super) async fn is_usable(&self, row: &ClientRow) -> Result<bool> {
        if row.auth_method == "none" {
            return Ok(true);
        }
        let Some(name) = &row.key_name else {
            return Ok(false);
        };
        Ok(!self.secret_expired(row) && self.inner.keychain.get(name).await?.is_some())
    }

    /// Takes an initial access token for a server (RFC 7591 §3.1), such as a clinic hands out. It waits in
    /// the keychain until this installation is registered there, and is dropped then.
    ///
    /// # Errors
    /// `server.not_a_url`, `server.not_https`, `keychain.*`.
    pub async fn registration_introduce(
        &self,
        base: &str,
        initial_access_token: Zeroizing<String>,
    ) -> Result<()> {
        let base = FhirBaseUrl::parse(base, &self.inner.policy)?;
        let token = initial_access_token.trim().as_bytes().to_vec();
        let name = initial_name(base.as_str());
        Ok(self
            .inner
            .keychain
            .set(&name, Zeroizing::new(token))
            .await?)
    }

    pub(super) async fn initial_access_token(
        &self,
        fhir_base: &str,
    ) -> Result<Option<SecretString>> {
        let stored = self.inner.keychain.get(&initial_name(fhir_base)).await?;
        let text = stored.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        Ok(text.map(Secret::new))
    }

    pub(crate) async fn forget_initial_access_token(&self, fhir_base: &str) -> Result<()> {
        Ok(self.inner.keychain.delete(&initial_name(fhir_base)).await?)
    }

    /// How this installation proves itself to the server of `row`; the secret comes from the
    /// keychain.
    pub(crate) async fn client_authentication(
        &self,
        row: &ClientRow,
    ) -> Result<ClientAuthentication> {
        if row.auth_method == "none" {
            return Ok(ClientAuthentication::None);
        }
        if self.secret_expired(row) {
            return Err(Problem::new(ProblemCode::AccessRegistrationGone));
        }
        let name = row.key_name.as_deref().unwrap_or_default();
        let secret = self
            .inner
            .keychain
            .get(name)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::AccessRegistrationGone))?;
        match row.auth_method.as_str() {
            "private_key_jwt" => {
                let key = SigningKey::from_pkcs8(algorithm(row.key_alg.as_deref()), &secret)?;
                Ok(ClientAuthentication::PrivateKeyJwt(key))
            }
            method => {
                let text = String::from_utf8(secret.to_vec())
                    .map_err(|_| Problem::new(ProblemCode::KeychainFailed))?;
                Ok(if method == "client_secret_post" {
                    ClientAuthentication::ClientSecretPost(Secret::new(text))
                } else {
                    ClientAuthentication::ClientSecretBasic(Secret::new(text))
                })
            }
        }
    }
}
