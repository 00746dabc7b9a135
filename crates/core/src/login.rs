//! Login: two calls and one browser trip (SMART App Launch 2.2, "Standalone launch").
//!
//! [`Engine::login_start`] discovers, registers when needed, stores the pending login and gives the
//! portal's address. The person signs in there. The redirect reaches [`Engine::login_finish`], which
//! TAKES the pending login by its `state`, checks the answer, exchanges the code, and commits tokens
//! and state in one transaction. Whatever goes wrong, the pending login is gone and the connection
//! is back where it was.

mod finish;
mod pending;
mod state;
mod whose;

pub(crate) use state::state_of;

use crate::access::AccessRecord;
use crate::connection::{ConnectionEvent, ConnectionState};
use crate::digest;
use crate::engine::Engine;
use crate::identity::RedirectKind;
use crate::presets;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{Event, LoginStartedView, Role};
use satchel_smart::authorization::{AuthorizationRequest, PendingAuthorization, Prompt};
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::secret::SecretString;
use satchel_smart::trace;
use satchel_store::{ClientRow, ConnectionRow, PendingRow};
use url::Url;
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
    /// Its kind: whether a loopback listener has to wait.
    pub redirect: RedirectKind,
}

/// How a login is to be done.
#[derive(Clone, Debug)]
pub struct LoginOptions {
    /// Who signs in.
    pub role: Role,
    /// The ways back that this platform has, the best first; the first that the server registered is
    /// taken.
    pub redirects: Vec<RedirectKind>,
    /// Port of the loopback listener, where there is one.
    pub port: Option<u16>,
    /// How much to ask for: an id of [`Engine::scope_presets`]; everything, or for a connection that
    /// exists what was chosen before, when not said.
    pub preset: Option<String>,
    /// Somebody else than the last time signs in: the portal has to ask who (`prompt=login`).
    pub another_person: bool,
}

impl LoginOptions {
    /// Everything, by these ways back.
    #[must_use]
    pub fn new(role: Role, redirects: &[RedirectKind], port: Option<u16>) -> Self {
        Self {
            role,
            redirects: redirects.to_vec(),
            port,
            preset: None,
            another_person: false,
        }
    }
}

/// What a login needs to know beside the person's choices.
pub(crate) struct Begin<'a> {
    pub(crate) connection: ConnectionRow,
    pub(crate) base: &'a FhirBaseUrl,
    pub(crate) configuration: SmartConfiguration,
    pub(crate) options: &'a LoginOptions,
    /// The `launch` value of an EHR launch.
    pub(crate) launch: Option<SecretString>,
}

impl Engine {
    /// Begins a login of a patient or provider by one way back; the caller opens the browser.
    ///
    /// `port` is that of the loopback listener when `redirect` is [`RedirectKind::Loopback`].
    ///
    /// # Errors
    /// As [`Engine::login_begin`].
    pub async fn login_start(
        &self,
        base: &str,
        role: Role,
        redirect: RedirectKind,
        port: Option<u16>,
    ) -> Result<StartedLogin> {
        self.login_begin(base, &LoginOptions::new(role, &[redirect], port))
            .await
    }

    /// Begins a login of a patient or provider; the caller opens the browser.
    ///
    /// # Errors
    /// `server.*`, `network.*`, `registration.*`, `keychain.*`, `login.redirect_not_available`;
    /// `access.separate_profile` in a profile that holds a backend service.
    pub async fn login_begin(&self, base: &str, options: &LoginOptions) -> Result<StartedLogin> {
        let work = self.begin_new(base, options);
        self.traced(TraceKind::SignIn, problem_of, work).await
    }

    async fn begin_new(&self, base: &str, options: &LoginOptions) -> Result<StartedLogin> {
        if options.role == Role::Backend {
            return Err(Problem::new(ProblemCode::SeparateProfile));
        }
        self.check_profile(options.role).await?;
        let (base, configuration) = self.discover(base).await?;
        let connection = match self.unused_connection(base.as_str(), options.role).await? {
            Some(connection) => connection,
            None => self.new_connection(&base, options.role).await?,
        };
        self.begin(Begin {
            connection,
            base: &base,
            configuration,
            options,
            launch: None,
        })
        .await
    }

    /// Signs in again on a connection that exists, by one way back.
    ///
    /// # Errors
    /// As [`Engine::login_begin_again`].
    pub async fn login_reconnect(
        &self,
        connection_id: &str,
        redirect: RedirectKind,
        port: Option<u16>,
    ) -> Result<StartedLogin> {
        let role = Role::parse(&self.connection_row(connection_id).await?.role);
        let options = LoginOptions::new(role, &[redirect], port);
        self.login_begin_again(connection_id, &options).await
    }

    /// Signs in again on a connection that exists; its role is the connection's.
    ///
    /// # Errors
    /// As [`Engine::login_begin`]; `record.not_found` when there is no such connection.
    pub async fn login_begin_again(
        &self,
        connection_id: &str,
        options: &LoginOptions,
    ) -> Result<StartedLogin> {
        let work = self.begin_again(connection_id, options);
        self.traced(TraceKind::SignIn, problem_of, work).await
    }

    async fn begin_again(
        &self,
        connection_id: &str,
        options: &LoginOptions,
    ) -> Result<StartedLogin> {
        let connection = self.connection_row(connection_id).await?;
        let (base, configuration) = self.discover(&connection.fhir_base).await?;
        let role = Role::parse(&connection.role);
        self.forget_if_gone(&connection).await?;
        let before = AccessRecord::of(&connection).preset;
        let options = LoginOptions {
            role,
            preset: options.preset.clone().or(before),
            ..options.clone()
        };
        self.begin(Begin {
            connection,
            base: &base,
            configuration,
            options: &options,
            launch: None,
        })
        .await
    }

