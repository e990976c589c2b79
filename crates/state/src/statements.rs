//! Every statement of this library by name, for whoever looks at plans.
//!
//! Invariant: each has one plan, whatever the statistics say. Tables start empty and fill within seconds, a tenant may
//! be new to the statistics, and a cached plan outlives both, so that a choice left to the planner goes wrong sooner or
//! later. So there is one index for each question (migration 5), and what is looked up for each of many rows is a
//! `LATERAL` with `LIMIT`, which is always a loop. What the shape alone cannot pin, every transaction does
//! ([`crate::store::BEGIN`]): no sequential or bitmap scan, since on a table that was empty when it was analysed one
//! costs nothing; no sort where an index has the order, which pins the index of a lookup that asks for one; no
//! just-in-time compilation for a plan that merely looks expensive. Tests hold each statement to its plan.

use crate::{
    as_of, asked, audit, author_names, batch, blocked, deliveries, digest_reads, digests, earlier, effects,
    embeddings, erased, index_bounds, kept_versions, known, letters, link_codes, llm_requests, maintenance, message_way, messages, migrate, model_answers, model_claims, mutes, offsets, outbox, provider_keys, retention, search, search_digests, search_found, store, subscribers, telegram_chats, topics, unsettled, verify,
};

/// A statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// `<module>::<constant>`.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

macro_rules! statements {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$(Statement { name: concat!(stringify!($module), "::", stringify!($name)), sql: $module::$name }),*]
    };
}

/// All statements that read or write tables, and `store::BEGIN`, in which they run.
pub fn statements() -> &'static [Statement] {
    ALL
}

const ALL: &[Statement] = statements![
    as_of::AS_OF,
    asked::BLOCKED,
    asked::NEWEST,
    audit::APPEND,
    audit::LIST,
    author_names::APPEND,
    author_names::AS_OF,
    author_names::NEWEST_BEFORE,
    batch::KNOW_TENANT,
    batch::LOCK_OFFSET,
    batch::LOCK_PARTITION,
    batch::MOVE_OFFSET,
    blocked::PUT,
    blocked::WITHDRAW,
    deliveries::LEDGER,
    digest_reads::BLOCKED,
    digest_reads::BLOCKED_NEWEST,
    digest_reads::EXPORT,
    digest_reads::LIST,
    digest_reads::SHOW,
    digest_reads::SHOW_WINDOW,
    digests::PUT,
    earlier::BEFORE,
    earlier::MESSAGES,
    effects::CHATS,
    effects::DISABLE_TARGET,
    effects::EFFECTS,
    effects::FORGET,
    effects::MOVE_TARGET,
    effects::PUT,
    effects::RESEND,
    effects::STATE,
    effects::STATED,
    effects::TARGET,
    embeddings::KEEP,
    embeddings::KNOWN,
    erased::AMONG,
    erased::UNSEEN,
    index_bounds::BEGIN_FILLING,
    index_bounds::END_FILLING,
    index_bounds::FILLING,
    index_bounds::FIND,
    index_bounds::RAISE,
    index_bounds::REWIND,
    kept_versions::BLOCKED,
    kept_versions::DELIVERIES,
    kept_versions::DIGESTS,
    known::COUNT,
    letters::LIST,
    letters::SETTLE,
    link_codes::FORGET,
    link_codes::MAKE,
    link_codes::USABLE,
    link_codes::USE,
    llm_requests::ASKED,
    llm_requests::COSTS,
    llm_requests::END,
    llm_requests::LOCK,
    llm_requests::RESERVE,
    llm_requests::USED,
    maintenance::LAST,
    message_way::BLOCKED,
    message_way::DELIVERED,
    message_way::DIGESTS,
    message_way::SAID,
    messages::APPEND,
    messages::COUNTS,
    messages::NEWEST_BEFORE,
    migrate::LOCK,
    model_answers::KEEP,
    model_answers::KNOWN,
    model_claims::CLAIM,
    model_claims::RELEASE,
    mutes::LIST,
    mutes::PUT,
    mutes::UNTIL,
    offsets::BIND_CLUSTER,
    offsets::CLAIM,
    offsets::CLUSTER,
    offsets::OFFSETS,
    offsets::PASSED,
    offsets::RESET,
    outbox::APPEND,
    outbox::LAG,
    outbox::NEWEST,
    outbox::PAGE,
    outbox::PASSED,
    outbox::SERVER,
    provider_keys::LIST,
    provider_keys::PUT,
    provider_keys::RESEAL,
    provider_keys::REVOKE,
    retention::MARK,
    retention::SET,
    retention::SHOW,
    search::ASK,
    search::BITMAPS,
    search::COUNT,
    search::MESSAGES,
    search::REQUIRED,
    search::WORDS,
    search_digests::CITING,
    search_digests::DIGESTS,
    search_found::AUTHORS,
    search_found::DIGESTS,
    search_found::MESSAGES,
    store::ACT_FOR,
    store::BEGIN,
    store::MIGRATED,
    store::ROLE,
    store::TENANTS,
    subscribers::COUNT,
    subscribers::END,
    subscribers::END_ALL,
    subscribers::END_ONE,
    subscribers::LIST,
    subscribers::OF_GROUP,
    subscribers::PUT,
    telegram_chats::FIND,
    telegram_chats::LINK,
    telegram_chats::LIST,
    telegram_chats::UNLINK,
    topics::APPEND,
    topics::IS_FORUM,
    topics::PLACES,
    unsettled::DISABLED,
    unsettled::ENABLE,
    unsettled::IS_PARTLY_SENT,
    unsettled::SETTLE,
    unsettled::UNKNOWN,
    verify::DIGESTS,
    verify::STATES,
];
