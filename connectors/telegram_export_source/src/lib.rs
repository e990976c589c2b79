//! Chat exports and message feeds → `group.message.ingested`.
//!
//! Two sources read: [`FileSource`] a whole file (an export of any maker, or JSON Lines) into a lane of
//! its own that it ends, [`FeedSource`] lines as they come (standard input, a growing file). [`ControlSource`]
//! writes one control record, [`ErasureSource`] the deletions of messages that an operator erased. Invariant: what a file gives, and how it is cut into records, is a function of its
//! bytes; only a followed feed asks a clock, and that in one place.

mod batch;
mod clock;
mod control;
mod cursor;
mod draft;
mod erasure;
mod error;
mod export;
mod feed;
mod feed_position;
mod feed_source;
mod file_source;
mod foreign;
mod input;
mod line;
mod line_reader;
mod lines;
mod meter;
mod options;
mod posted;
mod repair;
mod survey;

pub use clock::{Clock, SystemClock};
pub use control::ControlSource;
pub use erasure::{Deletion, ErasureSource};
pub use error::Error;
pub use exports::DateOrder;
pub use feed_source::FeedSource;
pub use file_source::FileSource;
pub use ingest::{BadName, Group};
pub use meter::{Damage, Meter, Phase, Snapshot, Summary};
pub use options::{FeedOptions, FileOptions};
pub use posted::{Accepted, BadPost, POSTED_LINES_MAX, Posted, PostedLines};

use ingest::date;
use processor::{Port, PortSpec};
use schemas::GroupMessageIngested;

/// Name in the map.
const NAME: &str = "telegram_export_source";
const MESSAGES: Port<GroupMessageIngested> = Port::new("messages");

fn ports() -> Vec<PortSpec> {
    vec![MESSAGES.spec()]
}

#[cfg(test)]
mod tests;
