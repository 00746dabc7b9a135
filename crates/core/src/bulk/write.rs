//! From lines to records: which of them are stored, and what is said of the others (checklist F16, F21).

use super::report::FileReport;
use crate::document;
use crate::engine::Engine;
use crate::problem::Problem;
use crate::sync::newer::Stamp;
use satchel_smart::bulk::{BulkError, BulkLine, Line, LineFault, read_line};
use satchel_smart::fhir::bundle::{Entry, RawResource, SearchPage, is_subsetted};
use std::collections::{BTreeSet, HashMap};

/// So many lines at the beginning, and none of them can be read: this is no file of records.
const HOPELESS: u64 = 20;
/// Contents of documents of one file that are followed.
const DOCUMENTS: usize = 100_000;

/// Why writing stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file.
    File(BulkError),
    /// The store, or access: it concerns the whole export.
    Problem(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<BulkError> for Stop {
    fn from(error: BulkError) -> Self {
        Self::File(error)
    }
}

/// Writes lines of one source, one batch at a time.
pub(super) struct Writer {
    pub(super) engine: Engine,
    pub(super) connection_id: String,
    /// The one patient whose records these may be, where it is not a population's.
    pub(super) patient: Option<String>,
    /// Only who is there is of interest; nothing is stored.
    pub(super) only_members: bool,
    /// The patients of a group are written down.
    pub(super) is_group: bool,
    pub(super) writing: tokio::sync::Mutex<()>,
}

/// A file while it is written.
pub(super) struct Writing<'a> {
    /// Its name in the report.
    pub(super) name: &'a str,
    /// The type of its lines, where that is said.
    pub(super) expected: Option<&'a str>,
    pub(super) report: FileReport,
    /// Where the contents of its documents are.
    pub(super) documents: BTreeSet<String>,
    good: u64,
    bad: u64,
    /// Lines that cannot be read, before the first that can.
    held: Vec<Entry>,
}

impl<'a> Writing<'a> {
    pub(super) fn new(name: &'a str, expected: Option<&'a str>) -> Self {
        Self {
            name,
            expected,
            report: FileReport::default(),
            documents: BTreeSet::new(),
            good: 0,
            bad: 0,
            held: Vec::new(),
        }
    }
}

struct Read {
    resources: Vec<(RawResource, bool)>,
    unreadable: Vec<Entry>,
}

impl Writer {
    /// Writes the lines of a batch.
    pub(super) async fn write(&self, to: &mut Writing<'_>, lines: Vec<Line>) -> Result<(), Stop> {
        let mut read = read(to, lines)?;
        if to.good == 0 {
            to.held.append(&mut read.unreadable);
        } else {
            read.unreadable.append(&mut to.held);
        }
        for (resource, _) in &read.resources {
            if self.is_group && resource.resource_type == "Patient" {
                to.report.patients.push(resource.id.clone());
            }
        }
        if self.only_members {
            return Ok(());
        }
        self.save(to, read).await
    }

    /// The file is at its end. One of which nothing could be read is none.
    pub(super) fn finish(to: &Writing<'_>) -> Result<(), Stop> {
        if to.good == 0 && to.bad > 0 {
            return Err(BulkError::NotNdjson.into());
        }
        Ok(())
    }

    async fn save(&self, to: &mut Writing<'_>, read: Read) -> Result<(), Stop> {
        // What is here is looked at and replaced by one at a time.
        let _one_at_a_time = self.writing.lock().await;
        let identities: Vec<(String, String)> = read
            .resources
            .iter()
            .map(|(resource, _)| (resource.resource_type.clone(), resource.id.clone()))
            .collect();
        let resources = self.newer(to, read.resources, &identities).await?;
        let mut by_type: HashMap<String, Vec<Entry>> = HashMap::new();
        for resource in resources {
            self.note_documents(to, &resource);
            let list = by_type.entry(resource.resource_type.clone()).or_default();
            list.push(Entry::Resource(resource));
        }
        if !read.unreadable.is_empty() {
            let kind = to.expected.unwrap_or("Basic").to_owned();
            by_type.entry(kind).or_default().extend(read.unreadable);
        }
        for (kind, entries) in by_type {
            let page = SearchPage {
                entries,
                ..SearchPage::default()
            };
            let step = (self.connection_id.as_str(), "bulk");
            let patient = self.patient.as_deref();
            let saved = self.engine.save_records(step, page, &kind, patient).await?;
            let count = to.report.of_type(&kind);
            count.new_records += saved.rows.inserted;
            count.changed_records += saved.rows.updated;
            for _ in 0..saved.foreign {
                to.report
                    .error(to.name, None, "a record is of another person");
            }
        }
        let store = &self.engine.inner.store;
        store
            .records_given(&self.connection_id, &identities)
            .await
            .map_err(Problem::from)?;
        Ok(())
    }

