//! Before anything is asked for: the token, what the server can do, and the plan.

use super::before::Before;
use super::fetch::patiently;
use super::marks::Marks;
use super::plan::{StepRequest, SyncPlan};
use super::report::Tally;
use super::run::Run;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::Role;
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::scope::Scopes;
use satchel_store::ConnectionRow;
use std::sync::{Arc, Mutex};

/// A run that was cut off longer ago than this is begun anew: its paging links have lapsed.
const RESUME_MINUTES: i64 = 30;

impl Engine {
    /// The plan and the run of a connection: from where a run of a moment ago was cut off, or anew.
    pub(super) async fn prepare(&self, row: &ConnectionRow) -> Result<(Arc<Run>, SyncPlan)> {
        self.forget_replaced(&row.id);
        let token = self.access_token(&row.id).await?;
        let base = FhirBaseUrl::parse(&row.fhir_base, &self.inner.policy)?;
        let fhir = self.fhir_at(&base, token.expose());
        let described = patiently(|| fhir.capability(Some(&token))).await;
        let capability = described.inspect_err(|error| self.heed(&row.id, error))?;
        let tokens = self
            .inner
            .store
            .tokens_get(&row.id)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::NotConnected))?;
        let granted = Scopes::parse(&tokens.scope);
        let patient = match Role::parse(&row.role) {
            Role::Backend => None,
            Role::Patient | Role::Provider => row.patient_id.clone(),
        };
        let plan = SyncPlan::new(&granted, &capability, patient.as_deref());
        let records = self.inner.store.record_count(Some(&row.id)).await?;
        let run = Arc::new(Run {
            engine: self.clone(),
            connection_id: row.id.clone(),
            fhir,
            granted,
            base,
            patient,
            tally: Mutex::new(Tally::new(plan.steps.len())),
            met: Mutex::default(),
            given: Mutex::default(),
            not_whole: Mutex::default(),
            stopped: Mutex::default(),
            resumed: self.resumes(&row.id).await?,
            marks: Marks::of(self.inner.store.sync_marks_get(&row.id).await?, self.now()),
            last: Before::of(row, records),
            refused: Mutex::default(),
            before: (
                self.inner.store.last_record_key().await?,
                row.last_synced_at.is_some(),
            ),
        });
        if !run.resumed {
            let keys: Vec<String> = plan.steps.iter().map(|step| step.key.clone()).collect();
            self.inner
                .store
                .sync_steps_begin(&row.id, &self.now().to_string(), &keys)
                .await?;
            // What the searches of this run refer to is met once: until that was followed to the end, the
            // next run has to look at everything.
            let last = plan.steps.iter();
            for step in last.filter(|step| step.request == StepRequest::References) {
                let store = &self.inner.store;
                store.sync_mark_remove(&row.id, &step.key).await?;
            }
        }
        Ok((run, plan))
    }

    /// Whether a run of a moment ago was cut off and can go on where it was.
    async fn resumes(&self, connection_id: &str) -> Result<bool> {
        let steps = self.inner.store.sync_steps_get(connection_id).await?;
        let recent = steps
            .first()
            .and_then(|step| step.run_id.parse::<jiff::Timestamp>().ok())
            .is_some_and(|begun| self.now().as_second() - begun.as_second() < RESUME_MINUTES * 60);
        let done = steps.iter().any(|step| step.state == "done");
        let open = steps.iter().any(|step| step.state == "running");
        Ok(recent && done && open)
    }
}
