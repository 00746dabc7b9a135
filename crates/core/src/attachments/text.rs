//! What a person can read in a document, whatever it is: plain text, HTML, XML such as C-CDA, RTF, PDF.
//! What a document is, its first bytes say; the stated media type counts where they say nothing, for it may
//! be wrong. Pictures have no text.

use super::{markup, pdf, rtf};
use encoding_rs::Encoding;

/// Text beyond this many characters is cut.
pub(super) const TEXT_LIMIT: usize = 400_000;
/// Bytes of which a character may have four.
pub(super) const BYTE_LIMIT: usize = TEXT_LIMIT * 2;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Html,
    Xml,
    Rtf,
    Pdf,
    Image,
    Other,
}

impl Kind {
    /// As the stated media type says.
    pub(crate) fn stated(content_type: &str) -> Self {
        match bare(content_type).as_str() {
            "text/html" | "application/xhtml+xml" => Self::Html,
            "text/rtf" | "application/rtf" | "application/x-rtf" | "text/richtext" => Self::Rtf,
            "application/pdf" | "application/x-pdf" => Self::Pdf,
            "text/xml" | "application/xml" => Self::Xml,
            name if name.starts_with("image/") => Self::Image,
            name if name.ends_with("+xml") => Self::Xml,
            name if name.starts_with("text/") => Self::Plain,
            _ => Self::Other,
        }
    }

    /// As its first bytes say, where they do.
    pub(crate) fn seen(bytes: &[u8]) -> Option<Self> {
        let head = &bytes[..bytes.len().min(1024)];
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let start = head.trim_ascii_start();
        let begins = |with: &[u8]| {
            start
                .get(..with.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(with))
        };
        let pictures: [&[u8]; 6] = [
            b"\x89PNG\r\n",
            b"\xff\xd8\xff",
            b"GIF8",
            b"II*\0",
            b"MM\0*",
            b"BM",
        ];
        if memchr::memmem::find(head, b"%PDF-").is_some() {
            Some(Self::Pdf)
        } else if begins(b"{\\rtf") {
            Some(Self::Rtf)
        } else if begins(b"<!doctype html") || begins(b"<html") {
            Some(Self::Html)
        } else if begins(b"<?xml") || is_clinical(start) {
            Some(if memchr::memmem::find(head, b"<html").is_some() {
                Self::Html
            } else {
                Self::Xml
            })
        } else if pictures[..5].iter().any(|magic| head.starts_with(magic))
            || head.get(8..12) == Some(b"WEBP")
        {
            Some(Self::Image)
        } else {
            None
        }
    }

    pub(crate) fn of(content_type: &str, bytes: &[u8]) -> Self {
        match (Self::seen(bytes), Self::stated(content_type)) {
            // What is called plain text is shown as it is, markup and all.
            (Some(Self::Html | Self::Xml), Self::Plain) => Self::Plain,
            (Some(Self::Xml), Self::Html) => Self::Html,
            (Some(seen), _) => seen,
            (None, Self::Other) if is_text(bytes) => Self::Plain,
            // Called a PDF or a picture, and none by its bytes.
            (None, Self::Pdf | Self::Rtf | Self::Image) => Self::Other,
            (None, stated) => stated,
        }
    }
}

/// A CDA that begins without a declaration.
fn is_clinical(start: &[u8]) -> bool {
    start.starts_with(b"<") && memchr::memmem::find(start, b"ClinicalDocument").is_some()
}

fn bare(content_type: &str) -> String {
    let bare = content_type.split(';').next().unwrap_or_default();
    bare.trim().to_ascii_lowercase()
}

/// Characters only: no byte that no text has.
fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    let controls = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    !head.is_empty() && std::str::from_utf8(bytes).is_ok() && !head.iter().any(controls)
}

/// The text of a document; `None` where it has none. Blocks, for a PDF ten seconds at most: not for a
/// thread that serves others.
#[must_use]
pub fn text_of(content_type: &str, bytes: &[u8]) -> Option<String> {
    let text = match Kind::of(content_type, bytes) {
        Kind::Plain => decode_text(content_type, bytes),
        Kind::Html => markup::text_of(&decode_text(content_type, bytes), true)?,
        Kind::Xml => markup::text_of(&decode_text(content_type, bytes), false)?,
        Kind::Rtf => rtf::text_of(bytes, BYTE_LIMIT),
        Kind::Pdf => pdf::text_of(bytes.to_vec(), BYTE_LIMIT)?,
        Kind::Image | Kind::Other => return None,
    };
    Some(text.chars().take(TEXT_LIMIT).collect())
}

