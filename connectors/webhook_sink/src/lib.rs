//! Posts digests as JSON to addresses of tenants, signed after Standard Webhooks.
//!
//! Invariant: a request that is repeated has the same id and the same body, by which its receiver tells that it is the same; and no
//! request goes to an address that is not public, whatever a name resolves to.

mod answer;
mod document;
mod door;
mod post;
mod public;
mod secret;
mod signature;
pub mod target;

pub use door::Webhooks;
pub use post::{Message, Poster, check_url};
pub use secret::{SecretError, binding, new_secret};
pub use signature::{SignError, Signer};

/// The sink.
pub type WebhookSink = courier::DoorSink<Webhooks>;

/// Name of the channel.
pub const CHANNEL: &str = "webhook";
