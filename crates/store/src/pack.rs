//! A record's JSON as it stands in the file: compressed, where that makes it smaller.
//!
//! zstd with a dictionary of FHIR's words (`dictionary/`), so that a record of one kilobyte shrinks as
//! if it stood beside others. Byte for byte what was received comes back. What zstd cannot make smaller
//! stands as it is; the two are told apart by zstd's magic number, with which no UTF-8 text begins.

use crate::error::{Result, StoreError};
use std::cell::RefCell;
use std::sync::LazyLock;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::get_frame_content_size;

/// zstd's default: higher levels cost more time than they save here.
const LEVEL: i32 = 3;
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// No record is longer; a damaged length must not ask for all memory.
const LONGEST: u64 = 1 << 30;

const DICTIONARY: &[u8] = include_bytes!("../dictionary/fhir-1.zdict");
static ENCODER: LazyLock<Option<EncoderDictionary<'static>>> =
    LazyLock::new(|| EncoderDictionary::try_copy(DICTIONARY, LEVEL).ok());
static DECODER: LazyLock<Option<DecoderDictionary<'static>>> =
    LazyLock::new(|| DecoderDictionary::try_copy(DICTIONARY).ok());
thread_local! {
    /// Making one takes several times as long as unpacking a record.
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = RefCell::new(
        DECODER
            .as_ref()
            .and_then(|dictionary| Decompressor::with_prepared_dictionary(dictionary).ok()),
    );
}

/// Compresses one record after the other.
pub(crate) struct Packer(Option<Compressor<'static>>);

impl Packer {
    pub(crate) fn new() -> Self {
        let compressor = ENCODER
            .as_ref()
            .and_then(|dictionary| Compressor::with_prepared_dictionary(dictionary).ok());
        Self(compressor)
    }

    /// What is to be stored of this text.
    pub(crate) fn pack(&mut self, text: &str) -> Vec<u8> {
        let packed = self
            .0
            .as_mut()
            .and_then(|compressor| compressor.compress(text.as_bytes()).ok());
        match packed {
            Some(packed) if packed.len() < text.len() => packed,
            _ => text.as_bytes().to_vec(),
        }
    }
}

/// The text that was stored.
pub(crate) fn unpack(stored: Vec<u8>) -> Result<String> {
    let damaged = || StoreError::Corrupt("a record cannot be unpacked".to_owned());
    let bytes = if stored.starts_with(&MAGIC) {
        let length = get_frame_content_size(&stored)
            .ok()
            .flatten()
            .filter(|length| *length <= LONGEST)
            .and_then(|length| usize::try_from(length).ok())
            .ok_or_else(damaged)?;
        DECOMPRESSOR.with_borrow_mut(|decompressor| {
            let decompressor = decompressor.as_mut().ok_or_else(damaged)?;
            decompressor
                .decompress(&stored, length)
                .map_err(|_| damaged())
        })?
    } else {
        stored
    };
    String::from_utf8(bytes).map_err(|_| damaged())
}

#[cfg(test)]
mod tests {
    use super::{MAGIC, Packer, unpack};
    use proptest::prelude::*;

    #[test]
    fn a_record_of_fhir_takes_less_than_half_of_its_length() {
        let json = r#"{"resourceType":"Observation","id":"o-1","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"2951-2","display":"Sodium [Moles/volume] in Serum or Plasma"}]},"subject":{"reference":"Patient/p-1"},"effectiveDateTime":"2024-03-05T09:12:00-05:00","valueQuantity":{"value":140,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}"#;
        let packed = Packer::new().pack(json);
        assert!(packed.len() * 2 < json.len(), "{}", packed.len());
        assert_eq!(unpack(packed).unwrap(), json);
    }

    #[test]
    fn damage_is_an_error_and_no_crash() {
        let mut packed = Packer::new().pack(&"the same again and ".repeat(50));
        let last = packed.len() - 1;
        packed.truncate(last);
        assert!(unpack(packed).is_err());
        assert!(unpack(MAGIC.to_vec()).is_err());
        assert!(unpack(vec![0xff, 0xfe]).is_err());
        let whole = Packer::new().pack("the next one is read all the same");
        assert_eq!(unpack(whole).unwrap(), "the next one is read all the same");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_byte_for_byte(text in "\\PC{0,400}") {
            prop_assert_eq!(unpack(Packer::new().pack(&text)).unwrap(), text);
        }
    }
}
