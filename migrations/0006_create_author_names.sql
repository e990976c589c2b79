-- Display names of authors in the order of the log; a row is added only when the name differs from the one before it.
-- A deleted account has no name in a later export: it is called by the last one known as of an offset.
CREATE TABLE author_names (
    tenant_id        text        COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
    group_id         text        COLLATE "C" NOT NULL,
    author_id        text        COLLATE "C" NOT NULL,
    source_offset    bigint      NOT NULL,
    source_partition integer     NOT NULL,
    name             text        NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, group_id, author_id, source_offset)
);
ALTER TABLE author_names ENABLE ROW LEVEL SECURITY;
ALTER TABLE author_names FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON author_names
    USING (tenant_id = current_setting('app.current_tenant', true))
    WITH CHECK (tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT ON author_names TO gistmill_app;

-- Names that are stored already, tenant by tenant: the owner of the tables is not exempt from their policies.
DO $$
DECLARE
    tenant text;
BEGIN
    FOR tenant IN SELECT tenant_id FROM tenants LOOP
        PERFORM set_config('app.current_tenant', tenant, true);
        INSERT INTO author_names (tenant_id, group_id, author_id, source_offset, source_partition, name)
        SELECT tenant_id, group_id, author_id, source_offset, source_partition, author_name
        FROM (
            SELECT told.*, lag(author_name) OVER (
                PARTITION BY group_id, author_id ORDER BY source_offset
            ) IS NOT DISTINCT FROM author_name AS repeats
            FROM (
                SELECT DISTINCT ON (group_id, author_id, source_offset)
                    tenant_id, group_id, author_id, source_offset, source_partition, author_name
                FROM messages
                WHERE tenant_id = tenant AND author_id IS NOT NULL AND author_name <> '' AND author_name <> author_id
                ORDER BY group_id, author_id, source_offset, id DESC
            ) AS told
        ) AS named
        WHERE NOT repeats;
    END LOOP;
    PERFORM set_config('app.current_tenant', '', true);
END
$$;
