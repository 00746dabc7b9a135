//! A page of records on its way into the file: what can be made ready without the file is made here,
//! beside the thread that writes.

use crate::error::Result;
use crate::pack::Packer;
use crate::provenance::target_of;
use crate::rows::{IndexIn, RecordIn};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

/// Records that are ready to be stored: compressed and hashed, each once.
#[derive(Debug, Default)]
pub struct Page {
    pub(crate) rows: Vec<Row>,
    /// Records that came, those that came twice included.
    pub(crate) received: u64,
    pub(crate) judge: Judge,
}

/// A record that comes while another version of it is here.
pub struct Meeting<'a> {
    /// FHIR type.
    pub resource_type: &'a str,
    /// Logical id.
    pub id: &'a str,
    /// `meta.versionId` and `meta.lastUpdated` of the one that comes.
    pub comes: (Option<&'a str>, Option<&'a str>),
    /// The same of the one that is here.
    pub is_here: (Option<&'a str>, Option<&'a str>),
    pub(crate) stored: &'a dyn Fn() -> Result<String>,
}

impl Meeting<'_> {
    /// The JSON of the one that is here, byte for byte.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub fn stored(&self) -> Result<String> {
        (self.stored)()
    }
}

type Judgement = dyn Fn(&Meeting<'_>) -> Result<bool> + Send + Sync;

/// Says which of two versions stays; without one it is the one that comes.
#[derive(Default)]
pub(crate) struct Judge(Option<Box<Judgement>>);

impl Judge {
    pub(crate) fn keeps_what_is_here(&self, meeting: &Meeting<'_>) -> Result<bool> {
        self.0.as_ref().map_or(Ok(false), |judge| judge(meeting))
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Judge")
    }
}

/// One record, ready.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) resource_type: String,
    pub(crate) id: String,
    pub(crate) version_id: Option<String>,
    pub(crate) last_updated: Option<String>,
    pub(crate) malformed: Option<String>,
    pub(crate) index: IndexIn,
    /// What it is about, as numbers.
    pub(crate) about: Vec<i64>,
    /// SHA-256 of the JSON.
    pub(crate) hash: [u8; 32],
    /// The JSON, as it stands in the file.
    pub(crate) packed: Vec<u8>,
}

impl Page {
    /// Makes records ready. This is work for the processor: not for a thread that serves others.
    ///
    /// A page may hold the same record twice (included by several): the last one counts.
    #[must_use]
    pub fn of(records: Vec<RecordIn>) -> Self {
        let received = records.len() as u64;
        let mut packer = Packer::new();
        let mut rows: Vec<Row> = Vec::with_capacity(records.len());
        let mut places: HashMap<(String, String), usize> = HashMap::with_capacity(records.len());
        for record in records {
            let identity = (record.resource_type.clone(), record.id.clone());
            let row = ready(record, &mut packer);
            match places.get(&identity) {
                Some(place) => rows[*place] = row,
                None => {
                    places.insert(identity, rows.len());
                    rows.push(row);
                }
            }
        }
        Self {
            rows,
            received,
            judge: Judge::default(),
        }
    }

    /// What is here stays where `keeps` says so of it and what comes; it is then only noted that the source
    /// still gives the record. Of two versions with the same bytes nobody is asked.
    #[must_use]
    pub fn unless(
        mut self,
        keeps: impl Fn(&Meeting<'_>) -> Result<bool> + Send + Sync + 'static,
    ) -> Self {
        self.judge = Judge(Some(Box::new(keeps)));
        self
    }

    /// Puts another page behind this one, to be stored in one transaction with it. A record of both counts
    /// as it stands in the other. What was said by [`Page::unless`] holds for all of them.
    pub fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.received += other.received;
    }

    /// Bytes of the records, compressed.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.packed.len()).sum()
    }

    /// What will be found by: title and words of each record.
    pub fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        let rows = self.rows.iter();
        rows.map(|row| (row.index.title.as_str(), row.index.text.as_str()))
    }

    /// Keeps the records of which `wanted`, given type and id, says so.
    pub fn retain(&mut self, mut wanted: impl FnMut(&str, &str) -> bool) {
        self.rows.retain(|row| wanted(&row.resource_type, &row.id));
        self.received = self.rows.len() as u64;
    }

    /// How many records came.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }
}

fn ready(record: RecordIn, packer: &mut Packer) -> Row {
    let mut index = record.index;
    index.text = each_word_once(&index.text);
    Row {
        hash: Sha256::digest(record.json.as_bytes()).into(),
        packed: packer.pack(&record.json),
        resource_type: record.resource_type,
        id: record.id,
        version_id: record.version_id,
        last_updated: record.last_updated,
        malformed: record.malformed,
        about: index.about.iter().map(|name| target_of(name)).collect(),
        index,
    }
}

/// The index keeps which words stand in a record, not where or how often: the same display in a coding,
/// a text and a narrative costs once.
pub(crate) fn each_word_once(text: &str) -> String {
    let mut seen = HashSet::new();
    let mut once = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if seen.insert(word) {
            if !once.is_empty() {
                once.push(' ');
            }
            once.push_str(word);
        }
    }
    once
}
