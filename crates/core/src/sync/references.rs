//! The last step of a sync: the contents of documents (`attachments`), and what records refer to
//! (practitioners, organizations, medications), each read once (US Core, "Client Best Practices").

use super::fetch::FetchError;
use super::kinds::REFERENCED_TYPES;
use super::plan::SyncStep;
use super::run::Run;
use crate::engine::lock;
use crate::problem::Problem;
use crate::summary;
use futures::StreamExt;
use satchel_smart::fhir::bundle::{Entry, RawResource, SearchPage};
use satchel_smart::fhir::client::FhirError;
use satchel_smart::http::HttpError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Reads in flight.
const CONCURRENCY: usize = 6;
/// Records written together.
const BATCH: usize = 50;
/// More refusals than this are the server's way, and no bad moment.
const ASKED_TWICE: usize = 50;
/// Practitioner → organization → location, and no further.
const ROUNDS: usize = 4;

type Target = (String, String);
/// A target, and the version of it that is here.
type Wanted = (Target, Option<String>);

impl Run {
    pub(crate) async fn follow_references(
        self: &Arc<Self>,
        step: &SyncStep,
    ) -> Result<(), FetchError> {
        // What was read once is looked at again now and then, and sent only if it changed; so is
        // everything after a run that did not come to its end here (its mark is off, see `prepare`).
        let look_again = self.marks.is_due(&step.key);
        if self.resumed || (look_again && self.marks.are_there()) {
            self.collect_from_store().await?;
        }
        let mut missed = Missed {
            failed: self.follow_documents(step).await?,
            ..Missed::default()
        };
        let mut tried: BTreeSet<Target> = BTreeSet::new();
        for _ in 0..ROUNDS {
            let wanted = self.wanted(&tried, look_again).await?;
            if wanted.is_empty() {
                break;
            }
            tried.extend(wanted.iter().map(|(target, _)| target.clone()));
            self.read_all(step, wanted, &mut missed).await?;
        }
        // What was refused is asked for once more: it may have been a bad moment.
        if missed.refused.len() <= ASKED_TWICE {
            let refused = std::mem::take(&mut missed.refused);
            self.read_all(step, refused, &mut missed).await?;
        }
        self.name_medications().await?;
        if let Some(error) = missed.failed {
            return Err(error);
        }
        let gone = missed.refused.len();
        if gone > 0 {
            let remark = format!("{gone} records that others refer to are not to be had");
            lock(&self.tally).remark(&step.key, vec![remark]);
            if !self.last.dangling {
                // The first time this is believed only until the next run, which looks at everything again.
                return Ok(());
            }
        }
        let now = self.engine.now();
        self.keep_mark(step, "", Some(now), look_again).await
    }

    /// A run that was resumed did not see the records of its first half: look at what is stored.
    async fn collect_from_store(&self) -> Result<(), FetchError> {
        let mut rows = self.engine.inner.store.export(Some(&self.connection_id));
        while let Some(row) = rows.next().await {
            let (resource_type, _, json) = row.map_err(Problem::from)?;
            lock(&self.met).extend(summary::of(&resource_type, &json).references);
        }
        Ok(())
    }

    /// References met, of the types that are followed and allowed by the scopes: those not stored, and
    /// where `look_again` those that may have changed since.
    async fn wanted(
        &self,
        tried: &BTreeSet<Target>,
        look_again: bool,
    ) -> Result<Vec<Wanted>, FetchError> {
        let met: Vec<Target> = {
            let met = lock(&self.met);
            let targets: BTreeSet<Target> = met
                .iter()
                .filter_map(|reference| self.target_of(reference))
                .filter(|target| !tried.contains(target))
                .collect();
            targets.into_iter().collect()
        };
        let stored = self
            .engine
            .inner
            .store
            .records_find(&self.connection_id, &met)
            .await
            .map_err(Problem::from)?;
        let stored: BTreeMap<Target, Option<String>> = stored
            .into_iter()
            .map(|row| ((row.resource_type, row.id), row.version_id))
            .collect();
        let wanted = met
            .into_iter()
            .filter_map(|target| match stored.get(&target) {
                None => Some((target, None)),
                Some(Some(version)) if look_again => Some((target, Some(version.clone()))),
                // Without a version it would be sent again.
                Some(_) => None,
            });
        Ok(wanted.collect())
    }

    /// `Type/id`, relative or absolute at this server; anything else is not fetched (checklist G3).
    fn target_of(&self, reference: &str) -> Option<Target> {
        let (resource_type, id) = local_target(reference, self.base.as_str())?;
        let followed = REFERENCED_TYPES.contains(&resource_type.as_str());
        (followed && self.granted.allows_read(&resource_type)).then_some((resource_type, id))
    }

