-- Digests that passed their gates, every version of them, and windows that got none.

CREATE TABLE digests (
    tenant_id         text             COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    digest_id         text             COLLATE "C" NOT NULL,
    group_id          text             COLLATE "C" NOT NULL,
    window_id         text             COLLATE "C" NOT NULL,
    revision          integer          NOT NULL,
    attempt           integer          NOT NULL,
    version           text             NOT NULL GENERATED ALWAYS AS (revision::text || '.' || attempt::text) STORED,
    size_hours        integer          NOT NULL,
    window_start_ms   bigint           NOT NULL,
    window_end_ms     bigint           NOT NULL,
    lane              text             NOT NULL,
    trace_id          text             NOT NULL,
    quality_score     double precision NOT NULL,
    language          text             NOT NULL,
    headline          text             NOT NULL,
    message_count     integer          NOT NULL,
    participant_count integer          NOT NULL,
    -- of group.message.ingested: the digest was made as of this place
    source_partition  integer          NOT NULL,
    source_offset     bigint           NOT NULL,
    payload           jsonb            NOT NULL,
    channels          text[]           NOT NULL,
    runs              jsonb            NOT NULL,
    created_at        timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, digest_id)
);
CREATE INDEX digests_by_window ON digests (tenant_id, group_id, window_start_ms, size_hours, revision, attempt);
ALTER TABLE digests ENABLE ROW LEVEL SECURITY;
ALTER TABLE digests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON digests
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE ON digests TO gistmill_app;

-- The newest version of each window's digest.
CREATE VIEW digests_current WITH (security_invoker = true) AS
SELECT DISTINCT ON (tenant_id, group_id, window_start_ms, size_hours, window_id) *
FROM digests
ORDER BY tenant_id, group_id, window_start_ms, size_hours, window_id, revision DESC, attempt DESC;
GRANT SELECT ON digests_current TO gistmill_app;

CREATE TABLE blocked_digests (
    tenant_id         text             COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    window_id         text             COLLATE "C" NOT NULL,
    revision          integer          NOT NULL,
    attempt           integer          NOT NULL,
    version           text             NOT NULL GENERATED ALWAYS AS (revision::text || '.' || attempt::text) STORED,
    group_id          text             COLLATE "C" NOT NULL,
    size_hours        integer          NOT NULL,
    window_start_ms   bigint           NOT NULL,
    window_end_ms     bigint           NOT NULL,
    lane              text             NOT NULL,
    trace_id          text             NOT NULL,
    reason            text             NOT NULL,
    quality_score     double precision,
    missing_scopes    text[]           NOT NULL,
    message_count     integer          NOT NULL,
    participant_count integer          NOT NULL,
    created_at        timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, window_id, revision, attempt)
);
CREATE INDEX blocked_digests_by_window ON blocked_digests (tenant_id, group_id, window_start_ms, size_hours);
ALTER TABLE blocked_digests ENABLE ROW LEVEL SECURITY;
ALTER TABLE blocked_digests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON blocked_digests
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE ON blocked_digests TO gistmill_app;
