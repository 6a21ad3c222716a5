//! Stores that were played on, and what checks, copies and moves make of them.

mod backup;
mod forged;
mod growth;
mod migrate;
mod stage;
mod verify;
