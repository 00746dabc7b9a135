//! From lines to records: which of them are stored, and what is said of the others (checklist F16, F21).

use super::report::FileReport;
use crate::document;
use crate::engine::Engine;
use crate::problem::Problem;
use crate::sync::newer::Stamp;
use crate::sync::prepare::Preparing;
use satchel_smart::bulk::{BulkError, BulkLine, Line, LineFault, read_line};
use satchel_smart::fhir::bundle::{Entry, RawResource, SearchPage, is_subsetted};
use std::collections::{BTreeSet, HashMap, HashSet};

type Identity = (String, String);

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
    /// The last lines that were read: made ready while those before them are written.
    pending: Option<Batch>,
}

/// Records that are made ready.
struct Batch {
    /// Which version of each it is, and whether only a part.
    stamps: HashMap<Identity, (Stamp, bool)>,
    preparing: Preparing,
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
            pending: None,
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
        let mut read = match read(to, lines) {
            Ok(read) => read,
            Err(stop) => {
                self.flush(to).await?;
                return Err(stop);
            }
        };
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
        let batch = self.begin(to, read);
        let before = to.pending.take();
        to.pending = batch;
        match before {
            Some(before) => self.save(to, before).await,
            None => Ok(()),
        }
    }

    /// Writes what was read and is not written yet.
    pub(super) async fn flush(&self, to: &mut Writing<'_>) -> Result<(), Stop> {
        match to.pending.take() {
            Some(batch) => self.save(to, batch).await,
            None => Ok(()),
        }
    }

    /// The file is at its end. One of which nothing could be read is none.
    pub(super) async fn finish(&self, to: &mut Writing<'_>) -> Result<(), Stop> {
        self.flush(to).await?;
        if to.good == 0 && to.bad > 0 {
            return Err(BulkError::NotNdjson.into());
        }
        Ok(())
    }

    /// Has lines made ready. Of a record that is among them twice the better one counts.
    fn begin(&self, to: &mut Writing<'_>, read: Read) -> Option<Batch> {
        let mut best: HashMap<Identity, (RawResource, bool)> = HashMap::new();
        for (resource, is_part) in read.resources {
            let count = to.report.of_type(&resource.resource_type);
            count.received += 1;
            let identity = (resource.resource_type.clone(), resource.id.clone());
            let worse = best.get(&identity).is_some_and(|(here, part_here)| {
                let is_older = Stamp::from(&resource).is_older_than(&Stamp::from(here));
                is_older || (is_part && !part_here)
            });
            if worse {
                count.left_as_they_were += 1;
            } else {
                best.insert(identity, (resource, is_part));
            }
        }
        if best.is_empty() && read.unreadable.is_empty() {
            return None;
        }
        let mut stamps = HashMap::with_capacity(best.len());
        let mut entries = Vec::with_capacity(best.len() + read.unreadable.len());
        for (identity, (resource, is_part)) in best {
            self.note_documents(to, &resource);
            stamps.insert(identity, (Stamp::from(&resource), is_part));
            entries.push(Entry::Resource(resource));
        }
        entries.extend(read.unreadable);
        let page = SearchPage {
            entries,
            ..SearchPage::default()
        };
        let kind = to.expected.unwrap_or("Basic");
        Some(Batch {
            stamps,
            preparing: Preparing::begin(page, kind, self.patient.as_deref()),
        })
    }

    async fn save(&self, to: &mut Writing<'_>, batch: Batch) -> Result<(), Stop> {
        // What is here is looked at and replaced by one at a time.
        let _one_at_a_time = self.writing.lock().await;
        let left = self.better_here(&batch.stamps).await?;
        let mut prepared = batch.preparing.ready().await?;
        if !left.is_empty() {
            let mut wanted =
                |kind: &str, id: &str| !left.contains(&(kind.to_owned(), id.to_owned()));
            prepared.page.retain(&mut wanted);
        }
        let step = (self.connection_id.as_str(), "bulk");
        let saved = self.engine.save_ready(step, prepared).await?;
        for one in saved.rows.types {
            let count = to.report.of_type(&one.resource_type);
            count.new_records += one.inserted;
            count.changed_records += one.updated;
        }
        for _ in 0..saved.foreign {
            to.report
                .error(to.name, None, "a record is of another person");
        }
        if !left.is_empty() {
            for (kind, _) in &left {
                to.report.of_type(kind).left_as_they_were += 1;
            }
            let left: Vec<Identity> = left.into_iter().collect();
            let store = &self.engine.inner.store;
            let given = store.records_given(&self.connection_id, &left).await;
            given.map_err(Problem::from)?;
        }
        Ok(())
    }

    /// Those that are here in a newer version, or whole where only a part came.
    async fn better_here(
        &self,
        stamps: &HashMap<Identity, (Stamp, bool)>,
    ) -> Result<HashSet<Identity>, Stop> {
        let store = &self.engine.inner.store;
        let identities: Vec<Identity> = stamps.keys().cloned().collect();
        let here = store.records_find(&self.connection_id, &identities).await;
        let mut better = HashSet::new();
        for row in here.map_err(Problem::from)? {
            let known = Stamp::from(&row);
            let identity = (row.resource_type, row.id);
            let Some((came, is_part)) = stamps.get(&identity) else {
                continue;
            };
            if came.is_older_than(&known) || (*is_part && !self.is_part(&identity).await?) {
                better.insert(identity);
            }
        }
        Ok(better)
    }

    /// Whether what is stored was itself only a part.
    async fn is_part(&self, (kind, id): &Identity) -> Result<bool, Stop> {
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
