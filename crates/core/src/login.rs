//! Login: two calls and one browser trip (SMART App Launch 2.2, "Standalone launch").
//!
//! [`Engine::login_start`] discovers, registers when needed, stores the pending login and gives the
//! portal's address. The person signs in there. The redirect reaches [`Engine::login_finish`], which
//! TAKES the pending login by its `state`, checks the answer, exchanges the code, and commits tokens
//! and state in one transaction. Whatever goes wrong, the pending login is gone and the connection
//! is back where it was.

use crate::connection::{ConnectionEvent, ConnectionState, next};
use crate::digest;
use crate::engine::Engine;
use crate::identity::RedirectKind;
use crate::problem::{Problem, ProblemCode, Result};
use crate::servers;
use crate::session::token_row;
use crate::view::{Event, LoginStartedView, Reachability, Role, ServerCheckView, ServerView};
use satchel_smart::authorization::{
    AuthorizationRequest, PendingAuthorization, StoredPending, callback_state,
};
use satchel_smart::backend::request_backend_token;
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::discovery::{SmartConfiguration, discover};
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::scope::choose_scopes;
use satchel_smart::token::TokenResponse;
use satchel_store::{ConnectionRow, PendingRow, StoreError};
use zeroize::Zeroizing;

/// How long the person has in the browser.
const LOGIN_MINUTES: i64 = 10;

/// A login that waits for its answer on the loopback interface, or elsewhere.
#[derive(Clone, Debug)]
pub struct StartedLogin {
    /// What the person needs to see.
    pub view: LoginStartedView,
    /// The redirect URI that was sent.
    pub redirect_uri: String,
}

