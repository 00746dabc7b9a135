//! NDJSON, piece by piece: LF or CRLF, a byte order mark, blank lines, a last line without an end, lines
//! too long to be held (checklist F16). Line numbers count from 1, blank lines included.

use super::decode::Decoder;
use super::error::BulkError;

/// Lines above this are reported and not held.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// One line that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: u64,
    /// Its bytes, without the end of line; `None` when there were too many.
    pub bytes: Option<Vec<u8>>,
    /// It is the last one of its file, and nothing says that it was whole.
    pub unended: bool,
}

/// Takes pieces in and gives lines out; holds no more than one unfinished line and what was not taken.
#[derive(Debug, Default)]
pub struct NdjsonReader {
    decoder: Decoder,
    /// The number of the line that is being read, minus one.
    ended: u64,
    unfinished: Vec<u8>,
    too_long: bool,
    ready: Vec<Line>,
    ready_bytes: usize,
}

impl NdjsonReader {
    /// A reader at the beginning of a file, compressed by gzip or not.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next piece of the file.
    ///
    /// # Errors
    /// [`BulkError::TooLarge`], [`BulkError::Truncated`] when what is compressed cannot be read.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), BulkError> {
        let mut decoder = std::mem::take(&mut self.decoder);
        let done = decoder.push(piece, &mut |bytes| self.take_in(bytes));
        self.decoder = decoder;
        done
    }

    /// The file is at its end.
    ///
    /// # Errors
    /// [`BulkError::Truncated`] when what is compressed is not.
    pub fn finish(&mut self) -> Result<(), BulkError> {
        let mut decoder = std::mem::take(&mut self.decoder);
        decoder.finish(&mut |bytes| self.take_in(bytes))?;
        if !self.unfinished.is_empty() || self.too_long {
            self.end_line(true);
        }
        Ok(())
    }

    /// The lines that are ready.
    pub fn take(&mut self) -> Vec<Line> {
        self.ready_bytes = 0;
        std::mem::take(&mut self.ready)
    }

    /// How many lines are ready, and how large they are.
    #[must_use]
    pub fn ready(&self) -> (usize, usize) {
        (self.ready.len(), self.ready_bytes)
    }

    fn take_in(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.add(&bytes[..end]);
            self.end_line(false);
            bytes = &bytes[end + 1..];
        }
        self.add(bytes);
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.too_long || self.unfinished.len() + bytes.len() > LONGEST_LINE {
            self.too_long |= !bytes.is_empty();
            if self.too_long {
                self.unfinished = Vec::new();
            }
            return;
        }
        self.unfinished.extend_from_slice(bytes);
    }

    fn end_line(&mut self, unended: bool) {
        self.ended += 1;
        let mut bytes = std::mem::take(&mut self.unfinished);
        let too_long = std::mem::take(&mut self.too_long);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        if self.ended == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        if !too_long && bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        self.ready_bytes += bytes.len();
        self.ready.push(Line {
            number: self.ended,
            bytes: (!too_long).then_some(bytes),
            unended,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(pieces: &[&[u8]]) -> Vec<(u64, Option<String>, bool)> {
        let mut reader = NdjsonReader::new();
        for piece in pieces {
            reader.push(piece).unwrap();
        }
        reader.finish().unwrap();
        let text = |line: Line| {
            let text = line
                .bytes
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            (line.number, text, line.unended)
        };
        reader.take().into_iter().map(text).collect()
    }

    #[test]
    fn f16_line_ends_blank_lines_a_byte_order_mark_and_a_last_line_without_an_end() {
        let whole = b"\xef\xbb\xbf{\"a\":1}\r\n\r\n  \n{\"b\":2}\n\n{\"c\":3}";
        let wanted = [
            (1, Some("{\"a\":1}".to_owned()), false),
            (4, Some("{\"b\":2}".to_owned()), false),
            (6, Some("{\"c\":3}".to_owned()), true),
        ];
        assert_eq!(lines(&[whole]), wanted);
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(lines(&bytes), wanted);
        assert!(lines(&[b""]).is_empty() && lines(&[b"\r\n\n"]).is_empty());
    }

    #[test]
    fn f16_a_line_above_16_megabytes_is_told_and_not_held() {
        let mut reader = NdjsonReader::new();
        reader.push(b"{\"a\":1}\n").unwrap();
        let piece = vec![b'x'; 1024 * 1024];
        for _ in 0..20 {
            reader.push(&piece).unwrap();
            assert!(reader.unfinished.len() <= LONGEST_LINE);
        }
        reader.push(b"\n{\"b\":2}\n").unwrap();
        reader.finish().unwrap();
        let read = reader.take();
        assert_eq!(read.len(), 3);
        assert_eq!((read[1].number, &read[1].bytes), (2, &None));
        assert_eq!(read[2].number, 3);
    }

    proptest! {
        #[test]
        fn f16_how_a_file_is_cut_into_pieces_makes_no_difference(
            text in "[a-z\\r\\n ]{0,200}", cuts in prop::collection::vec(1_usize..9, 1..40)
        ) {
            let mut rest = text.as_bytes();
            let mut pieces = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, left) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = left;
            }
            prop_assert_eq!(lines(&pieces), lines(&[text.as_bytes()]));
        }
    }
}
