//! State against a real Postgres, each test in a schema of its own.

#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod asked;
#[cfg(test)]
mod database;
#[cfg(test)]
mod digests;
#[cfg(test)]
mod earlier;
#[cfg(test)]
mod effects;
#[cfg(test)]
mod embeddings;
#[cfg(test)]
mod erased;
#[cfg(test)]
mod index_bounds;
#[cfg(test)]
mod known;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod link_codes;
#[cfg(test)]
mod maintenance;
#[cfg(test)]
mod message_way;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod models;
#[cfg(test)]
mod mutes;
#[cfg(test)]
mod names;
#[cfg(test)]
mod offsets;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod provider_keys;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod search;
#[cfg(test)]
mod search_found;
#[cfg(test)]
mod security;
#[cfg(test)]
mod store;
#[cfg(test)]
mod subscribers;
#[cfg(test)]
mod telegram_chats;
mod telegram_sessions;
#[cfg(test)]
mod topics;
#[cfg(test)]
mod unsettled;
#[cfg(test)]
mod withdrawals;
