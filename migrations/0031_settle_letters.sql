-- What became of dead letters, by the input that was given up: replayed, parked for later, or discarded for a reason. One without
-- a row is open. Holds no tenant's words: where an input lies, who settled it and why.
CREATE TABLE settled_letters (
    unit         text        COLLATE "C" NOT NULL CHECK (unit <> ''),
    topic        text        COLLATE "C" NOT NULL,
    "partition"  integer     NOT NULL,
    input_offset bigint      NOT NULL,
    state        text        COLLATE "C" NOT NULL CHECK (state IN ('open', 'replayed', 'parked', 'discarded')),
    reason       text        NOT NULL DEFAULT '' CHECK (state <> 'discarded' OR reason <> ''),
    actor        text        NOT NULL CHECK (actor <> ''),
    settled_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (unit, topic, "partition", input_offset)
);
COMMENT ON COLUMN settled_letters.state IS 'open: an operator took back what it was before';
GRANT SELECT, INSERT, UPDATE ON settled_letters TO gistmill_app;
