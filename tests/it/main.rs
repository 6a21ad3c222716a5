//! Integration tests: one binary.

mod fuzz;
mod node;
mod recovery;
mod sim;
mod tidy;
