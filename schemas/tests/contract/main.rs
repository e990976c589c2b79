//! The event contract held to its word: examples, bytes of released versions, revisions that read each other, and
//! bytes that nobody should have sent.
#![cfg(test)]

mod bytes;
mod examples;
mod fixtures;
mod matrix;
mod wire;
