//! The text of a PDF (ISO 32000-1, 9.4 and 9.10): lopdf takes the file apart, the text is put together
//! here. Whatever a file is made of, it costs no more than the limits below: what goes on for too long is
//! left alone, what cannot be read has no text.

use super::cmap::ToUnicode;
use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Encoding, LoadOptions, Object, Stream};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A file that takes longer is given up.
const LONGEST: Duration = Duration::from_secs(10);
/// Readers that were given up and have not ended yet: with this many no further file is begun.
const GIVEN_UP: usize = 2;
/// The depth of a file is bounded; this is room for it.
const STACK: usize = 16 * 1024 * 1024;
/// What one page may unpack to. A page of text has some thousand bytes.
const PAGE: usize = 4 * 1024 * 1024;
/// What all streams that are unpacked at the beginning may come to.
const LOADED: usize = 4 * 1024 * 1024;
/// Pieces of a file outside of its streams: thousand pages have a third of that.
const PIECES: usize = 800_000;
const PAGES: usize = 2_000;
/// The longest string of a page (ISO 32000-1, annex C).
const STRING: usize = 32_767;
/// Forms within forms within a page.
const DEPTH: u8 = 4;
/// Operators of the whole file.
const OPERATIONS: usize = 5_000_000;

static STUCK: AtomicUsize = AtomicUsize::new(0);

/// The text, at most about `limit` bytes of it; `None` where there is none to be had. Blocks, for ten
/// seconds at most.
pub(super) fn text_of(bytes: Vec<u8>, limit: usize) -> Option<String> {
    if STUCK.load(Ordering::SeqCst) >= GIVEN_UP || pieces_outside_of_streams(&bytes) > PIECES {
        return None;
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let given_up = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&given_up);
    std::thread::Builder::new()
        .name("pdf".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let _counted = Counted(&seen);
            // A panic in here ends this thread, and the other end of the channel sees that.
            let text = read(&bytes, limit, &seen);
            let _ = sender.send(text);
        })
        .ok()?;
    match receiver.recv_timeout(LONGEST) {
        Ok(text) => text,
        Err(mpsc::RecvTimeoutError::Disconnected) => None,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            STUCK.fetch_add(1, Ordering::SeqCst);
            given_up.store(true, Ordering::SeqCst);
            None
        }
    }
}

/// A reader that was given up is counted until it ends.
struct Counted<'a>(&'a AtomicBool);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.0.load(Ordering::SeqCst) {
            STUCK.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Pieces of a file that are in no stream: each may become an object of a hundred times its size.
fn pieces_outside_of_streams(bytes: &[u8]) -> usize {
    let (mut pieces, mut rest) = (0, bytes);
    while let Some(begin) = memchr::memmem::find(rest, b"stream") {
        pieces += pieces_of(&rest[..begin]);
        let inside = &rest[begin + 6..];
        match memchr::memmem::find(inside, b"endstream") {
            Some(end) => rest = &inside[end + 9..],
            None => return pieces,
        }
    }
    pieces + pieces_of(rest)
}

fn pieces_of(bytes: &[u8]) -> usize {
    let parts = |byte: &&u8| {
        matches!(
            **byte,
            b' ' | b'\n' | b'\r' | b'\t' | b'/' | b'[' | b'<' | b'('
        )
    };
    bytes.iter().filter(parts).count()
}

fn read(bytes: &[u8], limit: usize, given_up: &AtomicBool) -> Option<String> {
    let streams = memchr::memmem::find_iter(bytes, b"endstream").count();
    let options = LoadOptions {
        max_decompressed_size: Some((LOADED / streams.max(1)).max(64 * 1024)),
        ..LoadOptions::default()
    };
    let document = Document::load_mem_with_options(bytes, options).ok()?;
    if document.is_encrypted() && !document.was_encrypted() {
        return None;
    }
    let mut reader = Reader {
        document: &document,
        fonts: HashMap::new(),
        out: String::new(),
        limit,
        operations: 0,
        ends: Instant::now() + LONGEST,
        given_up,
    };
    for page in document.page_iter().take(PAGES) {
        if reader.is_over() {
            break;
        }
        reader.page(page);
        reader.line();
    }
    let text = super::text::tidy_lines(&reader.out);
    (!text.is_empty()).then_some(text)
}

/// How a font's codes become letters.
enum Letters<'a> {
    Mapped(ToUnicode),
    Encoded(Encoding<'a>),
    /// Two bytes for each letter, and nothing says which.
    Unknown,
}

struct Reader<'a> {
    document: &'a Document,
    /// By the address of their dictionary: a font is read once, however many pages use it.
    fonts: HashMap<*const Dictionary, Arc<Letters<'a>>>,
    out: String,
    limit: usize,
    operations: usize,
    ends: Instant,
    given_up: &'a AtomicBool,
}

