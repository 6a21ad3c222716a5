//! Commands to the rules engine: no panic, no chip lost.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orp_fuzz::rules::run(bytes));
