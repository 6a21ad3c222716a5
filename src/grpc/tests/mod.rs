//! What the tests of the edge share.

pub mod stage;
