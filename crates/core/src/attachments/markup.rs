//! The text of HTML and XML, C-CDA before all. XML is read without entities from outside and without its
//! style sheet; nothing in it runs.

use quick_xml::Reader;
use quick_xml::events::Event;

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
pub(super) fn text_of(markup: &str, html: bool) -> Option<String> {
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
pub(super) fn entity(name: &str) -> String {
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
    use super::text_of;
    use proptest::prelude::*;

    #[test]
    fn h5_markup_becomes_text_and_scripts_do_not() {
        let html = "<html><head><style>x{}</style></head><body><h1>Note</h1><p>Doing <b>well</b> &amp; calm</p>\
                    <script>alert(1)</script><p>Second</p></body></html>";
        let text = text_of(html, true).unwrap();
        assert_eq!(text, "Note\nDoing well & calm\nSecond");
    }

    #[test]
    fn a_clinical_document_shows_its_sections_and_not_its_codes() {
        let xml = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>
            <ClinicalDocument xmlns="urn:hl7-org:v3"><id root="2.16.840"/><title>Summary</title>
            <author><name>Hidden</name></author><component><section><title>Allergies</title>
            <text><table><tr><td>Penicillin</td><td>Hives&e;</td></tr></table></text></section></component></ClinicalDocument>"#;
        let text = text_of(xml, false).unwrap();
        assert!(text.contains("Summary") && text.contains("Allergies"));
        assert!(text.contains("Penicillin\tHives"), "{text:?}");
        assert!(!text.contains("root") && !text.contains("Hidden"));
    }

    proptest! {
        #[test]
        fn any_markup_gives_no_more_than_it_has(markup in "([<>/&;#x0-9]|<p>|</title>|<script>|<!\\[CDATA\\[|\\PC){0,60}", html: bool) {
            if let Some(text) = text_of(&markup, html) {
                prop_assert!(text.len() <= markup.len() + 8);
            }
        }
    }
}
