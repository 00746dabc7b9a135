//! Logins that wait for the person: which there are, giving one up, and those that lapsed.

use super::state_of;
use crate::access::AccessRecord;
use crate::connection::{ConnectionEvent, ConnectionState};
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::Event;
use crate::view::LoginStartedView;
use satchel_smart::authorization::{AuthorizationForm, StoredPending};
use satchel_smart::discovery::SmartConfiguration;
use serde::{Deserialize, Serialize};
use url::Url;

/// What is stored of a pending login, in the encrypted file.
#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) login: StoredPending,
    pub(super) access: AccessRecord,
}

impl Payload {
    /// The issuer at the time when the login began: the answer is for that one, whatever the server
    /// says of itself meanwhile.
    pub(super) fn issuer(&self) -> Option<String> {
        self.login.configuration().issuer.clone()
    }
}

impl Engine {
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
        Ok(self.logins_pending().await?.pop())
    }

    /// All logins that wait for the person, the newest last. Each has a state, verifier and issuer of
    /// its own.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn logins_pending(&self) -> Result<Vec<LoginStartedView>> {
        let mut waiting = Vec::new();
        for row in self.inner.store.connections_list().await? {
            if let Some(pending) = self.inner.store.pending_for_connection(&row.id).await? {
                let view = LoginStartedView {
                    connection_id: row.id,
                    authorization_url: pending.authorization_url.to_string(),
                    server_name: row.server_name,
                    expires_at: pending.expires_at,
                };
                waiting.push((pending.created_at, view));
            }
        }
        waiting.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(waiting.into_iter().map(|(_, view)| view).collect())
    }

    /// The request of a pending login as a form to be posted, where it is too long for an address and
    /// the server takes it that way (SMART App Launch 2.2, `authorize-post`). Hand it to
    /// [`crate::LoopbackListener::offer`], and open what that gives in the browser.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn login_form(&self, connection_id: &str) -> Result<Option<AuthorizationForm>> {
        let Some(pending) = self
            .inner
            .store
            .pending_for_connection(connection_id)
            .await?
        else {
            return Ok(None);
        };
        let unreadable = |_| Problem::with_detail(ProblemCode::Internal, "a stored login");
        let payload: Payload = serde_json::from_str(&pending.payload).map_err(unreadable)?;
        let configuration: &SmartConfiguration = payload.login.configuration();
        Ok(Url::parse(&pending.authorization_url)
            .ok()
            .and_then(|url| AuthorizationForm::of(&url, configuration)))
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
}
