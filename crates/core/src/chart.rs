//! Reading what is stored: connections, charts, lists, records. Works without a network.

use crate::access;
use crate::connection::ConnectionState;
use crate::engine::{Engine, lock};
use crate::login::state_of;
use crate::patient;
use crate::problem::{Problem, ProblemCode, Result};
use crate::session;
use crate::summary;
use crate::sync::references::local_target;
use crate::view::{
    ChartSectionView, ChartView, ConnectionStateView, ConnectionView, Flag, PatientHeaderView,
    ProblemView, Reachability, RecordDateView, RecordDetailView, RecordFilter, RecordKey,
    RecordPageView, RecordSummaryView, ReferenceView, Role, Section, SectionNoteView, StepOutcome,
    SyncReportView,
};
use satchel_smart::scope::Scopes;
use satchel_store::{ConnectionRow, RecordRow};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Every section there is.
pub(crate) fn all_sections() -> impl Iterator<Item = Section> {
    let others = ALWAYS.iter().chain(WHEN_THERE).copied();
    std::iter::once(Section::Patient).chain(others)
}

/// Sections that every chart shows, also when they are empty.
const ALWAYS: &[Section] = &[
    Section::Problems,
    Section::Medications,
    Section::Allergies,
    Section::Immunizations,
    Section::Labs,
    Section::Vitals,
    Section::Procedures,
    Section::Encounters,
    Section::Documents,
    Section::CarePlans,
    Section::Goals,
];

/// Sections that are shown when they hold something.
const WHEN_THERE: &[Section] = &[
    Section::Observations,
    Section::Orders,
    Section::CareTeam,
    Section::FamilyHistory,
    Section::Devices,
    Section::Insurance,
    Section::PeopleAndPlaces,
    Section::Other,
];

/// The stored word of an enum of [`crate::view`].
pub(crate) fn word_of<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn from_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

