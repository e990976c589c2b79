//! What of a model's answer is believed.
//!
//! Invariant: what comes out fits the schema; what does not is an error in words that a model can be shown.

mod clean;
mod depth;
mod json;
mod repair;

pub use json::{Limits, Schema, SchemaError, Why, read};
