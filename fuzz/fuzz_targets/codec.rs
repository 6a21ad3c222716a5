//! Bytes of the log and the archive: read or refused, and what reads folds.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orp_fuzz::codec::run(bytes));
