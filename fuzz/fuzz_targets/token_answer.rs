//! Answers of the token, introspection and registration endpoints.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| satchel_fuzz::token_answer(data));
