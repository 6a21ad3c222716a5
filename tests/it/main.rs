//! Integration tests: one binary.

mod cassandra;
mod chaos;
mod disk;
mod fuzz;
mod games;
mod keep;
mod node;
mod proxy;
mod recovery;
mod sim;
mod tidy;
