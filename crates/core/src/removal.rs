//! Removing a connection: access is revoked at the server (RFC 7009), the keys go, then the data.

use crate::engine::{Engine, lock};
use crate::problem::{Problem, Result};
use crate::view::{Event, Reachability, Role};
use satchel_smart::discovery::{SmartConfiguration, discover};
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::secret::Secret;
use satchel_smart::token::revoke_token;
use satchel_store::{ClientRow, TokenRow};

impl Engine {
    /// Removes a connection with its data. A server that cannot be reached does not stop it: the
    /// access then ends when its tokens lapse.
    ///
    /// # Errors
    /// `record.not_found`, `keychain.*`, `store.*`.
    pub async fn remove(&self, connection_id: &str) -> Result<()> {
        let row = self.connection_row(connection_id).await?;
        let role = Role::parse(&row.role);
        self.sync_cancel(connection_id);
        if let Err(problem) = self.revoke(connection_id).await {
            tracing::info!(
                code = problem.code.code(),
                "access could not be revoked at the server"
            );
        }
        let shared = self
            .inner
            .store
            .connections_list()
            .await?
            .iter()
            .any(|other| {
                other.id != row.id && other.fhir_base == row.fhir_base && other.role == row.role
            });
        if !shared {
            self.forget_registration(&row.fhir_base, role).await?;
        }
        self.forget_installation_key(connection_id).await?;
        self.inner.store.connection_remove(connection_id).await?;
        lock(&self.inner.reachability).remove(connection_id);
        self.emit(Event::RecordsChanged {
            connection_id: connection_id.to_owned(),
        });
        self.emit(Event::ConnectionsChanged);
        Ok(())
    }

    async fn revoke(&self, connection_id: &str) -> Result<()> {
        let row = self.connection_row(connection_id).await?;
        let Some(tokens) = self.inner.store.tokens_get(connection_id).await? else {
            return Ok(());
        };
        let Some(client) = self
            .inner
            .store
            .registration_get(&row.fhir_base, &row.role)
            .await?
        else {
            return Ok(());
        };
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let configuration = discover(&self.inner.http, &base).await?;
        self.revoke_both(&configuration, &client, &tokens).await
    }

    /// The refresh token first: with it the whole grant usually goes.
    async fn revoke_both(
        &self,
        configuration: &SmartConfiguration,
        client: &ClientRow,
        tokens: &TokenRow,
    ) -> Result<()> {
        let Some(endpoint) = &configuration.revocation_endpoint else {
            return Ok(());
        };
        let authentication = self.client_authentication(client).await?;
        let refresh = tokens
            .refresh_token
            .as_ref()
            .map(|token| (token.to_string(), "refresh_token"));
        let access = Some((tokens.access_token.to_string(), "access_token"));
        for (token, hint) in refresh.into_iter().chain(access) {
            revoke_token(
                &self.inner.http,
                endpoint,
                &configuration.token_endpoint,
                &client.client_id,
                &authentication,
                &Secret::new(token),
                hint,
                self.inner.clock.as_ref(),
                self.inner.random.as_ref(),
            )
            .await?;
        }
        Ok(())
    }

    /// Asks whether the server is there; the answer is in the connection's reachability.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`; a server that does not answer is no error.
    pub async fn probe(&self, connection_id: &str) -> Result<()> {
        let row = self.connection_row(connection_id).await?;
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let reachability = match discover(&self.inner.http, &base).await {
            Ok(_) => Reachability::Online,
            Err(error) => {
                let problem = Problem::from(error);
                tracing::info!(
                    code = problem.code.code(),
                    "the server did not answer the probe"
                );
                Reachability::Offline
            }
        };
        self.set_reachability(connection_id, reachability);
        Ok(())
    }
}