impl Engine {
    /// All connections, in the order in which they were made.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn connections(&self) -> Result<Vec<ConnectionView>> {
        let mut views = Vec::new();
        for row in self.inner.store.connections_list().await? {
            views.push(self.connection_view(&row).await?);
        }
        Ok(views)
    }

    /// One connection.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn connection(&self, connection_id: &str) -> Result<ConnectionView> {
        let row = self.connection_row(connection_id).await?;
        self.connection_view(&row).await
    }

    async fn connection_view(&self, row: &ConnectionRow) -> Result<ConnectionView> {
        let state = state_of(row);
        let tokens = self.inner.store.tokens_get(&row.id).await?;
        let granted = tokens
            .as_ref()
            .map(|tokens| scopes_in_words(&tokens.scope))
            .unwrap_or_default();
        let access = tokens
            .as_ref()
            .and_then(|tokens| access::view_of(row, tokens));
        let last_sync: Option<SyncReportView> = row
            .last_sync
            .as_deref()
            .and_then(|json| serde_json::from_str(json).ok());
        let patient_name = self.patient_header(row).await?.map(|header| header.name);
        let record_count = self.inner.store.record_count(Some(&row.id)).await?;
        Ok(ConnectionView {
            id: row.id.clone(),
            fhir_base: row.fhir_base.clone(),
            server_name: row.server_name.clone(),
            role: Role::parse(&row.role),
            state: match state {
                ConnectionState::New => ConnectionStateView::New,
                ConnectionState::Authorizing { .. } => ConnectionStateView::Authorizing,
                ConnectionState::Connected => ConnectionStateView::Connected,
                ConnectionState::AccessLost { .. } => ConnectionStateView::AccessLost,
            },
            problem: match state {
                ConnectionState::AccessLost { reason } => Some(session::lost(reason).view()),
                _ => None,
            },
            reachability: lock(&self.inner.reachability)
                .get(&row.id)
                .copied()
                .unwrap_or(Reachability::Unknown),
            signed_in_as: access::signed_in_as(row, patient_name.as_deref()),
            patient_name,
            granted,
            access,
            last_synced_at: row.last_synced_at.clone(),
            last_sync,
            syncing: lock(&self.inner.running).contains_key(&row.id),
            record_count,
            imported: crate::bulk::is_imported(&row.fhir_base),
        })
    }

    pub(crate) async fn patient_header(
        &self,
        row: &ConnectionRow,
    ) -> Result<Option<PatientHeaderView>> {
        let Some(patient_id) = &row.patient_id else {
            return Ok(None);
        };
        let stored = self
            .inner
            .store
            .record_get(&row.id, "Patient", patient_id)
            .await?;
        Ok(stored.map(|(_, json)| patient::header_of(&json, self.today())))
    }

    pub(crate) fn today(&self) -> jiff::civil::Date {
        self.now()
            .to_zoned_datetime(jiff::tz::TimeZone::system())
            .date()
    }

    /// A chart: who, which sections, and how complete each one is.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn chart(&self, connection_id: &str) -> Result<ChartView> {
        let row = self.connection_row(connection_id).await?;
        let connection = self.connection_view(&row).await?;
        let counts = self.inner.store.section_counts(connection_id).await?;
        let count_of = |section: Section| {
            let word = word_of(section);
            counts
                .iter()
                .find(|(name, _)| *name == word)
                .map_or(0, |(_, count)| *count)
        };
        let report = connection.last_sync.as_ref();
        let sections = sections_of(count_of)
            .into_iter()
            .map(|section| section_view(section, count_of(section), report))
            .collect();
        Ok(ChartView {
            patient: self.patient_header(&row).await?,
            connection,
            others: Vec::new(),
            person: None,
            sections,
        })
    }

    /// A page of records, newest first, undated ones last. `limit` is at most 1,000.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn records_list(
        &self,
        filter: &RecordFilter,
        offset: u64,
        limit: u64,
    ) -> Result<RecordPageView> {
        let page = self
            .inner
            .store
            .records_list(&stored_filter(filter), offset, limit.min(1000))
            .await?;
        let names = self.server_names().await?;
        Ok(RecordPageView {
            rows: page
                .rows
                .into_iter()
                .map(|row| summary_view(row, &names))
                .collect(),
            total: page.total,
        })
    }

    /// One record, whole.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn record_get(&self, key: &RecordKey) -> Result<RecordDetailView> {
        let (row, json) = self.stored_record(key).await?;
        let names = self.server_names().await?;
        let references = self.resolve_references(key, &json).await?;
        let base = self.connection_row(&key.connection_id).await?.fhir_base;
        let provenance = self.provenance_of(key, &base).await?;
        let originals = self.originals_of(key, &names).await?;
        Ok(RecordDetailView {
            provenance,
            originals,
            fetched_at: row.fetched_at.clone(),
            last_updated: row.last_updated.clone(),
            summary: summary_view(row, &names),
            json,
            references,
        })
    }

    /// The record with this type and id, from any connection. `Type/id` is not unique across servers, so
    /// none is given where several have one.
    ///
    /// # Errors
    /// `record.not_found` when no connection has it, `record.several_sources`, `store.*`.
    pub async fn record_find(&self, resource_type: &str, id: &str) -> Result<RecordDetailView> {
        let mut found = Vec::new();
        for row in self.inner.store.connections_list().await? {
            let key = RecordKey {
                connection_id: row.id,
                resource_type: resource_type.to_owned(),
                id: id.to_owned(),
            };
            if self
                .inner
                .store
                .record_get(&key.connection_id, resource_type, id)
                .await?
                .is_some()
            {
                found.push(key);
            }
        }
        match found.as_slice() {
            [] => Err(Problem::new(ProblemCode::NotFound)),
            [key] => self.record_get(key).await,
            several => {
                let ids: Vec<&str> = several
                    .iter()
                    .map(|key| key.connection_id.as_str())
                    .collect();
                Err(Problem::with_detail(
                    ProblemCode::SeveralSources,
                    format!("connections {}", ids.join(", ")),
                ))
            }
        }
    }

    pub(crate) async fn stored_record(&self, key: &RecordKey) -> Result<(RecordRow, String)> {
        self.inner
            .store
            .record_get(&key.connection_id, &key.resource_type, &key.id)
            .await?
            .ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }

    async fn resolve_references(&self, key: &RecordKey, json: &str) -> Result<Vec<ReferenceView>> {
        let base = self.connection_row(&key.connection_id).await?.fhir_base;
        let references = summary::of(&key.resource_type, json).references;
        let targets: Vec<(String, (String, String))> = references
            .into_iter()
            .filter_map(|reference| {
                local_target(&reference, &base).map(|target| (reference, target))
            })
            .collect();
        let wanted: Vec<(String, String)> =
            targets.iter().map(|(_, target)| target.clone()).collect();
        let found = self
            .inner
            .store
            .records_find(&key.connection_id, &wanted)
            .await?;
        Ok(targets
            .into_iter()
            .filter_map(|(reference, (resource_type, id))| {
                let row = found
                    .iter()
                    .find(|row| row.resource_type == resource_type && row.id == id)?;
                Some(ReferenceView {
                    reference,
                    title: row.title.clone(),
                    key: RecordKey {
                        connection_id: key.connection_id.clone(),
                        resource_type,
                        id,
                    },
                })
            })
            .collect())
    }

    pub(crate) async fn server_names(&self) -> Result<Vec<(String, String)>> {
        let rows = self.inner.store.connections_list().await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, row.server_name))
            .collect())
    }
}

