-- What language models answered, so that a question is paid for once: a replay finds its answers here. The key is a hash
-- of the whole question; an answer tells of messages, so it goes with its group.
CREATE TABLE model_answers (
    tenant_id    text   COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    question     bytea  NOT NULL,
    model        text   COLLATE "C" NOT NULL,
    group_id     text   COLLATE "C" NOT NULL,
    answer       text   NOT NULL,
    tokens       bigint NOT NULL,
    cost_micros  bigint NOT NULL,
    answered_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, question, model)
);
ALTER TABLE model_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE model_answers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON model_answers
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT ON model_answers TO gistmill_app;

-- The ledger of calls to models, a row a call: `reserved` before a byte is sent, `settled` or `failed` after the answer.
-- One that stays reserved beyond its time is of unknown outcome: its process died, and the provider may have charged for it.
CREATE TABLE llm_requests (
    tenant_id       text   COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    provider        text   COLLATE "C" NOT NULL,
    created_at_ms   bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000)::bigint,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    group_id        text   COLLATE "C" NOT NULL,
    stage           text   COLLATE "C" NOT NULL,
    model           text   COLLATE "C" NOT NULL,
    prompt          text   COLLATE "C" NOT NULL,
    question        bytea  NOT NULL,
    status          text   COLLATE "C" NOT NULL DEFAULT 'reserved' CHECK (status IN ('reserved', 'settled', 'failed')),
    reason          text   COLLATE "C",
    tokens_reserved bigint NOT NULL CHECK (tokens_reserved >= 0),
    tokens_in       bigint NOT NULL DEFAULT 0,
    tokens_out      bigint NOT NULL DEFAULT 0,
    cost_micros     bigint NOT NULL DEFAULT 0,
    currency        text   COLLATE "C" NOT NULL DEFAULT '',
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    PRIMARY KEY (tenant_id, created_at_ms, id)
);
ALTER TABLE llm_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE llm_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON llm_requests
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE ON llm_requests TO gistmill_app;
