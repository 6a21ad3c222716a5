#![no_std]
//! The rules of poker.

extern crate alloc;

pub mod card;
pub mod deck;
pub mod eval;
pub mod pot;

#[cfg(test)]
extern crate std;
