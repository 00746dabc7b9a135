//! A page of search results, and a single resource.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| satchel_fuzz::bundle_page(data));
