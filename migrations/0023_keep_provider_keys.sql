-- Keys with which a tenant, or a user of it, pays a provider of language models. Sealed: without the master key, which is not in the
-- database, nothing comes of a row. Of a key that was revoked the row stays, for what was agreed to and until when, and its bytes do not.
CREATE TABLE provider_keys (
    tenant_id    text  COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    -- A user of the tenant; empty for the tenant's own.
    owner        text  COLLATE "C" NOT NULL,
    provider     text  COLLATE "C" NOT NULL CHECK (provider <> ''),
    -- Another one each time that a key is set: the sealed bytes are bound to it.
    id           bytea NOT NULL,
    master_id    text  COLLATE "C" NOT NULL,
    salt         bytea NOT NULL,
    nonce        bytea NOT NULL,
    ciphertext   bytea NOT NULL,
    -- What its owner agreed to that it is used for, and when.
    purpose      text  NOT NULL CHECK (purpose <> ''),
    consented_at timestamptz NOT NULL DEFAULT now(),
    sealed_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz,
    PRIMARY KEY (tenant_id, owner, provider),
    CHECK (revoked_at IS NULL OR ciphertext = '')
);
ALTER TABLE provider_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE provider_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON provider_keys
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE ON provider_keys TO gistmill_app;