    /// Reads each; one that cannot be read fails alone.
    async fn read_all(
        self: &Arc<Self>,
        step: &SyncStep,
        wanted: Vec<Wanted>,
        missed: &mut Missed,
    ) -> Result<(), FetchError> {
        let total = wanted.len();
        let mut done = 0;
        let mut batch: Vec<RawResource> = Vec::new();
        let mut reads = futures::stream::iter(wanted)
            .map(|wanted| async move {
                let ((resource_type, id), version) = &wanted;
                let read = self.fetch_record(resource_type, id, version.as_deref());
                (read.await, wanted)
            })
            .buffer_unordered(CONCURRENCY);
        while let Some((read, wanted)) = reads.next().await {
            done += 1;
            match read {
                Ok(record) => batch.extend(record),
                Err(error) if is_fact(&error) => {
                    tracing::debug!("a referenced record is not to be had");
                    missed.refused.push(wanted);
                }
                Err(error) if only_this_one(&error) => {
                    tracing::debug!("a referenced record could not be read");
                    missed.failed.get_or_insert(error);
                }
                Err(error) => {
                    self.save_batch(step, &mut batch).await?;
                    return Err(error);
                }
            }
            lock(&self.tally).share(&step.key, done, total);
            if batch.len() >= BATCH {
                self.save_batch(step, &mut batch).await?;
            }
        }
        self.save_batch(step, &mut batch).await?;
        Ok(())
    }

    async fn save_batch(
        self: &Arc<Self>,
        step: &SyncStep,
        batch: &mut Vec<RawResource>,
    ) -> Result<(), Problem> {
        if batch.is_empty() {
            return Ok(());
        }
        let entries = batch.drain(..).map(Entry::Resource).collect();
        self.save_page(
            step,
            SearchPage {
                entries,
                ..SearchPage::default()
            },
        )
        .await
    }
}

/// What could not be read.
#[derive(Default)]
struct Missed {
    /// What the server does not have, or does not give.
    refused: Vec<Wanted>,
    /// Why the first of those failed that may be there the next time.
    failed: Option<FetchError>,
}

/// A dangling or refused reference is a fact about the record, not a failure of the sync.
fn is_fact(error: &FetchError) -> bool {
    !matches!(error, FetchError::Problem(_)) && error.is_refusal()
}

/// What went wrong with one record says nothing about the others.
fn only_this_one(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Fhir(
            FhirError::NotJson { .. }
                | FhirError::Truncated
                | FhirError::UnexpectedResource { .. }
                | FhirError::Http(HttpError::Redirect { .. } | HttpError::TooLarge { .. })
                | FhirError::Outcome { .. }
                | FhirError::UnexpectedStatus(_)
        )
    )
}

/// The type and id of a literal reference to this server.
pub(crate) fn local_target(reference: &str, base: &str) -> Option<(String, String)> {
    let base = base.trim_end_matches('/');
    let relative = match reference.strip_prefix(base) {
        Some(rest) => rest.strip_prefix('/')?,
        None if reference.contains(':') || reference.starts_with('#') => return None,
        None => reference,
    };
    let mut parts = relative.split('/');
    let (resource_type, id) = (parts.next()?, parts.next()?);
    let versioned = match parts.next() {
        None => true,
        Some(word) => word == "_history",
    };
    let typed = resource_type
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_uppercase())
        && resource_type.chars().all(|c| c.is_ascii_alphanumeric());
    let safe = !id.is_empty() && !id.contains(['?', '#', '%', '\\']) && id != "." && id != "..";
    (versioned && typed && safe).then(|| (resource_type.to_owned(), id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::local_target;

    #[test]
    fn g18_only_references_to_this_server_are_followed() {
        let base = "https://ehr.example/fhir";
        let target = |text: &str| local_target(text, base).map(|(t, i)| format!("{t}/{i}"));
        assert_eq!(target("Practitioner/1").as_deref(), Some("Practitioner/1"));
        assert_eq!(
            target("https://ehr.example/fhir/Practitioner/1").as_deref(),
            Some("Practitioner/1")
        );
        assert_eq!(
            target("Practitioner/1/_history/4").as_deref(),
            Some("Practitioner/1")
        );
        for other in [
            "https://evil.example/fhir/Practitioner/1",
            "https://ehr.example/fhirx/Practitioner/1",
            "urn:uuid:9f0e960d-8ae4-46f4-8e1a-462392192aca",
            "#contained",
            "practitioner",
            "Practitioner/..",
            "Practitioner/1?x=y",
            "",
        ] {
            assert_eq!(target(other), None, "{other}");
        }
    }
}
