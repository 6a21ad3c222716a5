//! Supervisors with children that misbehave. Time is paused: it jumps to the next timer when all are idle, so limits of
//! seconds cost nothing and the measured delays are exact.

mod dynamic;
mod misbehaviour;
mod nested;
mod observe;
mod requests;
mod stage;
mod strategies;
