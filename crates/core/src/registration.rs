//! This installation's own registration with a server (RFC 7591): one per server and role, with a
//! key pair made here. The private key goes into the keychain before anything refers to it.
//!
//! A registration is made in [`Engine::ensure_registered`] or agreed on by hand (`statics`); it is looked
//! after by RFC 7592 (`management`): read, renewed before its secret ends (`renewal`), given another
//! key (`rotation`). What a crash leaves half done is found at the next start (`loose`). Some vendors
//! want a second step after the sign-in (`installation`).

mod credential;
mod installation;
mod loose;
mod management;
mod method;
mod renewal;
mod rotation;
mod statics;

use crate::digest;
use crate::engine::{Engine, lock};
use crate::lockfile::{self, FileLock};
use crate::problem::{Problem, ProblemCode, Result};
use crate::servers;
use crate::view::{AccessAct, Role};
use loose::Loose;
use method::{AuthMethod, choose_auth_method};
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::HttpError;
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use satchel_smart::registration::{
    ClientInformation, ClientMetadata, RegistrationError, register_client_with_ladder,
};
use satchel_smart::scope;
use satchel_store::ClientRow;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Provider => "provider",
            Self::Backend => "backend",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "provider" => Self::Provider,
            "backend" => Self::Backend,
            _ => Self::Patient,
        }
    }

    pub(crate) fn scope_role(self) -> scope::Role {
        match self {
            Self::Patient => scope::Role::Patient,
            Self::Provider => scope::Role::User,
            Self::Backend => scope::Role::System,
        }
    }
}

/// Says how far a task has come whose steps must survive a crash.
fn step(name: &'static str) {
    tracing::debug!(step = name, "registration");
}

/// Nobody else of this profile registers, rotates or tidies up.
pub(crate) struct Alone<'a> {
    _here: tokio::sync::MutexGuard<'a, ()>,
    _between_processes: FileLock,
}