pub(crate) fn stored_filter(filter: &RecordFilter) -> satchel_store::RecordFilter {
    satchel_store::RecordFilter {
        connection_id: filter.connection_id.clone(),
        sections: filter.section.map(word_of).into_iter().collect(),
        resource_type: filter.resource_type.clone(),
    }
}

pub(crate) fn summary_view(row: RecordRow, names: &[(String, String)]) -> RecordSummaryView {
    let source = names
        .iter()
        .find(|(id, _)| *id == row.connection_id)
        .map(|(_, name)| name.clone())
        .unwrap_or_default();
    RecordSummaryView {
        section: from_word(&row.section).unwrap_or(Section::Other),
        title: row.title,
        subtitle: row.subtitle,
        status: row.status,
        date: row.date_start.map(|value| RecordDateView {
            value,
            end: row.date_end,
        }),
        measured: row.value_number.is_some(),
        value: row.value_text,
        range: row.range_text,
        flag: row.flag.as_deref().and_then(from_word::<Flag>),
        malformed: row.malformed,
        performer: row.performer,
        withdrawn_at: row.withdrawn_at,
        source,
        also_from: Vec::new(),
        key: RecordKey {
            connection_id: row.connection_id,
            resource_type: row.resource_type,
            id: row.id,
        },
    }
}

/// FHIR types whose sync tells about a section.
fn types_of(section: Section) -> &'static [&'static str] {
    match section {
        Section::Patient => &["Patient"],
        Section::Problems => &["Condition"],
        Section::Medications => &["MedicationRequest"],
        Section::Allergies => &["AllergyIntolerance"],
        Section::Immunizations => &["Immunization"],
        Section::Labs => &["Observation", "DiagnosticReport"],
        Section::Vitals | Section::Observations => &["Observation"],
        Section::Procedures => &["Procedure"],
        Section::Encounters => &["Encounter"],
        Section::Documents => &["DocumentReference"],
        Section::CarePlans => &["CarePlan"],
        Section::Goals => &["Goal"],
        Section::Orders => &["ServiceRequest"],
        Section::CareTeam => &["CareTeam"],
        Section::FamilyHistory => &["FamilyMemberHistory"],
        Section::Devices => &["Device"],
        Section::Insurance => &["Coverage"],
        Section::PeopleAndPlaces | Section::Other => &[],
    }
}

