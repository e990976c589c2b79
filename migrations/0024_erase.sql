-- What an operator erased: messages of which no word is kept, whatever the log brings again. Written by the owner of the
-- tables, who erases; read by sinks, which write a state of such a message without its words.
CREATE TABLE erased_messages (
    tenant_id  text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id   text        COLLATE "C" NOT NULL,
    id         bigint      NOT NULL,
    sent_at_ms bigint      NOT NULL,
    revision   bigint      NOT NULL,
    posted     boolean     NOT NULL,
    erasure    text        COLLATE "C" NOT NULL,
    erased_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, group_id, id)
);
COMMENT ON COLUMN erased_messages.revision IS 'Newest revision that was known: that of the deletion which goes into the log';
COMMENT ON COLUMN erased_messages.posted IS 'A digest of its time went to a channel other than files';
CREATE INDEX erased_messages_by_time ON erased_messages (tenant_id, group_id, sent_at_ms) WHERE sent_at_ms IS NOT NULL;
ALTER TABLE erased_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON erased_messages
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT ON erased_messages TO gistmill_app;

-- Tables whose policies let nobody change a row: who erases, the owner, may, for the tenant it acts for.
CREATE POLICY owner_erases ON message_words FOR ALL TO CURRENT_USER
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
CREATE POLICY owner_erases ON outbox FOR UPDATE TO CURRENT_USER
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));

-- What operators changed, by whom and when: never a message's text, a secret or the id of somebody erased.
CREATE TABLE audit_log (
    seq       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    at        timestamptz NOT NULL DEFAULT now(),
    tenant_id text        COLLATE "C" NOT NULL,
    actor     text        NOT NULL CHECK (actor <> ''),
    action    text        COLLATE "C" NOT NULL CHECK (action <> ''),
    subject   text        NOT NULL,
    before    jsonb,
    after     jsonb,
    PRIMARY KEY (tenant_id, seq)
);
COMMENT ON COLUMN audit_log.tenant_id IS 'Empty for what concerns no tenant, such as a migration';
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_log
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT ON audit_log TO gistmill_app;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is only added to: % is refused', TG_OP;
END
$$;
CREATE TRIGGER audit_log_is_only_added_to BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
