//! This installation's own registration with a server (RFC 7591): one per server and role, with a
//! key pair made here. The private key goes into the keychain before anything refers to it.

use crate::digest;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::Role;
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::keys::{SigningAlgorithm, SigningKey};
use satchel_smart::registration::{
    ClientInformation, ClientMetadata, delete_registration, register_client_with_ladder,
};
use satchel_smart::scope;
use satchel_smart::secret::Secret;
use satchel_store::ClientRow;
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

/// How the client proves itself, in the words of RFC 7591 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AuthMethod {
    PrivateKeyJwt(SigningAlgorithm),
    ClientSecretBasic,
    ClientSecretPost,
    None,
}

impl AuthMethod {
    fn as_str(self) -> &'static str {
        match self {
            Self::PrivateKeyJwt(_) => "private_key_jwt",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// The strongest method that the server takes (checklist A13): asymmetric, then a secret, then none.
/// A server that lists nothing is asked by its capabilities.
fn choose_auth_method(configuration: &SmartConfiguration) -> AuthMethod {
    let methods = &configuration.token_endpoint_auth_methods;
    let takes = |method: &str| methods.iter().any(|m| m == method);
    let algorithms = &configuration.token_endpoint_auth_signing_algs;
    let algorithm = if algorithms.is_empty() || algorithms.iter().any(|a| a == "ES384") {
        SigningAlgorithm::ES384
    } else {
        SigningAlgorithm::RS384
    };
    let asymmetric = takes("private_key_jwt")
        || (methods.is_empty() && configuration.supports("client-confidential-asymmetric"));
    let symmetric = methods.is_empty() && configuration.supports("client-confidential-symmetric");
    if asymmetric {
        AuthMethod::PrivateKeyJwt(algorithm)
    } else if takes("client_secret_basic") || symmetric {
        AuthMethod::ClientSecretBasic
    } else if takes("client_secret_post") {
        AuthMethod::ClientSecretPost
    } else {
        AuthMethod::None
    }
}

impl Engine {
    /// The stored registration, or a new one.
    pub(crate) async fn ensure_registered(
        &self,
        fhir_base: &str,
        role: Role,
        configuration: &SmartConfiguration,
    ) -> Result<ClientRow> {
        // Two clicks at once must not register twice (checklist B24).
        let _one_at_a_time = self.inner.registering.lock().await;
        if let Some(row) = self
            .inner
            .store
            .registration_get(fhir_base, role.as_str())
            .await?
            && !self.secret_expired(&row)
        {
            return Ok(row);
        }
        self.register(fhir_base, role, configuration).await
    }

    fn secret_expired(&self, row: &ClientRow) -> bool {
        row.secret_expires_at
            .is_some_and(|at| at != 0 && at <= self.now().as_second())
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
        let method = if role == Role::Backend {
            match choose_auth_method(configuration) {
                jwt @ AuthMethod::PrivateKeyJwt(_) => jwt,
                _ => AuthMethod::PrivateKeyJwt(SigningAlgorithm::ES384),
            }
        } else {
            choose_auth_method(configuration)
        };
        let key = match method {
            AuthMethod::PrivateKeyJwt(algorithm) => {
                let key = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm))
                    .await
                    .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))??;
                Some((key, algorithm))
            }
            _ => None,
        };
        let name = self.new_credential_name(fhir_base, role);
        if let Some((key, _)) = &key {
            let pkcs8 = Zeroizing::new(key.to_pkcs8().expose().clone());
            self.inner.keychain.set(&name, pkcs8).await?;
        }
        let metadata = self.client_metadata(
            fhir_base,
            role,
            method,
            key.as_ref().map(|k| &k.0),
            configuration,
        );
        let answer = register_client_with_ladder(&self.inner.http, endpoint, &metadata, None).await;
        let information = match answer {
            Ok(information) => information,
            Err(error) => {
                self.inner.keychain.delete(&name).await?;
                return Err(error.into());
            }
        };
        let row = self
            .keep_registration(fhir_base, role, &name, key.map(|k| k.1), &information)
            .await;
        if row.is_err() {
            // Nothing may refer to a key that is not kept; the orphan at the server is deleted.
            let _ = self.inner.keychain.delete(&name).await;
            let _ = delete_registration(&self.inner.http, &information).await;
        }
        row
    }

    async fn keep_registration(
        &self,
        fhir_base: &str,
        role: Role,
        name: &str,
        algorithm: Option<SigningAlgorithm>,
        information: &ClientInformation,
    ) -> Result<ClientRow> {
        let method = information.token_endpoint_auth_method.as_str();
        match (method, &information.client_secret, algorithm) {
            ("private_key_jwt", _, Some(_)) | ("none", _, _) => {}
            ("client_secret_basic" | "client_secret_post", Some(secret), _) => {
                let bytes = Zeroizing::new(secret.expose().as_bytes().to_vec());
                self.inner.keychain.set(name, bytes).await?;
            }
            _ => {
                return Err(Problem::with_detail(
                    ProblemCode::RegistrationUnusable,
                    format!("token_endpoint_auth_method {method} without what it needs"),
                ));
            }
        }
        if let Some(token) = &information.registration_access_token {
            let bytes = Zeroizing::new(token.expose().as_bytes().to_vec());
            self.inner
                .keychain
                .set(&format!("{name}/management"), bytes)
                .await?;
        }
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
        };
        let before = self
            .inner
            .store
            .registration_get(fhir_base, role.as_str())
            .await?;
        self.inner.store.registration_put(&row).await?;
        if let Some(old) = before.and_then(|old| old.key_name)
            && old != name
        {
            let _ = self.inner.keychain.delete(&old).await;
            let _ = self
                .inner
                .keychain
                .delete(&format!("{old}/management"))
                .await;
        }
        Ok(row)
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
        let (redirect_uris, grant_types, response_types) = if role == Role::Backend {
            (
                Vec::new(),
                vec!["client_credentials".to_owned()],
                Vec::new(),
            )
        } else {
            (
                identity.redirect_uris(fhir_base),
                vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
                vec!["code".to_owned()],
            )
        };
        ClientMetadata {
            redirect_uris,
            client_name: identity.name.clone(),
            client_uri: identity.client_uri.clone(),
            logo_uri: identity.logo_uri.clone(),
            contacts: identity.contacts.clone(),
            software_id: Some(identity.software_id.clone()),
            software_version: Some(identity.software_version.clone()),
            scope: Some(scope::registration_scopes(role.scope_role(), configuration)),
            initiate_login_uri: identity.launch_uri(role),
            grant_types,
            response_types,
            token_endpoint_auth_method: method.as_str().to_owned(),
            jwks: key.map(|key| serde_json::json!({ "keys": [key.public_jwk()] })),
            ..ClientMetadata::default()
        }
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
        let name = row.key_name.as_deref().unwrap_or_default();
        let secret = self
            .inner
            .keychain
            .get(name)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::AccessRegistrationGone))?;
        match row.auth_method.as_str() {
            "private_key_jwt" => {
                let algorithm = row
                    .key_alg
                    .as_deref()
                    .and_then(SigningAlgorithm::parse)
                    .unwrap_or(SigningAlgorithm::ES384);
                let key = SigningKey::from_pkcs8(algorithm, &secret)?;
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

    /// Deletes the registration at the server (RFC 7592 §2.3) where that is offered, and here. A
    /// server that does not answer changes nothing about what happens here (checklist B29).
    pub(crate) async fn forget_registration(&self, fhir_base: &str, role: Role) -> Result<()> {
        let Some(row) = self
            .inner
            .store
            .registration_get(fhir_base, role.as_str())
            .await?
        else {
            return Ok(());
        };
        if let Some(name) = &row.key_name {
            let management = format!("{name}/management");
            let token = self.inner.keychain.get(&management).await?;
            let uri = row
                .registration_client_uri
                .as_deref()
                .and_then(|uri| Url::parse(uri).ok());
            if let (Some(token), Some(uri)) = (token, uri) {
                let information = ClientInformation {
                    client_id: row.client_id.clone(),
                    registration_client_uri: Some(uri),
                    registration_access_token: String::from_utf8(token.to_vec())
                        .ok()
                        .map(Secret::new),
                    ..ClientInformation::default()
                };
                if let Err(error) = delete_registration(&self.inner.http, &information).await {
                    tracing::info!(%error, "the registration could not be deleted at the server");
                }
            }
            self.inner.keychain.delete(name).await?;
            self.inner.keychain.delete(&management).await?;
        }
        self.inner
            .store
            .registration_delete(fhir_base, role.as_str())
            .await?;
        Ok(())
    }
}
