//! Integration tests: one binary.

mod cassandra;
mod fuzz;
mod node;
mod recovery;
mod sim;
mod tidy;
