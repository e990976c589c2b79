//! A bot's updates → `group.message.ingested`, as the chat happens.
//!
//! Invariant: the offset that confirms updates to Telegram is the position that was committed with what they told, so that
//! an update is confirmed when it is in Kafka, and not before.

mod check;
mod client;
mod clock;
mod command;
mod convert;
mod errands;
mod permission;
mod position;
mod seen;
mod source;
mod turn;
mod webhook;
mod wish;

pub use check::{check, end_webhook};
pub use client::Bot;
pub use source::TelegramBotSource;

use processor::Port;
use schemas::{GroupCommandAnswered, GroupMessageIngested};

/// Name in the map.
const NAME: &str = "telegram_bot_source";
const MESSAGES: Port<GroupMessageIngested> = Port::new("messages");
const ANSWERED: Port<GroupCommandAnswered> = Port::new("answered");
