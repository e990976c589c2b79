-- What waits to be delivered by a channel whose targets may be away for days: one row for each window and target, with the newest
-- version alone. `deliveries` says how it stands; what is delivered lies here, and is gone with the row. `next_at` is when it is
-- tried next, and while somebody tries, until when nobody else does.
CREATE TABLE delivery_queue (
    tenant_id   text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    window_id   text        COLLATE "C" NOT NULL,
    channel     text        COLLATE "C" NOT NULL,
    chat        text        COLLATE "C" NOT NULL,
    revision    integer     NOT NULL,
    attempt     integer     NOT NULL,
    group_id    text        COLLATE "C" NOT NULL,
    digest_id   text        COLLATE "C" NOT NULL,
    kind        text        COLLATE "C" CHECK (kind IN ('new', 'edited', 'withdrawn')),
    payload     text,
    appended_ms bigint      NOT NULL,
    tries       integer     NOT NULL DEFAULT 0,
    said        text,
    worker      text        COLLATE "C",
    planned_at  timestamptz NOT NULL DEFAULT now(),
    next_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, window_id, channel, chat)
);
COMMENT ON COLUMN delivery_queue.kind IS 'Null until the first try: what it is by then stays';
COMMENT ON COLUMN delivery_queue.payload IS 'Null once it was erased, or is past the retention: it is delivered no more';
COMMENT ON COLUMN delivery_queue.worker IS 'Who tries it now';
-- For what is due, and for nothing else: a statement that names no time has but the key.
CREATE INDEX delivery_queue_due ON delivery_queue (channel, next_at) WHERE next_at IS NOT NULL;
ALTER TABLE delivery_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON delivery_queue
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
-- Who delivers looks for what is due of all tenants, and says so in that transaction.
CREATE POLICY courier ON delivery_queue
    USING (current_setting('app.courier', true) = 'on')
    WITH CHECK (current_setting('app.courier', true) = 'on');
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery_queue TO gistmill_app;

-- Where the digests of a tenant, or of one of its groups, are posted to.
CREATE TABLE webhooks (
    tenant_id text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    -- Empty for all groups that have none of their own.
    group_id  text        COLLATE "C" NOT NULL,
    url       text        NOT NULL CHECK (url <> ''),
    set_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, group_id)
);
ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhooks
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks TO gistmill_app;

-- What their requests are signed with, sealed as keys of providers are: without the master key nothing comes of a row. Of several, the
-- ones that are replaced hold until their end.
CREATE TABLE webhook_secrets (
    tenant_id  text        COLLATE "C" NOT NULL,
    group_id   text        COLLATE "C" NOT NULL,
    id         bytea       NOT NULL,
    master_id  text        COLLATE "C" NOT NULL,
    salt       bytea       NOT NULL,
    nonce      bytea       NOT NULL,
    ciphertext bytea       NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at    timestamptz,
    PRIMARY KEY (tenant_id, group_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES webhooks ON DELETE CASCADE
);
ALTER TABLE webhook_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_secrets
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_secrets TO gistmill_app;

-- Who gets a group's digests by mail, as an operator has confirmed.
CREATE TABLE mail_recipients (
    tenant_id text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id  text        COLLATE "C" NOT NULL CHECK (group_id <> ''),
    address   text        COLLATE "C" NOT NULL CHECK (address <> ''),
    added_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, group_id, address)
);
ALTER TABLE mail_recipients ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail_recipients FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON mail_recipients
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, DELETE ON mail_recipients TO gistmill_app;
