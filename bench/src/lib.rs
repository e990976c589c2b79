//! Measures the pipeline against the limits of the broker's client and against other engines, on one seeded job, in one
//! run; `gistmill bench` prints what this finds.
//!
//! Invariant: an engine's speed counts only after its output was found right, and figures reach the page of results by no
//! other way than from a run.

mod clients;
mod codec;
mod error;
mod fingerprint;
mod generator;
mod ladder;
mod machine;
mod oracle;
mod peers;
mod report;
mod results;
mod rung;
mod running;
mod session;
mod statistics;
mod table;
mod testbed;
mod usage;
mod watcher;
mod window;

pub use codec::codec;
pub use error::Error;
pub use fingerprint::Fingerprint;
pub use ladder::ladder;
pub use machine::{Busyness, Machine};
pub use report::{Base, Line, Report, Run, Target, Verdict};
pub use rung::{Rung, RungOptions, run as rung};
pub use session::Options;
pub use statistics::Spread;
pub use table::markdown;
pub use window::window;
