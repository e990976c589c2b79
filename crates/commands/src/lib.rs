//! Commands to the bot: how they are read, how many are taken, and what is said.
//!
//! Invariant: pure; time is when a command was sent. What `/help` names is what [`Name`] has, and nothing else.

mod code;
mod limits;
mod mute;
mod parse;
mod settings;
mod span;
mod wording;

pub use code::LinkCode;
pub use limits::{Limits, Verdict};
pub use mute::{UNTIL_ENDED, chat_of, is_for_administrators, muted_until};
pub use parse::{ARGUMENTS_MAX, Name, Parsed, is_command, name, parse};
pub use settings::{Told, comes_here, settings};
pub use span::{missed_since, span_ms, to_person, until_asked};
pub use wording::{Words, words};
