//! Documents: where their content is, and whether it is what the record states.

use crate::summary::read::{first, list, string, value_of};
use base64::Engine as _;
use satchel_smart::fhir::bundle::{RawResource, SearchMode};
use serde_json::Value;

/// What a document may be other than its record describes.
pub(crate) const OTHER_SIZE: &str = "This document is not of the size that its record states.";
pub(crate) const OTHER_CHECKSUM: &str =
    "This document is not the one that its record describes: the checksum differs.";

/// An attachment of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentRef {
    /// Media type as stated; may be wrong or empty.
    pub content_type: String,
    /// Title.
    pub title: Option<String>,
    /// Where the content is, usually a `Binary`.
    pub url: Option<String>,
    /// The content, when it is in the record itself.
    pub data: Option<Vec<u8>>,
    /// Size in bytes as stated.
    pub size: Option<u64>,
    /// SHA-1 of the content in base64, as stated.
    pub hash: Option<String>,
}

impl AttachmentRef {
    /// What is not as the record states it: a document that was cut short or exchanged is shown all the
    /// same, and said to be other than what the record describes (checklist G23).
    #[must_use]
    pub fn difference(&self, bytes: &[u8]) -> Option<&'static str> {
        if self.size.is_some_and(|size| size != bytes.len() as u64) {
            return Some(OTHER_SIZE);
        }
        let stated = self.hash.as_deref().and_then(decode)?;
        let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        (stated != sha1.as_ref()).then_some(OTHER_CHECKSUM)
    }
}

/// The attachments of a DocumentReference, DiagnosticReport, Media or Patient; of a Binary itself.
#[must_use]
pub fn attachments_of(json: &str) -> Vec<AttachmentRef> {
    let value = value_of(json);
    if string(&value, "resourceType") == Some("Binary") {
        return binary_of(json)
            .map(|(content_type, data)| AttachmentRef {
                content_type,
                title: None,
                url: None,
                hash: None,
                size: Some(data.len() as u64),
                data: Some(data),
            })
            .into_iter()
            .collect();
    }
    let contents = list(&value, "content");
    let attachments = contents
        .iter()
        .map(|content| first(content, "attachment").unwrap_or(content))
        .chain(list(&value, "presentedForm"));
    attachments.filter_map(attachment_of).collect()
}

/// Whether [`attachments_of`] this record may be any.
pub(crate) fn has_attachments(record: &Value) -> bool {
    ["content", "presentedForm"]
        .into_iter()
        .any(|name| !list(record, name).is_empty())
}

fn attachment_of(attachment: &Value) -> Option<AttachmentRef> {
    let data = string(attachment, "data").and_then(decode);
    let url = string(attachment, "url").map(str::to_owned);
    let content_type = string(attachment, "contentType")
        .unwrap_or_default()
        .to_owned();
    let title = string(attachment, "title").map(str::to_owned);
    let says_something =
        data.is_some() || url.is_some() || !content_type.is_empty() || title.is_some();
    says_something.then(|| AttachmentRef {
        size: attachment.get("size").and_then(Value::as_u64),
        hash: string(attachment, "hash").map(str::to_owned),
        content_type,
        title,
        url,
        data,
    })
}

/// The media type and bytes of a `Binary` in its JSON form.
#[must_use]
pub fn binary_of(json: &str) -> Option<(String, Vec<u8>)> {
    let value = value_of(json);
    let data = decode(string(&value, "data")?)?;
    Some((
        string(&value, "contentType").unwrap_or_default().to_owned(),
        data,
    ))
}

/// The JSON form of a Binary whose server sent the content itself; nothing of the content changes.
pub(crate) fn binary_record(id: &str, content_type: &str, bytes: &[u8]) -> RawResource {
    let data = base64::engine::general_purpose::STANDARD.encode(bytes);
    let json = serde_json::json!({
        "resourceType": "Binary", "id": id, "contentType": content_type, "data": data
    });
    RawResource {
        json: json.to_string(),
        resource_type: "Binary".to_owned(),
        id: id.to_owned(),
        version_id: None,
        last_updated: None,
        full_url: None,
        mode: SearchMode::Match,
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let bare: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(bare).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_are_found_where_fhir_puts_them() {
        let document = serde_json::json!({"resourceType": "DocumentReference", "content": [
            {"attachment": {"contentType": "text/plain", "data": "aGVsbG8=", "title": "Hello"}},
            {"attachment": {"contentType": "application/pdf", "url": "Binary/1", "size": 9}}]});
        let found = attachments_of(&document.to_string());
        assert_eq!(found[0].data.as_deref(), Some(b"hello".as_slice()));
        assert_eq!(found[1].url.as_deref(), Some("Binary/1"));
        let binary = r#"{"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="}"#;
        assert_eq!(
            binary_of(binary),
            Some(("text/plain".to_owned(), b"hello".to_vec()))
        );
        assert!(attachments_of("not json").is_empty());
    }

    #[test]
    fn g23_a_document_of_another_size_or_checksum_is_said_to_be_one() {
        let stated = |size: u64, hash: &str| {
            let document = serde_json::json!({"resourceType": "DocumentReference", "content": [
                {"attachment": {"url": "Binary/1", "size": size, "hash": hash}}]});
            attachments_of(&document.to_string()).remove(0)
        };
        // SHA-1 of "hello" (FIPS 180-4).
        let right = "qvTGHdzF6KLavt4PO0gs2a6pQ00=";
        assert_eq!(stated(5, right).difference(b"hello"), None);
        assert!(
            stated(6, right)
                .difference(b"hello")
                .is_some_and(|d| d.contains("size"))
        );
        assert!(
            stated(5, right)
                .difference(b"hullo")
                .is_some_and(|d| d.contains("checksum"))
        );
        let record = binary_record("b", "text/plain", b"hello");
        let read = binary_of(&record.json);
        assert_eq!(read, Some(("text/plain".to_owned(), b"hello".to_vec())));
    }
}
