-- Cuts the two large tables by the time at which messages were sent, four days from 2026-01-05 on each: for
-- `docs/capacity/measure --sql docs/capacity/by_time.sql`. To look at what goes wrong, not to be used: CAPACITY.md says what does.
\set by 'RANGE (sent_at_ms)'
\set identity 'tenant_id, group_id, id, revision, source_offset, sent_at_ms'
\set parts 'SELECT format($$CREATE TABLE %1$s_%2$s PARTITION OF %1$s FOR VALUES FROM (%3$s) TO (%4$s)$$, name, part, 1767571200000 + part * 345600000, 1767571200000 + (part + 1) * 345600000) FROM unnest(ARRAY[$$messages$$, $$message_words$$]) AS name, generate_series(0, 5) AS part'
\ir partitioned.sql
