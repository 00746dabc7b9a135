//! The one place that hands out an access token.
//!
//! One refresh at a time, the app and the command line included: a lock in this process, a file lock
//! between processes, and a second look at the stored tokens once both are held. The refresh runs in
//! a task of its own, so that cancelling the caller cannot lose a rotated refresh token; what the
//! server gave is stored before anybody uses it (RFC 6749 §6, RFC 9700 §4.14.2).
//!
//! **When the answer to a refresh is lost** (checklist D20) nobody knows whether the server used the
//! refresh token up. That it is being sent is stored before it is sent, so a crash counts as a lost
//! answer too. The next time a token is needed it is sent once more, and what comes of that counts:
//!
//! - The request never arrived, or the server keeps its refresh tokens, or it forgives a repetition
//!   (many do, for this very case): the access goes on, and the person notices nothing.
//! - The server had rotated and takes the repetition for theft: it ends the grant, and the person
//!   signs in again. Without the repetition they would have had to sign in again as well, so it costs
//!   them nothing; and no newer token exists that could be lost with it. They are told that the
//!   connection broke at the wrong moment, not that somebody switched them off.
//!
//! A second lost answer is not followed by a third try, unless the server is known to keep its refresh
//! tokens. A request that never left this machine counts as not sent.

use crate::access::AccessRecord;
use crate::connection::{AccessLostReason, ConnectionEvent, ConnectionState};
use crate::engine::{Engine, lock};
use crate::lockfile;
use crate::login::state_of;
use crate::problem::{Problem, ProblemCode, Result};
use crate::refusals;
use crate::view::{AccessAct, Role};
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::id_token::IdTokenError;
use satchel_smart::scope::Scopes;
use satchel_smart::secret::{Secret, SecretString};
use satchel_smart::token::{
    TokenError, TokenErrorCode, TokenResponse, refresh_access_token, revoke_token,
};
use satchel_smart::trace::{self, carry};
use satchel_store::{ClientRow, ConnectionRow, TokenRow};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A token that ends sooner than this is refreshed first.
const MARGIN_SECONDS: i64 = 60;
/// A backend service uses a token for a day at most, however long the server lets it live (checklist
/// E10): a key that is taken away, or a practice that says no, then counts within a day even where the
/// server forgets to end its tokens.
const SERVICE_SECONDS: i64 = 86_400;
/// How often a refresh token is sent while no answer comes back.
const UNANSWERED: u32 = 2;

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
        access: None,
    }
}

impl Engine {
    /// An access token that is good for at least a minute, as far as this machine's clocks can tell.
    ///
    /// A person's token that cannot be renewed is handed out even when it should have ended: the clock
    /// may be wrong by a year, and only the server's 401 ends an access (checklist E12, D39).
    ///
    /// # Errors
    /// `access.*` when the server no longer lets us in (the connection's state says so then);
    /// `network.*` and `token.*` when it could not be asked.
    pub(crate) async fn access_token(&self, connection_id: &str) -> Result<SecretString> {
        let row = self.connection_row(connection_id).await?;
        let tokens = self.stored_tokens(connection_id).await?;
        let service = Role::parse(&row.role) == Role::Backend;
        let renewable = service
            || tokens.refresh_token.is_some()
            || self.has_installation(connection_id).await?;
        if !renewable || self.still_good(&row, &tokens) {
            return Ok(Secret::new(tokens.access_token.to_string()));
        }
        self.refresh_once(connection_id, &tokens.access_token).await
    }

