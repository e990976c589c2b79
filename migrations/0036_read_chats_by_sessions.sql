-- Chats that a user's own session reads, and not a bot: one of both, so that no message comes twice. Whose the chat is, stands in
-- telegram_chats; without its link it is read no more. The session's key is one of provider_keys, sealed as all others are.
CREATE TABLE telegram_session_chats (
    chat_id         bigint      PRIMARY KEY REFERENCES telegram_chats ON DELETE CASCADE,
    user_id         bigint      NOT NULL,
    -- What proves to Telegram that this account knows the chat; 0 for a basic group.
    access_hash     bigint      NOT NULL,
    title           text        NOT NULL,
    -- Where the chat stood when it was taken: what comes after it is read.
    begin_pts       integer,
    begin_message   bigint      NOT NULL,
    -- From when on what was before is read, as an import; null: it is not.
    history_from_ms bigint,
    taken_at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN telegram_session_chats.begin_pts IS 'Null for a basic group, which does not count for itself';
GRANT SELECT, INSERT, DELETE ON telegram_session_chats TO gistmill_app;

-- Why a key is used no more, where it was not revoked by hand: a session of which Telegram says so.
ALTER TABLE provider_keys ADD COLUMN revoked_for text;
