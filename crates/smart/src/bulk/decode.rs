//! Decompression, as far as it is due: by the first bytes, as the header that should say so is often
//! missing or wrong (checklist F15). JSON never begins like gzip.

use super::error::BulkError;
use flate2::write::MultiGzDecoder;
use std::io::Write;

/// What is compressed goes in by pieces of this size, so that what comes out of one is bounded too.
const PIECE: usize = 4096;
/// Up to here a file may be compressed as well as it likes.
const UNSUSPICIOUS: u64 = 16 * 1024 * 1024;
/// NDJSON of real records is compressed by ten to forty.
const LARGEST_RATIO: u64 = 200;

#[derive(Debug, Default)]
pub(super) struct Decoder {
    form: Form,
    taken: u64,
    given: u64,
}

#[derive(Debug, Default)]
enum Form {
    /// Fewer than two bytes have come.
    #[default]
    Unknown,
    FirstByte(u8),
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Decoder {
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        give: &mut impl FnMut(&[u8]),
    ) -> Result<(), BulkError> {
        let Some(first) = bytes.first() else {
            return Ok(());
        };
        match &mut self.form {
            Form::Plain => {
                give(bytes);
                return Ok(());
            }
            Form::Gzip(_) => return self.inflate(bytes, give),
            Form::Unknown if bytes.len() == 1 => {
                self.form = Form::FirstByte(*first);
                return Ok(());
            }
            Form::Unknown | Form::FirstByte(_) => {}
        }
        let mut begin = match self.form {
            Form::FirstByte(byte) => vec![byte],
            _ => Vec::new(),
        };
        begin.extend_from_slice(bytes);
        if begin.starts_with(&[0x1f, 0x8b]) {
            self.form = Form::Gzip(Box::new(MultiGzDecoder::new(Vec::new())));
            self.inflate(&begin, give)
        } else {
            self.form = Form::Plain;
            give(&begin);
            Ok(())
        }
    }

    pub(super) fn finish(&mut self, give: &mut impl FnMut(&[u8])) -> Result<(), BulkError> {
        match &mut self.form {
            Form::Unknown | Form::Plain => Ok(()),
            Form::FirstByte(byte) => {
                give(&[*byte]);
                Ok(())
            }
            Form::Gzip(gzip) => {
                gzip.try_finish().map_err(|_| BulkError::Truncated)?;
                let rest = std::mem::take(gzip.get_mut());
                give(&rest);
                Ok(())
            }
        }
    }

    fn inflate(&mut self, bytes: &[u8], give: &mut impl FnMut(&[u8])) -> Result<(), BulkError> {
        let Form::Gzip(gzip) = &mut self.form else {
            return Ok(());
        };
        for piece in bytes.chunks(PIECE) {
            gzip.write_all(piece).map_err(|_| BulkError::Truncated)?;
            let plain = std::mem::take(gzip.get_mut());
            self.taken += piece.len() as u64;
            self.given += plain.len() as u64;
            if self.given > UNSUSPICIOUS && self.given / self.taken.max(1) > LARGEST_RATIO {
                return Err(BulkError::TooLarge);
            }
            give(&plain);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(pieces: &[&[u8]]) -> Result<Vec<u8>, BulkError> {
        let (mut decoder, mut all) = (Decoder::default(), Vec::new());
        for piece in pieces {
            decoder.push(piece, &mut |bytes| all.extend_from_slice(bytes))?;
        }
        decoder.finish(&mut |bytes| all.extend_from_slice(bytes))?;
        Ok(all)
    }

    #[test]
    fn f15_plain_and_compressed_are_told_apart_by_their_first_bytes() {
        let text = b"{\"resourceType\":\"Patient\"}\n".repeat(1000);
        let packed = gzip(&text);
        assert_eq!(decode(&[&text]).unwrap(), text);
        assert_eq!(decode(&[&packed]).unwrap(), text);
        let single: Vec<&[u8]> = packed.chunks(1).collect();
        assert_eq!(decode(&single).unwrap(), text);
        let two: Vec<u8> = [gzip(b"a\n"), gzip(b"b\n")].concat();
        assert_eq!(decode(&[&two]).unwrap(), b"a\nb\n");
        assert_eq!(decode(&[b"{"]).unwrap(), b"{");
    }

    #[test]
    fn f15_f17_what_is_compressed_and_cut_short_is_noticed() {
        let packed = gzip(&b"{\"resourceType\":\"Patient\"}\n".repeat(1000));
        let half = &packed[..packed.len() / 2];
        assert!(matches!(decode(&[half]), Err(BulkError::Truncated)));
    }

    #[test]
    fn f15_a_bomb_is_not_let_off() {
        let packed = gzip(&vec![b' '; 64 * 1024 * 1024]);
        assert!(packed.len() < 100_000);
        let (mut decoder, mut given) = (Decoder::default(), 0);
        let done = decoder.push(&packed, &mut |bytes| given += bytes.len());
        assert!(matches!(done, Err(BulkError::TooLarge)));
        assert!(given < 32 * 1024 * 1024, "{given}");
    }
}
