//! The harness of the pipeline tests: real processes on a real stack, a unique prefix each, read by a stranger.
//!
//! Invariant: nothing here uses the runtime, so that what it sees is what any `read_committed` client sees.

pub mod bot_api;
mod chance;
mod chat;
mod embeddings;
mod foreign;
mod forgotten;
mod health;
mod index_kills;
mod kill;
mod message_kills;
mod models;
mod murmur2;
mod outputs;
mod own_stack;
mod patience;
mod pipeline;
mod points;
mod process;
mod relay;
mod rest;
mod rows;
mod secured;
mod seen;
mod stack;
mod stranger;
mod tls_front;
mod transactions;

pub use chance::{Die, kills_and_seed};
pub use chat::{Chat, Day, TALK};
pub use embeddings::{Embeddings, LETTERS, Scripted};
pub use foreign::{Foreign, day_is_over, said};
pub use forgotten::{Forgotten, LeftOpen};
pub use health::{Readiness, free_port, metrics, readyz};
pub use index_kills::kill_index_sink;
pub use kill::{Hit, catch, kill_in_transaction, kill_in_write};
pub use message_kills::{MessageKills, Moment, Told};
pub use models::Models;
pub use murmur2::partition_of;
pub use outputs::{assert_equal, assert_once, differences, repeats};
pub use own_stack::OwnStack;
pub use patience::{PATIENCE, eventually};
pub use pipeline::{Pipeline, TENANT};
pub use points::{Expected, Points, StoredPoint, expected, items};
pub use process::{Process, end_children_on_signals};
pub use relay::Relay;
pub use rest::{committed, settle, settle_within, settle_without};
pub use rows::Rows;
pub use secured::{Properties, Secured, User};
pub use seen::{Bytes, Seen, decode, decode_all};
pub use stack::Stack;
pub use stranger::{Isolation, Stranger, read};
pub use tls_front::{Greeting, TlsFront};
pub use transactions::{OpenTransactions, Stretch};
