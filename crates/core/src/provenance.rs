//! Who says so: the Provenance records that came along with others (US Core, Basic Provenance; checklist
//! G19). One Provenance may stand for many records.

use crate::engine::Engine;
use crate::problem::Result;
use crate::summary::read::{concept, list, reference_words, string, value_of};
use crate::sync::references::local_target;
use crate::view::{ProvenanceAgentView, ProvenanceView, RecordKey};
use serde_json::Value;

/// A record has few; a server that sends thousands is not read to the end.
const LIMIT: u32 = 50;
/// Records of an older file that are read together.
const BATCH: u32 = 500;

/// `Type/id` of each target, whatever stands before and behind it in the reference. Whether it is at this
/// server is for the reader to see.
pub(crate) fn targets_of(provenance: &Value) -> Vec<String> {
    let references = list(provenance, "target").iter();
    references
        .filter_map(|target| string(target, "reference"))
        .filter_map(|reference| {
            let bare = reference.split("/_history/").next()?;
            let mut parts = bare.rsplit('/');
            let (id, kind) = (parts.next()?, parts.next()?);
            Some(format!("{kind}/{id}"))
        })
        .collect()
}

impl Engine {
    pub(crate) async fn provenance_of(
        &self,
        key: &RecordKey,
        base: &str,
    ) -> Result<Vec<ProvenanceView>> {
        let store = &self.inner.store;
        self.read_older_provenance(&key.connection_id).await?;
        // By the end of the reference, relative or absolute; whose it is, is checked below.
        let name = format!("{}/{}", key.resource_type, key.id);
        let found = store
            .records_about(&key.connection_id, &name, LIMIT)
            .await?;
        let mut views = Vec::new();
        for (_, json) in found {
            let value = value_of(&json);
            let is_about = list(&value, "target").iter().any(|target| {
                string(target, "reference")
                    .and_then(|reference| local_target(reference, base))
                    .is_some_and(|(kind, id)| kind == key.resource_type && id == key.id)
            });
            if is_about {
                views.push(self.provenance_view(key, base, &value).await?);
            }
        }
        views.sort_by(|one, other| other.recorded.cmp(&one.recorded));
        Ok(views)
    }

    /// Provenance records that a version of before stored without saying what they are about: read once.
    async fn read_older_provenance(&self, connection_id: &str) -> Result<()> {
        let store = &self.inner.store;
        loop {
            let waiting = store
                .records_to_read(connection_id, &["Provenance"], 0, BATCH)
                .await?;
            if waiting.is_empty() {
                return Ok(());
            }
            let read: Vec<(i64, i64, Vec<String>)> = waiting
                .into_iter()
                .map(|row| {
                    let value = value_of(&row.json);
                    (row.key, row.mark, targets_of(&value))
                })
                .collect();
            store.provenance_read(&read).await?;
        }
    }

    async fn provenance_view(
        &self,
        key: &RecordKey,
        base: &str,
        value: &Value,
    ) -> Result<ProvenanceView> {
        let mut agents = Vec::new();
        for agent in list(value, "agent") {
            let who = self.name_of(key, base, agent, "who").await?;
            let behind = self.name_of(key, base, agent, "onBehalfOf").await?;
            let role = concept(agent, "type").map(str::to_owned);
            match (who, behind) {
                (Some(who), on_behalf_of) => agents.push(ProvenanceAgentView {
                    role,
                    who,
                    on_behalf_of,
                }),
                (None, Some(who)) => agents.push(ProvenanceAgentView {
                    role,
                    who,
                    on_behalf_of: None,
                }),
                (None, None) => {}
            }
        }
        Ok(ProvenanceView {
            recorded: string(value, "recorded").map(str::to_owned),
            agents,
        })
    }

    /// The display of a reference, or the name of the stored record that it leads to.
    async fn name_of(
        &self,
        key: &RecordKey,
        base: &str,
        agent: &Value,
        member: &str,
    ) -> Result<Option<String>> {
        if let Some(words) = reference_words(agent, member) {
            return Ok(Some(words.to_owned()));
        }
        let target = list(agent, member)
            .iter()
            .find_map(|reference| local_target(string(reference, "reference")?, base));
        let Some(target) = target else {
            return Ok(None);
        };
        let found = self
            .inner
            .store
            .records_find(&key.connection_id, &[target])
            .await?;
        Ok(found.into_iter().next().map(|row| row.title))
    }
}

#[cfg(test)]
mod tests {
    use super::targets_of;

    #[test]
    fn g19_what_a_provenance_is_about_is_found_however_it_is_written() {
        let provenance = serde_json::json!({"target": [
            {"reference": "Observation/o-1"},
            {"reference": "https://ehr.example/fhir/Condition/c-1/_history/2"},
            {"reference": "#contained"}, {"display": "words only"}]});
        assert_eq!(
            targets_of(&provenance),
            ["Observation/o-1", "Condition/c-1"]
        );
        assert!(targets_of(&serde_json::Value::Null).is_empty());
    }
}
