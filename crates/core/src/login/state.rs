//! Where a connection stands, read from the store and written back.

use crate::connection::{ConnectionEvent, ConnectionState, next};
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::Event;
use satchel_store::{ConnectionRow, StoreError};

impl Engine {
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
