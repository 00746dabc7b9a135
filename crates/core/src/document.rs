//! Documents: where their content is, and its text. XML is read without entities from outside and
//! without its style sheet; nothing in it runs.

use crate::summary::read::{first, list, string};
use base64::Engine as _;
use quick_xml::Reader;
use quick_xml::events::Event;
use satchel_smart::fhir::bundle::{RawResource, SearchMode};
use serde_json::Value;

/// Text beyond this many characters is cut.
const TEXT_LIMIT: usize = 400_000;

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
            return Some("This document is not of the size that its record states.");
        }
        let stated = self.hash.as_deref().and_then(decode)?;
        let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        (stated != sha1.as_ref()).then_some(
            "This document is not the one that its record describes: the checksum differs.",
        )
    }
}

/// The attachments of a DocumentReference, DiagnosticReport, Media or Patient; of a Binary itself.
#[must_use]
pub fn attachments_of(json: &str) -> Vec<AttachmentRef> {
    let value: Value = serde_json::from_str(json).unwrap_or(Value::Null);
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
    let value: Value = serde_json::from_str(json).ok()?;
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

/// The text of a document that is text: plain, HTML, or XML such as C-CDA. Anything else is `None`.
#[must_use]
pub fn text_of(content_type: &str, bytes: &[u8]) -> Option<String> {
    let bare = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let text = match bare.as_str() {
        "text/plain" | "text/markdown" => decode_text(bytes),
        "text/html" | "application/xhtml+xml" => markup_text(&decode_text(bytes), true)?,
        "text/xml" | "application/xml" => markup_text(&decode_text(bytes), false)?,
        bare if bare.ends_with("+xml") && !bare.starts_with("image/") => {
            markup_text(&decode_text(bytes), false)?
        }
        _ => return None,
    };
    Some(text.chars().take(TEXT_LIMIT).collect())
}

/// UTF-8, else Latin-1, in which every byte is a character.
fn decode_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Elements after which a line ends.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "br",
    "tr",
    "li",
    "item",
    "paragraph",
    "title",
    "caption",
    "table",
    "list",
    "h1",
    "h2",
    "h3",
    "h4",
    "section",
    "text",
    "linkHtml",
    "thead",
    "tbody",
];
const CELLS: &[&str] = &["td", "th"];
/// Elements whose content is not for reading.
const UNSEEN: &[&str] = &["script", "style", "head", "templateId", "nonXMLBody"];

/// Reads markup into lines. In a C-CDA only titles and the text blocks of sections are for reading.
fn markup_text(markup: &str, html: bool) -> Option<String> {
    let clinical = !html && markup.contains("ClinicalDocument");
    let mut reader = Reader::from_str(markup);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut out = Lines::default();
    let (mut unseen, mut readable) = (0_u32, 0_u32);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let name = local_name(tag.name().as_ref());
                unseen += u32::from(UNSEEN.contains(&name.as_str()));
                readable += u32::from(matches!(name.as_str(), "title" | "text"));
            }
            Ok(Event::End(tag)) => {
                let name = local_name(tag.name().as_ref());
                if UNSEEN.contains(&name.as_str()) {
                    unseen = unseen.saturating_sub(1);
                }
                if matches!(name.as_str(), "title" | "text") {
                    readable = readable.saturating_sub(1);
                }
                out.end_element(&name);
            }
            Ok(Event::Empty(tag)) => out.end_element(&local_name(tag.name().as_ref())),
            Ok(Event::Text(text)) if unseen == 0 && (!clinical || readable > 0) => {
                out.push(&text);
            }
            Ok(Event::CData(text)) if unseen == 0 && (!clinical || readable > 0) => {
                out.push(&text);
            }
            Ok(Event::GeneralRef(name)) if unseen == 0 && (!clinical || readable > 0) => {
                out.push_joined(&entity(&name));
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            // Broken markup: what was readable before it is shown.
            Err(_) => break,
        }
    }
    let text = out.finish();
    (!text.is_empty()).then_some(text)
}

fn local_name(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

/// Character references and the five of XML; no others are looked up anywhere.
fn entity(name: &str) -> String {
    let number = name
        .strip_prefix('#')
        .and_then(|digits| match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        });
    match (name, number.and_then(char::from_u32)) {
        (_, Some(character)) => character.to_string(),
        ("lt", _) => "<".into(),
        ("gt", _) => ">".into(),
        ("amp", _) => "&".into(),
        ("quot", _) => "\"".into(),
        ("apos", _) => "'".into(),
        ("nbsp", _) => " ".into(),
        _ => String::new(),
    }
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn push(&mut self, text: &str) {
        let starts_apart = text.starts_with(char::is_whitespace);
        for (at, word) in text.split_whitespace().enumerate() {
            if (at > 0 || starts_apart)
                && !self.text.is_empty()
                && !self.text.ends_with(['\n', ' ', '\t'])
            {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
        if text.ends_with(char::is_whitespace)
            && !self.text.is_empty()
            && !self.text.ends_with(['\n', ' ', '\t'])
        {
            self.text.push(' ');
        }
    }

    fn push_joined(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn end_element(&mut self, name: &str) {
        if BLOCKS.contains(&name) {
            let kept = self.text.trim_end_matches([' ', '\t']).len();
            self.text.truncate(kept);
            if !self.text.is_empty() && !self.text.ends_with("\n\n") {
                self.text.push('\n');
            }
        } else if CELLS.contains(&name) && !self.text.ends_with(['\n', '\t']) {
            self.text.push('\t');
        }
    }

    fn finish(self) -> String {
        self.text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h5_markup_becomes_text_and_scripts_do_not() {
        let html = "<html><head><style>x{}</style></head><body><h1>Note</h1><p>Doing <b>well</b> &amp; calm</p>\
                    <script>alert(1)</script><p>Second</p></body></html>";
        let text = text_of("text/html; charset=utf-8", html.as_bytes()).unwrap();
        assert_eq!(text, "Note\nDoing well & calm\nSecond");
    }

    #[test]
    fn a_clinical_document_shows_its_sections_and_not_its_codes() {
        let xml = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>
            <ClinicalDocument xmlns="urn:hl7-org:v3"><id root="2.16.840"/><title>Summary</title>
            <author><name>Hidden</name></author><component><section><title>Allergies</title>
            <text><table><tr><td>Penicillin</td><td>Hives&e;</td></tr></table></text></section></component></ClinicalDocument>"#;
        let text = text_of("application/xml", xml.as_bytes()).unwrap();
        assert!(text.contains("Summary") && text.contains("Allergies"));
        assert!(text.contains("Penicillin\tHives"), "{text:?}");
        assert!(!text.contains("root") && !text.contains("Hidden"));
    }

    #[test]
    fn text_in_an_old_encoding_is_still_text_and_a_pdf_is_not() {
        assert_eq!(text_of("text/plain", b"caf\xe9").as_deref(), Some("café"));
        assert_eq!(text_of("application/pdf", b"%PDF-1.4"), None);
    }

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
