//! How a step ends when it did not end well, when the whole run ends with it, and what is kept of that.

use super::fetch::FetchError;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{StepOutcome, SyncReportView};
use satchel_smart::fhir::client::FhirError;
use satchel_store::ConnectionRow;

impl Engine {
    /// Writes the report down, as the last one of its connection.
    pub(super) async fn keep_report(
        &self,
        row: &ConnectionRow,
        report: &SyncReportView,
    ) -> Result<()> {
        let json = serde_json::to_string(report)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        // "As of" moves only when the server was really read.
        let as_of = report
            .problem
            .is_none()
            .then_some(report.finished_at.as_str());
        self.inner
            .store
            .sync_finished(&row.id, as_of, &json)
            .await?;
        Ok(())
    }
}

/// Refused is not failed: with a status, or with nothing but an error where records were due.
pub(super) fn outcome_of(error: &FetchError) -> StepOutcome {
    match error {
        FetchError::Fhir(FhirError::Forbidden { .. }) => StepOutcome::NotShared,
        FetchError::Fhir(FhirError::NotFound | FhirError::Gone) => StepOutcome::NotOffered,
        FetchError::Problem(problem) if problem.code == ProblemCode::NotShared => {
            StepOutcome::NotShared
        }
        _ => StepOutcome::Failed,
    }
}

/// What ends the whole run: no network, no access, no room.
pub(super) fn stops_everything(code: ProblemCode) -> bool {
    use ProblemCode as P;
    matches!(
        code,
        P::Unreachable
            | P::TimedOut
            | P::NotTrusted
            | P::AccessEnded
            | P::AccessExpired
            | P::AccessRegistrationGone
            | P::AccessSwitchedOff
            | P::AccessNotApproved
            | P::AccessDenied
            | P::AccessAnswerLost
            | P::AccessOtherPerson
            | P::NotConnected
            | P::PatientGone
            | P::DiskFull
            | P::StoreReadOnly
            | P::NoKeychain
            | P::KeychainLocked
    )
}
