-- Messages of chats, append-only, and the rules that hold for every table of a tenant:
--   row-level security is enabled AND forced (the owner is not exempt), with USING and WITH CHECK on
--   app.current_tenant, which a transaction sets for itself with set_config(.., true);
--   no foreign keys between tables that different topics feed, for there is no order across topics.
-- Names are unqualified: the connection's search_path names the schema.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'gistmill_app') THEN
        RAISE EXCEPTION 'role gistmill_app does not exist'
            USING HINT = 'create it first: CREATE ROLE gistmill_app LOGIN NOSUPERUSER NOBYPASSRLS';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO gistmill_app', current_schema());
END
$$;

-- The names of tenants that have data, so that an operator can walk all of them one by one. Names only, hence the
-- one table with a tenant_id and without row-level security.
CREATE TABLE tenants (
    tenant_id  text        COLLATE "C" PRIMARY KEY CHECK (tenant_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON tenants TO gistmill_app;

CREATE TABLE messages (
    tenant_id        text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id         text        COLLATE "C" NOT NULL,
    id               bigint      NOT NULL,
    revision         bigint      NOT NULL,
    source_offset    bigint      NOT NULL,
    source_partition integer     NOT NULL,
    kind             text        NOT NULL,
    deleted          boolean     NOT NULL GENERATED ALWAYS AS (kind = 'deleted') STORED,
    sent_at_ms       bigint      NOT NULL,
    author_id        text,
    author_name      text,
    author_is_bot    boolean,
    text             text        NOT NULL,
    reply_to         bigint,
    topic_id         bigint,
    -- entities, media, forward, reactions; null when there are none of them
    extra            jsonb,
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, group_id, id, revision, source_offset)
);
COMMENT ON TABLE messages IS
    'States of messages in the order of the log; a row is added only when it differs from the newest one of its (id, revision)';
-- For reads as of an offset: the candidates of a window by their send time, and the few ids that are gone. Without the
-- id in the first one: the planner would take it for reading one id while the table has no statistics yet.
CREATE INDEX messages_by_time ON messages (tenant_id, group_id, sent_at_ms);
CREATE INDEX messages_deleted ON messages (tenant_id, group_id, id) WHERE deleted;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON messages
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
-- Append-only by privilege: neither UPDATE nor DELETE.
GRANT SELECT, INSERT ON messages TO gistmill_app;

-- The newest state of each message that is not deleted. security_invoker: a view runs as its owner otherwise.
CREATE VIEW messages_current WITH (security_invoker = true) AS
SELECT newest.*
FROM (
    SELECT DISTINCT ON (tenant_id, group_id, id) *
    FROM messages
    ORDER BY tenant_id, group_id, id, deleted DESC, revision DESC, source_offset DESC
) newest
WHERE NOT newest.deleted;
GRANT SELECT ON messages_current TO gistmill_app;
