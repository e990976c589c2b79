-- Digests and blocked windows by time, as pages of them are read. A statement that compares no start has but the other indexes.
CREATE INDEX digests_by_page ON digests (tenant_id, window_start_ms, size_hours, group_id, window_id)
    WHERE window_start_ms IS NOT NULL;
CREATE INDEX blocked_digests_by_page ON blocked_digests (tenant_id, window_start_ms, size_hours, group_id, window_id)
    WHERE window_start_ms IS NOT NULL;
