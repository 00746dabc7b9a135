//! Removing a connection: access is ended at the server, the keys go, then the data.

use crate::access_log::LogEntry;
use crate::connection::{AccessLostReason, ConnectionEvent};
use crate::engine::{Engine, lock};
use crate::problem::{Problem, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{AccessAct, Event, Reachability, Role};
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
        let records = self.inner.store.record_count(Some(connection_id)).await?;
        self.sync_cancel(connection_id);
        self.end_exports(connection_id).await;
        self.end_access(connection_id).await?;
        self.forget_tokens(connection_id).await?;
        self.forget_unused_registration(&row.fhir_base, &row.role, connection_id)
            .await?;
        self.forget_installation(&row).await?;
        tracing::debug!(step = "removal.keys_gone", "removal");
        self.inner.store.connection_remove(connection_id).await?;
        let entry = LogEntry::at(&row, AccessAct::Removed).count(records);
        self.log_access(entry).await;
        lock(&self.inner.reachability).remove(connection_id);
        lock(&self.inner.fresh).remove(connection_id);
        self.emit(Event::RecordsChanged {
            connection_id: connection_id.to_owned(),
        });
        self.emit(Event::ConnectionsChanged);
        Ok(())
    }

    /// The tokens and a sign-in that waits go before the data. When the program ends in between, the
    /// connection is without access, and is removed by another click.
    pub(crate) async fn forget_tokens(&self, connection_id: &str) -> Result<()> {
        let store = &self.inner.store;
        store.pending_delete_for_connection(connection_id).await?;
        if store.tokens_get(connection_id).await?.is_some() {
            let gone = ConnectionEvent::AccessRefused(AccessLostReason::RegistrationGone);
            self.change_state(connection_id, gone).await?;
        }
        Ok(())
    }

    /// Where the browser signs the person out of the portal (OpenID Connect RP-Initiated Logout; checklist
    /// D40); nothing where the server has no such place, cannot be reached, or nobody signed in. It names
    /// this app only: an id_token in an address would stay in the browser's history. Ask before the
    /// connection is removed; what becomes of it in the browser changes nothing here.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn sign_out_address(&self, connection_id: &str) -> Result<Option<String>> {
        let row = self.connection_row(connection_id).await?;
        let client = self
            .inner
            .store
            .registration_get(&row.fhir_base, &row.role)
            .await?;
        let Some(client) = client.filter(|_| Role::parse(&row.role) != Role::Backend) else {
            return Ok(None);
        };
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let configuration = match self.discover_lately(&base).await {
            Ok(configuration) => configuration,
            Err(problem) => {
                let code = problem.code.code();
                tracing::info!(code, "the portal's sign-out is not known");
                return Ok(None);
            }
        };
        Ok(configuration.end_session_endpoint.map(|mut address| {
            address
                .query_pairs_mut()
                .append_pair("client_id", &client.client_id);
            address.to_string()
        }))
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
