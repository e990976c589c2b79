-- A digest of which a newer version was blocked is withdrawn: its row stays, its words go.
ALTER TABLE digests ALTER COLUMN payload DROP NOT NULL;
COMMENT ON COLUMN digests.payload IS
    'Null, with an empty headline, once a newer version of the window was blocked: the digest is withdrawn';

-- The newest version of each window's digest, unless it was withdrawn. Every older one is withdrawn then, too.
CREATE OR REPLACE VIEW digests_current WITH (security_invoker = true) AS
SELECT newest.*
FROM (
    SELECT DISTINCT ON (tenant_id, group_id, window_start_ms, size_hours, window_id) *
    FROM digests
    ORDER BY tenant_id, group_id, window_start_ms, size_hours, window_id, revision DESC, attempt DESC
) newest
WHERE newest.payload IS NOT NULL;

-- `withdrawn`: no longer where it was delivered to. `blocked`, of part 0: no effect, but the word that older versions go.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_status_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_status_check CHECK (status IN
    ('planned', 'sending', 'sent', 'failed', 'unknown', 'superseded', 'withdrawn', 'blocked'));

-- Digests that are stored already, tenant by tenant: the owner of the tables is not exempt from their policies.
DO $$
DECLARE
    tenant text;
BEGIN
    FOR tenant IN SELECT tenant_id FROM tenants LOOP
        PERFORM set_config('app.current_tenant', tenant, true);
        UPDATE digests SET headline = '', payload = NULL
        WHERE digests.tenant_id = tenant AND EXISTS (
            SELECT FROM blocked_digests AS blocked
            WHERE blocked.tenant_id = tenant AND blocked.window_id = digests.window_id
                AND (blocked.revision, blocked.attempt) > (digests.revision, digests.attempt)
        );
    END LOOP;
    PERFORM set_config('app.current_tenant', '', true);
END
$$;
