//! From lines to records: which of them are stored, and what is said of the others (checklist F16, F21).

use super::report::FileReport;
use crate::document;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode};
use crate::sync::newer::Stamp;
use crate::sync::prepare::{PreparedPage, prepare_page};
use satchel_smart::bulk::{BulkError, BulkLine, Line, LineFault, read_line};
use satchel_smart::fhir::bundle::{Entry, RawResource, SearchPage, is_subsetted};
use satchel_store::{Meeting, SavedType, StoreError};
use std::collections::hash_map::Entry as Place;
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
    pub(super) wants: Wants,
}

/// What is wanted of a source's records.
#[derive(Clone, Default)]
pub(super) struct Wants {
    /// The one patient whose records these may be, where it is not a population's.
    pub(super) patient: Option<String>,
    /// Only who is there is of interest; nothing is stored.
    pub(super) only_members: bool,
    /// The patients of a group are written down.
    pub(super) is_group: bool,
}

/// A file while it is written.
pub(super) struct Writing<'a> {
    /// Its name in the report.
    name: &'a str,
    /// The type of its lines, where that is said.
    expected: Option<&'a str>,
    seen: Seen,
    /// The lines that were read last: written while those behind them are read.
    pending: Option<PreparedPage>,
}

/// What was seen of a file so far.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) report: FileReport,
    /// Where the contents of its documents are, when they are followed.
    documents: Option<BTreeSet<String>>,
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
            seen: Seen::default(),
            pending: None,
        }
    }

    /// The addresses of the contents of its documents are noted.
    pub(super) fn following_documents(mut self) -> Self {
        self.seen.documents = Some(BTreeSet::new());
        self
    }

    pub(super) fn report(&mut self) -> &mut FileReport {
        &mut self.seen.report
    }

    /// What the file held, and where the contents of its documents are.
    pub(super) fn ended(self) -> (FileReport, BTreeSet<String>) {
        (self.seen.report, self.seen.documents.unwrap_or_default())
    }
}

struct Read {
    resources: Vec<(RawResource, bool)>,
    unreadable: Vec<Entry>,
}

impl Writer {
    /// Reads the lines of a batch, while the one before it is written.
    pub(super) async fn write(&self, to: &mut Writing<'_>, lines: Vec<Line>) -> Result<(), Stop> {
        let mut seen = std::mem::take(&mut to.seen);
        let (name, expected) = (to.name.to_owned(), to.expected.map(str::to_owned));
        let wants = self.wants.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let batch = read_batch(&mut seen, (&name, expected.as_deref()), lines, &wants);
            (seen, batch)
        });
        let before = to.pending.take();
        let (saved, read) = tokio::join!(self.save_pending(before), reading);
        let (seen, batch) =
            read.map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        to.seen = seen;
        to.seen.count(to.name, saved?);
        to.pending = batch?;
        Ok(())
    }

    /// Writes what was read and is not written yet.
    pub(super) async fn flush(&self, to: &mut Writing<'_>) -> Result<(), Stop> {
        let saved = self.save_pending(to.pending.take()).await?;
        to.seen.count(to.name, saved);
        Ok(())
    }

    /// The file is at its end. One of which nothing could be read is none.
    pub(super) async fn finish(&self, to: &mut Writing<'_>) -> Result<(), Stop> {
        self.flush(to).await?;
        to.seen.ended()
    }

    async fn save_pending(&self, batch: Option<PreparedPage>) -> Result<Stored, Stop> {
        match batch {
            Some(batch) => Ok(self.save(batch).await?),
            None => Ok(Stored::default()),
        }
    }

    /// Writes what [`read_batch`] made ready.
    pub(super) async fn save(&self, batch: PreparedPage) -> Result<Stored, Problem> {
        let step = (self.connection_id.as_str(), "bulk");
        let saved = self.engine.save_ready(step, batch).await?;
        Ok(Stored {
            types: saved.rows.types,
            foreign: saved.foreign,
        })
    }
}

/// What became of a batch.
#[derive(Default)]
pub(super) struct Stored {
    types: Vec<SavedType>,
    foreign: u64,
}

impl Seen {
    pub(super) fn count(&mut self, name: &str, stored: Stored) {
        for one in stored.types {
            let count = self.report.of_type(&one.resource_type);
            count.new_records += one.inserted;
            count.changed_records += one.updated;
            count.left_as_they_were += one.kept;
        }
        for _ in 0..stored.foreign {
            let reason = "a record is of another person";
            self.report.error(name, None, reason);
        }
    }

    /// A file of which nothing could be read is none.
    pub(super) fn ended(&self) -> Result<(), Stop> {
        if self.good == 0 && self.bad > 0 {
            return Err(BulkError::NotNdjson.into());
        }
        Ok(())
    }
}

