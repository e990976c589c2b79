-- A call that broke off, or was given up, may have been paid for: what it took is unknown, and why it ended is known.
ALTER TABLE llm_requests DROP CONSTRAINT llm_requests_status_check;
ALTER TABLE llm_requests ADD CONSTRAINT llm_requests_status_check
    CHECK (status IN ('reserved', 'settled', 'failed', 'unknown'));
