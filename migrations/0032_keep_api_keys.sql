-- Keys of tenants for the HTTP gateway. The secret is not kept, only its SHA-256: it is 256 random bits, which nobody guesses, so that
-- a slow hash would protect nothing. A key that was revoked stays, for what it could and until when.
CREATE TABLE api_keys (
    -- What is shown of a key, and what it is found by.
    prefix       text        COLLATE "C" PRIMARY KEY CHECK (prefix <> ''),
    tenant_id    text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    name         text        NOT NULL CHECK (name <> ''),
    scopes       text[]      NOT NULL,
    secret_hash  bytea       NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_by   text        NOT NULL CHECK (created_by <> ''),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    -- To the minute.
    last_used_at timestamptz
);
-- For who lists them, and for nothing else: a statement that compares no time has but the key.
CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id, created_at, prefix) WHERE created_at IS NOT NULL;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON api_keys
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
-- Who is presented with a key does not know whose it is: a transaction that has said which one it looks for sees that row.
CREATE POLICY presented ON api_keys FOR SELECT
    USING (prefix = current_setting('app.api_key', true));
GRANT SELECT, INSERT, UPDATE ON api_keys TO gistmill_app;
