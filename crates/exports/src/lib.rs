//! Exports of other makers, as streams of messages.
//!
//! A maker's reader knows its format; where the bytes lie (a file, a folder, a zip), how they are bounded, counted and
//! hashed is shared. Invariant: pure. What an export gives is a function of its bytes and of the options, a second
//! reading gives the same again, and what is in memory is one message, not one export.

mod discord;
mod entry;
mod error;
mod find;
mod guard;
mod json;
mod plan;
mod slack;
mod store;
mod telegram_html;
mod whatsapp;

pub use entry::{Entry, Sent};
pub use error::Error;
pub use find::{Export, Found, Stream, find};
pub use store::open_telegram_json;
pub use whatsapp::DateOrder;

/// Reads the elements of one chat, in the order of the export.
pub trait Reader: Send {
    /// The next element; `None` after the last.
    fn next(&mut self) -> Result<Option<Entry>, Error>;
}

/// What the one who imports says about an export.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Id or name of a chat, where there are several.
    pub chat: Option<String>,
    /// How local dates are written.
    pub date_order: Option<DateOrder>,
}

#[cfg(test)]
mod tests;
