//! The `orp` binary.
fn main() {}
