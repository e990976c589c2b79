-- Where an effect is, in the channel's own terms: the id of a message that was posted, by which it is edited later.
ALTER TABLE deliveries ADD COLUMN reference text;
-- What waits for an operator, found without reading what does not.
CREATE INDEX deliveries_unknown ON deliveries (tenant_id, window_id, channel, chat, revision, attempt, part)
    WHERE status = 'unknown';

-- What is known of a delivery's target beside its name: where it has moved to, and why nothing is delivered there.
CREATE TABLE delivery_targets (
    tenant_id  text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    channel    text        COLLATE "C" NOT NULL,
    chat       text        COLLATE "C" NOT NULL,
    moved_to   text,
    disabled   text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, channel, chat)
);
ALTER TABLE delivery_targets ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_targets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON delivery_targets
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE ON delivery_targets TO gistmill_app;
