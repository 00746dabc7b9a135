//! What was in a file, and in all of them. Nothing of what a record says is in here.

use crate::view::{BulkLineErrorView, BulkOutcomeView, BulkReportView, BulkTypeView};
use satchel_smart::fhir::outcome::OperationOutcome;
use serde::{Deserialize, Serialize};

/// Of errors and outcomes this many are kept; all are counted.
const KEPT: usize = 100;

/// What one file held.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct FileReport {
    pub(super) report: BulkReportView,
    /// Lines that are not blank.
    pub(super) lines: u64,
    /// Ids of the patients in it, of an export of a group.
    pub(super) patients: Vec<String>,
}

impl FileReport {
    pub(super) fn error(&mut self, file: &str, line: Option<u64>, reason: impl ToString) {
        self.report.error_count += 1;
        if self.report.errors.len() < KEPT {
            self.report.errors.push(BulkLineErrorView {
                file: file.to_owned(),
                line,
                reason: reason.to_string(),
            });
        }
    }

    pub(super) fn outcome(&mut self, outcome: &OperationOutcome) {
        if outcome.is_error() {
            self.report.outcome_errors += 1;
        }
        for issue in &outcome.issues {
            if self.report.outcomes.len() < KEPT {
                self.report.outcomes.push(BulkOutcomeView {
                    severity: issue.severity.clone(),
                    code: issue.code.clone(),
                    text: issue.text.clone().unwrap_or_default(),
                });
            }
        }
    }

    pub(super) fn of_type(&mut self, resource_type: &str) -> &mut BulkTypeView {
        type_of(&mut self.report.types, resource_type)
    }
}

fn type_of<'a>(types: &'a mut Vec<BulkTypeView>, resource_type: &str) -> &'a mut BulkTypeView {
    let place = types
        .iter()
        .position(|one| one.resource_type == resource_type);
    let place = place.unwrap_or_else(|| {
        types.push(BulkTypeView {
            resource_type: resource_type.to_owned(),
            ..BulkTypeView::default()
        });
        types.len() - 1
    });
    &mut types[place]
}

/// Adds what a file held to what the others did.
pub(super) fn add(all: &mut BulkReportView, one: BulkReportView) {
    for new in one.types {
        let sum = type_of(&mut all.types, &new.resource_type);
        sum.received += new.received;
        sum.new_records += new.new_records;
        sum.changed_records += new.changed_records;
        sum.left_as_they_were += new.left_as_they_were;
    }
    all.types
        .sort_by(|a, b| a.resource_type.cmp(&b.resource_type));
    let room = |len: usize| KEPT.saturating_sub(len);
    let errors = room(all.errors.len());
    all.errors.extend(one.errors.into_iter().take(errors));
    let outcomes = room(all.outcomes.len());
    all.outcomes.extend(one.outcomes.into_iter().take(outcomes));
    all.error_count += one.error_count;
    all.failed_files += one.failed_files;
    all.outcome_errors += one.outcome_errors;
    all.deleted_records += one.deleted_records;
    all.attachments += one.attachments;
    all.attachments_missing += one.attachments_missing;
    for warning in one.warnings {
        if !all.warnings.contains(&warning) && all.warnings.len() < KEPT {
            all.warnings.push(warning);
        }
    }
}

/// How many records of which type were received.
pub(super) fn received(report: &BulkReportView) -> impl Iterator<Item = (&String, u64)> {
    let types = report.types.iter();
    types.map(|one| (&one.resource_type, one.received))
}

/// Nothing is missing (checklist F19): no file, no line, nothing that the server could not make.
pub(super) fn is_whole(report: &BulkReportView) -> bool {
    report.error_count == 0 && report.failed_files == 0 && report.outcome_errors == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f19_an_error_told_by_the_server_makes_it_partial_and_a_warning_does_not() {
        let outcome = |severity: &str| {
            let json = format!(
                r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"{severity}","code":"exception"}}]}}"#
            );
            OperationOutcome::parse(&json).unwrap()
        };
        let mut file = FileReport::default();
        file.outcome(&outcome("warning"));
        assert!(is_whole(&file.report));
        file.outcome(&outcome("error"));
        assert!(!is_whole(&file.report));
        assert_eq!(file.report.outcomes.len(), 2);
    }

    #[test]
    fn f16_errors_are_all_counted_and_the_first_are_told() {
        let (mut all, mut file) = (BulkReportView::default(), FileReport::default());
        for line in 1..=150 {
            file.error("Goal 1", Some(line), "the line is not JSON");
        }
        file.of_type("Goal").received += 3;
        add(&mut all, file.report.clone());
        add(&mut all, file.report);
        assert_eq!((all.errors.len(), all.error_count), (100, 300));
        assert_eq!(all.types[0].received, 6);
    }
}
