//! The log protocol as a model, small enough to be checked in all its behaviours.
//!
//! - [`words`]: segments, rows, statements, answers
//! - [`store`]: the store half: what each statement does to its partition, and answers
//! - [`owner`]: the owner half: which statement an incarnation of a shard's log makes next, and what it makes of the answer
//! - [`trace`], [`replay`]: both halves against what real owners asked of a real store
//!
//! Two things use the same two halves, so that model and code cannot drift apart: the tests of this crate, which explore
//! every interleaving of a few incarnations with statements that are lost, late and doubled; and the replay of recorded
//! runs. The statements of the code are in `src/store/`, its owner in `src/store/log/`.

pub mod owner;
pub mod replay;
pub mod store;
pub mod trace;
pub mod words;
