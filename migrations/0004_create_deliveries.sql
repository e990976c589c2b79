-- The ledger of effects: what was to be delivered, what was begun, and how it ended.
-- A delivery is (window, channel, chat) and stays the same over versions; an effect is delivery + version + part.
-- `sending` is committed before the effect; an effect found in it after a crash is `unknown` until reconciled,
-- unless its channel can repeat it without harm (a file is written again).

CREATE TABLE deliveries (
    tenant_id   text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    window_id   text        COLLATE "C" NOT NULL,
    channel     text        COLLATE "C" NOT NULL,
    chat        text        COLLATE "C" NOT NULL,
    revision    integer     NOT NULL,
    attempt     integer     NOT NULL,
    part        integer     NOT NULL,
    group_id    text        COLLATE "C" NOT NULL,
    digest_id   text        COLLATE "C" NOT NULL,
    status      text        NOT NULL CHECK (status IN ('planned', 'sending', 'sent', 'failed', 'unknown', 'superseded')),
    error       text,
    planned_at  timestamptz NOT NULL DEFAULT now(),
    sending_at  timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, window_id, channel, chat, revision, attempt, part)
);
CREATE INDEX deliveries_unfinished ON deliveries (tenant_id, channel, status)
    WHERE status IN ('planned', 'sending', 'unknown');
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON deliveries
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE ON deliveries TO gistmill_app;
