-- What migration it would take to cut the two large tables by a hash of the tenant: for
-- `docs/capacity/measure --sql docs/capacity/by_tenant.sql`.
\set by 'HASH (tenant_id)'
\set identity 'tenant_id, group_id, id, revision, source_offset'
\set parts 'SELECT format($$CREATE TABLE %1$s_%2$s PARTITION OF %1$s FOR VALUES WITH (MODULUS 8, REMAINDER %2$s)$$, name, part) FROM unnest(ARRAY[$$messages$$, $$message_words$$]) AS name, generate_series(0, 7) AS part'
\ir partitioned.sql
