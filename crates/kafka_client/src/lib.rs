//! What every client of Kafka begins with: settings that are an operator's or ours, secrets that no message carries,
//! and why a broker does not let a client in.
//!
//! Invariant: no value of a property is printed unless its name is known to be harmless.

mod access;
mod aliases;
mod complaints;
mod create;
mod denial;
mod offsets;
mod permission;
mod properties;
mod second_look;
mod secrets;
mod settings;
mod tuned;

pub use access::AccessError;
pub use complaints::{Complaints, metadata};
pub use create::{CreateError, create};
pub use denial::Denial;
pub use offsets::committed_offsets;
pub use permission::{missing_permission, with_missing_permission};
pub use properties::Properties;
pub use secrets::without_quoted_settings;
pub use settings::Settings;
pub use tuned::{FETCH_BUDGET_KIB, FETCHING, PRODUCER, RELIED_ON_CONSUMER, RELIED_ON_PRODUCER};
