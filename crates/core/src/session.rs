//! The one place that hands out an access token.
//!
//! One refresh at a time, the app and the command line included: a lock in this process, a file lock
//! between processes, and a second look at the stored tokens once both are held. The refresh runs in
//! a task of its own, so that cancelling the caller cannot lose a rotated refresh token; what the
//! server gave is stored before anybody uses it (RFC 6749 §6, RFC 9700 §4.14.2).

use crate::connection::{AccessLostReason, ConnectionEvent, ConnectionState};
use crate::engine::{Engine, lock};
use crate::lockfile;
use crate::login::state_of;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::Role;
use satchel_smart::discovery::discover;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::secret::{Secret, SecretString};
use satchel_smart::token::{TokenError, TokenErrorCode, TokenResponse, refresh_access_token};
use satchel_store::TokenRow;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A token that ends sooner than this is refreshed first.
const MARGIN_SECONDS: i64 = 60;

/// The stored form of a token answer.
pub(crate) fn token_row(tokens: &TokenResponse) -> TokenRow {
    TokenRow {
        access_token: Zeroizing::new(tokens.access_token.expose().clone()),
        refresh_token: tokens
            .refresh_token
            .as_ref()
            .map(|token| Zeroizing::new(token.expose().clone())),
        expires_at: tokens.expires_at.to_string(),
        scope: tokens.scope.to_string(),
    }
}

impl Engine {
    /// An access token that is good for at least a minute.
    ///
    /// # Errors
    /// `access.*` when the server no longer lets us in (the connection's state says so then);
    /// `network.*` and `token.*` when it could not be asked.
    pub(crate) async fn access_token(&self, connection_id: &str) -> Result<SecretString> {
        let tokens = self.stored_tokens(connection_id).await?;
        if self.still_good(&tokens) {
            return Ok(Secret::new(tokens.access_token.to_string()));
        }
        self.refresh_once(connection_id, &tokens.access_token).await
    }

    /// After a 401: a token other than the refused one.
    pub(crate) async fn replace_token(
        &self,
        connection_id: &str,
        refused: &SecretString,
    ) -> Result<SecretString> {
        self.refresh_once(connection_id, refused.expose()).await
    }

    async fn stored_tokens(&self, connection_id: &str) -> Result<TokenRow> {
        let row = self.connection_row(connection_id).await?;
        if let ConnectionState::AccessLost { reason } = state_of(&row) {
            return Err(lost(reason));
        }
        self.inner
            .store
            .tokens_get(connection_id)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::NotConnected))
    }

    fn still_good(&self, tokens: &TokenRow) -> bool {
        tokens
            .expires_at
            .parse::<jiff::Timestamp>()
            .is_ok_and(|end| end.as_second() - self.now().as_second() > MARGIN_SECONDS)
    }

    async fn refresh_once(&self, connection_id: &str, old: &str) -> Result<SecretString> {
        let engine = self.clone();
        let id = connection_id.to_owned();
        let old = Zeroizing::new(old.to_owned());
        tokio::spawn(async move { engine.refresh_locked(&id, &old).await })
            .await
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?
    }

    async fn refresh_locked(&self, connection_id: &str, old: &str) -> Result<SecretString> {
        let here = Arc::clone(
            lock(&self.inner.refreshing)
                .entry(connection_id.to_owned())
                .or_default(),
        );
        let _here = here.lock().await;
        let path = self
            .inner
            .profile_dir
            .join(format!("refresh-{connection_id}.lock"));
        let _between_processes = lockfile::lock(path).await?;
        let tokens = self.stored_tokens(connection_id).await?;
        if tokens.access_token.as_str() != old {
            return Ok(Secret::new(tokens.access_token.to_string()));
        }
        match self.ask_for_token(connection_id, &tokens).await {
            Ok(answer) => {
                let mut row = token_row(&answer);
                // No new refresh token means: keep the old one (RFC 6749 §6).
                row.refresh_token = row.refresh_token.or(tokens.refresh_token);
                // A refresh that says nothing about the scope leaves it as it was (§6 too).
                if answer.scope_omitted {
                    row.scope = tokens.scope;
                }
                self.inner.store.tokens_rotate(connection_id, &row).await?;
                Ok(answer.access_token)
            }
            Err(Refused::Lost(reason)) => {
                self.change_state(connection_id, ConnectionEvent::AccessRefused(reason))
                    .await?;
                Err(lost(reason))
            }
            Err(Refused::Other(problem)) => Err(problem),
        }
    }

    async fn ask_for_token(
        &self,
        connection_id: &str,
        tokens: &TokenRow,
    ) -> std::result::Result<TokenResponse, Refused> {
        let row = self.connection_row(connection_id).await?;
        let role = Role::parse(&row.role);
        let client = self
            .inner
            .store
            .registration_get(&row.fhir_base, role.as_str())
            .await
            .map_err(Problem::from)?
            .ok_or(Refused::Lost(AccessLostReason::RegistrationGone))?;
        let client = self.with_lasting_secret(client).await?;
        if let Some(answer) = self.installation_token(&row).await? {
            return answer.map_err(refused);
        }
        if role != Role::Backend && tokens.refresh_token.is_none() {
            return Err(Refused::Lost(AccessLostReason::Expired));
        }
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy).map_err(Problem::from)?;
        let configuration = discover(&self.inner.http, &base)
            .await
            .map_err(Problem::from)?;
        if role == Role::Backend {
            return Ok(self.backend_token(&client, &configuration).await?);
        }
        let refresh_token = tokens
            .refresh_token
            .as_ref()
            .map(|token| Secret::new(token.to_string()))
            .ok_or(Refused::Lost(AccessLostReason::Expired))?;
        let authentication = self.client_authentication(&client).await?;
        let answer = refresh_access_token(
            &self.inner.http,
            &configuration.token_endpoint,
            &client.client_id,
            &authentication,
            &refresh_token,
            self.inner.clock.as_ref(),
            self.inner.random.as_ref(),
        )
        .await;
        answer.map_err(refused)
    }
}

fn refused(error: TokenError) -> Refused {
    match &error {
        TokenError::OAuth {
            error: TokenErrorCode::InvalidGrant,
            ..
        } => Refused::Lost(AccessLostReason::GrantEnded),
        TokenError::OAuth {
            error: TokenErrorCode::InvalidClient,
            ..
        } => Refused::Lost(AccessLostReason::RegistrationGone),
        _ => Refused::Other(error.into()),
    }
}

/// Why no new token came.
enum Refused {
    /// The server ended our access.
    Lost(AccessLostReason),
    /// Anything that may be different next time.
    Other(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        match problem.code {
            // The secret has ended, or the keychain no longer has it.
            ProblemCode::AccessRegistrationGone => Self::Lost(AccessLostReason::RegistrationGone),
            _ => Self::Other(problem),
        }
    }
}

/// The problem that belongs to a reason.
pub(crate) fn lost(reason: AccessLostReason) -> Problem {
    Problem::new(match reason {
        AccessLostReason::GrantEnded => ProblemCode::AccessEnded,
        AccessLostReason::Expired => ProblemCode::AccessExpired,
        AccessLostReason::RegistrationGone => ProblemCode::AccessRegistrationGone,
        AccessLostReason::Refused => ProblemCode::AccessRefused,
    })
}
