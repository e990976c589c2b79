//! The statements of an erasure. Invariant: each is of one tenant, and done again it changes nothing.

pub(super) const LOCK: &str =
    "SELECT pg_advisory_lock(hashtextextended(current_schema() || ' gistmill erase ' || $1, 0))";
pub(super) const READ_OUTBOX: &str = "SELECT set_config('app.outbox_reader', 'on', true)";
pub(super) const HASH: &str =
    "SELECT 'sha256:' || encode(sha256(convert_to($1 || '/' || $2, 'UTF8')), 'hex')";
pub(super) const KNOWN: &str = "SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = $1)";
pub(super) const COUNT: &str = "
SELECT count(DISTINCT (group_id, id)), count(DISTINCT group_id) FROM messages AS said
WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND ($3::text IS NULL OR author_id = $3)
    AND NOT EXISTS (SELECT FROM erased_messages AS erased
        WHERE erased.tenant_id = $1 AND erased.group_id = said.group_id AND erased.id = said.id)";
pub(super) const KEYS: &str =
    "SELECT count(*) FROM provider_keys WHERE tenant_id = $1 AND ($2::text IS NULL OR owner = $2)";
pub(super) const LIST: &str = "
INSERT INTO erased_messages (tenant_id, group_id, id, sent_at_ms, revision, posted, erasure)
SELECT $1, state.group_id, state.id, max(state.sent_at_ms), max(state.revision), EXISTS (
        SELECT FROM digests AS digest JOIN deliveries AS delivery
            ON delivery.tenant_id = $1 AND delivery.window_id = digest.window_id AND delivery.channel <> 'file'
            AND delivery.status IN ('planned', 'sending', 'sent', 'unknown')
        WHERE digest.tenant_id = $1 AND digest.group_id = state.group_id
            AND max(state.sent_at_ms) >= digest.window_start_ms AND max(state.sent_at_ms) < digest.window_end_ms), $4
FROM messages AS state
JOIN (SELECT DISTINCT group_id, id FROM messages
    WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND ($3::text IS NULL OR author_id = $3)
) AS said ON said.group_id = state.group_id AND said.id = state.id
WHERE state.tenant_id = $1
GROUP BY state.group_id, state.id
ON CONFLICT (tenant_id, group_id, id) DO NOTHING";
pub(super) const MESSAGES: &str = "
UPDATE messages AS state SET text = '', author_id = NULL, author_name = NULL, author_is_bot = NULL, extra = NULL
FROM erased_messages AS erased
WHERE state.tenant_id = $1 AND erased.tenant_id = $1 AND erased.group_id = state.group_id AND erased.id = state.id
    AND (state.text <> '' OR state.author_id IS NOT NULL OR state.extra IS NOT NULL)";
pub(super) const WORDS: &str = "
DELETE FROM message_words AS said USING erased_messages AS erased
WHERE said.tenant_id = $1 AND erased.tenant_id = $1 AND erased.group_id = said.group_id AND erased.id = said.id";
pub(super) const NAMES: &str = "
DELETE FROM author_names
WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND ($3::text IS NULL OR author_id = $3)";
pub(super) const DIGESTS: &str = "
UPDATE digests AS digest SET headline = '', payload = NULL
WHERE digest.tenant_id = $1 AND digest.payload IS NOT NULL AND EXISTS (
    SELECT FROM erased_messages AS erased
    WHERE erased.tenant_id = $1 AND erased.group_id = digest.group_id
        AND erased.sent_at_ms >= digest.window_start_ms AND erased.sent_at_ms < digest.window_end_ms
        AND NOT EXISTS (SELECT FROM messages AS gone
            WHERE gone.tenant_id = $1 AND gone.group_id = erased.group_id AND gone.id = erased.id
                AND gone.deleted AND gone.source_offset <= digest.source_offset))
RETURNING digest.digest_id, digest.window_id, digest.size_hours";
pub(super) const STATED: &str =
    "UPDATE deliveries SET stated = NULL, error = NULL WHERE tenant_id = $1 AND digest_id = ANY ($2)";
// Who would deliver it finds that it is to be delivered no more.
pub(super) const QUEUED: &str =
    "UPDATE delivery_queue SET payload = NULL WHERE tenant_id = $1 AND digest_id = ANY ($2)";
pub(super) const ANNOUNCED: &str = "
UPDATE outbox SET payload = (payload::jsonb || '{\"topics\": []}')::json
WHERE tenant_id = $1 AND port = 'persisted' AND payload->>'digest_id' = ANY ($2)";
pub(super) const LETTERS: &str = "
UPDATE outbox SET payload = (payload::jsonb || '{\"value\": null}')::json
WHERE tenant_id = $1 AND port = 'dead_letters' AND ($2::text IS NULL OR group_id = $2)
    AND payload->>'value' IS NOT NULL";
pub(super) const ANSWERS: &str = "
DELETE FROM model_answers WHERE tenant_id = $1 AND group_id IN (SELECT group_id FROM erased_messages WHERE tenant_id = $1)";
pub(super) const VECTORS: &str = "DELETE FROM embeddings WHERE tenant_id = $1";
pub(super) const FORGET_KEYS: &str =
    "DELETE FROM provider_keys WHERE tenant_id = $1 AND ($2::text IS NULL OR owner = $2)";
