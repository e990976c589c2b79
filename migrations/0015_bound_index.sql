-- What the index of vectors must not take any more: of an item, states below a revision. A deleted message stays deleted
-- though an older state of it is read again, and a window's older versions stay away, in whichever order topics tell of them.
CREATE TABLE index_bounds (
    tenant_id text   COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id  text   COLLATE "C" NOT NULL,
    item      text   COLLATE "C" NOT NULL,
    revision  bigint NOT NULL,
    PRIMARY KEY (tenant_id, group_id, item)
);
ALTER TABLE index_bounds ENABLE ROW LEVEL SECURITY;
ALTER TABLE index_bounds FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON index_bounds
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE ON index_bounds TO gistmill_app;

-- A collection that is being filled from the beginning of the topics, and how far a sink had come by then: where it has
-- come there again, the collection holds what the one before it held.
CREATE TABLE index_fillings (
    collection     text    COLLATE "C" NOT NULL,
    consumer_group text    COLLATE "C" NOT NULL,
    topic          text    COLLATE "C" NOT NULL,
    partition      integer NOT NULL,
    until_offset   bigint  NOT NULL,
    PRIMARY KEY (collection, consumer_group, topic, partition)
);
GRANT SELECT, INSERT, DELETE ON index_fillings TO gistmill_app;
