//! Making the groups of a person anew when their records changed.

use super::fact::{Fact, fact_of, medication_reference};
use super::group::{Apart, Statement, groups};
use crate::chart::word_of;
use crate::engine::{Engine, lock};
use crate::problem::{Problem, ProblemCode, Result};
use crate::sync::references::local_target;
use crate::view::{Event, Section};
use satchel_store::{FactIn, UnreadFactRow};
use serde_json::Value;
use std::collections::HashMap;

/// Sections in which records of two sources may say the same.
const SECTIONS: &[Section] = &[
    Section::Problems,
    Section::Medications,
    Section::Allergies,
    Section::Immunizations,
    Section::Labs,
];
/// Records read at a time.
const AT_A_TIME: usize = 500;
/// Facts read at a time.
const FACTS: u32 = 20_000;

/// What was read in this pass and depends on other records.
type Passing = HashMap<i64, Fact>;

impl Engine {
    /// Makes the groups of a person anew, if anything changed since they were made. While one of the
    /// sources is being synced nothing is done: what changed is in no group, and the end of the sync is
    /// soon enough.
    pub(crate) async fn settle(&self, person_id: &str) -> Result<()> {
        if !self.is_stale(person_id).await? {
            return Ok(());
        }
        // One at a time: the second finds nothing left to do.
        let turn = self.inner.settling.lock().await;
        let moved = match self.is_stale(person_id).await? {
            true => self.regroup(person_id).await?,
            false => false,
        };
        drop(turn);
        if moved {
            for person in self.inner.store.people_list().await? {
                if person.id == person_id {
                    self.tell_records_changed(&person.connections);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn tell_records_changed(&self, connections: &[String]) {
        for connection_id in connections {
            self.emit(Event::RecordsChanged {
                connection_id: connection_id.clone(),
            });
        }
    }

    async fn is_stale(&self, person_id: &str) -> Result<bool> {
        let revision = self.inner.store.person_revision(person_id).await?;
        let Some((revision, grouped)) = revision else {
            return Err(Problem::new(ProblemCode::NotFound));
        };
        if revision == grouped {
            return Ok(false);
        }
        let people = self.inner.store.people_list().await?;
        let running = lock(&self.inner.running);
        Ok(!people
            .iter()
            .filter(|person| person.id == person_id)
            .flat_map(|person| &person.connections)
            .any(|connection| running.contains_key(connection)))
    }

    /// Whether a record moved into a group or out of one. Records that change meanwhile make it give up:
    /// the next reader begins anew.
    async fn regroup(&self, person_id: &str) -> Result<bool> {
        let store = &self.inner.store;
        let Some((revision, _)) = store.person_revision(person_id).await? else {
            return Ok(false);
        };
        let sections: Vec<String> = SECTIONS.iter().copied().map(word_of).collect();
        let unread = store.facts_unread(person_id, &sections).await?;
        let mut passing = Passing::new();
        for keys in unread.chunks(AT_A_TIME) {
            let facts = self.read_facts(keys, &mut passing).await?;
            if !store.facts_put(person_id, revision, &facts).await? {
                return Ok(false);
            }
        }
        let (statements, before) = self.statements_of(person_id, &passing).await?;
        let apart: Apart = store.records_apart().await?.into_iter().collect();
        let found = tokio::task::spawn_blocking(move || groups(&statements, &apart))
            .await
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        let moved = moves(&found, before);
        let taken = store.groups_put(person_id, revision, &moved).await?;
        Ok(taken && !moved.is_empty())
    }

    async fn read_facts(&self, keys: &[i64], passing: &mut Passing) -> Result<Vec<FactIn>> {
        let mut facts = Vec::with_capacity(keys.len());
        for row in self.inner.store.facts_read(keys).await? {
            let json = row.json.as_deref().unwrap_or_default();
            let record: Value = serde_json::from_str(json).unwrap_or(Value::Null);
            let reference = medication_reference(&record);
            let medication = match reference {
                Some(reference) => self.medication(&row, reference).await?,
                None => None,
            };
            let fact = fact_of(&row.resource_type, &record, medication.as_ref());
            facts.push(FactIn {
                key: row.key,
                fact: fact.as_ref().map(Fact::to_text).unwrap_or_default(),
                passing: reference.is_some(),
            });
            if let (Some(fact), true) = (fact, reference.is_some()) {
                passing.insert(row.key, fact);
            }
        }
        Ok(facts)
    }

    async fn medication(&self, row: &UnreadFactRow, reference: &str) -> Result<Option<Value>> {
        let base = self.connection_row(&row.connection_id).await?.fhir_base;
        let Some((resource_type, id)) = local_target(reference, &base) else {
            return Ok(None);
        };
        let stored = self
            .inner
            .store
            .record_get(&row.connection_id, &resource_type, &id)
            .await?;
        Ok(stored.and_then(|(_, json)| serde_json::from_str(&json).ok()))
    }

    /// What the records of a person say, and the group that each is in.
    async fn statements_of(
        &self,
        person_id: &str,
        passing: &Passing,
    ) -> Result<(Vec<Statement>, HashMap<i64, i64>)> {
        let (mut statements, mut before) = (Vec::new(), HashMap::new());
        let mut after = i64::MIN;
        loop {
            let rows = self.inner.store.facts_list(person_id, after, FACTS).await?;
            let Some(last) = rows.last() else {
                return Ok((statements, before));
            };
            after = last.key;
            for row in rows {
                if let Some(group) = row.group_key {
                    before.insert(row.key, group);
                }
                let kept = row.fact.as_deref().and_then(Fact::of_text);
                if let Some(fact) = kept.or_else(|| passing.get(&row.key).cloned()) {
                    let changed = row.last_updated.as_deref();
                    let changed = changed.and_then(|text| text.parse::<jiff::Timestamp>().ok());
                    statements.push(Statement {
                        key: row.key,
                        source: row.source,
                        fact,
                        changed: changed.map(jiff::Timestamp::as_millisecond),
                    });
                }
            }
        }
    }
}

/// What is to be moved from the groups of before to those that were found.
fn moves(found: &[Vec<i64>], mut before: HashMap<i64, i64>) -> Vec<(i64, Option<i64>)> {
    let mut moved = Vec::new();
    for group in found {
        let Some(first) = group.first() else {
            continue;
        };
        for key in group {
            if before.remove(key) != Some(*first) {
                moved.push((*key, Some(*first)));
            }
        }
    }
    moved.extend(before.into_keys().map(|key| (key, None)));
    moved.sort_unstable();
    moved
}