/// The sections of a chart with these counts: those that it always shows, and others that hold something.
pub(crate) fn sections_of(count_of: impl Fn(Section) -> u64) -> Vec<Section> {
    let there = WHEN_THERE.iter().filter(|section| count_of(**section) > 0);
    ALWAYS.iter().chain(there).copied().collect()
}

pub(crate) fn section_view(
    section: Section,
    count: u64,
    report: Option<&SyncReportView>,
) -> ChartSectionView {
    let types = types_of(section);
    let steps = report
        .map(|report| report.steps.as_slice())
        .unwrap_or_default();
    let worst = steps
        .iter()
        .filter(|step| types.contains(&step.resource_type.as_str()))
        .max_by_key(|step| gravity(step.outcome));
    let outcome = worst.map(|step| match step.outcome {
        StepOutcome::Complete | StepOutcome::Empty if count == 0 => StepOutcome::Empty,
        StepOutcome::Empty => StepOutcome::Complete,
        other => other,
    });
    let problem = worst.and_then(|step| step.problem.clone());
    ChartSectionView {
        section,
        title: summary::section_title(section).to_owned(),
        count,
        outcome,
        notes: outcome
            .and_then(|outcome| note_of(outcome, problem))
            .into_iter()
            .collect(),
    }
}

/// Why a section with this outcome is not complete.
pub(crate) const NOTES: &[(StepOutcome, &str)] = &[
    (StepOutcome::NotShared, "Not shared with Satchel."),
    (
        StepOutcome::NotOffered,
        "This server does not offer these records.",
    ),
    (
        StepOutcome::CutOff,
        "Fetching was cut off; there may be more.",
    ),
    (StepOutcome::Failed, "Fetching failed; there may be more."),
];

/// Behind what went wrong.
pub(crate) const MAY_BE_MORE: &str = "There may be more.";

fn note_of(outcome: StepOutcome, problem: Option<ProblemView>) -> Option<SectionNoteView> {
    let (_, text) = NOTES.iter().find(|(noted, _)| *noted == outcome)?;
    let problem = problem.filter(|_| outcome == StepOutcome::Failed);
    let text = match &problem {
        Some(problem) => format!("{} {MAY_BE_MORE}", problem.message),
        None => (*text).to_owned(),
    };
    Some(SectionNoteView {
        source: None,
        outcome,
        problem,
        text,
    })
}

pub(crate) fn gravity(outcome: StepOutcome) -> u8 {
    match outcome {
        StepOutcome::Empty => 0,
        StepOutcome::NotOffered => 1,
        StepOutcome::Complete => 2,
        StepOutcome::NotShared => 3,
        StepOutcome::CutOff => 4,
        StepOutcome::Failed => 5,
    }
}

/// Of a scope that is for everything.
pub(crate) const ALL_KINDS: &str = "All kinds of records";

/// Scopes in plain words, each kind of record once.
fn scopes_in_words(granted: &str) -> Vec<String> {
    let scopes = Scopes::parse(granted);
    if scopes.allows_read("*") {
        return vec![ALL_KINDS.to_owned()];
    }
    let mut words: Vec<String> = Vec::new();
    for step_type in crate::sync::kinds::patient_types() {
        if scopes.allows_read(step_type) {
            let name = crate::sync::report::step_name(step_type).to_owned();
            if !words.contains(&name) {
                words.push(name);
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_enums_survive_storage() {
        assert_eq!(
            from_word::<Section>(&word_of(Section::CarePlans)),
            Some(Section::CarePlans)
        );
        assert_eq!(
            from_word::<Flag>(&word_of(Flag::CriticalHigh)),
            Some(Flag::CriticalHigh)
        );
        assert_eq!(from_word::<Section>("nonsense"), None);
    }
}
