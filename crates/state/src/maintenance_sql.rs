//! The statements of `gistmill maintain`. Invariant: each takes what is past its time and no more than a batch of it.
//!
//! Run by a job and by the owner of the tables, they are not among those that are held to one plan.

/// One at a time for a schema; released with the session, however that ends.
pub(super) const LOCK: &str =
    "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || ' gistmill maintain', 0))";
pub(super) const READ_OUTBOX: &str = "SELECT set_config('app.outbox_reader', 'on', true)";
pub(super) const BEGIN_RUN: &str = "INSERT INTO maintenance_status DEFAULT VALUES RETURNING id";
pub(super) const END_RUN: &str = "
UPDATE maintenance_status SET ended_at = clock_timestamp(), outcome = $2, report = $3::jsonb WHERE id = $1";
pub(super) const FORGET_RUNS: &str = "DELETE FROM maintenance_status WHERE id <= $1 - 400";
pub(super) const DUE: &str = "
SELECT greatest(taken_before_ms, (extract(epoch FROM now()) * 1000)::bigint - days * 86400000::bigint)
FROM retention WHERE tenant_id = $1 AND days IS NOT NULL";
pub(super) const RAISE: &str = "INSERT INTO retention (tenant_id, taken_before_ms) VALUES ($1, $2)
ON CONFLICT (tenant_id) DO UPDATE SET taken_before_ms = excluded.taken_before_ms
WHERE retention.taken_before_ms IS NULL OR retention.taken_before_ms < excluded.taken_before_ms";
pub(super) const NOW: &str = "SELECT (extract(epoch FROM now()) * 1000)::bigint";

/// Words go before the messages that they are of: none is left that could be found and not read. They have no index by time,
/// so that they are looked through by blocks, where there is a message to take at all.
pub(super) const ANY_MESSAGE: &str =
    "SELECT EXISTS (SELECT FROM messages WHERE tenant_id = $1 AND sent_at_ms < $2)";
pub(super) const WORD_BLOCKS: &str = "SELECT pg_relation_size(format('%I.message_words', current_schema())::regclass) / current_setting('block_size')::bigint";
pub(super) const WORDS: &str = "
DELETE FROM message_words
WHERE ctid >= format('(%s,0)', $3::bigint)::tid AND ctid < format('(%s,0)', $4::bigint)::tid
    AND tenant_id = $1 AND sent_at_ms < $2";

pub(super) const PAST_WINDOWS: &str = "
SELECT DISTINCT window_id FROM (
    SELECT window_id FROM digests
    WHERE tenant_id = $1 AND CASE WHEN size_hours = 0 THEN window_end_ms <= $2 ELSE window_start_ms < $2 END
    UNION ALL
    SELECT window_id FROM blocked_digests
    WHERE tenant_id = $1 AND CASE WHEN size_hours = 0 THEN window_end_ms <= $2 ELSE window_start_ms < $2 END
) AS past LIMIT $3";
/// What is on its way is left to its sink.
pub(super) const OF_WINDOWS: [(&str, &str); 4] = [
    (
        "delivery_queue",
        "UPDATE delivery_queue SET payload = NULL WHERE tenant_id = $1 AND window_id = ANY ($2) AND payload IS NOT NULL",
    ),
    (
        "deliveries",
        "DELETE FROM deliveries WHERE tenant_id = $1 AND window_id = ANY ($2) AND status NOT IN ('planned', 'sending')",
    ),
    ("blocked_digests", "DELETE FROM blocked_digests WHERE tenant_id = $1 AND window_id = ANY ($2)"),
    ("digests", "DELETE FROM digests WHERE tenant_id = $1 AND window_id = ANY ($2)"),
];

pub(super) const OUTBOX: &str = "
DELETE FROM outbox WHERE (xid, seq) IN (
    SELECT xid, seq FROM outbox
    WHERE (xid, seq) < ($1::text::xid8, $2) AND created_at < now() - make_interval(days => $3)
    ORDER BY xid, seq LIMIT $4)";
pub(super) const COUNT_OUTBOX: &str = "
SELECT count(*) FROM outbox
WHERE (xid, seq) < ($1::text::xid8, $2) AND created_at < now() - make_interval(days => $3) AND $4::bigint > 0";

/// Digests that have words, of whose window no message is stored.
pub(super) const WITHOUT_MESSAGES: &str = "
SELECT count(*) FROM digests AS digest
WHERE tenant_id = $1 AND payload IS NOT NULL AND NOT EXISTS (
    SELECT FROM messages AS said
    WHERE said.tenant_id = $1 AND said.group_id = digest.group_id AND said.sent_at_ms >= digest.window_start_ms
        AND said.sent_at_ms < digest.window_end_ms)";
pub(super) const FILED: &str = "
SELECT DISTINCT group_id, window_id, window_start_ms, size_hours, revision FROM digests WHERE tenant_id = $1";

/// Rows of one table that are past their time: a tenant's, before a time in ms.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) count: &'static str,
    pub(super) take: &'static str,
}

macro_rules! table {
    ($name:literal, $past:literal) => {
        Table {
            name: $name,
            count: concat!(
                "SELECT count(*) FROM ",
                $name,
                " AS old WHERE tenant_id = $1 AND ",
                $past,
                " AND $3::bigint > 0"
            ),
            take: concat!(
                "DELETE FROM ",
                $name,
                " WHERE ctid = ANY (ARRAY(SELECT ctid FROM ",
                $name,
                " AS old WHERE tenant_id = $1 AND ",
                $past,
                " LIMIT $3))"
            ),
        }
    };
}

/// By the tenant's retention.
pub(super) const KEPT: [Table; 4] = [
    table!("messages", "sent_at_ms < $2"),
    table!(
        "author_names",
        "$2::bigint IS NOT NULL AND NOT EXISTS (SELECT FROM messages AS said WHERE said.tenant_id = $1
            AND said.group_id = old.group_id AND said.author_id = old.author_id)"
    ),
    table!("embeddings", "made_at < to_timestamp($2::bigint / 1000.0)"),
    // The newest before the time says what holds at it, unless it has ended by then and none is older, which would hold again.
    table!(
        "chat_mutes",
        "at_ms < $2 AND (EXISTS (SELECT FROM chat_mutes AS newer WHERE newer.tenant_id = $1 AND newer.group_id = old.group_id
                AND newer.chat = old.chat AND newer.at_ms < $2 AND (newer.at_ms, newer.message_id) > (old.at_ms, old.message_id))
            OR until_ms <= $2 AND NOT EXISTS (SELECT FROM chat_mutes AS older WHERE older.tenant_id = $1
                AND older.group_id = old.group_id AND older.chat = old.chat
                AND (older.at_ms, older.message_id) < (old.at_ms, old.message_id)))"
    ),
];

/// By their own age, of every tenant.
pub(super) const ANSWERS: Table = table!("model_answers", "answered_at < to_timestamp($2::bigint / 1000.0)");
/// Of an unknown outcome, and of a month that counts no more.
pub(super) const RESERVATIONS: Table = table!(
    "llm_requests",
    "status IN ('reserved', 'unknown') AND expires_at < to_timestamp($2::bigint / 1000.0)"
);
/// Left by processes that died.
pub(super) const CLAIMS: Table = table!("model_claims", "expires_at < to_timestamp($2::bigint / 1000.0)");
/// Used or not: the command that used it has long been read.
pub(super) const CODES: Table = table!("link_codes", "expires_at < to_timestamp($2::bigint / 1000.0)");