    /// After a 401: a token other than the refused one. One that replaced a refused token a moment ago
    /// is not replaced again: a server that says 401 to what was not shared would otherwise see a
    /// refresh for each kind of record.
    pub(crate) async fn replace_token(
        &self,
        connection_id: &str,
        refused: &SecretString,
    ) -> Result<SecretString> {
        if self.was_replaced_just_now(connection_id, refused.expose()) {
            return Ok(refused.clone());
        }
        let new = self.refresh_once(connection_id, refused.expose()).await?;
        self.note_replaced(connection_id);
        Ok(new)
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

    /// By the wall clock, which may be set, and by the clock that nobody can set, which may stand still
    /// while the machine sleeps: the sooner end counts. A clock that was set back to before the token
    /// came tells nothing, so the token is renewed.
    fn still_good(&self, row: &ConnectionRow, tokens: &TokenRow) -> bool {
        let now = self.now().as_second();
        let end = tokens.expires_at.parse::<jiff::Timestamp>();
        let wall = end.map_or(0, |end| end.as_second().saturating_sub(now));
        let by_steady_clock = self.monotonic_left(&row.id, &tokens.access_token);
        let left = by_steady_clock.map_or(wall, |steady| steady.min(wall));
        let age = now.saturating_sub(AccessRecord::of(row).obtained_at);
        let service = Role::parse(&row.role) == Role::Backend;
        left > MARGIN_SECONDS && age >= -MARGIN_SECONDS && (!service || age < SERVICE_SECONDS)
    }

    async fn refresh_once(&self, connection_id: &str, old: &str) -> Result<SecretString> {
        let engine = self.clone();
        let id = connection_id.to_owned();
        let old = Zeroizing::new(old.to_owned());
        tokio::spawn(carry(async move { engine.refresh_locked(&id, &old).await }))
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
        let asked = match self.ask_for_token(connection_id, &tokens).await {
            Ok(token) => Ok(token),
            Err(Refused::Lost(reason)) => {
                self.change_state(connection_id, ConnectionEvent::AccessRefused(reason))
                    .await?;
                Err(lost(reason))
            }
            Err(Refused::Other(problem)) => Err(problem),
        };
        let end = asked.as_ref().map(drop).map_err(Problem::clone);
        self.log_access_of(connection_id, AccessAct::Renewed, &end)
            .await;
        asked
    }

    async fn ask_for_token(
        &self,
        connection_id: &str,
        tokens: &TokenRow,
    ) -> std::result::Result<SecretString, Refused> {
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
            let answer = for_the_same_patient(&row, answer.map_err(refused)?)?;
            return Ok(self.keep_refreshed(&row, tokens, answer).await?);
        }
        if role != Role::Backend && tokens.refresh_token.is_none() {
            return Err(Refused::Lost(AccessLostReason::Expired));
        }
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy).map_err(Problem::from)?;
        let configuration = self.discover_lately(&base).await?;
        if role == Role::Backend {
            return self
                .renew_service(&row, &client, &configuration, tokens)
                .await;
        }
        let answer = self
            .refresh_counted(&row, &client, &configuration, tokens)
            .await?;
        let answer = for_the_same_patient(&row, answer)?;
        Ok(self.keep_refreshed(&row, tokens, answer).await?)
    }

    /// Sends the refresh token, and keeps count of answers that do not come back.
    async fn refresh_counted(
        &self,
        row: &ConnectionRow,
        client: &ClientRow,
        configuration: &SmartConfiguration,
        tokens: &TokenRow,
    ) -> std::result::Result<TokenResponse, Refused> {
        let refresh_token = tokens
            .refresh_token
            .as_ref()
            .map(|token| Secret::new(token.to_string()))
            .ok_or(Refused::Lost(AccessLostReason::Expired))?;
        let authentication = self.authentication_at(client, configuration).await?;
        let mut access = AccessRecord::of(row);
        let unanswered = access.refresh_unanswered;
        if unanswered >= UNANSWERED && access.refresh_rotates != Some(false) {
            return Err(Refused::Lost(AccessLostReason::AnswerLost));
        }
        access.refresh_unanswered = unanswered.saturating_add(1);
        self.keep_access(row, &access).await?;
        let answer = refresh_access_token(
            &self.inner.http,
            &configuration.token_endpoint,
            &client.client_id,
            &authentication,
            &refresh_token,
            access.person().as_ref(),
            self.inner.clock.as_ref(),
            self.inner.random.as_ref(),
        )
        .await;
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if !error.outcome_unknown() {
            access.refresh_unanswered = unanswered;
            self.keep_access(row, &access).await?;
        }
        Err(match refused(error) {
            Refused::Lost(AccessLostReason::GrantEnded) if unanswered > 0 => {
                Refused::Lost(AccessLostReason::AnswerLost)
            }
            other => other,
        })
    }

    async fn keep_access(&self, row: &ConnectionRow, access: &AccessRecord) -> Result<()> {
        Ok(self
            .inner
            .store
            .connection_access_set(&row.id, &access.to_json()?)
            .await?)
    }

    /// Stores what a refresh brought, in one transaction, before anybody uses it.
    async fn keep_refreshed(
        &self,
        row: &ConnectionRow,
        old: &TokenRow,
        answer: TokenResponse,
    ) -> Result<SecretString> {
        let mut new = token_row(&answer);
        let rotates = new.refresh_token.is_some() && new.refresh_token != old.refresh_token;
        // No new refresh token means: keep the old one (RFC 6749 §6).
        new.refresh_token = new.refresh_token.or_else(|| old.refresh_token.clone());
        // A refresh that says nothing about the scope leaves it as it was, and one that says more than
        // the person allowed is taken at what they allowed (§6 too; checklist D25).
        new.scope = if answer.scope_omitted {
            old.scope.clone()
        } else {
            answer
                .scope
                .limited_to(&Scopes::parse(&old.scope))
                .to_string()
        };
        let access = AccessRecord {
            obtained_at: self.now().as_second(),
            refresh_rotates: Some(rotates),
            refresh_unanswered: 0,
            ..AccessRecord::of(&self.connection_row(&row.id).await?)
        };
        new.access = Some(access.to_json()?);
        self.inner.store.tokens_rotate(&row.id, &new).await?;
        self.note_fresh(&row.id, &new);
        Ok(answer.access_token)
    }

    /// A service's next token; the one before is revoked where that is offered, and noted where not.
    async fn renew_service(
        &self,
        row: &ConnectionRow,
        client: &ClientRow,
        configuration: &SmartConfiguration,
        old: &TokenRow,
    ) -> std::result::Result<SecretString, Refused> {
        let authentication = self.service_authentication(client, configuration).await?;
        let answer = self
            .ask_for_service_token(client, configuration, &authentication)
            .await
            .map_err(refused)?;
        let mut access = AccessRecord::of(row);
        access.obtained_at = self.now().as_second();
        access.supersede(old, self.now());
        let mut new = token_row(&answer);
        new.access = Some(access.to_json()?);
        self.inner
            .store
            .tokens_rotate(&row.id, &new)
            .await
            .map_err(Problem::from)?;
        self.note_fresh(&row.id, &new);
        if self.revoke_superseded(client, configuration, old).await? {
            access.superseded.pop();
            self.keep_access(row, &access).await?;
        }
        Ok(answer.access_token)
    }

    /// Whether a token that was replaced is now revoked.
    async fn revoke_superseded(
        &self,
        client: &ClientRow,
        configuration: &SmartConfiguration,
        old: &TokenRow,
    ) -> Result<bool> {
        let alive = old
            .expires_at
            .parse::<jiff::Timestamp>()
            .is_ok_and(|end| end > self.now());
        let (true, Some(endpoint)) = (alive, &configuration.revocation_endpoint) else {
            return Ok(false);
        };
        let authentication = self.authentication_at(client, configuration).await?;
        let done = revoke_token(
            &self.inner.http,
            endpoint,
            &configuration.token_endpoint,
            &client.client_id,
            &authentication,
            &Secret::new(old.access_token.to_string()),
            "access_token",
            self.inner.clock.as_ref(),
            self.inner.random.as_ref(),
        )
        .await;
        if let Err(error) = &done {
            tracing::info!(%error, "a token that was replaced could not be revoked");
        }
        Ok(done.is_ok())
    }
}

