-- Vectors that an endpoint of embeddings gave, by model and by the hash of the text, so that a collection that is filled
-- again pays for none of them twice. The text is not kept. Rows may be deleted at any time: what is asked for again is kept again.
CREATE TABLE embeddings (
    tenant_id text  COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    model     text  COLLATE "C" NOT NULL,
    text_hash bytea NOT NULL,
    vector    bytea NOT NULL,
    PRIMARY KEY (tenant_id, model, text_hash)
);
ALTER TABLE embeddings ENABLE ROW LEVEL SECURITY;
ALTER TABLE embeddings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON embeddings
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT ON embeddings TO gistmill_app;
