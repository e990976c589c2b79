-- What the score held against a digest that was blocked for its quality, by name, worst first.

ALTER TABLE blocked_digests ADD COLUMN weaknesses text[] NOT NULL DEFAULT '{}';
