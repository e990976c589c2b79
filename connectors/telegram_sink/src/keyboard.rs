//! Buttons below a message.
//!
//! Invariant: an edit names them again, since one that does not takes them away.

use serde::Serialize;

/// Buttons, as the Bot API takes them: here one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Keyboard {
    inline_keyboard: [[Button; 1]; 1],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Button {
    text: String,
    /// At most 64 bytes.
    callback_data: String,
}

impl Keyboard {
    /// One button, and what the bot is told when it is tapped.
    pub(crate) fn of(text: &str, callback_data: String) -> Self {
        Self { inline_keyboard: [[Button { text: text.to_owned(), callback_data }]] }
    }
}
