//! Users' own Telegram sessions → `group.message.ingested`, as their chats happen.
//!
//! Invariant: where a chat stands (`pts`) is committed with the messages that it covers. What a session was not told while it was
//! away it asks for from there, so that each message, edit and deletion is told once.

mod chat;
mod clock;
mod engine;
mod grammers;
mod line;
pub mod login;
mod note;
mod order;
mod peer;
mod pool;
mod position;
mod recent;
mod refusal;
mod sealed;
mod source;
mod task;
#[cfg(test)]
mod test_support;
mod wanted;

pub use grammers::{Telegram, TelegramLogin};
pub use refusal::{End, Refusal};
pub use sealed::{SessionKey, account_of, binding, key_name};
pub use source::TelegramSessionSource;

use processor::Port;
use schemas::GroupMessageIngested;

/// Name in the map.
const NAME: &str = "telegram_session_source";
const MESSAGES: Port<GroupMessageIngested> = Port::new("messages");
