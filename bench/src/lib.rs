//! Measures the pipeline against the limits of the broker's client and against other engines, on one seeded job, in one
//! run; `gistmill bench` prints what this finds.
//!
//! Invariant: an engine's speed counts only after its output was found right, and figures reach the page of results by no
//! other way than from a run.

mod chain;
mod chat_export;
mod clients;
mod closing;
mod codec;
mod contest;
mod corpus;
mod database;
mod dice;
mod digests;
mod error;
mod figures;
mod fingerprint;
mod generator;
pub mod guarded;
mod hop;
mod import;
mod ladder;
mod machine;
mod memory;
mod memory_log;
mod oracle;
mod peers;
mod pipeline;
mod promises;
mod report;
mod requests;
mod results;
mod rung;
mod running;
mod search;
mod sender;
mod session;
mod sink;
mod statistics;
mod steady;
mod table;
mod testbed;
mod usage;
mod watcher;
mod window;

pub use chain::chain;
pub use codec::codec;
pub use error::Error;
pub use figures::{Column, Row, Table};
pub use fingerprint::Fingerprint;
pub use hop::hop;
pub use import::import;
pub use ladder::ladder;
pub use machine::{Busyness, Machine};
pub use memory::memory;
pub use promises::{promises, summary, write_summary};
pub use report::{Base, Line, Report, Run, Target, Verdict};
pub use rung::{Rung, RungOptions, run as rung};
pub use search::search;
pub use session::Options;
pub use sink::sink;
pub use statistics::Spread;
pub use table::markdown;
pub use window::window;
