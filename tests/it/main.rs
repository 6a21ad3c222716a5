//! Integration tests.

mod fuzz;
mod node;
mod recovery;
mod sim;
mod tidy;
