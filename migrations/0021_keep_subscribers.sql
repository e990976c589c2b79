-- Who gets a group's digests in the private chat with the bot. Not a tenant's: a button tells the subscription, and whose it
-- is, is what is asked here. One that has ended stays with the reason.
CREATE TABLE telegram_subscribers (
    tenant_id text   COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id  text   COLLATE "C" NOT NULL CHECK (group_id <> ''),
    person_id bigint NOT NULL CHECK (person_id > 0),
    id        bigint GENERATED ALWAYS AS IDENTITY,
    chat_id   bigint NOT NULL,
    since_ms  bigint NOT NULL,
    ended_ms  bigint,
    ended_why text,
    PRIMARY KEY (tenant_id, group_id, person_id)
);
CREATE UNIQUE INDEX telegram_subscribers_by_id ON telegram_subscribers (id);
CREATE INDEX telegram_subscribers_by_person ON telegram_subscribers (person_id) WHERE ended_why IS NULL;
GRANT SELECT, INSERT, UPDATE ON telegram_subscribers TO gistmill_app;
