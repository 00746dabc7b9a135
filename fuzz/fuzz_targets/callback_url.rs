//! The redirect that comes back from the browser, and the link of a portal.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| satchel_fuzz::callback_url(data));
