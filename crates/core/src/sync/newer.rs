//! What may take the place of what is here: never an older version, and never a part of a whole
//! (checklist F21; FHIR R4, "Search", `_summary` and `_elements`). Caches and replicas at servers answer
//! with both.

use super::plan::SyncStep;
use super::run::Run;
use crate::engine::lock;
use crate::problem::{Problem, Result};
use jiff::Timestamp;
use satchel_smart::fhir::bundle::{Entry, RawResource, SearchPage, is_subsetted};
use satchel_store::RecordRow;
use std::collections::HashMap;

type Identity = (String, String);

/// Which version of a record it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) last_updated: Option<String>,
    pub(crate) version_id: Option<String>,
}

impl From<&RawResource> for Stamp {
    fn from(resource: &RawResource) -> Self {
        Self {
            last_updated: resource.last_updated.clone(),
            version_id: resource.version_id.clone(),
        }
    }
}

impl From<&RecordRow> for Stamp {
    fn from(row: &RecordRow) -> Self {
        Self {
            last_updated: row.last_updated.clone(),
            version_id: row.version_id.clone(),
        }
    }
}

/// From `meta.versionId` and `meta.lastUpdated`.
impl From<(Option<&str>, Option<&str>)> for Stamp {
    fn from((version_id, last_updated): (Option<&str>, Option<&str>)) -> Self {
        Self {
            last_updated: last_updated.map(str::to_owned),
            version_id: version_id.map(str::to_owned),
        }
    }
}

impl Stamp {
    /// Whether this is surely older: by `meta.lastUpdated`, and where that says nothing by a
    /// `meta.versionId` that counts. Where nothing is said, nothing is sure.
    pub(crate) fn is_older_than(&self, known: &Self) -> bool {
        let time = |stamp: &Self| stamp.last_updated.as_ref()?.parse::<Timestamp>().ok();
        let number = |stamp: &Self| stamp.version_id.as_ref()?.parse::<u64>().ok();
        let by_number = match (number(self), number(known)) {
            (Some(new), Some(known)) => Some(new.cmp(&known)),
            _ => None,
        };
        match (time(self), time(known)) {
            (Some(new), Some(known)) if new != known => new < known,
            (None, Some(_)) | (Some(_), None) => false,
            _ => by_number.is_some_and(std::cmp::Ordering::is_lt),
        }
    }
}

fn identity(record: &RawResource) -> Identity {
    (record.resource_type.clone(), record.id.clone())
}

fn resources(page: &SearchPage) -> impl Iterator<Item = &RawResource> {
    page.entries.iter().filter_map(|entry| match entry {
        Entry::Resource(record) => Some(record),
        Entry::Malformed { .. } | Entry::Outcome(_) => None,
    })
}

impl Run {
    /// The page with what is here in place of what is older or only a part of it, and a remark about
    /// how many those were.
    pub(super) async fn newer(&self, step: &SyncStep, page: SearchPage) -> Result<SearchPage> {
        let has_parts = resources(&page).any(|record| is_subsetted(&record.json));
        if !self.last.had_records && !has_parts {
            return Ok(page);
        }
        let mut page = page;
        let wanted: Vec<Identity> = resources(&page).map(identity).collect();
        let store = &self.engine.inner.store;
        let here = store.records_find(&self.connection_id, &wanted).await?;
        let here: HashMap<Identity, Stamp> = here
            .iter()
            .filter(|row| row.malformed.is_none())
            .map(|row| {
                let identity = (row.resource_type.clone(), row.id.clone());
                (identity, Stamp::from(row))
            })
            .collect();
        let mut left = 0_u32;
        for entry in &mut page.entries {
            let Entry::Resource(record) = entry else {
                continue;
            };
            let Some(known) = here.get(&identity(record)) else {
                continue;
            };
            if let Some(json) = self.better(record, known).await? {
                record.json = json;
                record.last_updated = known.last_updated.clone();
                record.version_id = known.version_id.clone();
                left += 1;
            }
        }
        if left > 0 {
            let remark = format!(
                "{left} of these came as an older version or a part of what is here; what is here stayed"
            );
            lock(&self.tally).remark(&step.key, vec![remark]);
        }
        Ok(page)
    }

    /// What is here, where that is better than what came.
    async fn better(&self, came: &RawResource, known: &Stamp) -> Result<Option<String>> {
        let is_older = Stamp::from(came).is_older_than(known);
        let is_part = is_subsetted(&came.json);
        if !is_older && !is_part {
            return Ok(None);
        }
        let store = &self.engine.inner.store;
        let stored = store
            .record_get(&self.connection_id, &came.resource_type, &came.id)
            .await
            .map_err(Problem::from)?;
        let here = stored.map(|(_, json)| json);
        // A part may take the place of an older part, and a whole that of any part.
        Ok(here.filter(|json| match is_subsetted(json) {
            true => is_part && is_older,
            false => true,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(last_updated: &str, version_id: &str) -> Stamp {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Stamp {
            last_updated: some(last_updated),
            version_id: some(version_id),
        }
    }

    #[test]
    fn f21_the_newer_of_two_is_known_whatever_its_offset() {
        let older = |new: &str, known: &str| stamp(new, "").is_older_than(&stamp(known, ""));
        assert!(older("2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z"));
        assert!(!older("2026-01-01T09:00:00Z", "2026-01-01T09:00:00Z"));
        assert!(!older("2026-01-01T10:00:00Z", "2026-01-01T09:00:00Z"));
        assert!(!older("", "2026-01-01T09:00:00Z"));
    }

    #[test]
    fn versions_count_where_the_time_says_nothing() {
        let time = "2026-01-01T09:00:00Z";
        assert!(stamp(time, "2").is_older_than(&stamp(time, "10")));
        assert!(stamp("", "2").is_older_than(&stamp("", "3")));
        assert!(!stamp("", "b").is_older_than(&stamp("", "c")));
        assert!(!stamp("2026-01-02T09:00:00Z", "1").is_older_than(&stamp(time, "7")));
        assert!(!stamp("", "1").is_older_than(&stamp(time, "7")));
    }
}