/// A renewed sign-in opens the same patient's records, or nothing is kept of it: another patient's would
/// be filed under this one (checklist D14). Most servers do not say the patient again.
fn for_the_same_patient(
    row: &ConnectionRow,
    answer: TokenResponse,
) -> std::result::Result<TokenResponse, Refused> {
    let said = answer.launch_context.patient.as_ref();
    let same = match (&row.patient_id, said) {
        (Some(known), Some(said)) => known == said,
        _ => true,
    };
    trace::check("D14", "The renewed sign-in is for the same patient", same);
    if same {
        Ok(answer)
    } else {
        Err(Refused::Lost(AccessLostReason::OtherPerson))
    }
}

/// What a refusal of the token endpoint means. Its code decides that access ended; known words only
/// tell which of several reasons it was.
fn refused(error: TokenError) -> Refused {
    let TokenError::OAuth {
        error: code,
        description,
        ..
    } = &error
    else {
        return match error {
            // The refresh token is used up and its answer is for somebody else: nothing to go on with.
            TokenError::IdToken(IdTokenError::AnotherPerson | IdTokenError::WrongAudience) => {
                Refused::Lost(AccessLostReason::OtherPerson)
            }
            other => Refused::Other(other.into()),
        };
    };
    let said = refusals::reason_of(description.as_deref());
    match (code, said) {
        (TokenErrorCode::InvalidGrant, said) => {
            Refused::Lost(said.unwrap_or(AccessLostReason::GrantEnded))
        }
        (TokenErrorCode::InvalidClient, said) => {
            Refused::Lost(said.unwrap_or(AccessLostReason::RegistrationGone))
        }
        // Known, and not allowed: that is the practice's to change (checklist E13).
        (TokenErrorCode::UnauthorizedClient, said) => {
            Refused::Lost(said.unwrap_or(AccessLostReason::Refused))
        }
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
        AccessLostReason::SwitchedOff => ProblemCode::AccessSwitchedOff,
        AccessLostReason::NotApproved => ProblemCode::AccessNotApproved,
        AccessLostReason::Denied => ProblemCode::AccessDenied,
        AccessLostReason::AnswerLost => ProblemCode::AccessAnswerLost,
        AccessLostReason::OtherPerson => ProblemCode::AccessOtherPerson,
    })
}
