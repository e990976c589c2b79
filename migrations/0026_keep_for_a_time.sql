-- How long a tenant's messages are kept. Whoever operates it sets `days`; `taken_before_ms`, which `gistmill maintain` raises before
-- it takes anything and nobody lowers, is what sinks go by: whatever the log brings again of what was sent before it is not written.
CREATE TABLE retention (
    tenant_id       text        COLLATE "C" PRIMARY KEY CHECK (tenant_id <> ''),
    days            integer     CHECK (days BETWEEN 2 AND 36500),
    taken_before_ms bigint,
    set_at          timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN retention.days IS 'Null: all is kept, from now on';
ALTER TABLE retention ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON retention
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT (tenant_id, days, set_at), UPDATE (days, set_at) ON retention TO gistmill_app;

-- The runs of `gistmill maintain`: counts, and no name of a tenant.
CREATE TABLE maintenance_status (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    outcome  text        COLLATE "C" CHECK (outcome IN ('done', 'failed')),
    report   jsonb       NOT NULL DEFAULT '{}'
);
COMMENT ON COLUMN maintenance_status.outcome IS 'Null while it runs, and of one that was killed';
GRANT SELECT ON maintenance_status TO gistmill_app;

-- Vectors are kept as long as messages: when one was made is when its text came.
ALTER TABLE embeddings ADD COLUMN made_at timestamptz NOT NULL DEFAULT now();

-- The owner prunes what was published, of all tenants at once, as its reader reads it.
CREATE POLICY owner_prunes ON outbox FOR DELETE TO CURRENT_USER
    USING (current_setting('app.outbox_reader', true) = 'on');
