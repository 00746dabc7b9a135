//! What a sync brought: what is new, what its source changed, member by member, and what it no longer
//! gives.

use crate::chart::summary_view;
use crate::engine::Engine;
use crate::problem::Result;
use crate::view::{ChangedFieldView, ChangedRecordView, ChangesView, SyncReportView};
use serde_json::Value;
use std::collections::BTreeMap;

/// Records of one kind of change that are told one by one.
const LIMIT: u32 = 200;
/// Members that are told of one record.
const FIELDS: usize = 40;
/// Letters of a value.
const LETTERS: usize = 200;
const DEPTH: usize = 30;

impl Engine {
    /// What the last sync of a connection changed. The first one brings everything; then there is nothing
    /// to tell, and all lists are empty.
    ///
    /// # Errors
    /// `access.not_connected`, `store.*`.
    pub async fn changes(&self, connection_id: &str) -> Result<ChangesView> {
        let row = self.connection_row(connection_id).await?;
        let report = row
            .last_sync
            .as_deref()
            .and_then(|json| serde_json::from_str::<SyncReportView>(json).ok());
        let Some(report) = report.filter(|report| report.had_records) else {
            return Ok(ChangesView::default());
        };
        let store = &self.inner.store;
        let names = self.server_names().await?;
        let since = report.started_at.as_str();
        let new = store
            .records_after(connection_id, report.after_key, LIMIT)
            .await?;
        let withdrawn = store.records_withdrawn(connection_id, since, LIMIT).await?;
        let mut changed = Vec::new();
        for row in store.records_replaced(connection_id, since, LIMIT).await? {
            let (kind, id) = (row.resource_type.as_str(), row.id.as_str());
            let versions = store.record_versions(connection_id, kind, id).await?;
            // The oldest of those that were replaced by this sync is what stood there before it.
            let before = versions
                .iter()
                .take_while(|version| version.replaced_at.as_str() >= since)
                .last();
            let now = store.record_get(connection_id, kind, id).await?;
            if let (Some(before), Some((_, now))) = (before, now) {
                changed.push(ChangedRecordView {
                    fields: difference(&before.json, &now),
                    record: summary_view(row, &names),
                });
            }
        }
        Ok(ChangesView {
            since: Some(report.started_at.clone()),
            new: new
                .into_iter()
                .map(|row| summary_view(row, &names))
                .collect(),
            changed,
            withdrawn: withdrawn
                .into_iter()
                .map(|row| summary_view(row, &names))
                .collect(),
        })
    }
}

/// The members that differ, by their path.
fn difference(before: &str, now: &str) -> Vec<ChangedFieldView> {
    let leaves = |json: &str| {
        let mut leaves = BTreeMap::new();
        if let Ok(value) = serde_json::from_str::<Value>(json) {
            walk(&value, "", 0, &mut leaves);
        }
        leaves
    };
    let (before, now) = (leaves(before), leaves(now));
    let mut paths: Vec<&String> = before.keys().chain(now.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| before.get(*path) != now.get(*path))
        .take(FIELDS)
        .map(|path| ChangedFieldView {
            path: path.clone(),
            before: before.get(path).cloned(),
            after: now.get(path).cloned(),
        })
        .collect()
}

fn walk(value: &Value, path: &str, depth: usize, leaves: &mut BTreeMap<String, String>) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                // The narrative says again what the members say; the version changes with anything.
                if !matches!(path.as_str(), "text" | "meta") {
                    walk(member, &path, depth + 1, leaves);
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{number}]"), depth + 1, leaves);
            }
        }
        Value::Null => {}
        Value::String(text) => {
            leaves.insert(path.to_owned(), shortened(text));
        }
        other => {
            leaves.insert(path.to_owned(), other.to_string());
        }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LETTERS).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::difference;

    fn said(before: &str, now: &str) -> Vec<(String, Option<String>, Option<String>)> {
        let fields = difference(before, now).into_iter();
        fields
            .map(|field| (field.path, field.before, field.after))
            .collect()
    }

    #[test]
    fn a_change_is_told_member_by_member() {
        let before =
            r#"{"status":"preliminary","valueQuantity":{"value":7.0},"note":[{"text":"a"}]}"#;
        let now = r#"{"status":"final","valueQuantity":{"value":7.0},"issued":"2026-01-01"}"#;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            said(before, now),
            [
                ("issued".to_owned(), None, text("2026-01-01")),
                ("note[0].text".to_owned(), text("a"), None),
                ("status".to_owned(), text("preliminary"), text("final")),
            ]
        );
    }

    #[test]
    fn version_and_narrative_alone_are_no_change_and_nonsense_is_no_crash() {
        let before = r#"{"id":"1","meta":{"versionId":"1"},"text":{"div":"a"}}"#;
        let now = r#"{"id":"1","meta":{"versionId":"2"},"text":{"div":"b"}}"#;
        assert_eq!(said(before, now), []);
        assert_eq!(said("{", "[["), []);
    }
}
