//! How far a running sync is, and what it did: per step one honest outcome.

use super::plan::SyncStep;
use crate::problem::Problem;
use crate::summary::named;
use crate::view::{StepOutcome, SyncProgressView, SyncStepView};
use std::collections::HashMap;

/// What a step fetches, by FHIR type.
pub(crate) const STEP_NAMES: &[(&str, &str)] = &[
    ("Patient", "Personal details"),
    ("AllergyIntolerance", "Allergies"),
    ("Condition", "Problems"),
    ("MedicationRequest", "Medications"),
    ("MedicationDispense", "Dispensed medications"),
    ("MedicationStatement", "Reported medications"),
    ("MedicationAdministration", "Given medications"),
    ("Immunization", "Immunizations"),
    ("Observation", "Results, vital signs and observations"),
    ("DiagnosticReport", "Reports"),
    ("Encounter", "Visits"),
    ("Procedure", "Procedures"),
    ("DocumentReference", "Documents"),
    ("CarePlan", "Care plans"),
    ("Goal", "Goals"),
    ("CareTeam", "Care team"),
    ("ServiceRequest", "Orders and referrals"),
    ("FamilyMemberHistory", "Family history"),
    ("Device", "Devices and implants"),
    ("Specimen", "Specimens"),
    ("QuestionnaireResponse", "Questionnaires"),
    ("RelatedPerson", "Related people"),
    ("Coverage", "Insurance"),
    ("ImagingStudy", "Images"),
    ("Media", "Images"),
    ("Claim", "Claims"),
    ("ExplanationOfBenefit", "Claims"),
    ("Practitioner", "People, places and documents' contents"),
];

/// Of a type that has no name here.
pub(crate) const OTHER_RECORDS: &str = "Other records";

/// Plain words for what a step fetches.
pub(crate) fn step_name(resource_type: &str) -> &'static str {
    named(STEP_NAMES, resource_type).unwrap_or(OTHER_RECORDS)
}

/// Remarks of a server that are kept of a step.
const REMARKS: usize = 5;

/// What has been done so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    total: u32,
    done: u32,
    records: u64,
    partial: HashMap<String, f64>,
    best: f64,
    pub(crate) new_records: u64,
    pub(crate) changed_records: u64,
    pub(crate) withdrawn_records: u64,
    pub(crate) unreadable_records: u64,
    outcomes: HashMap<String, SyncStepView>,
    per_step: HashMap<String, u64>,
    remarks: HashMap<String, Vec<String>>,
}

impl Tally {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total: u32::try_from(total).unwrap_or(u32::MAX),
            ..Self::default()
        }
    }

    /// A page of a step was stored; `total` is the server's, when it gave one.
    pub(crate) fn page(&mut self, step: &str, records: u64, total: Option<u64>) {
        self.records += records;
        let so_far = self.per_step.entry(step.to_owned()).or_default();
        *so_far += records;
        if let Some(total) = total.filter(|total| *total > 0) {
            #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
            let share = (*so_far as f64 / total as f64).min(0.99);
            self.partial.insert(step.to_owned(), share);
        }
    }

    /// What the server said beside the records (checklist G15): each remark once, and few.
    pub(crate) fn remark(&mut self, step: &str, remarks: Vec<String>) {
        if remarks.is_empty() {
            return;
        }
        let said = self.remarks.entry(step.to_owned()).or_default();
        for remark in remarks {
            if said.len() < REMARKS && !said.contains(&remark) {
                said.push(remark);
            }
        }
    }

    /// A share of a step without pages.
    pub(crate) fn share(&mut self, step: &str, done: usize, total: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
        let share = if total == 0 {
            0.0
        } else {
            (done as f64 / total as f64).min(0.99)
        };
        self.partial.insert(step.to_owned(), share);
    }

    /// The pages of a step are read from the first one on again.
    pub(crate) fn begin_again(&mut self, step: &str) {
        let so_far = self.per_step.remove(step).unwrap_or_default();
        self.records = self.records.saturating_sub(so_far);
    }

    pub(crate) fn records_of(&self, step: &str) -> u64 {
        self.per_step.get(step).copied().unwrap_or(0)
    }

    /// A step ended.
    pub(crate) fn finish(
        &mut self,
        step: &SyncStep,
        outcome: StepOutcome,
        problem: Option<&Problem>,
    ) {
        let view = SyncStepView {
            name: step_name(&step.resource_type).to_owned(),
            resource_type: step.resource_type.clone(),
            outcome,
            records: self.records_of(&step.key),
            problem: problem.map(Problem::view),
            remarks: self.remarks.get(&step.key).cloned().unwrap_or_default(),
        };
        if self.outcomes.insert(step.key.clone(), view).is_none() {
            self.done += 1;
        }
        self.partial.remove(&step.key);
    }

    /// The progress now; its fraction never goes back.
    pub(crate) fn progress(&mut self, connection_id: &str, step: &str) -> SyncProgressView {
        let shares: f64 = self.partial.values().sum();
        let fraction = if self.total == 0 {
            0.0
        } else {
            ((f64::from(self.done) + shares) / f64::from(self.total)).min(1.0)
        };
        self.best = self.best.max(fraction);
        SyncProgressView {
            connection_id: connection_id.to_owned(),
            step: step_name(step).to_owned(),
            steps_done: self.done,
            steps_total: self.total,
            records: self.records,
            fraction: self.best,
        }
    }

    /// The steps in the order of the plan; those that never ended were cut off.
    pub(crate) fn steps(&self, plan: &[SyncStep]) -> Vec<SyncStepView> {
        plan.iter()
            .map(|step| {
                self.outcomes
                    .get(&step.key)
                    .cloned()
                    .unwrap_or_else(|| SyncStepView {
                        name: step_name(&step.resource_type).to_owned(),
                        resource_type: step.resource_type.clone(),
                        outcome: StepOutcome::CutOff,
                        records: self.records_of(&step.key),
                        problem: None,
                        remarks: Vec::new(),
                    })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::plan::StepRequest;

    fn step(key: &str) -> SyncStep {
        SyncStep {
            key: key.into(),
            resource_type: key.into(),
            request: StepRequest::References,
        }
    }

    #[test]
    fn progress_never_goes_back_and_ends_at_one() {
        let mut tally = Tally::new(2);
        tally.page("Condition", 50, Some(100));
        let half = tally.progress("c", "Condition").fraction;
        tally.page("Condition", 1, Some(1000));
        assert!(tally.progress("c", "Condition").fraction >= half);
        tally.finish(&step("Condition"), StepOutcome::Complete, None);
        tally.finish(&step("Goal"), StepOutcome::Empty, None);
        assert!((tally.progress("c", "Goal").fraction - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_step_that_never_ended_is_cut_off_not_complete() {
        let mut tally = Tally::new(2);
        tally.finish(&step("Goal"), StepOutcome::Complete, None);
        let steps = tally.steps(&[step("Goal"), step("Condition")]);
        assert_eq!(steps[1].outcome, StepOutcome::CutOff);
    }
}
