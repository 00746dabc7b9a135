//! A record's contents as they are shown, and why one is not.

use super::clinical;
use super::read::content_id;
use super::text::{self, Kind};
use super::{LARGEST_ASKED, Missing};
use crate::bulk;
use crate::document::{self, AttachmentRef};
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::sync::references::local_target;
use crate::view::{AttachmentView, RecordKey};
use base64::Engine as _;
use satchel_store::MissingRow;

/// The largest image that is handed to the window.
const IMAGE_LIMIT: usize = 8 * 1024 * 1024;
/// HTML that is longer is shown as text: the window would be held up by it.
const HTML_LIMIT: usize = 200_000;

impl Engine {
    /// The contents of a document: clinical documents by their sections, HTML as it came, text as text, images
    /// as base64, anything else by size and type.
    ///
    /// # Errors
    /// `record.not_found`, `store.*`.
    pub async fn attachments(&self, key: &RecordKey) -> Result<Vec<AttachmentView>> {
        let store = &self.inner.store;
        let stored = store
            .record_get(&key.connection_id, &key.resource_type, &key.id)
            .await?;
        let (_, json) = stored.ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
        let base = self.connection_row(&key.connection_id).await?.fhir_base;
        let texts = store
            .attachment_texts(&key.connection_id, &key.resource_type, &key.id)
            .await?;
        let mut views = Vec::new();
        for (position, attachment) in (0_u32..).zip(document::attachments_of(&json)) {
            let id = attachment.url.as_deref().map(|url| content_id(url, &base));
            let content = match (&attachment.data, &id) {
                (Some(data), _) => Some((attachment.content_type.clone(), data.clone())),
                (None, Some(id)) => self.content(&key.connection_id, id).await?,
                (None, None) => None,
            };
            let kept = texts.iter().find(|(at, _)| *at == position);
            views.push(match (content, id) {
                (Some(content), _) => {
                    let kept = kept.map(|(_, text)| text.clone());
                    present(attachment, content, kept)
                }
                (None, id) => {
                    let missing = match &id {
                        Some(id) => store.content_missing(&key.connection_id, id).await?,
                        None => None,
                    };
                    absent(attachment, missing.as_ref(), &base)
                }
            });
        }
        Ok(views)
    }

    /// The text inside of a record's documents.
    pub(crate) async fn words_inside(&self, key: &RecordKey) -> Result<String> {
        let store = &self.inner.store;
        let stored = store
            .record_get(&key.connection_id, &key.resource_type, &key.id)
            .await?;
        let Some((_, json)) = stored else {
            return Ok(String::new());
        };
        let base = self.connection_row(&key.connection_id).await?.fhir_base;
        let kept = store
            .attachment_texts(&key.connection_id, &key.resource_type, &key.id)
            .await?;
        let mut words: Vec<String> = kept.into_iter().map(|(_, text)| text).collect();
        for attachment in document::attachments_of(&json) {
            // What is dear to read was kept above.
            if Kind::stated(&attachment.content_type) == Kind::Pdf {
                continue;
            }
            let content = match (attachment.data, &attachment.url) {
                (Some(data), _) => Some((attachment.content_type, data)),
                (None, Some(url)) => {
                    let id = content_id(url, &base);
                    self.content(&key.connection_id, &id).await?
                }
                (None, None) => None,
            };
            let content = content.filter(|(kind, bytes)| Kind::of(kind, bytes) != Kind::Pdf);
            words.extend(content.and_then(|(kind, bytes)| text::text_of(&kind, &bytes)));
        }
        Ok(words.join("\n"))
    }
}

fn absent(attachment: AttachmentRef, missing: Option<&MissingRow>, base: &str) -> AttachmentView {
    let known = missing.and_then(|missing| u64::try_from(missing.size?).ok());
    let why = missing.map_or(Missing::Waiting, |missing| Missing::of(&missing.state));
    let target = attachment
        .url
        .as_deref()
        .and_then(|url| local_target(url, base));
    let at_server = target.is_some_and(|(kind, _)| kind == "Binary") && !bulk::is_imported(base);
    let size = attachment.size.or(known).unwrap_or(0);
    AttachmentView {
        content_type: attachment.content_type,
        title: attachment.title,
        text: None,
        clinical: None,
        html: None,
        size,
        base64: None,
        missing: Some(why.sentence().to_owned()),
        too_large: why == Missing::TooLarge,
        can_fetch: at_server && size <= LARGEST_ASKED,
        difference: None,
    }
}

fn present(
    attachment: AttachmentRef,
    (content_type, bytes): (String, Vec<u8>),
    kept: Option<String>,
) -> AttachmentView {
    let difference = attachment.difference(&bytes).map(str::to_owned);
    let content_type = if content_type.is_empty() {
        attachment.content_type
    } else {
        content_type
    };
    let image = content_type.starts_with("image/") && !content_type.contains("svg");
    let kind = Kind::of(&content_type, &bytes);
    // The text of a PDF was read when it came.
    let text = match kind {
        Kind::Pdf => kept,
        _ => text::text_of(&content_type, &bytes),
    };
    let decoded = || text::decode_text(&content_type, &bytes);
    AttachmentView {
        text,
        clinical: match kind {
            Kind::Xml | Kind::Plain | Kind::Html => clinical::read(&decoded()),
            Kind::Rtf | Kind::Pdf | Kind::Image | Kind::Other => None,
        },
        html: (kind == Kind::Html && bytes.len() <= HTML_LIMIT).then(decoded),
        size: bytes.len() as u64,
        base64: (image && bytes.len() <= IMAGE_LIMIT)
            .then(|| base64::engine::general_purpose::STANDARD.encode(&bytes)),
        title: attachment.title,
        content_type,
        missing: None,
        too_large: false,
        can_fetch: false,
        difference,
    }
}
