//! Requests of clients: parsed or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orp_fuzz::wire::run(bytes));
