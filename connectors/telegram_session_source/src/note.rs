//! What an operator is told of a session.
//!
//! Invariant: nothing here says what was written, or by whom.

use crate::peer::Method;
use tracing::{info, warn};

/// Something that an operator wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// Telegram has asked to wait.
    Flood { method: Method, seconds: u32 },
    /// Telegram was not reached so often that it is left alone for a while.
    Broken(String),
    /// It is reached again.
    Mended,
    /// The connection ended.
    Interrupted(String),
    /// A chat cannot be read.
    Lost { chat: i64, why: String },
    /// More than Telegram tells of has passed: messages are read from the history; edits and deletions between are not known.
    TooLong { chat: i64 },
}

impl Note {
    /// Says it in the log.
    pub(crate) fn tell(&self, session: i64) {
        match self {
            Self::Flood { method, seconds } => {
                warn!(session, method = method.name(), seconds, "Telegram asks to wait, which is obeyed");
            }
            Self::Broken(why) => {
                warn!(
                    session,
                    why, "Telegram was not reached five times in a row and is left alone for a while"
                );
            }
            Self::Mended => info!(session, "Telegram is reached again"),
            Self::Interrupted(why) => {
                info!(session, why, "the connection ended; what was missed is asked for");
            }
            Self::Lost { chat, why } => warn!(
                session,
                chat,
                why,
                "a chat cannot be read and is tried again in half an hour: see whether the account is still in it, or \
                 `gistmill telegram session groups rm`"
            ),
            Self::TooLong { chat } => warn!(
                session,
                chat,
                "more has happened than Telegram tells of: messages are read from the history; edits and deletions of older \
                 ones in between are not known"
            ),
        }
    }
}
