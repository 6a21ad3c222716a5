//! Integration tests: one binary.

mod cassandra;
mod disk;
mod fuzz;
mod keep;
mod node;
mod recovery;
mod sim;
mod tidy;
