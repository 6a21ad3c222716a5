#![no_std]
//! The rules of poker.
