//! Removing a connection: access is ended at the server, the keys go, then the data.

use crate::engine::{Engine, lock};
use crate::problem::{Problem, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{Event, Reachability};
use satchel_smart::discovery::discover;
use satchel_smart::http::FhirBaseUrl;

impl Engine {
    /// Removes a connection with its data. A server that cannot be reached does not stop it: what is
    /// here goes at once, and access is ended there as soon as it can be reached again
    /// ([`Engine::revocations_retry`]).
    ///
    /// # Errors
    /// `record.not_found`, `keychain.*`, `store.*`.
    pub async fn remove(&self, connection_id: &str) -> Result<()> {
        let work = self.remove_all(connection_id);
        self.traced(TraceKind::Remove, problem_of, work).await
    }

    async fn remove_all(&self, connection_id: &str) -> Result<()> {
        let row = self.connection_row(connection_id).await?;
        self.sync_cancel(connection_id);
        self.end_exports(connection_id).await;
        self.end_access(connection_id).await?;
        self.forget_unused_registration(&row.fhir_base, &row.role, connection_id)
            .await?;
        self.forget_installation_key(connection_id).await?;
        self.inner.store.connection_remove(connection_id).await?;
        lock(&self.inner.reachability).remove(connection_id);
        lock(&self.inner.fresh).remove(connection_id);
        self.emit(Event::RecordsChanged {
            connection_id: connection_id.to_owned(),
        });
        self.emit(Event::ConnectionsChanged);
        Ok(())
    }

    /// Asks whether the server is there; the answer is in the connection's reachability.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`; a server that does not answer is no error.
    pub async fn probe(&self, connection_id: &str) -> Result<()> {
        let row = self.connection_row(connection_id).await?;
        if crate::bulk::is_imported(&row.fhir_base) {
            return Ok(());
        }
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let work = discover(&self.inner.http, &base);
        let reachability = match self.traced(TraceKind::Probe, |_| None, work).await {
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
