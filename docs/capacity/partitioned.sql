-- Cuts the two large tables, while they are empty, as :by says: partitions are made by the statement :parts, and rows are known
-- by :identity. For by_tenant.sql and by_time.sql. Rows of a running pipeline would have to be copied.
BEGIN;
SET LOCAL search_path TO gistmill;
DROP VIEW messages_current;
ALTER TABLE messages RENAME TO messages_whole;
ALTER TABLE message_words RENAME TO message_words_whole;
CREATE TABLE messages (LIKE messages_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE)
    PARTITION BY :by;
CREATE TABLE message_words (LIKE message_words_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)
    PARTITION BY :by;
DROP TABLE messages_whole, message_words_whole;
:parts \gexec
ALTER TABLE messages ADD PRIMARY KEY (:identity);
CREATE INDEX messages_by_time ON messages (tenant_id, group_id, sent_at_ms) WHERE sent_at_ms IS NOT NULL;
CREATE INDEX message_words_by_word ON message_words USING gin (words) WITH (fastupdate = on, gin_pending_list_limit = 1024);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
ALTER TABLE message_words ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_words FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON messages
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
CREATE POLICY tenant_searches ON message_words FOR SELECT
    USING (tenant_id = current_setting('app.current_tenant', true)
        AND words @@ nullif(current_setting('app.words', true), '')::tsquery);
CREATE POLICY tenant_writes ON message_words FOR INSERT
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
CREATE POLICY owner_erases ON message_words FOR ALL TO CURRENT_USER
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT ON messages, message_words TO gistmill_app;
CREATE VIEW messages_current WITH (security_invoker = true) AS
SELECT newest.*
FROM (
    SELECT DISTINCT ON (tenant_id, group_id, id) *
    FROM messages
    ORDER BY tenant_id, group_id, id, deleted DESC, revision DESC, source_offset DESC
) newest
WHERE NOT newest.deleted;
GRANT SELECT ON messages_current TO gistmill_app;
COMMIT;
