//! The first page of a chart: what is true of a person now, out of everything that was ever recorded.
//!
//! The order is that of the International Patient Summary (HL7 FHIR IPS, "Composition"). What is resolved,
//! over, refuted or no longer given by its source is left to the lists. Nothing is inferred: what the
//! records do not say, this page does not say either.

use crate::chart::{summary_view, word_of};
use crate::engine::Engine;
use crate::people::also_from;
use crate::problem::Result;
use crate::view::{
    AlsoFromView, ChartOf, OverviewBlockView, OverviewKind, OverviewView, RecordSummaryView,
    Section,
};
use satchel_store::{RecordFilter, RecordRow};
use std::cmp::Reverse;
use std::collections::HashSet;

/// Records of a section that are looked at, the newest first: whatever the size of a chart, its first page
/// is there at once.
const LOOKED_AT: u64 = 500;

/// The blocks: which section, and how many rows.
const BLOCKS: &[(OverviewKind, Section, usize)] = &[
    (OverviewKind::Allergies, Section::Allergies, 8),
    (OverviewKind::Problems, Section::Problems, 8),
    (OverviewKind::Medications, Section::Medications, 10),
    (OverviewKind::Upcoming, Section::Encounters, 3),
    (OverviewKind::Labs, Section::Labs, 8),
    (OverviewKind::Vitals, Section::Vitals, 8),
    (OverviewKind::Immunizations, Section::Immunizations, 6),
    (OverviewKind::Procedures, Section::Procedures, 4),
    (OverviewKind::Visits, Section::Encounters, 4),
    (OverviewKind::Plans, Section::Goals, 4),
    (OverviewKind::CareTeam, Section::CareTeam, 3),
    (OverviewKind::Insurance, Section::Insurance, 3),
];

/// A row of a list before it is shown.
pub(crate) struct Listed {
    pub(crate) row: RecordRow,
    also: Vec<AlsoFromView>,
}

impl Engine {
    /// The first page of a chart. Works without a network; reads the newest 500 records of each section.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn overview(&self, of: &ChartOf) -> Result<OverviewView> {
        let names = self.server_names().await?;
        let now = self.now().as_millisecond();
        let mut blocks = Vec::with_capacity(BLOCKS.len());
        for (kind, section, most) in BLOCKS {
            let listed = self.newest(of, *section, &names).await?;
            let mut chosen = choose(*kind, listed, now);
            let more = u32::try_from(chosen.len().saturating_sub(*most)).unwrap_or(u32::MAX);
            chosen.truncate(*most);
            let rows = chosen.into_iter().map(|listed| RecordSummaryView {
                also_from: listed.also,
                ..summary_view(listed.row, &names)
            });
            blocks.push(OverviewBlockView {
                kind: *kind,
                section: *section,
                rows: rows.collect(),
                more,
            });
        }
        Ok(OverviewView { blocks })
    }

    /// The newest records of a section, as the list of it has them.
    pub(crate) async fn newest(
        &self,
        of: &ChartOf,
        section: Section,
        names: &[(String, String)],
    ) -> Result<Vec<Listed>> {
        self.listed(of, section, (0, LOOKED_AT), names).await
    }

    /// A page of the list of a section.
    pub(crate) async fn listed(
        &self,
        of: &ChartOf,
        section: Section,
        (offset, limit): (u64, u64),
        names: &[(String, String)],
    ) -> Result<Vec<Listed>> {
        match of {
            ChartOf::Connection { connection_id } => {
                let filter = RecordFilter {
                    connection_id: Some(self.connection_row(connection_id).await?.id),
                    sections: vec![word_of(section)],
                    resource_type: None,
                };
                let page = self
                    .inner
                    .store
                    .records_list(&filter, offset, limit)
                    .await?;
                let rows = page.rows.into_iter();
                Ok(rows.map(|row| Listed { row, also: vec![] }).collect())
            }
            ChartOf::Person { person_id } => {
                self.settle(person_id).await?;
                let section = word_of(section);
                let store = &self.inner.store;
                let page = store
                    .person_records(person_id, Some(&section), None, (offset, limit))
                    .await?;
                let groups = page.rows.into_iter().map(|group| Listed {
                    also: group
                        .others
                        .iter()
                        .map(|other| also_from(other, &group.row, names))
                        .collect(),
                    row: group.row,
                });
                Ok(groups.collect())
            }
        }
    }
}

/// What of a section belongs on the first page, most important first.
pub(crate) fn choose(kind: OverviewKind, listed: Vec<Listed>, now: i64) -> Vec<Listed> {
    let mut seen = HashSet::new();
    let mut chosen: Vec<Listed> = listed
        .into_iter()
        .filter(|listed| listed.row.withdrawn_at.is_none() && listed.row.malformed.is_none())
        .filter(|listed| belongs(kind, &listed.row, now))
        .filter(|listed| !is_once(kind) || seen.insert(what(&listed.row)))
        .collect();
    // Both sorts keep the order of the list, newest first, where they do not decide.
    match kind {
        OverviewKind::Allergies => {
            chosen.sort_by_key(|listed| listed.row.value_text.as_deref() != Some("High risk"));
        }
        OverviewKind::Labs => chosen.sort_by_key(|listed| Reverse(weight(&listed.row))),
        OverviewKind::Upcoming => chosen.reverse(),
        _ => {}
    }
    chosen
}

