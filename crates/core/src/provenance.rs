//! Who says so: the Provenance records that came along with others (US Core, Basic Provenance; checklist
//! G19). One Provenance may stand for many records.

use crate::engine::Engine;
use crate::problem::Result;
use crate::summary::read::{concept, list, reference_words, string};
use crate::sync::references::local_target;
use crate::view::{ProvenanceAgentView, ProvenanceView, RecordKey};
use serde_json::Value;

/// A record has few; a server that sends thousands is not read to the end.
const LIMIT: u32 = 50;

impl Engine {
    pub(crate) async fn provenance_of(
        &self,
        key: &RecordKey,
        base: &str,
    ) -> Result<Vec<ProvenanceView>> {
        let store = &self.inner.store;
        // The end of the reference, so that relative and absolute ones are found; checked below.
        let words = format!("{}/{}", key.resource_type, key.id);
        let found = store
            .records_holding(&key.connection_id, "Provenance", &words, LIMIT)
            .await?;
        let mut views = Vec::new();
        for (_, json) in found {
            let value: Value = serde_json::from_str(&json).unwrap_or(Value::Null);
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