impl<'a> Reader<'a> {
    fn is_over(&self) -> bool {
        self.out.len() >= self.limit
            || self.operations >= OPERATIONS
            || self.given_up.load(Ordering::Relaxed)
            || Instant::now() >= self.ends
    }

    fn page(&mut self, page: lopdf::ObjectId) {
        let document = self.document;
        let Ok(content) = document.get_page_content_with_limit(page, PAGE) else {
            return;
        };
        let mut resources = Vec::new();
        if let Ok((own, inherited)) = document.get_page_resources(page) {
            resources.extend(own);
            let referenced = inherited.iter();
            resources.extend(referenced.filter_map(|id| document.get_dictionary(*id).ok()));
        }
        self.content(&content, &resources, 0);
    }

    fn content(&mut self, content: &[u8], resources: &[&'a Dictionary], depth: u8) {
        let mut font: Option<Arc<Letters<'a>>> = None;
        // What cannot be read ends the page; what came before it stays.
        for operation in Content::decode_iter(content).map_while(Result::ok) {
            self.operations += 1;
            if self.operations.is_multiple_of(256) && self.is_over() {
                return;
            }
            match operation.operator.as_str() {
                "Tf" => font = self.font(&operation, resources),
                "Tj" | "TJ" => self.show(&operation.operands, font.as_deref()),
                "'" => {
                    self.line();
                    self.show(&operation.operands, font.as_deref());
                }
                "\"" => {
                    self.line();
                    self.show(
                        operation.operands.get(2..).unwrap_or_default(),
                        font.as_deref(),
                    );
                }
                "T*" | "ET" => self.line(),
                "Td" | "TD" => self.moved(&operation.operands, 0),
                "Tm" => self.moved(&operation.operands, 4),
                "Do" if depth < DEPTH => self.form(&operation, resources, depth),
                _ => {}
            }
        }
    }

    /// Text goes on elsewhere: on another line, or further along.
    fn moved(&mut self, operands: &[Object], from: usize) {
        let down = operands.get(from + 1).and_then(|one| one.as_float().ok());
        if from == 0 && down == Some(0.0) {
            self.space();
        } else {
            self.line();
        }
    }

    fn line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
    }