// Telegram's number of a person is the id that messages have, without its kind.
pub(super) const PERSONAL: &str = "
DELETE FROM deliveries WHERE tenant_id = $1 AND (chat = regexp_replace($2, '^user', '')
    OR right(chat, length(regexp_replace($2, '^user', '')) + 1) = '+' || regexp_replace($2, '^user', ''))";
pub(super) const PERSONAL_TARGETS: &str = "
DELETE FROM delivery_targets WHERE tenant_id = $1 AND (chat = regexp_replace($2, '^user', '')
    OR right(chat, length(regexp_replace($2, '^user', '')) + 1) = '+' || regexp_replace($2, '^user', ''))";
pub(super) const SUBSCRIPTIONS: &str =
    "DELETE FROM telegram_subscribers WHERE tenant_id = $1 AND 'user' || person_id = $2";
pub(super) const SUBSCRIBERS: &str =
    "DELETE FROM telegram_subscribers WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2)";
// A recipient of mail is known by the address alone, which may be written in small or large letters.
pub(super) const COUNT_RECIPIENTS: &str = "
SELECT count(*) FROM (
    SELECT address FROM mail_recipients
    WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND ($3::text IS NULL OR lower(address) = lower($3))
    UNION SELECT chat FROM deliveries
    WHERE tenant_id = $1 AND channel = 'email' AND chat <> ''
        AND ($2::text IS NULL OR group_id = $2) AND ($3::text IS NULL OR lower(chat) = lower($3))) AS known";
pub(super) const RECIPIENTS: &str = "
DELETE FROM mail_recipients
WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND ($3::text IS NULL OR lower(address) = lower($3))";
pub(super) const LETTERS_WAITING: &str = "
DELETE FROM delivery_queue
WHERE tenant_id = $1 AND channel = 'email'
    AND ($2::text IS NULL OR group_id = $2) AND ($3::text IS NULL OR lower(chat) = lower($3))";
pub(super) const LETTERS_SENT: &str = "
DELETE FROM deliveries
WHERE tenant_id = $1 AND channel = 'email' AND chat <> ''
    AND ($2::text IS NULL OR group_id = $2) AND ($3::text IS NULL OR lower(chat) = lower($3))";
pub(super) const WEBHOOKS: &str =
    "DELETE FROM webhooks WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2)";
pub(super) const ASKED: &str = "
UPDATE digests SET lane = 'asked:erased' WHERE tenant_id = $1 AND lane IN ('asked:' || $2, 'asked:command:' || $2)";
pub(super) const ASKED_IN_VAIN: &str = "
UPDATE blocked_digests SET lane = 'asked:erased' WHERE tenant_id = $1 AND lane IN ('asked:' || $2, 'asked:command:' || $2)";
pub(super) const ASKED_MODELS: &str =
    "UPDATE llm_requests SET user_id = 'erased' WHERE tenant_id = $1 AND user_id = $2";
pub(super) const LINKED: &str =
    "UPDATE link_codes SET used_by = 'erased' WHERE tenant_id = $1 AND used_by = $2";
pub(super) const UNLINK: &str =
    "DELETE FROM telegram_chats WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2)";
pub(super) const FORGET_CODES: &str =
    "DELETE FROM link_codes WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2)";
// Of what retention took no deletion is stored any more, and none is awaited.
pub(super) const PENDING: &str = "
SELECT erased.erasure, erased.group_id, erased.id, erased.sent_at_ms, erased.revision, erased.posted,
    (extract(epoch FROM erased.erased_at) * 1000)::bigint AS erased_at_ms
FROM erased_messages AS erased
WHERE erased.tenant_id = $1 AND erased.erasure IN (
    SELECT waiting.erasure FROM erased_messages AS waiting
    WHERE waiting.tenant_id = $1 AND NOT EXISTS (SELECT FROM messages AS gone
        WHERE gone.tenant_id = $1 AND gone.group_id = waiting.group_id AND gone.id = waiting.id AND gone.deleted)
        AND NOT EXISTS (SELECT FROM retention WHERE tenant_id = $1 AND waiting.sent_at_ms < taken_before_ms))
ORDER BY erased.erasure, erased.group_id, erased.id";
pub(super) const WAITING: &str = "
SELECT count(*) FROM erased_messages AS waiting
WHERE waiting.tenant_id = $1 AND NOT EXISTS (SELECT FROM messages AS gone
    WHERE gone.tenant_id = $1 AND gone.group_id = waiting.group_id AND gone.id = waiting.id AND gone.deleted)
    AND NOT EXISTS (SELECT FROM retention WHERE tenant_id = $1 AND waiting.sent_at_ms < taken_before_ms)";
pub(super) const DONE_BEFORE: &str = "
SELECT EXISTS (SELECT FROM audit_log WHERE tenant_id = $1 AND action = 'erase' AND subject = $2)";
