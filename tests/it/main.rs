//! Integration tests.

mod fuzz;
mod tidy;