/// The charset that markup names in its first lines: XML's `encoding`, HTML's `charset`.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(1024)];
    let head = std::str::from_utf8(head).unwrap_or_else(|bad| {
        let good = &head[..bad.valid_up_to()];
        std::str::from_utf8(good).unwrap_or_default()
    });
    let name = ["encoding=", "charset="].iter().find_map(|key| {
        let (_, label) = head.trim_start().strip_prefix('<')?.split_once(key)?;
        let label = label.trim_start_matches(['"', '\'']);
        label.split(['"', '\'', '?', '>', ' ', ';']).next()
    })?;
    // It can be read here: it is none of two bytes a letter. That it is no UTF-8 is known.
    Encoding::for_label(name.as_bytes())
        .filter(|encoding| encoding.is_ascii_compatible() && *encoding != encoding_rs::UTF_8)
}

/// UTF-16 without a mark, as markup begins in it.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [b'<', 0, ..] => Some(encoding_rs::UTF_16LE),
        [0, b'<', ..] => Some(encoding_rs::UTF_16BE),
        _ => None,
    }
}

/// By the stated charset, else UTF-8, else by what markup says of itself, else Latin-1, in which every byte is
/// a character.
pub(super) fn decode_text(content_type: &str, bytes: &[u8]) -> String {
    let parameters = content_type.split(';').skip(1);
    let charset = parameters
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("charset"))
        .and_then(|(_, label)| Encoding::for_label(label.trim_matches('"').as_bytes()));
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    if let Some(encoding) = wide(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    match (
        std::str::from_utf8(bytes),
        charset.or_else(|| declared(bytes)),
    ) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), Some(charset)) => charset.decode(bytes).0.into_owned(),
        (Err(_), None) => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
    }
}

/// Lines without spaces at their ends, and no more than one empty one between two.
pub(super) fn tidy_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_matches([' ', '\t']);
        if !line.is_empty() || !(out.is_empty() || out.ends_with("\n\n")) {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_in_an_old_encoding_is_still_text_and_a_pdf_is_not() {
        assert_eq!(text_of("text/plain", b"caf\xe9").as_deref(), Some("café"));
        assert_eq!(text_of("application/pdf", b"%PDF-1.4 and no more"), None);
    }

    #[test]
    fn what_a_document_is_its_bytes_say_and_not_its_label() {
        let rtf = br"{\rtf1 Hello}";
        assert_eq!(text_of("application/pdf", rtf).as_deref(), Some("Hello"));
        assert_eq!(Kind::of("text/plain", b"%PDF-1.7"), Kind::Pdf);
        assert_eq!(Kind::of("application/octet-stream", b"words"), Kind::Plain);
        assert_eq!(
            Kind::of("application/octet-stream", &[0, 1, 2]),
            Kind::Other
        );
        assert_eq!(Kind::of("application/pdf", b"no such thing"), Kind::Other);
        assert_eq!(Kind::of("text/plain", b"<html>shown as it is"), Kind::Plain);
        assert_eq!(text_of("image/png", b"\x89PNG\r\n\x1a\n words"), None);
    }

    #[test]
    fn letters_are_read_by_the_stated_charset_and_by_the_mark_before_them() {
        let latin2 = "text/plain; charset=\"ISO-8859-2\"";
        assert_eq!(text_of(latin2, b"\xb1").as_deref(), Some("ą"));
        assert_eq!(
            text_of("text/plain", b"\xff\xfeo\0k\0").as_deref(),
            Some("ok")
        );
    }

    #[test]
    fn markup_says_its_charset_itself() {
        let xml = b"<?xml version='1.0' encoding='ISO-8859-2'?><p>\xb1</p>";
        assert_eq!(text_of("application/xml", xml).as_deref(), Some("\u{105}"));
        let html = b"<html><meta charset=windows-1251><p>\xcf</p>";
        assert_eq!(text_of("text/html", html).as_deref(), Some("\u{41f}"));
        let wrong = b"<?xml version='1.0' encoding='UTF-8'?><p>caf\xe9</p>";
        assert_eq!(text_of("text/xml", wrong).as_deref(), Some("café"));
        let wide: Vec<u8> = "<p>ok</p>".bytes().flat_map(|byte| [byte, 0]).collect();
        assert_eq!(text_of("text/xml", &wide).as_deref(), Some("ok"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn any_bytes_under_any_label_are_read_to_their_end(
            head in "(%PDF-1.4\n|\\{\\\\rtf1 |<html>|<\\?xml|)",
            bytes in any::<Vec<u8>>(),
            label in "(text/(plain|html|xml|rtf)|application/(pdf|xml|octet-stream)|image/png|)",
        ) {
            let document = [head.as_bytes(), &bytes].concat();
            let text = text_of(&label, &document).unwrap_or_default();
            prop_assert!(text.chars().count() <= document.len() * 3 + 8);
        }
    }
}
