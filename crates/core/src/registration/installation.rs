//! The second step of some vendors (checklist B35 to B39): the client that all installations share signs
//! the person in, then this installation registers a key of its own with the access token, and gets
//! every later access token with it. Who does this, and where, is data: [`crate::ClientProfile`].

use super::credential::algorithm;
use super::loose::Loose;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::servers;
use crate::view::Role;
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::registration::{
    ClientInformation, RegistrationError, register_installation, request_installation_token,
};
use satchel_smart::token::{TokenError, TokenResponse};
use satchel_store::{ConnectionRow, InstallationRow};
use url::Url;

impl Engine {
    /// After a sign-in: registers this installation where the server's profile wants it. Whatever goes
    /// wrong, the sign-in stands; it then lasts until its access token ends (checklist B38).
    pub(crate) async fn after_sign_in(&self, connection_id: &str, tokens: &TokenResponse) {
        if let Err(problem) = self.register_this_installation(connection_id, tokens).await {
            let code = problem.code.code();
            tracing::warn!(code, "this installation could not be registered");
        }
    }

    async fn register_this_installation(
        &self,
        connection_id: &str,
        tokens: &TokenResponse,
    ) -> Result<()> {
        let connection = self.connection_row(connection_id).await?;
        let role = Role::parse(&connection.role);
        let Some(profile) = servers::client_of(&self.inner.servers, &connection.fhir_base) else {
            return Ok(());
        };
        let client = self.registration_of(&connection).await?;
        let (Some(installation), true) = (&profile.installation, client.is_static) else {
            return Ok(());
        };
        let base = FhirBaseUrl::parse(&connection.fhir_base, &self.inner.policy)?;
        let configuration = self.discover_lately(&base).await?;
        let endpoint = endpoint(installation.endpoint.as_deref(), &configuration)?;
        let _alone = self.alone().await?;
        let name = self.new_credential_name(&connection.fhir_base, role);
        self.put_loose(&name, &connection.fhir_base, role, None, Loose::Asking)
            .await?;
        let algorithm = algorithm(Some(&installation.algorithm));
        let key = self.new_key(&name, algorithm).await?;
        let answer = register_installation(
            &self.inner.http,
            &endpoint,
            &tokens.access_token,
            &client.client_id,
            &key,
        )
        .await;
        let mut row = InstallationRow {
            client_id: None,
            key_name: None,
            key_alg: None,
            problem_code: None,
            created_at: self.now().to_string(),
        };
        match answer {
            Ok(made) => {
                if let Some((uri, token)) = made.management {
                    let information = ClientInformation {
                        registration_client_uri: Some(uri),
                        registration_access_token: Some(token),
                        ..ClientInformation::default()
                    };
                    self.put_management(&name, &information).await?;
                }
                row.client_id = Some(made.client_id);
                row.key_name = Some(name.clone());
                row.key_alg = Some(algorithm.as_str().to_owned());
            }
            Err(error) => {
                tracing::info!(%error, "the server did not register this installation");
                let code = match error {
                    RegistrationError::NotOffered { .. } => ProblemCode::InstallationNotOffered,
                    _ => ProblemCode::InstallationFailed,
                };
                row.problem_code = Some(code.code().to_owned());
                self.inner.keychain.delete(&name).await?;
            }
        }
        self.drop_installation(&connection).await?;
        self.inner
            .store
            .installation_put(connection_id, &row)
            .await?;
        Ok(self.inner.store.loose_delete(&name).await?)
    }

    /// A connection's installation client goes: its private key here, and the client at the server where
    /// that lets clients be deleted; else it ends with the sign-in that it belongs to (checklist B29, B40).
    pub(crate) async fn forget_installation(&self, connection: &ConnectionRow) -> Result<()> {
        let _alone = self.alone().await?;
        self.drop_installation(connection).await
    }

    async fn drop_installation(&self, connection: &ConnectionRow) -> Result<()> {
        let row = self.inner.store.installation_get(&connection.id).await?;
        let Some((name, client_id)) = row.and_then(|row| row.key_name.zip(row.client_id)) else {
            return Ok(());
        };
        if self.management(&name, None).await?.is_none() {
            return Ok(self.inner.keychain.delete(&name).await?);
        }
        let role = Role::parse(&connection.role);
        self.let_go(&name, &connection.fhir_base, role, &client_id)
            .await
    }

    /// Whether this connection's access is renewed by the installation's own key.
    pub(crate) async fn has_installation(&self, connection_id: &str) -> Result<bool> {
        let row = self.inner.store.installation_get(connection_id).await?;
        Ok(row.is_some_and(|row| row.client_id.is_some() && row.key_name.is_some()))
    }

    /// A new access token by the installation's own key; nothing for a connection without one. The
    /// patient stays the one of the sign-in: the answer need not repeat it (checklist B39), and may not
    /// name another.
    pub(crate) async fn installation_token(
        &self,
        connection: &ConnectionRow,
    ) -> Result<Option<std::result::Result<TokenResponse, TokenError>>> {
        let row = self.inner.store.installation_get(&connection.id).await?;
        let Some(InstallationRow {
            client_id: Some(client_id),
            key_name: Some(name),
            key_alg,
            ..
        }) = row
        else {
            return Ok(None);
        };
        let key = self
            .stored_key(&name, algorithm(key_alg.as_deref()))
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::AccessRegistrationGone))?;
        let base = FhirBaseUrl::parse(&connection.fhir_base, &self.inner.policy)?;
        let configuration = self.discover_lately(&base).await?;
        let answer = request_installation_token(
            &self.inner.http,
            &configuration.token_endpoint,
            &client_id,
            &key,
            self.inner.clock.as_ref(),
            self.inner.random.as_ref(),
        )
        .await;
        if let Ok(tokens) = &answer
            && let Some(patient) = &tokens.launch_context.patient
            && connection.patient_id.as_ref() != Some(patient)
        {
            return Err(Problem::with_detail(
                ProblemCode::TokenBadAnswer,
                "the token is for another patient",
            ));
        }
        Ok(Some(answer))
    }
}

/// Where the installation is registered: beside the authorization endpoint, where the profile says so,
/// and never at another origin, since the access token goes there.
fn endpoint(relative: Option<&str>, configuration: &SmartConfiguration) -> Result<Url> {
    let not_offered = || Problem::new(ProblemCode::InstallationNotOffered);
    let Some(relative) = relative else {
        return configuration
            .registration_endpoint
            .clone()
            .ok_or_else(not_offered);
    };
    let authorize = configuration
        .authorization_endpoint
        .as_ref()
        .ok_or_else(not_offered)?;
    authorize
        .join(relative)
        .ok()
        .filter(|endpoint| endpoint.origin() == authorize.origin())
        .ok_or_else(not_offered)
}
