-- Deliveries by time, as pages of them are read. A statement that compares no time of planning has but the key.
CREATE INDEX deliveries_by_time ON deliveries (tenant_id, planned_at, window_id, channel, chat, revision, attempt, part)
    WHERE planned_at IS NOT NULL;
