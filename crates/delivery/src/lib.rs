//! What sinks that deliver digests share.
//!
//! Invariant: what is decided is a pure function of the ledger, and what is said of a delivery shares the transaction that
//! writes down how it ended.

mod breaker;
pub mod effects;
mod limiter;
mod records;
mod report;

pub use breaker::Breaker;
pub use limiter::{Limit, Limiter};
pub use records::{blocked, of_blocked, of_ready, ready};
pub use report::{DEAD_LETTERS, DELIVERED, Ended, delivered, now_ms, put_dead_letter};

use runtime::InputSpec;
use schemas::{DigestBlocked, DigestReadyForDelivery};

/// The input of digests to be delivered.
pub const READY: InputSpec = InputSpec::of::<DigestReadyForDelivery>("ready");
/// The input of versions that were blocked.
pub const BLOCKED: InputSpec = InputSpec::of::<DigestBlocked>("blocked");