/// From lines to records that are ready: work for the processor.
pub(super) fn read_batch(
    seen: &mut Seen,
    (name, expected): (&str, Option<&str>),
    lines: Vec<Line>,
    wants: &Wants,
) -> Result<Option<PreparedPage>, Stop> {
    let mut read = read(seen, (name, expected), lines)?;
    if seen.good == 0 {
        seen.held.append(&mut read.unreadable);
    } else {
        read.unreadable.append(&mut seen.held);
    }
    if wants.is_group {
        let resources = read.resources.iter().map(|(resource, _)| resource);
        let patients = resources.filter(|resource| resource.resource_type == "Patient");
        let ids = patients.map(|patient| patient.id.clone());
        seen.report.patients.extend(ids);
    }
    if wants.only_members {
        return Ok(None);
    }
    let (resources, parts) = best_of(seen, read.resources);
    if resources.is_empty() && read.unreadable.is_empty() {
        return Ok(None);
    }
    for resource in &resources {
        note_documents(seen, resource);
    }
    let resources = resources.into_iter().map(Entry::Resource);
    let page = SearchPage {
        entries: resources.chain(read.unreadable).collect(),
        ..SearchPage::default()
    };
    let kind = expected.unwrap_or("Basic");
    let mut prepared = prepare_page(page, kind, wants.patient.as_deref());
    prepared.page = prepared
        .page
        .unless(move |meeting| is_better_here(meeting, &parts));
    Ok(Some(prepared))
}

/// Of a record that came twice the better one counts. Beside the records, which of them are only parts.
fn best_of(
    seen: &mut Seen,
    resources: Vec<(RawResource, bool)>,
) -> (Vec<RawResource>, HashSet<Identity>) {
    let mut places: HashMap<Identity, usize> = HashMap::with_capacity(resources.len());
    let mut best: Vec<(RawResource, bool)> = Vec::with_capacity(resources.len());
    for (resource, is_part) in resources {
        let count = seen.report.of_type(&resource.resource_type);
        count.received += 1;
        match places.entry(identity_of(&resource)) {
            Place::Vacant(place) => {
                place.insert(best.len());
                best.push((resource, is_part));
            }
            Place::Occupied(place) => {
                let (here, part_here) = &mut best[*place.get()];
                let is_older = Stamp::from(&resource).is_older_than(&Stamp::from(&*here));
                if is_older || (is_part && !*part_here) {
                    count.left_as_they_were += 1;
                } else {
                    (*here, *part_here) = (resource, is_part);
                }
            }
        }
    }
    let parts = best.iter().filter(|(_, is_part)| *is_part);
    let parts = parts.map(|(part, _)| identity_of(part)).collect();
    let resources = best.into_iter().map(|(resource, _)| resource);
    (resources.collect(), parts)
}

fn identity_of(resource: &RawResource) -> Identity {
    (resource.resource_type.clone(), resource.id.clone())
}

/// What is here is newer, or whole where only a part comes.
fn is_better_here(meeting: &Meeting<'_>, parts: &HashSet<Identity>) -> Result<bool, StoreError> {
    if Stamp::from(meeting.comes).is_older_than(&Stamp::from(meeting.is_here)) {
        return Ok(true);
    }
    let identity = (meeting.resource_type.to_owned(), meeting.id.to_owned());
    Ok(parts.contains(&identity) && !is_subsetted(&meeting.stored()?))
}

fn note_documents(seen: &mut Seen, resource: &RawResource) {
    let Some(documents) = &mut seen.documents else {
        return;
    };
    let has_some = matches!(
        resource.resource_type.as_str(),
        "DocumentReference" | "DiagnosticReport"
    );
    if !has_some || documents.len() >= DOCUMENTS {
        return;
    }
    let attachments = document::attachments_of(&resource.json).into_iter();
    let elsewhere = attachments.filter(|attachment| attachment.data.is_none());
    documents.extend(elsewhere.filter_map(|attachment| attachment.url));
}

/// Takes the lines apart, and says of each that is none why not.
fn read(
    seen: &mut Seen,
    (name, expected): (&str, Option<&str>),
    lines: Vec<Line>,
) -> Result<Read, Stop> {
    let mut read = Read {
        resources: Vec::with_capacity(lines.len()),
        unreadable: Vec::new(),
    };
    for line in lines {
        seen.report.lines += 1;
        let is_page = |bytes: &Vec<u8>| bytes.trim_ascii_start().starts_with(b"<");
        if seen.report.lines == 1 && line.bytes.as_ref().is_some_and(is_page) {
            return Err(BulkError::NotNdjson.into());
        }
        let taken = match read_line(&line, expected) {
            // What it is, it is: kept under its own type, and told.
            Err(fault @ LineFault::OtherType) => {
                seen.report.error(name, Some(line.number), &fault);
                read_line(&line, None)
            }
            other => other,
        };
        match taken {
            Ok(BulkLine::Resource {
                resource,
                subsetted,
            }) => {
                seen.good += 1;
                read.resources.push((resource, subsetted));
            }
            Ok(BulkLine::Outcome(outcome)) => {
                seen.good += 1;
                seen.report.outcome(&outcome);
            }
            Ok(BulkLine::Header) => {
                seen.good += 1;
                seen.report.lines -= 1;
            }
            Err(LineFault::CutShort) => return Err(BulkError::Truncated.into()),
            Err(fault) => {
                seen.bad += 1;
                seen.report.error(name, Some(line.number), &fault);
                let raw = line.bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                read.unreadable.extend(raw.map(|raw| Entry::Malformed {
                    raw,
                    reason: fault.to_string(),
                }));
            }
        }
        if seen.good == 0 && seen.bad >= HOPELESS {
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
        let lines = (1..100).map(line).collect();
        let stopped = read(&mut Seen::default(), ("Goal 1", Some("Goal")), lines);
        assert!(matches!(stopped, Err(Stop::File(BulkError::NotNdjson))));
    }
}