impl Engine {
    /// The servers known by name.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerView> {
        self.inner.servers.iter().map(ServerView::from).collect()
    }

    /// Asks a server what it can do, without signing in.
    ///
    /// # Errors
    /// `server.*` and `network.*`: not a URL, not FHIR, no SMART, not reachable.
    pub async fn server_check(&self, base: &str) -> Result<ServerCheckView> {
        let (base, configuration) = self.discover(base).await?;
        let mut roles = Vec::new();
        if configuration.authorization_endpoint.is_some() {
            roles.push(Role::Patient);
            if configuration.capabilities.is_empty() || configuration.supports("permission-user") {
                roles.push(Role::Provider);
            }
        }
        if configuration
            .grant_types
            .iter()
            .any(|grant| grant == "client_credentials")
        {
            roles.push(Role::Backend);
        }
        Ok(ServerCheckView {
            fhir_base: base.as_str().to_owned(),
            name: servers::name_of(&self.inner.servers, base.as_str()),
            can_register: configuration.registration_endpoint.is_some(),
            roles,
        })
    }

    /// Begins a login of a patient or provider; the caller opens the browser.
    ///
    /// `port` is that of the loopback listener when `redirect` is [`RedirectKind::Loopback`].
    ///
    /// # Errors
    /// `server.*`, `network.*`, `registration.*`, `keychain.*`, `login.redirect_not_available`.
    pub async fn login_start(
        &self,
        base: &str,
        role: Role,
        redirect: RedirectKind,
        port: Option<u16>,
    ) -> Result<StartedLogin> {
        let (base, configuration) = self.discover(base).await?;
        let connection = match self.unused_connection(base.as_str(), role).await? {
            Some(connection) => connection,
            None => self.new_connection(&base, role).await?,
        };
        self.start(connection, &base, configuration, redirect, port)
            .await
    }

    /// Signs in again on a connection that exists.
    ///
    /// # Errors
    /// As [`Engine::login_start`]; `record.not_found` when there is no such connection.
    pub async fn login_reconnect(
        &self,
        connection_id: &str,
        redirect: RedirectKind,
        port: Option<u16>,
    ) -> Result<StartedLogin> {
        let connection = self.connection_row(connection_id).await?;
        let (base, configuration) = self.discover(&connection.fhir_base).await?;
        self.forget_if_gone(&connection).await?;
        self.start(connection, &base, configuration, redirect, port)
            .await
    }

    async fn start(
        &self,
        connection: ConnectionRow,
        base: &FhirBaseUrl,
        configuration: SmartConfiguration,
        redirect: RedirectKind,
        port: Option<u16>,
    ) -> Result<StartedLogin> {
        let role = Role::parse(&connection.role);
        let client = self
            .ensure_registered(base.as_str(), role, &configuration)
            .await?;
        let redirect_uri = self
            .inner
            .identity
            .redirect_uri(redirect, base.as_str(), port)
            .ok_or_else(|| Problem::new(ProblemCode::RedirectNotAvailable))?;
        let scope = choose_scopes(role.scope_role(), &configuration);
        let request = AuthorizationRequest {
            configuration,
            fhir_base: base.clone(),
            client_id: client.client_id.clone(),
            redirect_uri: redirect_uri.clone(),
            scope,
            launch: None,
        };
        let (url, pending) =
            request.start(self.inner.clock.as_ref(), self.inner.random.as_ref())?;
        let now = self.now();
        let expires_at = now
            .checked_add(jiff::SignedDuration::from_mins(LOGIN_MINUTES))
            .unwrap_or(now)
            .to_string();
        let payload = serde_json::to_string(&pending.to_stored())
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        // A second click replaces the first login of this connection: only one answer counts.
        self.inner
            .store
            .pending_delete_for_connection(&connection.id)
            .await?;
        self.inner
            .store
            .pending_put(&PendingRow {
                state_hash: digest::hex(pending.state().as_bytes()),
                connection_id: connection.id.clone(),
                created_at: now.to_string(),
                expires_at: expires_at.clone(),
                authorization_url: Zeroizing::new(url.to_string()),
                payload: Zeroizing::new(payload),
            })
            .await?;
        self.change_state(&connection.id, ConnectionEvent::LoginStarted)
            .await?;
        Ok(StartedLogin {
            view: LoginStartedView {
                connection_id: connection.id,
                authorization_url: url.to_string(),
                server_name: connection.server_name,
                expires_at,
            },
            redirect_uri,
        })
    }

    /// Ends a login with the URL that came back from the browser. Gives the connection, signed in.
    ///
    /// # Errors
    /// `login.*` and `token.*`; the connection is then back in the state that it had before.
    pub async fn login_finish(&self, callback: &str) -> Result<String> {
        let answer = self.finish(callback).await;
        match &answer {
            Ok(connection_id) => self.emit(Event::LoginFinished {
                connection_id: connection_id.clone(),
            }),
            Err((connection_id, problem)) => self.emit(Event::LoginFailed {
                connection_id: connection_id.clone(),
                problem: problem.view(),
            }),
        }
        self.emit(Event::ConnectionsChanged);
        answer.map_err(|(_, problem)| problem)
    }

    async fn finish(
        &self,
        callback: &str,
    ) -> std::result::Result<String, (Option<String>, Problem)> {
        let nobody = |problem: Problem| (None, problem);
        let state = callback_state(callback).map_err(|error| nobody(error.into()))?;
        let pending = self
            .inner
            .store
            .pending_take(&digest::hex(state.as_bytes()))
            .await
            .map_err(|error| nobody(error.into()))?
            .ok_or_else(|| nobody(Problem::new(ProblemCode::LoginUnknown)))?;
        let connection_id = pending.connection_id.clone();
        match self.complete(&pending, callback).await {
            Ok(connection_id) => Ok(connection_id),
            Err(problem) => {
                if let Err(error) = self
                    .change_state(&connection_id, ConnectionEvent::LoginFailed)
                    .await
                {
                    tracing::warn!(
                        code = error.code.code(),
                        "a failed login could not be undone"
                    );
                }
                Err((Some(connection_id), problem))
            }
        }
    }

    async fn complete(&self, pending: &PendingRow, callback: &str) -> Result<String> {
        let stored: StoredPending = serde_json::from_str(&pending.payload)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error.classify_text()))?;
        let authorization = PendingAuthorization::from_stored(stored)?;
        let code = authorization.accept(callback, self.inner.clock.as_ref())?;
        let connection = self.connection_row(&pending.connection_id).await?;
        let role = Role::parse(&connection.role);
        let client = self
            .inner
            .store
            .registration_get(&connection.fhir_base, role.as_str())
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::AccessRegistrationGone))?;
        let authentication = self.client_authentication(&client).await?;
        let tokens = code
            .exchange(
                &self.inner.http,
                &authentication,
                self.inner.clock.as_ref(),
                self.inner.random.as_ref(),
            )
            .await?;
        let connection_id = self.keep_login(connection, &tokens).await?;
        self.after_sign_in(&connection_id, &tokens).await;
        Ok(connection_id)
    }

    /// Tokens and state in one transaction. A person who signs in again where a connection for the
    /// same records exists gets that one, not a second copy; another patient's records are never
    /// mixed into an existing connection (checklist D14).
    async fn keep_login(
        &self,
        placeholder: ConnectionRow,
        tokens: &TokenResponse,
    ) -> Result<String> {
        let patient = tokens.launch_context.patient.clone();
        let same = self
            .inner
            .store
            .connections_list()
            .await?
            .into_iter()
            .find(|other| {
                other.id != placeholder.id
                    && other.fhir_base == placeholder.fhir_base
                    && other.role == placeholder.role
                    && other.patient_id.is_some()
                    && other.patient_id == patient
            });
        let other_person = placeholder.patient_id.is_some() && placeholder.patient_id != patient;
        let target = match same {
            Some(existing) => {
                self.leave_login(&placeholder).await?;
                self.change_state(&existing.id, ConnectionEvent::LoginStarted)
                    .await?;
                self.connection_row(&existing.id).await?
            }
            None if other_person => {
                self.change_state(&placeholder.id, ConnectionEvent::LoginFailed)
                    .await?;
                let base = FhirBaseUrl::parse(&placeholder.fhir_base, &self.inner.policy)?;
                let fresh = self
                    .new_connection(&base, Role::parse(&placeholder.role))
                    .await?;
                self.change_state(&fresh.id, ConnectionEvent::LoginStarted)
                    .await?;
                self.connection_row(&fresh.id).await?
            }
            None => placeholder,
        };
        let from = state_of(&target);
        next(from, ConnectionEvent::LoginCompleted)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        self.inner
            .store
            .connection_connected(
                &target.id,
                &target.state,
                &token_row(tokens),
                patient.as_deref(),
                tokens.launch_context.fhir_user.as_deref(),
            )
            .await?;
        self.set_reachability(&target.id, Reachability::Online);
        Ok(target.id)
    }

    /// The placeholder of a login whose records live in another connection: gone when it was new.
    async fn leave_login(&self, placeholder: &ConnectionRow) -> Result<()> {
        self.change_state(&placeholder.id, ConnectionEvent::LoginFailed)
            .await?;
        let row = self.connection_row(&placeholder.id).await?;
        if state_of(&row) == ConnectionState::New {
            self.inner.store.connection_remove(&row.id).await?;
        }
        Ok(())
    }

    /// Connects a backend service: registers, and gets a token by `client_credentials` (SMART
    /// Backend Services). No person takes part.
    ///
    /// # Errors
    /// `server.*`, `network.*`, `registration.*`, `keychain.*`, `token.*`.
    pub async fn connect_backend(&self, base: &str) -> Result<String> {
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
        let tokens = match self.backend_token(&client, &configuration).await {
            Ok(tokens) => tokens,
            Err(problem) => {
                self.change_state(&connection.id, ConnectionEvent::LoginFailed)
                    .await?;
                return Err(problem);
            }
        };
        let connection = self.connection_row(&connection.id).await?;
        let id = self.keep_login(connection, &tokens).await?;
        self.emit(Event::ConnectionsChanged);
        Ok(id)
    }

    pub(crate) async fn backend_token(
        &self,
        client: &satchel_store::ClientRow,
        configuration: &SmartConfiguration,
    ) -> Result<TokenResponse> {
        let ClientAuthentication::PrivateKeyJwt(key) = self.client_authentication(client).await?
        else {
            return Err(Problem::with_detail(
                ProblemCode::RegistrationUnusable,
                "a backend service needs private_key_jwt",
            ));
        };
        let scope = choose_scopes(Role::Backend.scope_role(), configuration);
        Ok(request_backend_token(
            &self.inner.http,
            &configuration.token_endpoint,
            &client.client_id,
            &key,
            &scope,
            self.inner.clock.as_ref(),
            self.inner.random.as_ref(),
        )
        .await?)
    }

    /// Gives a pending login up: its row is gone, the connection is back where it was. A connection
    /// that was never signed in is removed.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn login_cancel(&self, connection_id: &str) -> Result<()> {
        self.inner
            .store
            .pending_delete_for_connection(connection_id)
            .await?;
        let row = self.connection_row(connection_id).await?;
        if matches!(state_of(&row), ConnectionState::Authorizing { .. }) {
            self.change_state(connection_id, ConnectionEvent::LoginFailed)
                .await?;
        }
        if state_of(&self.connection_row(connection_id).await?) == ConnectionState::New {
            self.inner.store.connection_remove(connection_id).await?;
        }
        self.emit(Event::ConnectionsChanged);
        Ok(())
    }

    /// The login that waits for the person, if any: it survives a restart of the app.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn login_pending(&self) -> Result<Option<LoginStartedView>> {
        for row in self.inner.store.connections_list().await? {
            if let Some(pending) = self.inner.store.pending_for_connection(&row.id).await? {
                return Ok(Some(LoginStartedView {
                    connection_id: row.id,
                    authorization_url: pending.authorization_url.to_string(),
                    server_name: row.server_name,
                    expires_at: pending.expires_at,
                }));
            }
        }
        Ok(None)
    }

    /// Lapsed logins are removed, and connections that wait for a login that is not there (a crash
    /// in between) are put back.
    pub(crate) async fn expire_pending_logins(&self) -> Result<()> {
        self.inner
            .store
            .pending_expire(&self.now().to_string())
            .await?;
        for row in self.inner.store.connections_list().await? {
            let waits = matches!(state_of(&row), ConnectionState::Authorizing { .. });
            if waits
                && self
                    .inner
                    .store
                    .pending_for_connection(&row.id)
                    .await?
                    .is_none()
            {
                self.change_state(&row.id, ConnectionEvent::LoginFailed)
                    .await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn discover(&self, base: &str) -> Result<(FhirBaseUrl, SmartConfiguration)> {
        let base = FhirBaseUrl::parse(base, &self.inner.policy)?;
        let configuration = discover(&self.inner.http, &base).await?;
        Ok((base, configuration))
    }

    async fn unused_connection(&self, base: &str, role: Role) -> Result<Option<ConnectionRow>> {
        Ok(self
            .inner
            .store
            .connections_list()
            .await?
            .into_iter()
            .find(|row| {
                row.fhir_base == base
                    && row.role == role.as_str()
                    && never_signed_in(&state_of(row))
            }))
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

    async fn new_connection(&self, base: &FhirBaseUrl, role: Role) -> Result<ConnectionRow> {
        let mut bytes = [0_u8; 16];
        self.inner.random.fill(&mut bytes);
        let row = ConnectionRow {
            id: uuid::Builder::from_random_bytes(bytes)
                .into_uuid()
                .to_string(),
            fhir_base: base.as_str().to_owned(),
            server_name: servers::name_of(&self.inner.servers, base.as_str()),
            role: role.as_str().to_owned(),
            state: ConnectionState::New.name().to_owned(),
            created_at: self.now().to_string(),
            ..ConnectionRow::default()
        };
        self.inner.store.connection_insert(&row).await?;
        self.emit(Event::ConnectionsChanged);
        Ok(row)
    }

    pub(crate) async fn connection_row(&self, connection_id: &str) -> Result<ConnectionRow> {
        self.inner
            .store
            .connection_get(connection_id)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }

    /// Applies an event to the stored state, only if nobody changed it in between.
    pub(crate) async fn change_state(
        &self,
        connection_id: &str,
        event: ConnectionEvent,
    ) -> Result<()> {
        for _ in 0..5 {
            let row = self.connection_row(connection_id).await?;
            let after = next(state_of(&row), event)
                .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
            let detail = serde_json::to_string(&after)
                .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
            let done = match event {
                ConnectionEvent::AccessRefused(_) => {
                    self.inner
                        .store
                        .tokens_clear_with_state(connection_id, after.name(), Some(&detail))
                        .await
                }
                _ => {
                    self.inner
                        .store
                        .connection_update_state(
                            connection_id,
                            &row.state,
                            after.name(),
                            Some(&detail),
                        )
                        .await
                }
            };
            match done {
                Ok(()) => {
                    self.emit(Event::ConnectionsChanged);
                    return Ok(());
                }
                Err(StoreError::StateChanged) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::with_detail(
            ProblemCode::StoreFailed,
            "the connection keeps changing",
        ))
    }
}

fn never_signed_in(state: &ConnectionState) -> bool {
    match state {
        ConnectionState::New => true,
        ConnectionState::Authorizing { return_to } => **return_to == ConnectionState::New,
        _ => false,
    }
}

/// The state of a row; what cannot be read counts as new, so that the person can sign in again.
pub(crate) fn state_of(row: &ConnectionRow) -> ConnectionState {
    let stored = row
        .state_detail
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok());
    match (row.state.as_str(), stored) {
        ("connected", _) => ConnectionState::Connected,
        (_, Some(state)) => state,
        _ => ConnectionState::New,
    }
}

/// What may be said of a JSON error: its kind and place, never the text.
trait ClassifyText {
    fn classify_text(&self) -> String;
}

impl ClassifyText for serde_json::Error {
    fn classify_text(&self) -> String {
        format!(
            "{:?} at line {} column {}",
            self.classify(),
            self.line(),
            self.column()
        )
    }
}
