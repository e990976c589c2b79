//! Makes messages of a window out of lines of a data set.

use schemas::ContextMessage;

/// A plain message; the author's name is also its id.
pub(crate) fn message(id: i64, author: &str, sent_at: i64, text: &str) -> ContextMessage {
    ContextMessage {
        id,
        revision: 0,
        author_id: author.to_owned(),
        author_name: author.to_owned(),
        is_bot: false,
        sent_at,
        text: text.to_owned(),
        reply_to: None,
        topic_id: None,
        links: Vec::new(),
        media_kind: None,
        forwarded: false,
        reactions: 0,
        rank: 0.0,
        in_budget: true,
        duplicate_of: None,
    }
}
