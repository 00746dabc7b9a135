//! One person's records from several connections.
//!
//! Which connections are of one person is said by the person, never guessed: [`Engine::people`] proposes
//! those whose patients agree in name, birth date and sex, [`Engine::people_join`] takes the person's
//! yes, [`Engine::people_split`] takes it back. Connections that cannot be of one person are refused:
//! other birth dates, other patients of one server, and those that hold many people.

use crate::chart::{section_view, sections_of, summary_view, word_of};
use crate::engine::Engine;
use crate::patient;
use crate::problem::{Problem, ProblemCode, Result};
use crate::summary::section_title;
use crate::view::{
    AlsoFromView, ChartOf, ChartSectionView, ChartView, Event, OriginalsView, PeopleView,
    PersonSourceView, PersonView, RecordFilter, RecordKey, RecordPageView, RecordSummaryView, Role,
    SamePersonView, Section, SectionNoteView, StepOutcome,
};
use satchel_store::{ConnectionRow, PersonRow, RecordRow};

/// A connection of one patient, and who that is.
struct OnePatient {
    row: ConnectionRow,
    patient_id: String,
    identity: patient::Identity,
    view: PersonSourceView,
}

impl Engine {
    /// People with several sources, and connections that may be of one person.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn people(&self) -> Result<PeopleView> {
        let patients = self.patients_known().await?;
        let people = self.inner.store.people_list().await?;
        let refused = self.inner.store.connections_apart().await?;
        let together = |one: &str, other: &str| {
            people.iter().any(|person| {
                let has = |id: &str| person.connections.iter().any(|held| held == id);
                has(one) && has(other)
            })
        };
        let mut suggested = Vec::new();
        for (at, one) in patients.iter().enumerate() {
            for other in &patients[at + 1..] {
                let (first, second) = (&one.row.id, &other.row.id);
                let may_be = one.identity.agrees_with(&other.identity)
                    && refusal(one, other).is_none()
                    && !together(first, second);
                if may_be {
                    suggested.push(SamePersonView {
                        one: one.view.clone(),
                        other: other.view.clone(),
                        refused: refused
                            .iter()
                            .any(|(a, b)| (a, b) == (first, second) || (b, a) == (first, second)),
                    });
                }
            }
        }
        Ok(PeopleView {
            people: people
                .iter()
                .map(|person| person_view(person, &patients))
                .collect(),
            suggested,
        })
    }

    /// Two connections are of one person, says the person; and so are all that are of the same person as
    /// one of them.
    ///
    /// # Errors
    /// `people.differ` when they cannot be; `record.not_found`, `store.*`.
    pub async fn people_join(&self, one: &str, other: &str) -> Result<PersonView> {
        let (one, other) = (
            self.connection_row(one).await?.id,
            self.connection_row(other).await?.id,
        );
        let people = self.inner.store.people_list().await?;
        let mut wanted = vec![one, other];
        for person in &people {
            if person.connections.iter().any(|id| wanted.contains(id)) {
                wanted.extend(person.connections.iter().cloned());
            }
        }
        wanted.sort();
        wanted.dedup();
        let patients: Vec<OnePatient> = self.patients_known().await?;
        let theirs: Vec<&OnePatient> = patients
            .iter()
            .filter(|patient| wanted.contains(&patient.row.id))
            .collect();
        if theirs.len() < wanted.len() || wanted.len() < 2 {
            return Err(differ(
                "one of them is not the records of one known patient",
            ));
        }
        for (at, one) in theirs.iter().enumerate() {
            if let Some(reason) = theirs[at + 1..]
                .iter()
                .find_map(|other| refusal(one, other))
            {
                return Err(differ(reason));
            }
        }
        let mut bytes = [0_u8; 16];
        self.inner.random.fill(&mut bytes);
        let id = uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string();
        let pairs: Vec<(String, String)> = theirs
            .iter()
            .map(|patient| (patient.row.id.clone(), patient.patient_id.clone()))
            .collect();
        self.inner.store.people_join(&id, &pairs).await?;
        self.tell_people_changed(&wanted);
        let person = PersonRow {
            id,
            connections: pairs.into_iter().map(|(id, _)| id).collect(),
        };
        Ok(person_view(&person, &patients))
    }

    /// A connection is not of that person, says the person: its records stand by themselves again.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn people_split(&self, connection_id: &str) -> Result<()> {
        self.connection_row(connection_id).await?;
        let people = self.inner.store.people_list().await?;
        self.inner.store.people_split(connection_id).await?;
        let theirs = people
            .into_iter()
            .map(|person| person.connections)
            .find(|connections| connections.iter().any(|id| id == connection_id));
        self.tell_people_changed(&theirs.unwrap_or_default());
        Ok(())
    }

    /// Two connections are not of one person, says the person: it is not proposed again.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn people_keep_apart(&self, one: &str, other: &str) -> Result<()> {
        self.connection_row(one).await?;
        self.connection_row(other).await?;
        self.inner.store.connections_keep_apart(one, other).await?;
        self.tell_people_changed(&[]);
        Ok(())
    }

    /// The chart of a person over all sources: each section counts a group once, and says of each source
    /// how complete it is.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn person_chart(&self, person_id: &str) -> Result<ChartView> {
        self.settle(person_id).await?;
        let person = self.person_row(person_id).await?;
        let counts = self.inner.store.person_counts(person_id).await?;
        let mut charts = Vec::with_capacity(person.connections.len());
        for connection_id in &person.connections {
            charts.push(self.chart(connection_id).await?);
        }
        let patients = self.patients_known().await?;
        let count_of = |section| {
            let word = word_of(section);
            let count = counts.iter().find(|(name, _)| *name == word);
            count.map_or(0, |(_, count)| *count)
        };
        let sections = sections_of(count_of)
            .into_iter()
            .map(|section| {
                let parts: Vec<(&str, ChartSectionView)> = charts
                    .iter()
                    .map(|chart| {
                        let own = chart.sections.iter().find(|own| own.section == section);
                        let own = own.cloned().unwrap_or_else(|| {
                            section_view(section, 0, chart.connection.last_sync.as_ref())
                        });
                        (chart.connection.server_name.as_str(), own)
                    })
                    .collect();
                over_sources(section, count_of(section), &parts)
            })
            .collect();
        let view = person_view(&person, &patients);
        let patient = charts.iter().find_map(|chart| chart.patient.clone());
        let mut connections = charts.into_iter().map(|chart| chart.connection);
        let connection = connections
            .next()
            .ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
        Ok(ChartView {
            connection,
            others: connections.collect(),
            person: Some(view),
            patient,
            sections,
        })
    }

    /// A page of a person's records over all sources, newest first, undated ones last; each group as one
    /// row. `limit` is at most 1,000; of the filter, section and type count.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn person_records(
        &self,
        person_id: &str,
        filter: &RecordFilter,
        offset: u64,
        limit: u64,
    ) -> Result<RecordPageView> {
        self.settle(person_id).await?;
        let section = filter.section.map(word_of);
        let page = self
            .inner
            .store
            .person_records(
                person_id,
                section.as_deref(),
                filter.resource_type.as_deref(),
                (offset, limit.min(1000)),
            )
            .await?;
        let names = self.server_names().await?;
        let rows = page.rows.into_iter().map(|group| {
            let also = group
                .others
                .iter()
                .map(|other| also_from(other, &group.row, &names))
                .collect();
            RecordSummaryView {
                also_from: also,
                ..summary_view(group.row, &names)
            }
        });
        Ok(RecordPageView {
            rows: rows.collect(),
            total: page.total,
        })
    }

    /// The originals of a record, and those that the person keeps apart from it.
    pub(crate) async fn originals_of(
        &self,
        key: &RecordKey,
        names: &[(String, String)],
    ) -> Result<OriginalsView> {
        let store = &self.inner.store;
        let views = |rows: Vec<RecordRow>| {
            let views = rows.into_iter().map(|row| summary_view(row, names));
            views.collect()
        };
        Ok(OriginalsView {
            same: views(store.group_of(identity(key)).await?),
            apart: views(store.kept_apart_from(identity(key)).await?),
        })
    }

    /// The records of the group of this one are not the same, says the person: each stands by itself from
    /// now on.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn records_take_apart(&self, key: &RecordKey) -> Result<()> {
        self.stored_record(key).await?;
        self.inner.store.group_apart(identity(key)).await?;
        self.tell_group_changed(key).await
    }

    /// The records that were taken apart from this one may be the same again, says the person.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn records_put_together(&self, key: &RecordKey) -> Result<()> {
        self.stored_record(key).await?;
        self.inner.store.group_together(identity(key)).await?;
        for person in self.inner.store.people_list().await? {
            if person.connections.contains(&key.connection_id) {
                self.settle(&person.id).await?;
            }
        }
        self.tell_group_changed(key).await
    }

    async fn tell_group_changed(&self, key: &RecordKey) -> Result<()> {
        for person in self.inner.store.people_list().await? {
            if person.connections.contains(&key.connection_id) {
                self.tell_records_changed(&person.connections);
            }
        }
        Ok(())
    }

    fn tell_people_changed(&self, connections: &[String]) {
        self.tell_records_changed(connections);
        self.emit(Event::ConnectionsChanged);
    }

    /// The connections that a chart is made of.
    pub(crate) async fn connections_of(&self, of: &ChartOf) -> Result<Vec<String>> {
        match of {
            ChartOf::Connection { connection_id } => Ok(vec![connection_id.clone()]),
            ChartOf::Person { person_id } => Ok(self.person_row(person_id).await?.connections),
        }
    }

    pub(crate) async fn person_row(&self, person_id: &str) -> Result<PersonRow> {
        let people = self.inner.store.people_list().await?;
        people
            .into_iter()
            .find(|person| person.id == person_id)
            .ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }

    /// The connections that hold one patient whose record is here.
    async fn patients_known(&self) -> Result<Vec<OnePatient>> {
        let mut known = Vec::new();
        for row in self.inner.store.connections_list().await? {
            let Some(patient_id) = row.patient_id.clone() else {
                continue;
            };
            if Role::parse(&row.role) == Role::Backend || crate::bulk::is_imported(&row.fhir_base) {
                continue;
            }
            let stored = self
                .inner
                .store
                .record_get(&row.id, "Patient", &patient_id)
                .await?;
            let Some((_, json)) = stored else {
                continue;
            };
            let header = patient::header_of(&json, self.today());
            known.push(OnePatient {
                identity: patient::Identity::of(&json),
                view: PersonSourceView {
                    connection_id: row.id.clone(),
                    source: row.server_name.clone(),
                    patient_name: header.name,
                    birth_date: header.birth_date,
                    gender: header.gender,
                },
                patient_id,
                row,
            });
        }
        Ok(known)
    }
}

