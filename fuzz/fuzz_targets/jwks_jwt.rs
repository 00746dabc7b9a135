//! A key set and an id_token.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| satchel_fuzz::jwks_jwt(data));
