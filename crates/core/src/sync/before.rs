//! What the last run found, so that this one need not doubt it: a refusal of what was granted is believed
//! when it was there the last time too.

use super::search::NARROWED;
use crate::view::{StepOutcome, SyncReportView, SyncStepView};
use satchel_store::ConnectionRow;
use std::collections::HashSet;

/// The state of things before a run.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// Records of this connection were in the file.
    pub(super) had_records: bool,
    /// What the server refused.
    refused: HashSet<(String, StepOutcome)>,
    /// Types that the server gave by part only.
    narrowed: HashSet<String>,
    /// Some of what records refer to was not to be had.
    pub(super) dangling: bool,
}

impl Before {
    pub(super) fn of(row: &ConnectionRow, records: u64) -> Self {
        let last = row.last_sync.as_deref();
        let last = last.and_then(|json| serde_json::from_str::<SyncReportView>(json).ok());
        let last = last.map(|report| report.steps).unwrap_or_default();
        let with_reason = last.iter().filter(|step| step.problem.is_some());
        let by_part = |step: &&SyncStepView| step.remarks.iter().any(|remark| remark == NARROWED);
        Self {
            had_records: records > 0,
            refused: with_reason
                .map(|step| (step.resource_type.clone(), step.outcome))
                .collect(),
            narrowed: last
                .iter()
                .filter(by_part)
                .map(|step| step.resource_type.clone())
                .collect(),
            // The step about references comes last.
            dangling: last.last().is_some_and(|step| !step.remarks.is_empty()),
        }
    }

    /// Whether the last run ended with this kind in the same way, for a reason.
    pub(super) fn ended_so(&self, resource_type: &str, outcome: StepOutcome) -> bool {
        self.refused.contains(&(resource_type.to_owned(), outcome))
    }

    pub(super) fn was_narrowed(&self, resource_type: &str) -> bool {
        self.narrowed.contains(resource_type)
    }

    /// Whether nothing of a part is missing for a reason that may be gone the next time.
    pub(super) fn is_whole(&self, step: &SyncStepView) -> bool {
        match step.outcome {
            StepOutcome::Complete | StepOutcome::Empty => true,
            StepOutcome::Failed | StepOutcome::CutOff => false,
            StepOutcome::NotShared | StepOutcome::NotOffered => {
                step.problem.is_none() || self.ended_so(&step.resource_type, step.outcome)
            }
        }
    }
}
