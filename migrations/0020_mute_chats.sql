-- Since when and until when the digests of a group are not posted to a chat: what holds at a time is what the newest row up to
-- it says. An end that is no later than its begin ends what was muted. Rows stay, so that a digest is decided alike whenever
-- it is read.
CREATE TABLE chat_mutes (
    tenant_id  text   COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id   text   COLLATE "C" NOT NULL,
    chat       text   COLLATE "C" NOT NULL,
    at_ms      bigint NOT NULL,
    message_id bigint NOT NULL,
    until_ms   bigint NOT NULL,
    PRIMARY KEY (tenant_id, group_id, chat, at_ms, message_id)
);
ALTER TABLE chat_mutes ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_mutes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON chat_mutes
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT ON chat_mutes TO gistmill_app;

-- A version that was not posted, since its chat was muted.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_status_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_status_check CHECK (status IN ('planned', 'sending', 'sent', 'failed',
    'unknown', 'superseded', 'withdrawn', 'blocked', 'muted'));
CREATE INDEX deliveries_muted ON deliveries (tenant_id, window_id, channel, chat, revision, attempt, part)
    WHERE status = 'muted';
