//! Sends digests by mail: one letter for each recipient and version, in one thread for each window.
//!
//! Invariant: a letter that was handed over and of which no answer came is `unknown`, and is never sent again by itself; and
//! nothing that people wrote is a header.

mod answer;
mod door;
mod letter;
mod settings;
mod smtp;

pub use door::Letters;
pub use settings::check_address;

/// The sink.
pub type EmailSink = courier::DoorSink<Letters>;

/// Name of the channel.
pub const CHANNEL: &str = "email";
