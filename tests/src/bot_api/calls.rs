//! The log of calls: what was asked, what was done, what the caller was told.

use super::Answer;
use serde_json::{Value, json};

/// What a call changed, or gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Nothing.
    Nothing,
    /// A message stands in the chat that did not before.
    Sent {
        /// The chat; after a migration the new one.
        chat: i64,
        /// Its id.
        message: i64,
    },
    /// One person alone sees a message more in the chat.
    Whispered {
        /// The chat.
        chat: i64,
        /// The person.
        person: i64,
    },
    /// A message looks otherwise.
    Edited {
        /// The chat.
        chat: i64,
        /// Its id.
        message: i64,
    },
    /// A message is gone.
    Deleted {
        /// The chat.
        chat: i64,
        /// Its id.
        message: i64,
    },
    /// Updates were given, with these ids.
    Gave(Vec<i64>),
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// As the caller wrote it.
    pub method: String,
    /// Its parameters.
    pub body: Value,
    /// The chat that it names by number.
    pub chat: Option<i64>,
    /// What was done, also where the caller never heard of it.
    pub deed: Deed,
    /// What the caller was told, if it still listened; `None` where the connection was closed or the answer was none of
    /// the Bot API's.
    pub answer: Option<Answer>,
}

impl Call {
    /// A line of a log: what was asked, what was done, and the status of the answer.
    pub fn line(&self) -> Value {
        let status = self.answer.as_ref().map(Answer::status);
        json!({ "method": self.method, "body": self.body, "done": format!("{:?}", self.deed), "status": status })
    }

    /// True for a poll that gave nothing.
    pub fn is_idle(&self) -> bool {
        self.deed == Deed::Gave(Vec::new())
    }
}
