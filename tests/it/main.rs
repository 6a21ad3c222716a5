//! Integration tests: one binary.

mod cassandra;
mod disk;
mod fuzz;
mod node;
mod recovery;
mod sim;
mod tidy;
