//! What an operator asks and orders: lag, a look at a topic, dead letters, resets, a check of everything. No unit needs it to
//! run: it stands on what [`runtime::observe`] sees, and no processor depends on it.
//!
//! Invariants: questions change nothing; every wait is bounded; nothing here formats for a terminal. All of it is
//! blocking and must not be called from a thread of an asynchronous runtime.

mod broker_checks;
mod dead_letters;
mod decoded;
mod delivery_check;
mod doctor;
mod drain;
mod files;
mod finish;
mod follow;
mod group_log;
mod groups;
mod held_up_checks;
mod lag;
mod letter;
mod letter_check;
mod letter_kinds;
mod letter_selection;
mod maintenance_check;
mod marks;
mod measure;
mod newest_letters;
mod newest_settings;
mod peers;
mod place;
mod placed;
mod position;
mod reader_partition;
mod record;
mod replay;
mod reset;
mod reset_plan;
mod settled;
mod settled_letters;
mod stored_group;
mod tap;
mod trace;
mod trace_details;
mod trace_told;
mod trace_waits;
mod trace_way;
mod verify;
mod waiting;
mod wire_checker;

pub use dead_letters::{LetterFilter, Letters, OpenedLetter, dead_letter, dead_letters};
use decoded::AnyValue;
pub use decoded::{AvroJson, Decoded, TextOrHex, WithTimes, hex, text};
pub use doctor::doctor;
pub use drain::{DrainOptions, DrainPlan, drain, plan_drain};
pub use engine::{
    murmur2_partition,
    wire_check::{KeyedPlace, Misplaced, Placement},
};
pub use finish::finish_transactions;
pub use follow::{Followed, Places, broker_answers, follow, read_places, stable_ends};
pub use group_log::group_log;
pub use groups::{GroupSeen, groups};
pub use kafka_admin::{Finished, Outcome, Running};
pub use lag::{Lag, OutboxState, PartitionLag, Records, UnitLag, UnknownLag, Waiting};
pub use letter::{DeadLetter, LetterPlace};
pub use letter_kinds::{LetterKind, letter_kinds};
pub use letter_selection::LetterSelection;
pub use marks::forget_marks;
pub use measure::lag;
pub use newest_settings::{SettingsSeen, newest_settings, settings_since};
use peers::Peers;
pub use place::Place;
use position::positions;
pub use reader_partition::COUNT_OFFSETS_MAX;
pub use record::record_at;
pub use replay::{ReplayOptions, ReplayPlan, ReplayRun, ReplayTold, plan_replay, replay};
pub use reset::{plan_reset, reset};
pub use reset_plan::{Move, ResetKind, ResetOptions, ResetPlan};
pub use runtime::observe::{
    Blocked, Bounds, Check, Error, HangingTransaction, Level, Stalled, Transactions, transactions,
};
pub use settled::{SettlePlan, plan_settling, settle};
pub use stored_group::{StoredGroup, stored_group};
pub use tap::{Heard, TapOptions, Tapped, tap};
pub use trace::{Trace, TraceOptions, TraceStep, trace, traces};
pub use verify::{CitedPlace, DigestSeen, Finding, FindingKind, Report, RunSeen, VerifyOptions, verify};
pub use waiting::outbox_published;