    fn show(&mut self, operands: &[Object], font: Option<&Letters<'_>>) {
        for operand in operands {
            match operand {
                Object::String(bytes, _) => self.letters(bytes, font),
                Object::Array(parts) => {
                    for part in parts {
                        match part {
                            Object::String(bytes, _) => self.letters(bytes, font),
                            // Thousandths of the font's size: a space is about 250 wide.
                            Object::Integer(_) | Object::Real(_)
                                if part.as_float().is_ok_and(|back| back < -180.0) =>
                            {
                                self.space();
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn letters(&mut self, bytes: &[u8], font: Option<&Letters<'_>>) {
        let bytes = &bytes[..bytes.len().min(STRING)];
        match font {
            Some(Letters::Mapped(map)) => map.write(bytes, &mut self.out),
            Some(Letters::Encoded(encoding)) => {
                let _ = encoding.write_to_string(bytes, &mut self.out);
            }
            Some(Letters::Unknown) => {}
            None => self.out.extend(bytes.iter().map(|byte| char::from(*byte))),
        }
    }

    fn font(
        &mut self,
        operation: &Operation,
        resources: &[&'a Dictionary],
    ) -> Option<Arc<Letters<'a>>> {
        let name = operation.operands.first()?.as_name().ok()?;
        let font = self.resource(resources, b"Font", name)?;
        let font = font.as_dict().ok()?;
        let document = self.document;
        let letters = self
            .fonts
            .entry(std::ptr::from_ref(font))
            .or_insert_with(|| Arc::new(letters_of(font, document)));
        Some(Arc::clone(letters))
    }

    fn form(&mut self, operation: &Operation, resources: &[&'a Dictionary], depth: u8) {
        let name = operation
            .operands
            .first()
            .and_then(|name| name.as_name().ok());
        let form = name.and_then(|name| self.resource(resources, b"XObject", name));
        let Some(form) = form.and_then(|form| form.as_stream().ok()) else {
            return;
        };
        let is_form = name_of(&form.dict, b"Subtype") == Some(b"Form");
        let Some(content) = is_form.then(|| plain(form)).flatten() else {
            return;
        };
        let own = form.dict.get_deref(b"Resources", self.document);
        let own = own.and_then(Object::as_dict).ok();
        let mut all: Vec<&'a Dictionary> = own.into_iter().collect();
        all.extend_from_slice(resources);
        self.content(&content, &all, depth + 1);
    }

    fn resource(
        &self,
        resources: &[&'a Dictionary],
        kind: &[u8],
        name: &[u8],
    ) -> Option<&'a Object> {
        let document = self.document;
        resources.iter().find_map(|one| {
            let named = one.get_deref(kind, document).ok()?.as_dict().ok()?;
            named.get_deref(name, document).ok()
        })
    }
}

fn name_of<'a>(dictionary: &'a Dictionary, key: &[u8]) -> Option<&'a [u8]> {
    dictionary.get(key).and_then(Object::as_name).ok()
}

fn plain(stream: &Stream) -> Option<Vec<u8>> {
    stream.get_plain_content_with_limit(PAGE).ok()
}

fn letters_of<'a>(font: &'a Dictionary, document: &'a Document) -> Letters<'a> {
    let map = font.get_deref(b"ToUnicode", document);
    let map = map.and_then(Object::as_stream).ok().and_then(plain);
    if let Some(map) = map
        .map(|map| ToUnicode::parse(&map))
        .filter(|map| !map.is_empty())
    {
        return Letters::Mapped(map);
    }
    let of_two_bytes = name_of(font, b"Subtype") == Some(b"Type0");
    // lopdf's own reading of a map has no limit, so it must not come to it.
    if of_two_bytes || font.has(b"ToUnicode") {
        return match name_of(font, b"Encoding") {
            Some(name) if name == b"UniGB-UCS2-H" || name == b"UniGB-UTF16-H" => {
                Letters::Encoded(Encoding::SimpleEncoding(name))
            }
            _ if of_two_bytes => Letters::Unknown,
            _ => Letters::Encoded(Encoding::SimpleEncoding(b"WinAnsiEncoding")),
        };
    }
    match font.get_font_encoding_with_limit(document, PAGE) {
        Ok(encoding) => Letters::Encoded(encoding),
        Err(_) => Letters::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::text_of;
    use std::fmt::Write as _;
    use std::io::Write as _;

    /// A file of these objects, with a right table of them (ISO 32000-1, 7.5).
    fn file(objects: &[Vec<u8>]) -> Vec<u8> {
        let mut file = b"%PDF-1.4\n".to_vec();
        let mut table = String::new();
        for (number, object) in (1..).zip(objects) {
            let _ = writeln!(table, "{:010} 00000 n ", file.len());
            file.extend(format!("{number} 0 obj\n").bytes());
            file.extend(object);
            file.extend(b"\nendobj\n");
        }
        let count = objects.len() + 1;
        let start = file.len();
        let end = format!(
            "xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
        );
        file.extend(end.bytes());
        file
    }

    fn stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let head = format!("<< {dictionary} /Length {length} >>\nstream\n");
        [head.as_bytes(), content, b"\nendstream"].concat()
    }

    fn squeezed(dictionary: &str, content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        let small = encoder.finish().unwrap();
        stream(&format!("{dictionary} /Filter /FlateDecode"), &small)
    }

    const HELVETICA: &[u8] =
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

    /// One page with this content, this font and these further objects.
    fn page(content: &[u8], font: &[u8], resources: &str, more: &[Vec<u8>]) -> Vec<u8> {
        let page = format!(
            "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> {resources} >> >>"
        );
        let mut objects = vec![
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
            page.into_bytes(),
            squeezed("", content),
            font.to_vec(),
        ];
        objects.extend_from_slice(more);
        file(&objects)
    }

    fn read(file: Vec<u8>) -> Option<String> {
        text_of(file, 100_000)
    }

    #[test]
    fn lines_words_and_letters_are_those_of_the_page() {
        let content = b"BT /F1 12 Tf (Hello) Tj 0 -14 Td (caf\xe9) Tj 40 0 Td (again) Tj T* [(Sod) -20 (ium) -300 (140)] TJ ET";
        assert_eq!(
            read(page(content, HELVETICA, "", &[])).as_deref(),
            Some("Hello\ncaf\u{e9} again\nSodium 140")
        );
    }

    #[test]
    fn text_in_a_form_and_by_a_table_of_letters_is_read() {
        let font = b"<< /Type /Font /Subtype /Type0 /Encoding /Identity-H /ToUnicode 7 0 R >>";
        let form = stream(
            "/Type /XObject /Subtype /Form",
            b"BT /F1 9 Tf <00010002> Tj ET",
        );
        let map = stream("", b"1 beginbfrange <0001> <0002> <0058> endbfrange");
        let file = page(b"/X Do", font, "/XObject << /X 6 0 R >>", &[form, map]);
        assert_eq!(read(file).as_deref(), Some("XY"));
    }

    #[test]
    fn files_made_to_fill_the_memory_or_to_never_end_have_no_text() {
        let bomb = page(&vec![b' '; 60_000_000], HELVETICA, "", &[]);
        let map = stream(
            "",
            b"1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange",
        );
        let font = b"<< /Type /Font /Subtype /Type0 /Encoding /Identity-H /ToUnicode 6 0 R >>";
        let all_codes = page(b"BT /F1 9 Tf ET", font, "", &[map]);
        let within = "/Type /XObject /Subtype /Form /Resources << /XObject << /X 6 0 R >> >>";
        let form = stream(within, &b"/X Do ".repeat(9));
        let forms = page(b"/X Do", HELVETICA, "/XObject << /X 6 0 R >>", &[form]);
        let pages = file(&[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>".to_vec(),
        ]);
        let deep = file(&[b"[".repeat(500_000)]);
        let dictionaries = file(&[b"<</A ".repeat(200_000)]);
        let many = file(&[[b"[".as_slice(), &b"0 ".repeat(1_000_000), b"]"].concat()]);
        let inner = [b"1 0 [".as_slice(), &b"0 ".repeat(20_000_000), b"]"].concat();
        let objects = file(&[squeezed("/Type /ObjStm /N 1 /First 4", &inner)]);
        for (at, hostile) in [
            bomb,
            all_codes,
            forms,
            pages,
            deep,
            dictionaries,
            many,
            objects,
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(read(hostile), None, "{at}");
        }
    }
}
