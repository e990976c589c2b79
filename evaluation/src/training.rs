//! Trains what the stages carry, on the parts of the data that are not evaluated on.
//!
//! Invariant: deterministic; the same data gives the same bytes.

pub mod claims;
pub mod logistic;
mod read;
pub mod segments;
pub mod threads;
mod titles;
pub mod words;
