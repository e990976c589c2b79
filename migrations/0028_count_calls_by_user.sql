-- Who asked for a digest that a model was called for, and whose key paid. A window of the schedule has no user. What a user
-- may ask in a day is counted by the index; calls that the user paid are not among them.
ALTER TABLE llm_requests ADD COLUMN user_id text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE llm_requests ADD COLUMN payer text COLLATE "C" NOT NULL DEFAULT 'operator'
    CHECK (payer IN ('operator', 'tenant', 'user'));
COMMENT ON COLUMN llm_requests.user_id IS 'Who asked for the digest; empty for one of the schedule';
COMMENT ON COLUMN llm_requests.payer IS 'Whose key the provider was called with; operator also where none is needed';
CREATE INDEX llm_requests_by_user ON llm_requests (tenant_id, user_id, created_at_ms)
    WHERE user_id <> '' AND payer <> 'user';
