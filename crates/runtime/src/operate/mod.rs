//! What an operator asks and orders: lag, a look at a topic, dead letters, resets, a check of everything.
//!
//! Invariants: questions change nothing; every wait is bounded; nothing here formats for a terminal. All of it is
//! blocking and must not be called from a thread of an asynchronous runtime.

mod broker;
mod broker_checks;
mod dead_letters;
mod decoded;
mod delivery_check;
mod doctor;
mod error;
mod files;
pub(crate) mod gauges;
mod group_log;
mod groups;
mod hanging;
mod held_up_checks;
mod lag;
mod letter_check;
mod maintenance_check;
mod measure;
mod newest_letters;
mod newest_settings;
mod peers;
mod place;
mod placed;
mod position;
mod record;
mod reset;
mod scan;
pub(crate) mod stalled;
mod standing;
mod stored_group;
mod tap;
mod trace;
mod trace_details;
mod trace_way;
pub(crate) mod transactions;
pub(crate) mod waiting;

pub use dead_letters::{
    DeadLetter, LetterFilter, LetterPlace, Letters, OpenedLetter, dead_letter, dead_letters,
};
use decoded::AnyValue;
pub use decoded::{AvroJson, Decoded, TextOrHex, WithTimes, hex, text};
pub use doctor::{Check, Level, doctor};
pub use engine::{
    murmur2_partition,
    wire_check::{KeyedPlace, Misplaced, Placement},
};
pub use error::Error;
pub use group_log::group_log;
pub use groups::{GroupSeen, groups};
pub use hanging::{Blocked, HangingTransaction};
pub use kafka_admin::{Finished, Outcome, Running};
pub use lag::{Lag, OutboxState, PartitionLag, Records, UnitLag, UnknownLag, Waiting};
pub use measure::lag;
pub use newest_settings::newest_settings;
use peers::Peers;
pub use place::{Bounds, Place};
use position::positions;
pub use record::record_at;
pub use reset::{Move, ResetKind, ResetOptions, ResetPlan, plan_reset, reset};
pub use stalled::Stalled;
pub use standing::COUNT_OFFSETS_MAX;
pub use stored_group::{StoredGroup, stored_group};
pub use tap::{Heard, TapOptions, Tapped, tap};
pub use trace::{Trace, TraceOptions, TraceStep, trace, traces};
pub use transactions::{Transactions, finish_transactions, transactions};
pub use waiting::outbox_published;
