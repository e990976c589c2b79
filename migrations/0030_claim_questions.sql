-- Which process asks a model something now: another with the same question waits for its answer. A claim that is not renewed, by a
-- process that died, ends by itself.
CREATE TABLE model_claims (
    tenant_id   text  COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    question    bytea NOT NULL,
    holder      text  COLLATE "C" NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, question)
);
ALTER TABLE model_claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE model_claims FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON model_claims
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON model_claims TO gistmill_app;