/// What is said again and again, of which the newest counts.
fn is_once(kind: OverviewKind) -> bool {
    use OverviewKind as K;
    match kind {
        K::Allergies | K::Problems | K::Medications | K::Labs | K::Vitals | K::Immunizations => {
            true
        }
        K::Upcoming | K::Procedures | K::Visits | K::Plans | K::CareTeam | K::Insurance => false,
    }
}

/// Which thing a record is about: its code, or its name where it has none.
fn what(row: &RecordRow) -> String {
    row.code.clone().unwrap_or_else(|| row.title.to_lowercase())
}

fn belongs(kind: OverviewKind, row: &RecordRow, now: i64) -> bool {
    use OverviewKind as K;
    let status = row.status.as_deref().unwrap_or_default();
    let is_over = OVER.contains(&status);
    let to_come = row.date_sort.is_some_and(|at| at > now);
    match kind {
        K::Allergies | K::Problems | K::CareTeam | K::Plans => !is_over,
        // A dispense or a dose given is an event; whether it goes on is said by an order or a statement.
        K::Medications => {
            let kinds = ["MedicationRequest", "MedicationStatement"];
            kinds.contains(&row.resource_type.as_str()) && !is_over
        }
        K::Upcoming => to_come && !is_over,
        K::Visits => !to_come && !NEVER.contains(&status),
        K::Labs | K::Vitals => {
            let told = row.value_text.is_some() && row.resource_type == "Observation";
            told && !NEVER.contains(&status)
        }
        K::Immunizations | K::Procedures => !NEVER.contains(&status),
        K::Insurance => row.resource_type == "Coverage" && !is_over,
    }
}

/// Of results, the ones that stand out come first.
fn weight(row: &RecordRow) -> u8 {
    match row.flag.as_deref() {
        Some("criticalHigh" | "criticalLow" | "criticalAbnormal") => 2,
        Some("high" | "low" | "abnormal") => 1,
        _ => 0,
    }
}

/// Statuses, in the words of `summary`, of what never was.
const NEVER: &[&str] = &[
    "Cancelled",
    "Declined",
    "Entered in error",
    "Not done",
    "Not taken",
    "Refuted",
];

/// Of what is not so any more, or never was.
const OVER: &[&str] = &[
    "Cancelled",
    "Completed",
    "Declined",
    "Ended",
    "Entered in error",
    "Finished",
    "Inactive",
    "Not done",
    "Not taken",
    "Refuted",
    "Rejected",
    "Remission",
    "Resolved",
    "Revoked",
    "Stopped",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn row(title: &str, status: Option<&str>, at: i64) -> RecordRow {
        RecordRow {
            connection_id: "c".into(),
            resource_type: "Observation".into(),
            id: format!("{title}-{at}"),
            version_id: None,
            last_updated: None,
            fetched_at: String::new(),
            malformed: None,
            section: String::new(),
            title: title.into(),
            code: None,
            subtitle: None,
            status: status.map(str::to_owned),
            date_start: None,
            date_end: None,
            date_sort: Some(at),
            date_precision: None,
            value_text: Some("1".into()),
            value_number: None,
            unit: None,
            range_text: None,
            flag: None,
            performer: None,
            withdrawn_at: None,
        }
    }

    fn titles(kind: OverviewKind, rows: Vec<RecordRow>) -> Vec<String> {
        let listed = rows.into_iter().map(|row| Listed { row, also: vec![] });
        let chosen = choose(kind, listed.collect(), 1000);
        chosen.into_iter().map(|listed| listed.row.id).collect()
    }

    #[test]
    fn a_problem_that_is_resolved_or_refuted_or_gone_is_not_on_the_first_page() {
        let mut gone = row("Cough", Some("Active"), 4);
        gone.withdrawn_at = Some("2026-05-01T00:00:00Z".into());
        let rows = vec![
            row("Asthma", Some("Active"), 9),
            row("Asthma", Some("Active"), 8),
            row("Flu", Some("Resolved"), 7),
            row("Gout", Some("Refuted"), 6),
            row("Unsaid", None, 5),
            gone,
        ];
        assert_eq!(
            titles(OverviewKind::Problems, rows),
            ["Asthma-9", "Unsaid-5"]
        );
    }

    #[test]
    fn of_each_test_the_last_result_and_first_what_stands_out() {
        let flagged = |title: &str, at, flag: &str| RecordRow {
            flag: Some(flag.into()),
            ..row(title, None, at)
        };
        let rows = vec![
            row("Sodium", None, 9),
            flagged("Potassium", 8, "high"),
            flagged("Sodium", 7, "criticalLow"),
            flagged("Glucose", 6, "criticalHigh"),
            RecordRow {
                value_text: None,
                ..row("Comment", None, 5)
            },
            row("Calcium", Some("Entered in error"), 4),
        ];
        assert_eq!(
            titles(OverviewKind::Labs, rows),
            ["Glucose-6", "Potassium-8", "Sodium-9"]
        );
    }

    #[test]
    fn the_next_visit_comes_first_and_a_cancelled_one_not_at_all() {
        let rows = || {
            vec![
                row("Surgery", Some("Planned"), 3000),
                row("Check-up", Some("Planned"), 2000),
                row("Dentist", Some("Cancelled"), 1500),
                row("Past", Some("Finished"), 900),
            ]
        };
        assert_eq!(
            titles(OverviewKind::Upcoming, rows()),
            ["Check-up-2000", "Surgery-3000"]
        );
        assert_eq!(titles(OverviewKind::Visits, rows()), ["Past-900"]);
    }
}
