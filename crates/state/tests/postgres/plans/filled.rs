//! The tables that statements are planned on, and what fills them.

/// Rows of a table that statistics know nothing of.
pub(super) const ROWS: i64 = 100_000;

/// Rows of a tenant in every table that grows: a group of messages, each edited once; windows of a digest and of a
/// blocked version; and what is said of them.
pub(super) const FILL: [&str; 22] = [
    "INSERT INTO api_keys (prefix, tenant_id, name, scopes, secret_hash, created_by)
     SELECT current_setting('app.current_tenant') || n, current_setting('app.current_tenant'), 'n', '{}',
         decode(repeat('00', 32), 'hex'), 'a'
     FROM generate_series(1, $1) AS n",
    "INSERT INTO retention (tenant_id, days) SELECT current_setting('app.current_tenant'), 30 WHERE $1 > 0",
    "INSERT INTO telegram_subscribers (tenant_id, group_id, person_id, chat_id, since_ms)
     SELECT current_setting('app.current_tenant'), 'g' || n % 3, n, n, n FROM generate_series(1, $1) AS n",
    "INSERT INTO chat_mutes (tenant_id, group_id, chat, at_ms, message_id, until_ms)
     SELECT current_setting('app.current_tenant'), 'g', 'c' || n % 3, n, n, n FROM generate_series(1, $1) AS n",
    "INSERT INTO audit_log (tenant_id, actor, action, subject)
     SELECT current_setting('app.current_tenant'), 'a', 'b', 'c' FROM generate_series(1, $1)",
    "INSERT INTO model_answers (tenant_id, question, model, group_id, answer, tokens, cost_micros)
     SELECT current_setting('app.current_tenant'), int8send(n), 'm', 'g', '', 1, 0 FROM generate_series(1, $1) AS n",
    "INSERT INTO model_claims (tenant_id, question, holder, expires_at)
     SELECT current_setting('app.current_tenant'), int8send(n), '0', now() FROM generate_series(1, $1) AS n",
    "INSERT INTO llm_requests (tenant_id, provider, group_id, stage, model, prompt, question, tokens_reserved, expires_at,
         user_id)
     SELECT current_setting('app.current_tenant'), 'p' || n % 3, 'g', 's', 'm', 'q', int8send(n), 1, now(), 'u' || n % 2
     FROM generate_series(1, $1) AS n",
    "INSERT INTO embeddings (tenant_id, model, text_hash, vector)
     SELECT current_setting('app.current_tenant'), 'm', int8send(n), '' FROM generate_series(1, $1) AS n",
    "INSERT INTO index_bounds (tenant_id, group_id, item, revision)
     SELECT current_setting('app.current_tenant'), 'g', 'message/' || n, n FROM generate_series(1, $1) AS n",
    "INSERT INTO index_fillings (collection, consumer_group, topic, partition, until_offset)
     SELECT current_setting('app.current_tenant'), 'g' || n, 't', 0, n FROM generate_series(1, $1) AS n",
    "INSERT INTO author_names (tenant_id, group_id, author_id, source_offset, source_partition, name)
     SELECT current_setting('app.current_tenant'), 'g', 'a' || n / 2, n, 0, 'name' FROM generate_series(1, $1) AS n",
    "INSERT INTO topics (tenant_id, group_id, source_partition, topic_id, source_offset)
     SELECT current_setting('app.current_tenant'), 'g', 0, n, n FROM generate_series(1, $1) AS n",
    "INSERT INTO messages (tenant_id, group_id, id, revision, source_offset, source_partition, kind, sent_at_ms, text)
     SELECT current_setting('app.current_tenant'), 'g', n / 2, n % 2, n, 0, 'new', n * 1000, 'text'
     FROM generate_series(1, $1) AS n",
    "INSERT INTO message_words (tenant_id, group_id, id, revision, source_offset, sent_at_ms, words)
     SELECT tenant_id, group_id, id, revision, source_offset, sent_at_ms,
         to_tsvector('simple', text) || array_to_tsvector(ARRAY[' ' || tenant_id])
     FROM messages LIMIT $1",
    "INSERT INTO digests (tenant_id, digest_id, group_id, window_id, revision, attempt, size_hours, window_start_ms,
         window_end_ms, lane, trace_id, quality_score, language, headline, message_count, participant_count,
         source_partition, source_offset, payload, channels, runs)
     SELECT current_setting('app.current_tenant'), 'd' || n, 'g', 'w' || n / 2, n % 2, 0, 24, n, n, 'live', '', 1, 'en',
         'headline', 1, 1, 0, n, '{}', '{}', '[]'
     FROM generate_series(1, $1) AS n",
    "INSERT INTO blocked_digests (tenant_id, window_id, revision, attempt, group_id, size_hours, window_start_ms,
         window_end_ms, lane, trace_id, reason, missing_scopes, message_count, participant_count)
     SELECT current_setting('app.current_tenant'), 'w' || n / 2, n % 2, 1, 'g', 24, n, n, 'live', '', 'too_small', '{}', 1, 1
     FROM generate_series(1, $1) AS n",
    "INSERT INTO deliveries (tenant_id, window_id, channel, chat, revision, attempt, part, group_id, digest_id, status)
     SELECT current_setting('app.current_tenant'), 'w' || n / 2, 'file', '', n % 2, 0, 1, 'g', 'd' || n, 'sent'
     FROM generate_series(1, $1) AS n",
    "INSERT INTO delivery_targets (tenant_id, channel, chat)
     SELECT current_setting('app.current_tenant'), 'telegram', 'c' || n FROM generate_series(1, $1) AS n",
    "INSERT INTO outbox (xid, tenant_id, group_id, port, payload)
     SELECT '2'::xid8, current_setting('app.current_tenant'), 'g', 'persisted', '{}' FROM generate_series(1, $1)",
    "INSERT INTO provider_keys (tenant_id, owner, provider, id, master_id, salt, nonce, ciphertext, purpose)
     SELECT current_setting('app.current_tenant'), 'u' || n / 2, 'p' || n % 2, '', 'm', '', '', '', 'x'
     FROM generate_series(1, $1) AS n",
    "INSERT INTO sink_offsets (consumer_group, topic, partition, next_offset, epoch, cluster_id, physical_topic)
     SELECT current_setting('app.current_tenant'), 't', n, 0, 1, 'c', 't' FROM generate_series(1, $1 / 100) AS n",
];
/// All of them.
pub(super) const TABLES: [&str; 33] = [
    "api_keys",
    "retention",
    "maintenance_status",
    "telegram_subscribers",
    "chat_mutes",
    "audit_log",
    "erased_messages",
    "provider_keys",
    "llm_requests",
    "model_answers",
    "model_claims",
    "embeddings",
    "author_names",
    "index_bounds",
    "index_fillings",
    "message_words",
    "messages",
    "digests",
    "blocked_digests",
    "deliveries",
    "delivery_targets",
    "delivery_queue",
    "webhooks",
    "webhook_secrets",
    "mail_recipients",
    "outbox",
    "sink_offsets",
    "tenants",
    "link_codes",
    "telegram_chats",
    "telegram_session_chats",
    "topics",
    "installation",
];
