-- What makes sinks exactly once: their offsets beside their rows, and what they have to say to Kafka.

-- One row: the Kafka cluster whose records this schema holds. Another cluster's offsets mean other records.
CREATE TABLE installation (
    singleton  boolean     PRIMARY KEY DEFAULT true CHECK (singleton),
    cluster_id text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON installation TO gistmill_app;

-- Not a tenant's: a partition holds records of many tenants, an offset tells nothing about any of them.
CREATE TABLE sink_offsets (
    consumer_group text        COLLATE "C" NOT NULL,
    topic          text        COLLATE "C" NOT NULL,
    partition      integer     NOT NULL,
    next_offset    bigint      NOT NULL,
    epoch          bigint      NOT NULL,
    cluster_id     text        NOT NULL,
    -- with its prefix: the same schema under another prefix would go on at a stranger's offset
    physical_topic text        NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic, partition)
);
GRANT SELECT, INSERT, UPDATE ON sink_offsets TO gistmill_app;

-- What sinks have to say. `seq` is taken before the commit, so it is not the order of commits: readers go by
-- (xid, seq) below the oldest transaction still running.
-- `json`, not `jsonb`: the text comes back as it was, and \u0000 is allowed in it.
CREATE TABLE outbox (
    seq        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    tenant_id  text        COLLATE "C" NOT NULL,
    group_id   text        COLLATE "C" NOT NULL,
    port       text        NOT NULL,
    payload    json        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (xid, seq)
);
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
-- A tenant's transaction may add its own rows. A dead letter whose key tells no tenant has an empty one.
CREATE POLICY tenant_writes ON outbox FOR INSERT
    WITH CHECK (tenant_id = coalesce(current_setting('app.current_tenant', true), ''));
-- Only the outbox reader sees rows, those of all tenants: it says so in each of its transactions.
CREATE POLICY reader_reads ON outbox FOR SELECT
    USING (current_setting('app.outbox_reader', true) = 'on');
GRANT SELECT, INSERT ON outbox TO gistmill_app;
