//! Language models without a network: what is asked of them, in which provider's words, who is asked next, what it may
//! cost, and what of an answer is believed.
//!
//! Invariant: pure. No client, no clock and no environment: `now` is an argument, and equal arguments give equal results.
//! `Debug` of what is asked and answered shows sizes, never words.

pub mod chat;
pub mod dialect;
mod failure;
pub mod guard;
pub mod moderation;
pub mod price;
pub mod router;
pub mod tokens;

pub use chat::{ChatRequest, Completion, Finish, Role, Turn, Usage};
pub use dialect::Dialect;
pub use failure::Failure;
