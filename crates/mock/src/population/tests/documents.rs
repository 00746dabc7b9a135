//! The files behind `Binary`: PDF, C-CDA, PNG, text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{Population, generate};
use super::{of_type, parsed};

fn binaries(population: &Population, content_type: &str) -> Vec<Vec<u8>> {
    let all = parsed(population);
    let of_kind = of_type(&all, "Binary").filter(|binary| {
        binary["contentType"]
            .as_str()
            .unwrap()
            .starts_with(content_type)
    });
    of_kind
        .map(|binary| STANDARD.decode(binary["data"].as_str().unwrap()).unwrap())
        .collect()
}

#[test]
fn each_pdf_has_a_header_and_a_cross_reference_table_whose_offsets_are_right() {
    let pdfs = binaries(&generate(8, 1), "application/pdf");
    assert!(pdfs.len() >= 16);
    for pdf in pdfs {
        assert!(pdf.starts_with(b"%PDF-1.4\n") && pdf.ends_with(b"%%EOF\n"));
        let text: String = pdf.iter().map(|byte| char::from(*byte)).collect();
        let start: usize = text
            .rsplit("startxref\n")
            .next()
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let mut lines = text[text.char_indices().nth(start).unwrap().0..].lines();
        assert_eq!(lines.next(), Some("xref"));
        let count: usize = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        for (number, line) in lines.take(count).enumerate().skip(1) {
            let offset: usize = line[..10].parse().unwrap();
            assert!(
                pdf[offset..].starts_with(format!("{number} 0 obj\n").as_bytes()),
                "object {number}"
            );
        }
    }
}

/// Fails unless every element of `xml` is closed in its order.
fn assert_balanced(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    for piece in xml.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag that ends");
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes in <{tag}>");
        assert!(
            !text.contains('>') && text.split('&').skip(1).all(|rest| rest.contains(';')),
            "{text}"
        );
        if tag.starts_with('?') || tag.ends_with('/') {
            continue;
        }
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "closing {name}"),
            None => open.push(tag.split([' ', '\n']).next().unwrap()),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn each_summary_is_well_formed_and_has_the_sections_of_a_ccd() {
    let documents = binaries(&generate(12, 4), "application/xml");
    assert_eq!(documents.len(), 12);
    for document in documents {
        let xml = String::from_utf8(document).unwrap();
        assert_balanced(&xml);
        for code in ["48765-2", "10160-0", "11450-4", "30954-2", "34133-9"] {
            assert!(xml.contains(&format!("<code code=\"{code}\"")), "{code}");
        }
    }
}

#[test]
fn the_picture_is_a_png_and_the_notes_are_text_with_the_name() {
    let population = generate(5, 1);
    let pictures = binaries(&population, "image/png");
    assert_eq!(pictures.len(), 5);
    assert!(
        pictures
            .iter()
            .all(|png| png.starts_with(b"\x89PNG\r\n\x1a\n")
                && png.ends_with(b"IEND\xae\x42\x60\x82"))
    );
    let notes = binaries(&population, "text/plain");
    assert!(
        notes
            .iter()
            .any(|note| String::from_utf8_lossy(note).contains("王 秀英"))
    );
}