    /// Those that are to be stored: not older than what is here, and never a part in place of a whole.
    async fn newer(
        &self,
        to: &mut Writing<'_>,
        resources: Vec<(RawResource, bool)>,
        identities: &[(String, String)],
    ) -> Result<Vec<RawResource>, Stop> {
        let store = &self.engine.inner.store;
        let stored = store.records_find(&self.connection_id, identities).await;
        let mut known: HashMap<(String, String), Stamp> = HashMap::new();
        for row in stored.map_err(Problem::from)? {
            let stamp = Stamp::from(&row);
            known.insert((row.resource_type, row.id), stamp);
        }
        // A file may hold the same record twice; what comes first counts as known for the second.
        let mut wanted: HashMap<(String, String), (RawResource, bool)> = HashMap::new();
        for (resource, subsetted) in resources {
            let identity = (resource.resource_type.clone(), resource.id.clone());
            to.report.of_type(&resource.resource_type).received += 1;
            let here = wanted.get(&identity);
            let before = match here {
                Some((earlier, _)) => Some(Stamp::from(earlier)),
                None => known.get(&identity).cloned(),
            };
            let is_older = |known: &Stamp| Stamp::from(&resource).is_older_than(known);
            let keep = match &before {
                None => true,
                Some(known) if subsetted => {
                    let only_parts = match here {
                        Some((_, parts)) => *parts,
                        None => self.is_part(&identity).await?,
                    };
                    only_parts && !is_older(known)
                }
                Some(known) => !is_older(known),
            };
            if keep {
                wanted.insert(identity, (resource, subsetted));
            } else {
                to.report.of_type(&identity.0).left_as_they_were += 1;
            }
        }
        Ok(wanted.into_values().map(|(resource, _)| resource).collect())
    }

    /// Whether what is stored was itself only a part.
    async fn is_part(&self, (kind, id): &(String, String)) -> Result<bool, Stop> {
        let store = &self.engine.inner.store;
        let stored = store.record_get(&self.connection_id, kind, id).await;
        let stored = stored.map_err(Problem::from)?;
        Ok(stored.is_some_and(|(_, json)| is_subsetted(&json)))
    }

    fn note_documents(&self, to: &mut Writing<'_>, resource: &RawResource) {
        if !matches!(
            resource.resource_type.as_str(),
            "DocumentReference" | "DiagnosticReport"
        ) || to.documents.len() >= DOCUMENTS
        {
            return;
        }
        let attachments = document::attachments_of(&resource.json).into_iter();
        let elsewhere = attachments.filter(|attachment| attachment.data.is_none());
        to.documents
            .extend(elsewhere.filter_map(|attachment| attachment.url));
    }
}

/// Takes the lines apart, and says of each that is none why not.
fn read(to: &mut Writing<'_>, lines: Vec<Line>) -> Result<Read, Stop> {
    let mut read = Read {
        resources: Vec::with_capacity(lines.len()),
        unreadable: Vec::new(),
    };
    for line in lines {
        to.report.lines += 1;
        let is_page = |bytes: &Vec<u8>| bytes.trim_ascii_start().starts_with(b"<");
        if to.report.lines == 1 && line.bytes.as_ref().is_some_and(is_page) {
            return Err(BulkError::NotNdjson.into());
        }
        let taken = match read_line(&line, to.expected) {
            // What it is, it is: kept under its own type, and told.
            Err(fault @ LineFault::OtherType) => {
                to.report.error(to.name, Some(line.number), &fault);
                read_line(&line, None)
            }
            other => other,
        };
        match taken {
            Ok(BulkLine::Resource {
                resource,
                subsetted,
            }) => {
                to.good += 1;
                read.resources.push((resource, subsetted));
            }
            Ok(BulkLine::Outcome(outcome)) => {
                to.good += 1;
                to.report.outcome(&outcome);
            }
            Ok(BulkLine::Header) => {
                to.good += 1;
                to.report.lines -= 1;
            }
            Err(LineFault::CutShort) => return Err(BulkError::Truncated.into()),
            Err(fault) => {
                to.bad += 1;
                to.report.error(to.name, Some(line.number), &fault);
                let raw = line.bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                read.unreadable.extend(raw.map(|raw| Entry::Malformed {
                    raw,
                    reason: fault.to_string(),
                }));
            }
        }
        if to.good == 0 && to.bad >= HOPELESS {
            return Err(BulkError::NotNdjson.into());
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f16_a_file_of_which_no_line_is_one_is_given_up() {
        let line = |number| Line {
            number,
            bytes: Some(b"  \"birthDate\": ".to_vec()),
            unended: false,
        };
        let mut writing = Writing::new("Goal 1", Some("Goal"));
        let stopped = read(&mut writing, (1..100).map(line).collect());
        assert!(matches!(stopped, Err(Stop::File(BulkError::NotNdjson))));
    }
}
