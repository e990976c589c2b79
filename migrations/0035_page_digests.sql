-- Digests and blocked windows by time, as pages of them are read. Only who says the same of the start is served: statements
-- that compare it, or a window's id, keep the indexes that they have, also where the planner knows the values.
CREATE INDEX digests_by_page ON digests (tenant_id, window_start_ms, size_hours, group_id, window_id)
    WHERE (window_start_ms + 0) IS NOT NULL;
CREATE INDEX blocked_digests_by_page ON blocked_digests (tenant_id, window_start_ms, size_hours, group_id, window_id)
    WHERE (window_start_ms + 0) IS NOT NULL;