    pub(crate) async fn begin(&self, begin: Begin<'_>) -> Result<StartedLogin> {
        let Begin {
            connection,
            base,
            configuration,
            options,
            launch,
        } = begin;
        let role = options.role;
        let preset = options.preset.as_deref().unwrap_or(presets::EVERYTHING);
        let habits = self.habits_of(base.as_str());
        let scope = presets::scopes_of(preset, role, &configuration, launch.is_some())?;
        let scope = habits.scopes.apply(&scope);
        let client = self
            .ensure_registered(base.as_str(), role, &configuration)
            .await?;
        let (redirect, redirect_uri) = self.choose_redirect(&client, base, options)?;
        let prompt = if options.another_person {
            Some(Prompt::Login)
        } else {
            Prompt::for_offline_access(&scope, &configuration)
        };
        let request = AuthorizationRequest {
            configuration,
            fhir_base: base.clone(),
            audience: habits.aud.audience(),
            client_id: client.client_id.clone(),
            redirect_uri: redirect_uri.clone(),
            scope: scope.clone(),
            launch: launch.map(|launch| launch.expose().clone()),
            prompt,
        };
        let (url, pending) =
            request.start(self.inner.clock.as_ref(), self.inner.random.as_ref())?;
        trace::browser_left(url.as_str());
        let access = AccessRecord {
            asked: scope,
            preset: Some(preset.to_owned()),
            ..AccessRecord::default()
        };
        let expires_at = self
            .keep_pending(&connection.id, &url, &pending, &access)
            .await?;
        Ok(StartedLogin {
            view: LoginStartedView {
                connection_id: connection.id,
                authorization_url: url.to_string(),
                server_name: connection.server_name,
                expires_at,
            },
            redirect_uri,
            redirect,
        })
    }

    /// The first way back that this platform has and the server registered (RFC 8252 §7).
    fn choose_redirect(
        &self,
        client: &ClientRow,
        base: &FhirBaseUrl,
        options: &LoginOptions,
    ) -> Result<(RedirectKind, String)> {
        let identity = &self.inner.identity;
        let registered = |kind| {
            // Loopback addresses are registered without a port (§7.3).
            let uri = match kind {
                RedirectKind::Loopback => Some(identity.loopback_redirect_uri(base.as_str())),
                _ => identity.redirect_uri(kind, base.as_str(), None),
            };
            // A server that tells nothing back registered what it was asked.
            client.redirect_uris.is_empty()
                || uri.is_some_and(|uri| client.redirect_uris.contains(&uri))
        };
        options
            .redirects
            .iter()
            .filter(|kind| registered(**kind))
            .find_map(|kind| {
                let uri = identity.redirect_uri(*kind, base.as_str(), options.port)?;
                Some((*kind, uri))
            })
            .ok_or_else(|| Problem::new(ProblemCode::RedirectNotAvailable))
    }

    /// The login waits from now on; gives when it lapses.
    async fn keep_pending(
        &self,
        connection_id: &str,
        url: &Url,
        pending: &PendingAuthorization,
        access: &AccessRecord,
    ) -> Result<String> {
        let now = self.now();
        let expires_at = now
            .checked_add(jiff::SignedDuration::from_mins(LOGIN_MINUTES))
            .unwrap_or(now)
            .to_string();
        let payload = pending::Payload {
            login: pending.to_stored(),
            access: access.clone(),
        };
        let payload = serde_json::to_string(&payload)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        // A second click replaces the first login of this connection: only one answer counts.
        self.inner
            .store
            .pending_delete_for_connection(connection_id)
            .await?;
        self.inner
            .store
            .pending_put(&PendingRow {
                state_hash: digest::hex(pending.state().as_bytes()),
                connection_id: connection_id.to_owned(),
                created_at: now.to_string(),
                expires_at: expires_at.clone(),
                authorization_url: Zeroizing::new(url.to_string()),
                payload: Zeroizing::new(payload),
            })
            .await?;
        self.change_state(connection_id, ConnectionEvent::LoginStarted)
            .await?;
        Ok(expires_at)
    }

    pub(crate) async fn discover(&self, base: &str) -> Result<(FhirBaseUrl, SmartConfiguration)> {
        let base = FhirBaseUrl::parse(base, &self.inner.policy)?;
        let configuration = self.discover_for_login(&base).await?;
        Ok((base, configuration))
    }

    pub(crate) async fn unused_connection(
        &self,
        base: &str,
        role: Role,
    ) -> Result<Option<ConnectionRow>> {
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

    pub(crate) async fn new_connection(
        &self,
        base: &FhirBaseUrl,
        role: Role,
    ) -> Result<ConnectionRow> {
        let mut bytes = [0_u8; 16];
        self.inner.random.fill(&mut bytes);
        let row = ConnectionRow {
            id: uuid::Builder::from_random_bytes(bytes)
                .into_uuid()
                .to_string(),
            fhir_base: base.as_str().to_owned(),
            server_name: self.server_name(base.as_str()).await?,
            role: role.as_str().to_owned(),
            state: ConnectionState::New.name().to_owned(),
            created_at: self.now().to_string(),
            ..ConnectionRow::default()
        };
        self.inner.store.connection_insert(&row).await?;
        self.emit(Event::ConnectionsChanged);
        Ok(row)
    }
}

fn never_signed_in(state: &ConnectionState) -> bool {
    match state {
        ConnectionState::New => true,
        ConnectionState::Authorizing { return_to } => **return_to == ConnectionState::New,
        _ => false,
    }
}
