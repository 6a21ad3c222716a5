//! Hand histories: read or refused, replayed or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orp_fuzz::phh::run(bytes));
