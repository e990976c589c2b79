//! The HTTP door: tenants read their groups, digests and messages, send messages, and ask for digests.
//!
//! Invariants: the process keeps nothing of its own, so that any number of them serve beside each other; what is read is read as
//! the tenant of the key (row-level security), and what is written goes to the topics as a Source writes it, once; an
//! operation that the `OpenAPI` document does not describe, with the scope that it asks for, is not served.

mod api;
mod app;
mod blocking;
mod cors;
mod cursor;
mod events;
mod extract;
mod guard;
mod health;
mod held;
mod impatient;
mod key;
mod limit;
mod metrics;
mod observe;
mod openapi;
mod pages;
mod problem;
mod produce;
mod remembered;
mod router;
mod scope;
mod seats;
mod server;
mod tagged;
mod times;
mod whole;

pub use app::{App, StartError};
pub use key::{Key, Minted};
pub use metrics::catalogue as metrics_catalogue;
pub use openapi::document;
pub use router::router;
pub use scope::{Role, Scope, UnknownScope};
pub use server::{run, serve};
