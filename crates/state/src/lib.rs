//! What the product keeps in Postgres: rows with their offsets, the outbox, the ledger of deliveries, and reads.
//!
//! Invariant: rows, offset and outbox of a batch share one transaction, which locks the partition's offset row first;
//! and no row of a tenant is read or written but in a transaction that acts for that tenant.

mod as_of;
mod asked;
mod author_names;
mod batch;
mod blocked;
mod connecting;
mod deliveries;
mod digest_reads;
mod digests;
mod earlier;
mod effects;
mod embeddings;
mod error;
mod index_bounds;
mod json;
mod kept_versions;
mod known;
mod link_codes;
mod llm_requests;
mod messages;
mod migrate;
mod model_answers;
mod mutes;
mod offsets;
mod outbox;
mod provider_keys;
mod refusal;
mod schema;
mod search;
mod search_digests;
mod search_found;
mod search_words;
mod staging;
mod statements;
mod store;
mod stored_message;
mod subscribers;
mod telegram_chats;
mod topics;
mod unsettled;

pub use asked::{Answered, Held};
pub use batch::{Batch, BatchBounds, Opened};
pub use deliveries::{Delivery, DeliveryStatus, Ledger, LedgerVersion};
pub use digest_reads::{
    BlockedSummary, CanonicalDigest, DigestFilter, DigestFound, DigestSummary, StoredDigest,
};
pub use effects::{Effect, EffectState, TargetState};
pub use embeddings::TextHash;
pub use error::Error;
pub use index_bounds::Filling;
pub use kept_versions::VERSIONS_KEPT;
pub use link_codes::Redeemed;
pub use llm_requests::{LlmCall, LlmCosts, LlmEnd, LlmTicket};
pub use messages::{GroupCount, MessageRow};
pub use migrate::migrate;
pub use model_answers::{KeptAnswer, QuestionHash};
pub use mutes::{Mute, MutedDelivery};
pub use offsets::{ClaimedPartition, SinkOffset, SinkPartition};
pub use outbox::{OutboxLag, OutboxMark, OutboxPage, OutboxPlace, OutboxRow};
pub use provider_keys::{KeyName, ProviderKey, SealedKey};
pub use refusal::{Refusal, accept_blocked, accept_dead_letter, accept_ready, accept_stage, bad_totals};
pub use schema::{Schema, SchemaError};
pub use search::{Citation, MessageHit, Outcome, SearchQuery};
pub use search_digests::DigestHit;
pub use statements::{Statement, statements};
pub use store::{Store, StoreOptions};
pub use subscribers::{SUBSCRIBERS_MAX, Subscriber, Subscription, SubscriptionEnd};
pub use telegram_chats::TelegramChat;
pub use topics::TopicRow;
pub use unsettled::{DisabledTarget, Settled, Settlement, UnknownDelivery};
