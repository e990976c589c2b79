//! The only crate that moves records: polls, steps, produces and commits, exactly once.

mod binary;
mod clients;
mod collector;
pub mod config;
mod host;
mod kafka;
mod metrics;
pub mod observe;
mod rest;
mod sink;
mod source;
mod span_attributes;
mod span_place;
mod telemetry;
#[cfg(test)]
mod test_support;
mod tracer;
mod trail;

/// Of every program that has units. A window of 60,000 messages passes ten threads; glibc keeps what each of them
/// needed for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use binary::{run, run_program};
pub use clients::{chat_request, question_hash};
pub use config::Config;
pub use engine::dead_letter::NEXT_ACTIONS;
pub use host::{Host, HostError, LockError, SourceEnd, Stop, embedding_model, index};
pub use kafka::TransactionalProducer;
pub use metrics::{Family, Kind, Metrics, catalogue as metrics_catalogue};
pub use rest::is_at_rest;
pub use sink::{AnyDecoder, Claim, InputSpec, PartitionId, Sink, SinkBatch, SinkError, SinkRecord};
pub use source::{Position, Sessions, Source, SourceBatch, SourceError};
pub use telemetry::{start_logging, use_tls_provider};