/// Why two connections cannot be of one person.
fn refusal(one: &OnePatient, other: &OnePatient) -> Option<&'static str> {
    if one.row.fhir_base == other.row.fhir_base && one.patient_id != other.patient_id {
        return Some("they are two patients of one server");
    }
    (!one.identity.may_be_born_with(&other.identity)).then_some("the birth dates are different")
}

fn identity(key: &RecordKey) -> (&str, &str, &str) {
    (&key.connection_id, &key.resource_type, &key.id)
}

fn differ(reason: &str) -> Problem {
    Problem::with_detail(ProblemCode::PeopleDiffer, reason)
}

fn person_view(person: &PersonRow, patients: &[OnePatient]) -> PersonView {
    let sources: Vec<PersonSourceView> = person
        .connections
        .iter()
        .filter_map(|id| patients.iter().find(|patient| patient.row.id == *id))
        .map(|patient| patient.view.clone())
        .collect();
    PersonView {
        id: person.id.clone(),
        name: sources
            .first()
            .map(|source| source.patient_name.clone())
            .unwrap_or_default(),
        sources,
    }
}

/// One section over all sources: as complete as the least complete, and why, source by source.
fn over_sources(
    section: Section,
    count: u64,
    parts: &[(&str, ChartSectionView)],
) -> ChartSectionView {
    let noted = |(source, part): &(&str, ChartSectionView)| {
        let source = (*source).to_owned();
        let notes = part.notes.clone().into_iter();
        notes.map(move |note| SectionNoteView {
            source: Some(source.clone()),
            ..note
        })
    };
    let outcomes = parts.iter().filter_map(|(_, part)| part.outcome);
    let worst = outcomes.max_by_key(|outcome| crate::chart::gravity(*outcome));
    ChartSectionView {
        section,
        title: section_title(section).to_owned(),
        count,
        // One source that does not offer it is none that is to be worried about when another does.
        outcome: match worst {
            Some(StepOutcome::Empty | StepOutcome::NotOffered) if count > 0 => {
                Some(StepOutcome::Complete)
            }
            other => other,
        },
        notes: parts.iter().flat_map(noted).collect(),
    }
}

pub(crate) fn also_from(
    other: &RecordRow,
    row: &RecordRow,
    names: &[(String, String)],
) -> AlsoFromView {
    let differs = (
        &other.status,
        &other.subtitle,
        &other.value_text,
        &other.flag,
    ) != (&row.status, &row.subtitle, &row.value_text, &row.flag);
    let view = summary_view(other.clone(), names);
    AlsoFromView {
        key: view.key,
        source: view.source,
        differs,
    }
}
