//! The backend service: a connection without a person (SMART App Launch 2.2, "Backend Services").
//!
//! Kept apart from people's own records (checklist E15): a profile holds either a backend service or
//! people's connections, never both. A profile is one database file, one set of keychain entries
//! (they are named after its folder) and one event stream, so "apart" holds for all of them. Nothing
//! but [`Engine::connect_backend`] turns a profile into one: no link, no launch, no login does.

use crate::access::AccessRecord;
use crate::connection::ConnectionEvent;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{AccessAct, Event, Role};
use satchel_smart::backend::request_backend_token;
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::scope::choose_scopes;
use satchel_smart::token::{TokenError, TokenResponse};
use satchel_store::{ClientRow, ConnectionRow};

impl Engine {
    /// Whether this profile may hold a connection of this role.
    ///
    /// # Errors
    /// `access.separate_profile` when it holds the other kind.
    pub(crate) async fn check_profile(&self, role: Role) -> Result<()> {
        let wanted = role == Role::Backend;
        let other = self
            .inner
            .store
            .connections_list()
            .await?
            .iter()
            .filter(|row| !crate::bulk::is_imported(&row.fhir_base))
            .any(|row| (Role::parse(&row.role) == Role::Backend) != wanted);
        if other {
            return Err(Problem::new(ProblemCode::SeparateProfile));
        }
        Ok(())
    }

    /// Connects a backend service: registers, and gets a token by `client_credentials` (SMART
    /// Backend Services). No person takes part.
    ///
    /// # Errors
    /// `server.*`, `network.*`, `registration.*`, `keychain.*`, `token.*`;
    /// `access.separate_profile` in a profile that holds people's connections.
    pub async fn connect_backend(&self, base: &str) -> Result<String> {
        let work = self.connect_service(base);
        self.traced(TraceKind::Backend, problem_of, work).await
    }

    async fn connect_service(&self, base: &str) -> Result<String> {
        self.check_profile(Role::Backend).await?;
        let (base, configuration) = self.discover(base).await?;
        let connection = match self.unused_connection(base.as_str(), Role::Backend).await? {
            Some(connection) => connection,
            None => match self.connected_backend(base.as_str()).await? {
                Some(connection) => connection,
                None => self.new_connection(&base, Role::Backend).await?,
            },
        };
        let client = self
            .ensure_registered(base.as_str(), Role::Backend, &configuration)
            .await?;
        self.change_state(&connection.id, ConnectionEvent::LoginStarted)
            .await?;
        let asked = self.service_token(&client, &configuration).await;
        let tokens = match asked {
            Ok(tokens) => tokens,
            Err(problem) => {
                self.change_state(&connection.id, ConnectionEvent::LoginFailed)
                    .await?;
                return Err(problem);
            }
        };
        let connection = self.connection_row(&connection.id).await?;
        let access = AccessRecord {
            asked: choose_scopes(Role::Backend.scope_role(), &configuration),
            superseded: AccessRecord::of(&connection).superseded,
            ..AccessRecord::default()
        };
        let id = self.keep_login(connection, &tokens, access).await?;
        self.log_access_of(&id, AccessAct::SignedIn, &Ok(())).await;
        self.emit(Event::ConnectionsChanged);
        Ok(id)
    }

    async fn service_token(
        &self,
        client: &ClientRow,
        configuration: &SmartConfiguration,
    ) -> Result<TokenResponse> {
        let authentication = self.service_authentication(client, configuration).await?;
        let asked = self.ask_for_service_token(client, configuration, &authentication);
        Ok(asked.await?)
    }

    /// A service proves itself with a key, never with a shared secret (SMART, "Backend Services").
    pub(crate) async fn service_authentication(
        &self,
        client: &ClientRow,
        configuration: &SmartConfiguration,
    ) -> Result<ClientAuthentication> {
        match self.authentication_at(client, configuration).await? {
            key @ (ClientAuthentication::PrivateKeyJwt(_)
            | ClientAuthentication::PrivateKeyJwtForIssuer { .. }) => Ok(key),
            _ => Err(Problem::with_detail(
                ProblemCode::RegistrationUnusable,
                "a backend service needs private_key_jwt",
            )),
        }
    }

    pub(crate) async fn ask_for_service_token(
        &self,
        client: &ClientRow,
        configuration: &SmartConfiguration,
        authentication: &ClientAuthentication,
    ) -> std::result::Result<TokenResponse, TokenError> {
        let scope = choose_scopes(Role::Backend.scope_role(), configuration);
        request_backend_token(
            &self.inner.http,
            &configuration.token_endpoint,
            &client.client_id,
            authentication,
            &scope,
            self.inner.clock.as_ref(),
            self.inner.random.as_ref(),
        )
        .await
    }

    async fn connected_backend(&self, base: &str) -> Result<Option<ConnectionRow>> {
        Ok(self
            .inner
            .store
            .connections_list()
            .await?
            .into_iter()
            .find(|row| row.fhir_base == base && row.role == Role::Backend.as_str()))
    }
}
