-- Which group a Telegram chat is. Not a tenant's: a message tells its chat, and whose it is, is what is asked here.
CREATE TABLE telegram_chats (
    chat_id   bigint      PRIMARY KEY,
    tenant_id text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id  text        COLLATE "C" NOT NULL CHECK (group_id <> ''),
    linked_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, DELETE ON telegram_chats TO gistmill_app;
