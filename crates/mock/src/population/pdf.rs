//! A small PDF 1.4, built by hand: text in Helvetica on US Letter pages, with a right cross-reference table.

use super::person::Person;

const LINES_PER_PAGE: usize = 46;
const LINE_LENGTH: usize = 92;

/// A document about `person` with `title` and `lines`.
pub(super) fn document(person: &Person, title: &str, lines: &[String]) -> Vec<u8> {
    let mut head = vec![
        format!(
            "Patient: {}    Born: {}    MRN{:07}",
            person.display_name(),
            person.birth.iso(),
            person.base
        ),
        String::new(),
    ];
    for line in lines {
        wrap(line, &mut head);
    }
    let pages: Vec<&[String]> = head.chunks(LINES_PER_PAGE).collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        pages_object(pages.len()),
        font("Helvetica"),
        font("Helvetica-Bold"),
        [
            b"<< /Title ".to_vec(),
            string(title),
            b" /Producer (Satchel mock server) >>".to_vec(),
        ]
        .concat(),
    ];
    for (position, page) in pages.iter().enumerate() {
        let content = 7 + position * 2;
        objects.push(format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents {content} 0 R >>").into_bytes());
        let stream = page_stream(title, page, position + 1, pages.len());
        objects.push(
            [
                format!("<< /Length {} >>\nstream\n", stream.len()).into_bytes(),
                stream,
                b"\nendstream".to_vec(),
            ]
            .concat(),
        );
    }
    assemble(&objects)
}

fn pages_object(count: usize) -> Vec<u8> {
    let kids: Vec<String> = (0..count)
        .map(|page| format!("{} 0 R", 6 + page * 2))
        .collect();
    format!(
        "<< /Type /Pages /Kids [{}] /Count {count} >>",
        kids.join(" ")
    )
    .into_bytes()
}

fn font(name: &str) -> Vec<u8> {
    format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>")
        .into_bytes()
}

fn page_stream(title: &str, lines: &[String], page: usize, pages: usize) -> Vec<u8> {
    let mut out = b"BT\n/F2 15 Tf\n56 740 Td\n".to_vec();
    out.extend(string(title));
    out.extend(b" Tj\n/F1 10 Tf\n14 TL\n0 -24 Td\n");
    for line in lines {
        out.extend(string(line));
        out.extend(b" Tj T*\n");
    }
    out.extend(format!("ET\nBT\n/F1 8 Tf\n56 40 Td\n(Synthetic data, nobody's record. Page {page} of {pages}) Tj\nET").bytes());
    out
}

/// Header, objects with their offsets, cross-reference table, trailer.
fn assemble(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (position, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n", position + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let table = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    out.extend(
        format!(
            "trailer\n<< /Size {} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{table}\n%%EOF\n",
            objects.len() + 1
        )
        .bytes(),
    );
    out
}

fn wrap(line: &str, out: &mut Vec<String>) {
    let mut current = String::new();
    for word in line.split(' ') {
        if current.chars().count() + word.chars().count() + 1 > LINE_LENGTH && !current.is_empty() {
            out.push(std::mem::take(&mut current));
            current.push_str("    ");
        } else if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    out.push(current);
}

/// A literal string in `WinAnsiEncoding`; letters that it lacks lose their marks.
fn string(text: &str) -> Vec<u8> {
    let mut out = vec![b'('];
    for letter in text.chars() {
        let byte = match letter {
            '(' | ')' | '\\' => {
                out.push(b'\\');
                u8::try_from(letter).unwrap_or(b'?')
            }
            ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(letter).unwrap_or(b'?'),
            'ł' => b'l',
            'Ł' => b'L',
            'Ż' | 'Ź' | 'Ž' => b'Z',
            'ż' | 'ź' | 'ž' => b'z',
            'ę' | 'ễ' | 'ế' | 'ě' => b'e',
            'ą' | 'ạ' | 'ầ' | 'ả' | 'ă' => b'a',
            'ń' | 'ň' => b'n',
            'ś' | 'ş' | 'š' => b's',
            'Ś' | 'Š' => b'S',
            'č' | 'ć' => b'c',
            'Č' | 'Ć' => b'C',
            'ğ' => b'g',
            'ị' | 'ı' | 'ĩ' => b'i',
            'ũ' | 'ư' => b'u',
            'ơ' | 'ố' => b'o',
            'ř' => b'r',
            _ => b'?',
        };
        out.push(byte);
    }
    out.push(b')');
    out
}
