-- The words of messages, so that they can be searched: one row for each state of a message that has a text, written in the
-- statement that writes the state. The configuration `russian` takes Latin words for English ones: each is stemmed by the
-- language of its script. A lexeme no text can hold, a blank and the tenant's name, is among them, so that the index
-- reads nothing of other tenants.
CREATE TABLE message_words (
    tenant_id     text     COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id      text     COLLATE "C" NOT NULL,
    id            bigint   NOT NULL,
    revision      bigint   NOT NULL,
    source_offset bigint   NOT NULL,
    sent_at_ms    bigint   NOT NULL,
    words         tsvector NOT NULL
);
CREATE INDEX message_words_by_word ON message_words USING gin (words) WITH (fastupdate = off);
ALTER TABLE message_words ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_words FORCE ROW LEVEL SECURITY;
-- A condition of the asker's that may tell of rows, as `@@` may for all that Postgres knows, waits until the policy has let
-- a row pass, and so never reads an index. Hence the policy asks it: a transaction sees the rows of its tenant that match
-- the words in app.words, and none where it has not said any.
CREATE POLICY tenant_searches ON message_words FOR SELECT
    USING (tenant_id = current_setting('app.current_tenant', true)
        AND words @@ nullif(current_setting('app.words', true), '')::tsquery);
CREATE POLICY tenant_writes ON message_words FOR INSERT
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT ON message_words TO gistmill_app;

-- Messages that are stored already, tenant by tenant: the owner of the tables is not exempt from their policies.
DO $$
DECLARE
    tenant text;
BEGIN
    FOR tenant IN SELECT tenant_id FROM tenants LOOP
        PERFORM set_config('app.current_tenant', tenant, true);
        INSERT INTO message_words (tenant_id, group_id, id, revision, source_offset, sent_at_ms, words)
        SELECT tenant_id, group_id, id, revision, source_offset, sent_at_ms,
            to_tsvector('pg_catalog.russian', left(text, 65536)) || array_to_tsvector(ARRAY[' ' || tenant_id])
        FROM messages WHERE tenant_id = tenant AND text <> '';
    END LOOP;
    PERFORM set_config('app.current_tenant', '', true);
END
$$;

-- The words of a digest; null once it was withdrawn. A tenant has few digests: they are read without an index.
ALTER TABLE digests ADD COLUMN words tsvector GENERATED ALWAYS AS (jsonb_to_tsvector('pg_catalog.russian',
    jsonb_path_query_array(payload, '$.headline') || jsonb_path_query_array(payload, '$.summary.text')
        || jsonb_path_query_array(payload, '$.decisions.text') || jsonb_path_query_array(payload, '$.questions.text')
        || jsonb_path_query_array(payload, '$.actions.text') || jsonb_path_query_array(payload, '$.answers.question.text')
        || jsonb_path_query_array(payload, '$.answers.answers.text') || jsonb_path_query_array(payload, '$.topics.title')
        || jsonb_path_query_array(payload, '$.topics.story.text'),
    '["string"]')) STORED;
-- Which digests cover a moment of a group; the condition is met by every row (see migration 5).
CREATE INDEX digests_by_start ON digests (tenant_id, group_id, window_start_ms) WHERE window_start_ms IS NOT NULL;
