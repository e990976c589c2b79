-- Forum topics of groups, each with the first record that told of it. Which topic a message belongs to is found when it
-- is read, along the messages that it answers: a topic may become known after them.
CREATE TABLE topics (
    tenant_id        text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id         text        COLLATE "C" NOT NULL,
    source_partition integer     NOT NULL,
    topic_id         bigint      NOT NULL,
    source_offset    bigint      NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, group_id, source_partition, topic_id)
);
ALTER TABLE topics ENABLE ROW LEVEL SECURITY;
ALTER TABLE topics FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON topics
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT ON topics TO gistmill_app;

-- Topics that stored messages tell, tenant by tenant: the owner of the tables is not exempt from their policies.
DO $$
DECLARE
    tenant text;
BEGIN
    FOR tenant IN SELECT tenant_id FROM tenants LOOP
        PERFORM set_config('app.current_tenant', tenant, true);
        INSERT INTO topics (tenant_id, group_id, source_partition, topic_id, source_offset)
        SELECT tenant_id, group_id, source_partition, topic_id, min(source_offset)
        FROM messages
        WHERE tenant_id = tenant AND topic_id IS NOT NULL AND NOT deleted
        GROUP BY tenant_id, group_id, source_partition, topic_id;
    END LOOP;
    PERFORM set_config('app.current_tenant', '', true);
END
$$;
