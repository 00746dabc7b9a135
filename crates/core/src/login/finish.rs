//! The second half of a login: the answer of the portal, the tokens, and whose records they open.

use super::pending::Payload;
use super::state_of;
use crate::access::AccessRecord;
use crate::connection::{AccessLostReason, ConnectionEvent, ConnectionState, next};
use crate::digest;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::refusals;
use crate::session::{lost, token_row};
use crate::trace::TraceKind;
use crate::view::{AccessAct, Event, Reachability, Role};
use satchel_smart::authorization::{CallbackError, PendingAuthorization, callback_state};
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::token::TokenResponse;
use satchel_smart::trace;
use satchel_store::{ConnectionRow, PendingRow};

/// The connection, or whose sign-in failed and why.
type Finished = std::result::Result<String, (Option<String>, Problem)>;

impl Engine {
    /// Ends a login with the URL that came back from the browser. Gives the connection, signed in.
    ///
    /// # Errors
    /// `login.*` and `token.*`; the connection is then back in the state that it had before.
    pub async fn login_finish(&self, callback: &str) -> Result<String> {
        let work = self.finish(callback);
        let problem = |answer: &Finished| answer.as_ref().err().map(|(_, problem)| problem.view());
        let answer = self.traced(TraceKind::SignInEnd, problem, work).await;
        if let Ok(id) | Err((Some(id), _)) = &answer {
            let end = answer
                .as_ref()
                .map(drop)
                .map_err(|(_, problem)| problem.clone());
            self.log_access_of(id, AccessAct::SignedIn, &end).await;
        }
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

    async fn finish(&self, callback: &str) -> Finished {
        trace::browser_came_back(callback);
        let nobody = |problem: Problem| (None, problem);
        let state = callback_state(callback).map_err(|error| nobody(error.into()))?;
        let pending = self
            .inner
            .store
            .pending_take(&digest::hex(state.as_bytes()))
            .await
            .map_err(|error| nobody(error.into()))?;
        trace::check(
            "C4",
            "Its state belongs to a sign-in that waits",
            pending.is_some(),
        );
        let pending = pending.ok_or_else(|| nobody(Problem::new(ProblemCode::LoginUnknown)))?;
        let connection_id = pending.connection_id.clone();
        match self.complete(&pending, callback).await {
            Ok(connection_id) => Ok(connection_id),
            Err(problem) => {
                if let Err(error) = self.undo_login(&connection_id, &problem).await {
                    tracing::warn!(
                        code = error.code.code(),
                        "a failed login could not be undone"
                    );
                }
                Err((Some(connection_id), problem))
            }
        }
    }

    /// Back to where the login came from. Where that was lost access, a refusal by the portal is the
    /// newer reason for it.
    async fn undo_login(&self, connection_id: &str, problem: &Problem) -> Result<()> {
        self.change_state(connection_id, ConnectionEvent::LoginFailed)
            .await?;
        let reason = match problem.code {
            ProblemCode::LoginDenied => AccessLostReason::Denied,
            ProblemCode::AccessNotApproved => AccessLostReason::NotApproved,
            ProblemCode::AccessSwitchedOff => AccessLostReason::SwitchedOff,
            _ => return Ok(()),
        };
        let state = state_of(&self.connection_row(connection_id).await?);
        if matches!(state, ConnectionState::AccessLost { .. }) {
            self.change_state(connection_id, ConnectionEvent::AccessRefused(reason))
                .await?;
        }
        Ok(())
    }

    async fn complete(&self, pending: &PendingRow, callback: &str) -> Result<String> {
        let stored: Payload = serde_json::from_str(&pending.payload)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error.classify_text()))?;
        let issuer = stored.issuer();
        let authorization = PendingAuthorization::from_stored(stored.login)?;
        let code = authorization
            .accept(callback, self.inner.clock.as_ref())
            .map_err(refusal)?;
        let connection = self.connection_row(&pending.connection_id).await?;
        let role = Role::parse(&connection.role);
        let client = self
            .inner
            .store
            .registration_get(&connection.fhir_base, role.as_str())
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::AccessRegistrationGone))?;
        let authentication = self.authentication_for(&client, issuer.as_deref()).await?;
        let tokens = code
            .exchange(
                &self.inner.http,
                &authentication,
                self.inner.clock.as_ref(),
                self.inner.random.as_ref(),
            )
            .await?;
        let tokens = self.with_patient(&connection, tokens).await?;
        let connection_id = self.keep_login(connection, &tokens, stored.access).await?;
        self.after_sign_in(&connection_id, &tokens).await;
        Ok(connection_id)
    }

    /// Tokens and state in one transaction. A person who signs in again where a connection for the
    /// same records exists gets that one, not a second copy; another patient's records are never
    /// mixed into an existing connection (checklist D14).
    pub(crate) async fn keep_login(
        &self,
        placeholder: ConnectionRow,
        tokens: &TokenResponse,
        access: AccessRecord,
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
        let claims = tokens.id_token_claims.as_ref();
        let access = AccessRecord {
            obtained_at: self.now().as_second(),
            issuer: claims.map(|claims| claims.issuer.clone()),
            subject: claims.map(|claims| claims.subject.clone()),
            ..access
        };
        let mut row = token_row(tokens);
        row.access = Some(access.to_json()?);
        self.inner
            .store
            .connection_connected(
                &target.id,
                &target.state,
                &row,
                patient.as_deref(),
                tokens.launch_context.fhir_user.as_deref(),
            )
            .await?;
        self.note_fresh(&target.id, &row);
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
}

/// A refusal whose words are known says why (`refusals.json`); any other is the person's own "no".
fn refusal(error: CallbackError) -> Problem {
    match &error {
        CallbackError::Denied { description } => {
            match refusals::reason_of(description.as_deref()) {
                Some(reason) => Problem {
                    detail: Some(error.to_string()),
                    ..lost(reason)
                },
                None => error.into(),
            }
        }
        _ => error.into(),
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
