//! What the host sees of the pipeline around it: open transactions and whether they hang, readers that stand still, how far
//! units are behind. What operators' commands (the crate `operate`) ask on top of that is public, as are the clients that they
//! ask the broker with: only this crate knows librdkafka.
//!
//! Invariants: a look changes nothing and joins no group; every wait is bounded. All of it is blocking and must not be called
//! from a thread of an asynchronous runtime.

mod broker;
mod check;
mod error;
pub(crate) mod gauges;
mod hanging;
mod outbox;
mod scan;
pub(crate) mod stalled;
pub(crate) mod transactions;

pub use crate::{
    clients::{MESSAGES_TOPIC, SINK as MESSAGES_SINK},
    host::lock::{Note as InstanceNote, notes as instance_notes},
    source::group as source_group,
};
pub use broker::{Bounds, Broker, Group, Partition, transaction_timeout_ms};
pub use check::{Check, Level};
pub use error::Error;
pub use hanging::{Blocked, HangingTransaction};
pub use outbox::{outbox_place, outbox_sources};
pub use scan::{PollHandler, RecordHandler, Scanner, Span, TopicsHandler};
pub use stalled::{Stalled, all_stalled};
pub use transactions::{Transactions, connect, find_transactions, transactions};
