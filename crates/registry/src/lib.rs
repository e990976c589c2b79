//! A small client of the Confluent schema registry API, and the [`schemas::SchemaSource`] that decoders ask.
//!
//! Invariant: only answers that can never change are remembered (a schema's text by its id); "no such schema" and
//! every failure are asked again.

mod address;
mod client;
mod error;
mod node;
mod options;
mod settings;
mod source;

pub use client::{Client, Compatibility};
pub use error::{Cause, Error};
pub use options::Options;
pub use source::RegistrySource;
