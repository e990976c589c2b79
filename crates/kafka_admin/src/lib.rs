//! Transactions as the broker has them: which are open, which of these hang, how each was decided, and the markers that
//! end it; and members that leave their groups. librdkafka's admin client has none of it.
//!
//! A transaction hangs when a partition holds it open while its coordinator has nothing more to do with that partition
//! (KIP-664): no marker will come, the last stable offset stays where it is, and `read_committed` readers wait for ever.
//!
//! Invariants: asking changes nothing; what a transaction was decided to is proven or said to be unknown, never guessed;
//! every wait is bounded. All of it is blocking.

mod batch;
mod case;
mod cluster;
mod connection;
mod decoding;
mod error;
mod evidence;
mod finish;
mod found;
mod history;
mod judge;
mod marked;
mod membership;
mod offsets_log;
mod questions;
mod requests;
#[cfg(feature = "security")]
mod security;
#[cfg(not(feature = "security"))]
#[path = "unsecured.rs"]
mod security;
mod survey;
mod transaction_log;
mod types;
mod unread;
mod verdict;

pub use cluster::Cluster;
pub use error::Error;
pub use finish::{Finished, finish};
pub use found::{Hanging, Running, Survey, Unseen};
pub use marked::marked_at;
pub use membership::{Member, leave};
pub use offsets_log::committed_since;
pub use survey::survey;
pub use types::{Open, Outcome, TopicPartition};
pub use unread::{committed, ends, first_unread};
pub use verdict::{Doubt, Proof, Verdict};
