-- One index for each question, whatever the statistics say. A tenant that they do not know is taken to have one row, and
-- then every index that begins with the tenant looks as good as the right one: a lookup of one id would read a whole
-- group. So an index beside the primary key is partial, on a condition that every row meets: only a question that
-- compares the column named there can use it.
DROP INDEX messages_by_time;
CREATE INDEX messages_by_time ON messages (tenant_id, group_id, sent_at_ms) WHERE sent_at_ms IS NOT NULL;
-- A deletion is found among the states of its id.
DROP INDEX messages_deleted;

DROP INDEX digests_by_window;
CREATE INDEX digests_by_version ON digests (tenant_id, window_id, revision, attempt) WHERE window_id IS NOT NULL;
-- Listings read a tenant's rows by the primary key.
DROP INDEX blocked_digests_by_window;
-- Nothing asks for it.
DROP INDEX deliveries_unfinished;
