//! A smart-configuration, its issuer's metadata, a capability statement.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| satchel_fuzz::discovery_document(data));
