//! The only crate that moves records: polls, steps, produces and commits, exactly once.

mod cloud_events;
mod clients;
pub mod config;
mod dead_letter;
mod engine;
mod host;
mod kafka;
mod binary;
mod metrics;
mod rest;
mod shapes;
mod sink;
mod source;
mod telemetry;

pub use config::Config;
pub use host::{Host, HostError, LockError, SourceEnd, Stop};
pub use binary::run;
pub use metrics::Metrics;
pub use rest::is_at_rest;
pub use telemetry::start_logging;
pub use sink::{AnyDecoder, Claim, InputSpec, PartitionId, Sink, SinkBatch, SinkError, SinkRecord};
pub use source::{Position, Source, SourceBatch, SourceError};
