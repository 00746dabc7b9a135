//! Reading what a record refers to: which contents, and their words for the index.

use super::reader;
use super::text::{self, Kind};
use crate::bulk;
use crate::digest;
use crate::document::{self, AttachmentRef};
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::summary;
use crate::sync::references::local_target;
use satchel_store::{AttachmentIn, DocumentIn, ToReadRow};
use std::collections::HashSet;

/// Types that have contents.
pub(super) const TYPES: &[&str] = &["DocumentReference", "DiagnosticReport", "Media"];
/// Records that are written together.
const BATCH: u32 = 500;
/// Bytes of words that are written together.
const BATCH_WORDS: usize = 4 * 1024 * 1024;

/// A record, and the contents that it refers to or holds.
struct Document {
    row: ToReadRow,
    attachments: Vec<(AttachmentRef, AttachmentIn)>,
}

impl Document {
    fn of(row: ToReadRow, base: &str) -> Self {
        let attachments = document::attachments_of(&row.json).into_iter();
        let attachments = attachments.map(|one| {
            let found = attachment_in(&one, &row.json, base);
            (one, found)
        });
        Self {
            attachments: attachments.collect(),
            row,
        }
    }
}

impl Engine {
    /// Reads the records of a connection that came or changed, or whose contents did.
    pub(crate) async fn read_documents(&self, connection_id: &str, base: &str) -> Result<()> {
        let store = &self.inner.store;
        let mut after = 0;
        loop {
            let rows = store
                .records_to_read(connection_id, TYPES, after, BATCH)
                .await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.key;
            let documents = rows.into_iter().map(|row| Document::of(row, base));
            let documents: Vec<Document> = documents.collect();
            let here = self.contents_here(connection_id, &documents).await?;
            let (mut read, mut words) = (Vec::with_capacity(documents.len()), 0);
            for document in documents {
                let document = self.read_document(connection_id, document, &here).await?;
                words += document.words.len();
                read.push(document);
                if words >= BATCH_WORDS {
                    words = 0;
                    store.documents_read(std::mem::take(&mut read)).await?;
                }
            }
            store.documents_read(read).await?;
        }
    }

    /// Which of the contents that these refer to are stored.
    async fn contents_here(
        &self,
        connection_id: &str,
        documents: &[Document],
    ) -> Result<HashSet<String>> {
        let referred = documents.iter().flat_map(|document| &document.attachments);
        let ids = referred.filter_map(|(_, found)| found.content_id.clone());
        let wanted: Vec<(String, String)> = ids.map(|id| ("Binary".to_owned(), id)).collect();
        if wanted.is_empty() {
            return Ok(HashSet::new());
        }
        let store = &self.inner.store;
        let here = store.records_find(connection_id, &wanted).await?;
        Ok(here.into_iter().map(|row| row.id).collect())
    }

    async fn read_document(
        &self,
        connection_id: &str,
        document: Document,
        here: &HashSet<String>,
    ) -> Result<DocumentIn> {
        let row = document.row;
        let mut read = DocumentIn {
            key: row.key,
            mark: row.mark,
            ..DocumentIn::default()
        };
        for (attachment, mut found) in document.attachments {
            let content = match (attachment.data, &found.content_id) {
                (Some(data), _) => Some((attachment.content_type, data)),
                (None, Some(id)) if here.contains(id) => self.content(connection_id, id).await?,
                (None, _) => None,
            };
            if let Some((content_type, bytes)) = content {
                let (text, kind) = self.text_apart(content_type, bytes).await?;
                if let Some(text) = text {
                    read.words.push_str(&text);
                    read.words.push('\n');
                    found.text = (kind == Kind::Pdf).then_some(text);
                }
            }
            read.attachments.push(found);
        }
        if !read.words.is_empty() {
            let summary = summary::of(&row.resource_type, &row.json);
            (read.title, read.body) = (summary.title, summary.text);
        }
        Ok(read)
    }

    /// A PDF is read in a process of its own where there is a program for it; anything else, which is read
    /// in one pass, on a thread.
    async fn text_apart(
        &self,
        content_type: String,
        bytes: Vec<u8>,
    ) -> Result<(Option<String>, Kind)> {
        let kind = Kind::of(&content_type, &bytes);
        if let (Kind::Pdf, Some(program)) = (kind, &self.inner.document_reader) {
            let text = reader::text_by(program, &bytes).await;
            let text = text.map(|text| text.chars().take(text::TEXT_LIMIT).collect());
            return Ok((text, kind));
        }
        let work = tokio::task::spawn_blocking(move || text::text_of(&content_type, &bytes));
        let text = work.await;
        let text = text.map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        Ok((text, kind))
    }

    /// The media type and bytes of a stored `Binary`.
    pub(super) async fn content(
        &self,
        connection_id: &str,
        id: &str,
    ) -> Result<Option<(String, Vec<u8>)>> {
        let store = &self.inner.store;
        let stored = store.record_get(connection_id, "Binary", id).await?;
        Ok(stored.and_then(|(_, json)| document::binary_of(&json)))
    }
}

/// Where the content is stored, or will be.
pub(super) fn content_id(url: &str, base: &str) -> String {
    bulk::content_id(url, base)
}

fn attachment_in(attachment: &AttachmentRef, json: &str, base: &str) -> AttachmentIn {
    let url = attachment
        .url
        .as_deref()
        .filter(|_| attachment.data.is_none());
    let target = url.and_then(|url| local_target(url, base));
    // Of a content without a checksum nothing tells whether it is the same after its record changed.
    let of = match &attachment.hash {
        Some(hash) => format!("{}\n{hash}", url.unwrap_or_default()),
        None => json.to_owned(),
    };
    AttachmentIn {
        content_id: url.map(|url| content_id(url, base)),
        at_server: target.is_some_and(|(kind, _)| kind == "Binary"),
        size: attachment.size,
        stated: digest::short_hex(of.as_bytes()),
        text: None,
    }
}
