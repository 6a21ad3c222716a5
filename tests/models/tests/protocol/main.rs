//! Every behaviour of a few incarnations, explored.
//!
//! - `holds`: the protocol keeps P2, P3 and P4 in every state that can be reached
//! - `fails`: each rule is needed; without it there is a counterexample, printed
//!
//! `MODELS=all` explores larger worlds, too.

mod events;
mod fails;
mod holds;
mod judge;
mod small;
mod world;
