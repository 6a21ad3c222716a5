//! OpenRustPoker.