impl Engine {
    /// Waits until nobody else works on registrations (checklist B24: two clicks, one POST).
    async fn alone(&self) -> Result<Alone<'_>> {
        let here = self.inner.registering.lock().await;
        let between = lockfile::lock(self.registering_lock()).await?;
        Ok(Alone {
            _here: here,
            _between_processes: between,
        })
    }

    fn registering_lock(&self) -> std::path::PathBuf {
        self.inner.profile_dir.join("register.lock")
    }

    /// The stored registration, or a new one.
    pub(crate) async fn ensure_registered(
        &self,
        fhir_base: &str,
        role: Role,
        configuration: &SmartConfiguration,
    ) -> Result<ClientRow> {
        let _alone = self.alone().await?;
        let stored = self.inner.store.registration_get(fhir_base, role.as_str());
        if let Some(row) = stored.await?
            && self.is_usable(&row).await?
        {
            let row = self.renew_if_due(row).await?;
            // A secret that ends soon and cannot be renewed: another registration, while there is time.
            if row.is_static || !self.ends_soon(&row) {
                return Ok(row);
            }
        }
        let profile = servers::client_of(&self.inner.servers, fhir_base);
        if let Some(profile) = profile
            && role != Role::Backend
        {
            return self.keep_static(fhir_base, role, &profile.client_id).await;
        }
        let row = self.register(fhir_base, role, configuration).await?;
        self.log_access_at(fhir_base, AccessAct::Registered).await;
        Ok(row)
    }

    async fn register(
        &self,
        fhir_base: &str,
        role: Role,
        configuration: &SmartConfiguration,
    ) -> Result<ClientRow> {
        let endpoint = configuration
            .registration_endpoint
            .as_ref()
            .ok_or_else(|| Problem::new(ProblemCode::RegistrationNotOffered))?;
        self.respect_retry_after(fhir_base)?;
        let method = match (role, choose_auth_method(configuration)) {
            (Role::Backend, AuthMethod::PrivateKeyJwt(algorithm)) => {
                AuthMethod::PrivateKeyJwt(algorithm)
            }
            (Role::Backend, _) => AuthMethod::PrivateKeyJwt(SigningAlgorithm::ES384),
            (_, method) => method,
        };
        let name = self.new_credential_name(fhir_base, role);
        self.put_loose(&name, fhir_base, role, None, Loose::Asking)
            .await?;
        let key = match method {
            AuthMethod::PrivateKeyJwt(algorithm) => Some(self.new_key(&name, algorithm).await?),
            _ => None,
        };
        let metadata = self.client_metadata(fhir_base, role, method, key.as_ref(), configuration);
        let introduction = self.initial_access_token(fhir_base).await?;
        let answer = register_client_with_ladder(
            &self.inner.http,
            endpoint,
            &metadata,
            introduction.as_ref(),
        )
        .await;
        step("registration.answered");
        match answer {
            Ok(information) => {
                if introduction.is_some() {
                    self.forget_initial_access_token(fhir_base).await?;
                }
                let algorithm = key.map(|key| key.algorithm());
                self.keep_registration(fhir_base, role, &name, algorithm, &information)
                    .await
            }
            Err(error) => {
                self.note_refusal(fhir_base, role, &name, &error).await?;
                Err(error.into())
            }
        }
    }

    /// What a refusal leaves: nothing, or a registration that may be there all the same.
    async fn note_refusal(
        &self,
        fhir_base: &str,
        role: Role,
        name: &str,
        error: &RegistrationError,
    ) -> Result<()> {
        self.inner.keychain.delete(name).await?;
        if let RegistrationError::TooManyRequests {
            retry_after: Some(wait),
        } = error
        {
            let wait = wait.min(&Duration::from_secs(86_400)).as_secs();
            let wait = jiff::SignedDuration::from_secs(i64::try_from(wait).unwrap_or(0));
            let until = self.now().checked_add(wait).unwrap_or(jiff::Timestamp::MAX);
            lock(&self.inner.registration_waits).insert(fhir_base.to_owned(), until);
        }
        let unknown = matches!(
            error,
            RegistrationError::Http(
                HttpError::Timeout { .. }
                    | HttpError::Interrupted { .. }
                    | HttpError::TooLarge { .. }
            )
        );
        if unknown {
            self.put_loose(name, fhir_base, role, None, Loose::Left)
                .await
        } else {
            Ok(self.inner.store.loose_delete(name).await?)
        }
    }

    /// A server that said when to come again is not asked before (checklist B34).
    fn respect_retry_after(&self, fhir_base: &str) -> Result<()> {
        let until = lock(&self.inner.registration_waits).get(fhir_base).copied();
        match until {
            Some(until) if self.now() < until => {
                let seconds = until.duration_since(self.now()).as_secs();
                Err(Problem::with_detail(
                    ProblemCode::RegistrationBusy,
                    format!("wait {seconds} seconds"),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Keychain first, then the row that refers to it (checklist B23).
    async fn keep_registration(
        &self,
        fhir_base: &str,
        role: Role,
        name: &str,
        algorithm: Option<SigningAlgorithm>,
        information: &ClientInformation,
    ) -> Result<ClientRow> {
        self.put_management(name, information).await?;
        let method = information.token_endpoint_auth_method.as_str();
        match (method, &information.client_secret, algorithm) {
            ("private_key_jwt", _, Some(_)) | ("none", _, _) => {}
            ("client_secret_basic" | "client_secret_post", Some(secret), _) => {
                let bytes = Zeroizing::new(secret.expose().as_bytes().to_vec());
                self.inner.keychain.set(name, bytes).await?;
            }
            _ => {
                let problem = Problem::with_detail(
                    ProblemCode::RegistrationUnusable,
                    format!("token_endpoint_auth_method {method} without what it needs"),
                );
                self.let_go(name, fhir_base, role, &information.client_id)
                    .await?;
                return Err(problem);
            }
        }
        step("registration.credential_kept");
        let row = ClientRow {
            fhir_base: fhir_base.to_owned(),
            role: role.as_str().to_owned(),
            client_id: information.client_id.clone(),
            auth_method: method.to_owned(),
            redirect_uris: information.redirect_uris.clone(),
            key_name: Some(name.to_owned()),
            key_alg: algorithm.map(|a| a.as_str().to_owned()),
            secret_expires_at: information.client_secret_expires_at,
            registration_client_uri: information
                .registration_client_uri
                .as_ref()
                .map(Url::to_string),
            created_at: self.now().to_string(),
            registered: serde_json::to_string(&information.registered).ok(),
            ..ClientRow::default()
        };
        self.replace_registration(&row).await?;
        Ok(row)
    }

    /// Stores a registration; the one that it replaces is deleted at the server.
    async fn replace_registration(&self, row: &ClientRow) -> Result<()> {
        let before = self
            .inner
            .store
            .registration_get(&row.fhir_base, &row.role)
            .await?;
        if let Some(old) = before.filter(|old| old.key_name != row.key_name) {
            self.drop_row(&old).await?;
        }
        Ok(self.inner.store.registration_put(row).await?)
    }

    /// A fresh name for each registration, so that the old credential stays until the new one is
    /// kept.
    fn new_credential_name(&self, fhir_base: &str, role: Role) -> String {
        let mut salt = [0_u8; 6];
        self.inner.random.fill(&mut salt);
        let server = digest::short_hex(fhir_base.as_bytes());
        let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("client/{server}/{}/{salt}", role.as_str())
    }

    fn client_metadata(
        &self,
        fhir_base: &str,
        role: Role,
        method: AuthMethod,
        key: Option<&SigningKey>,
        configuration: &SmartConfiguration,
    ) -> ClientMetadata {
        let identity = &self.inner.identity;
        let person = role != Role::Backend;
        let hosted = identity
            .jwks_uri
            .clone()
            .filter(|_| !person && key.is_some());
        let scopes = scope::registration_scopes(role.scope_role(), configuration);
        let scopes = self.habits_of(fhir_base).scopes.apply(&scopes);
        let words = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        ClientMetadata {
            redirect_uris: if person {
                identity.redirect_uris(fhir_base)
            } else {
                Vec::new()
            },
            client_name: identity.name.clone(),
            client_uri: identity.client_uri.clone(),
            logo_uri: identity.logo_uri.clone(),
            policy_uri: identity.policy_uri.clone(),
            tos_uri: identity.tos_uri.clone(),
            contacts: identity.contacts.clone(),
            software_id: Some(identity.software_id.clone()),
            software_version: Some(identity.software_version.clone()),
            software_statement: identity.software_statement.clone(),
            scope: Some(scopes),
            grant_types: if person {
                words(&["authorization_code", "refresh_token"])
            } else {
                words(&["client_credentials"])
            },
            response_types: if person { words(&["code"]) } else { Vec::new() },
            token_endpoint_auth_method: method.as_str().to_owned(),
            jwks: key
                .filter(|_| hosted.is_none())
                .map(|key| serde_json::json!({ "keys": [key.public_jwk()] })),
            jwks_uri: hosted,
            application_type: person.then(|| "native".to_owned()),
            initiate_login_uri: identity.launch_uri(role),
        }
    }

    /// Deletes the registration at the server (RFC 7592 §2.3) where that is offered, and here. A
    /// server that does not answer changes nothing about what happens here (checklist B29); it is
    /// asked again at the next start.
    pub(crate) async fn forget_registration(&self, fhir_base: &str, role: Role) -> Result<()> {
        let _alone = self.alone().await?;
        let row = self
            .inner
            .store
            .registration_get(fhir_base, role.as_str())
            .await?;
        match row {
            Some(row) => self.drop_row(&row).await,
            None => Ok(()),
        }
    }
}
