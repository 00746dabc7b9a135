//! From a page to rows: what lists and the index need, read out once; what cannot be read is kept.

use crate::digest;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::summary::{self, RecordSummary};
use crate::view::Section;
use satchel_smart::fhir::bundle::{Entry, SearchMode, SearchPage};
use satchel_store::{IndexIn, Page, RecordIn, SavedPage};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// Records that are written together: each transaction writes the pages of the indexes that it touched
/// anew, so that ten small ones cost several times what a large one does.
const TOGETHER: u64 = 4_000;
/// Bytes that are written together.
const TOGETHER_BYTES: usize = 8 << 20;
/// How long a page waits for the next to be written with it.
const WAIT: Duration = Duration::from_millis(60);

/// One page or several that follow each other, ready for the store.
#[derive(Default)]
pub(crate) struct PreparedPage {
    pub(crate) page: Page,
    /// Where the page behind them is.
    pub(super) next: Option<String>,
    /// How many records the server counts.
    pub(super) total: Option<u64>,
    pub(super) references: Vec<String>,
    pub(super) unreadable: u64,
    pub(super) foreign: u64,
    /// What the server said beside the records.
    pub(super) remarks: Vec<String>,
}

impl PreparedPage {
    fn followed_by(&mut self, other: Self) {
        self.page.append(other.page);
        self.next = other.next;
        self.total = other.total.or(self.total);
        self.references.extend(other.references);
        self.unreadable += other.unreadable;
        self.foreign += other.foreign;
        self.remarks.extend(other.remarks);
    }

    fn is_enough(&self) -> bool {
        self.page.received() >= TOGETHER || self.page.bytes() >= TOGETHER_BYTES
    }
}

/// The pages that are to be written with `first`: those that come soon, as long as they are not too many.
pub(super) async fn gather(
    first: Preparing,
    pages: &mut mpsc::Receiver<Preparing>,
) -> Result<PreparedPage> {
    let mut gathered = first.ready().await?;
    let until = Instant::now() + WAIT;
    while !gathered.is_enough() {
        let Ok(Some(page)) = timeout_at(until, pages.recv()).await else {
            break;
        };
        gathered.followed_by(page.ready().await?);
    }
    Ok(gathered)
}

/// A page that is being made ready, on a thread of its own.
pub(crate) struct Preparing {
    work: JoinHandle<PreparedPage>,
}

impl Preparing {
    pub(crate) fn begin(page: SearchPage, resource_type: &str, patient: Option<&str>) -> Self {
        let (resource_type, patient) = (resource_type.to_owned(), patient.map(str::to_owned));
        let work = tokio::task::spawn_blocking(move || {
            prepare_page(page, &resource_type, patient.as_deref())
        });
        Self { work }
    }

    pub(crate) async fn ready(self) -> Result<PreparedPage> {
        let work = self.work.await;
        work.map_err(|error| Problem::with_detail(ProblemCode::Internal, error))
    }
}

/// What became of the entries of a page.
pub(crate) struct Saved {
    pub(crate) rows: SavedPage,
    pub(crate) foreign: u64,
}

impl Engine {
    /// Writes records of one source that no sync of the plan brought, with their index, in one
    /// transaction.
    pub(crate) async fn save_records(
        &self,
        at: (&str, &str),
        page: SearchPage,
        resource_type: &str,
        patient: Option<&str>,
    ) -> Result<Saved> {
        let prepared = Preparing::begin(page, resource_type, patient).ready();
        self.save_ready(at, prepared.await?).await
    }

    /// The same with what was made ready before.
    pub(crate) async fn save_ready(
        &self,
        (connection_id, step_key): (&str, &str),
        prepared: PreparedPage,
    ) -> Result<Saved> {
        let fetched_at = self.now().to_string();
        let store = &self.inner.store;
        let rows = store
            .save_page(connection_id, step_key, prepared.page, None, &fetched_at)
            .await?;
        Ok(Saved {
            rows,
            foreign: prepared.foreign,
        })
    }
}

/// Makes a page ready: work for the processor.
pub(crate) fn prepare_page(
    page: SearchPage,
    resource_type: &str,
    patient: Option<&str>,
) -> PreparedPage {
    let mut prepared = PreparedPage {
        next: page.next.as_ref().map(url::Url::to_string),
        total: page.total,
        remarks: page.warnings,
        ..PreparedPage::default()
    };
    let mut records = Vec::with_capacity(page.entries.len());
    for entry in page.entries {
        match entry {
            Entry::Resource(record) => {
                let mut summary = summary::of(&record.resource_type, &record.json);
                let is_match = record.mode == SearchMode::Match;
                if is_match && belongs_to_another(summary.subject.as_deref(), patient) {
                    prepared.foreign += 1;
                    continue;
                }
                prepared.references.append(&mut summary.references);
                records.push(RecordIn {
                    resource_type: record.resource_type,
                    id: record.id,
                    version_id: record.version_id,
                    last_updated: record.last_updated,
                    json: record.json,
                    malformed: None,
                    index: index_of(summary),
                });
            }
            Entry::Malformed { raw, reason } => {
                prepared.unreadable += 1;
                records.push(unreadable(raw, reason, resource_type));
            }
            Entry::Outcome(outcome) => prepared.remarks.push(outcome.text()),
        }
    }
    prepared.page = Page::of(records);
    prepared
}

/// A record of somebody else must not enter this chart (checklist G8, D14).
fn belongs_to_another(subject: Option<&str>, patient: Option<&str>) -> bool {
    let (Some(subject), Some(patient)) = (subject, patient) else {
        return false;
    };
    let subject = subject.split("/_history/").next().unwrap_or(subject);
    let mut parts = subject.rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(id), Some("Patient")) => id != patient,
        _ => false,
    }
}

/// The row of a record that cannot be read.
pub(crate) const UNREADABLE: &str = "A record that could not be read";
pub(crate) const KEPT_AS_RECEIVED: &str = "Kept exactly as it was received";

/// What cannot be read is kept as received, flagged, under a name made from its bytes.
fn unreadable(raw: String, reason: String, resource_type: &str) -> RecordIn {
    let index = IndexIn {
        section: crate::chart::word_of(Section::Other),
        title: UNREADABLE.to_owned(),
        subtitle: Some(KEPT_AS_RECEIVED.to_owned()),
        text: String::new(),
        ..IndexIn::default()
    };
    RecordIn {
        resource_type: resource_type.to_owned(),
        id: format!("unreadable-{}", digest::short_hex(raw.as_bytes())),
        version_id: None,
        last_updated: None,
        json: raw,
        malformed: Some(reason),
        index,
    }
}

fn index_of(summary: RecordSummary) -> IndexIn {
    let (date_start, date_end, date_sort, date_precision) = match summary.date {
        Some(date) => (
            Some(date.start),
            date.end,
            date.sort_ms,
            Some(date.precision.as_str().to_owned()),
        ),
        None => (None, None, None, None),
    };
    IndexIn {
        section: crate::chart::word_of(summary.section),
        title: summary.title,
        code: summary.code,
        subtitle: summary.subtitle,
        status: summary.status,
        date_start,
        date_end,
        date_sort,
        date_precision,
        value_text: summary.value,
        value_number: summary.value_number,
        unit: summary.unit,
        range_text: summary.range,
        flag: summary.flag.map(crate::chart::word_of),
        subject: summary.subject,
        performer: summary.performer,
        text: summary.text,
        about: summary.about,
        has_attachments: summary.has_attachments,
    }
}
