-- Codes that link a chat to a group, once. Not a tenant's: whose a code is, is what is asked here. The code itself is not
-- kept. Who used it is the command that it came with, so that the same command may come again.
CREATE TABLE link_codes (
    code_hash  bytea       PRIMARY KEY,
    tenant_id  text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id   text        COLLATE "C" NOT NULL CHECK (group_id <> ''),
    expires_at timestamptz NOT NULL,
    used_by    text        COLLATE "C"
);
CREATE INDEX link_codes_by_end ON link_codes (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON link_codes TO gistmill_app;
