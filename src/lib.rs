//! OpenRustPoker.


pub mod client;
