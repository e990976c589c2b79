-- What the newest version of a delivery that is there states, as JSON: a newer one says what is otherwise. Older versions
-- keep none of it.
ALTER TABLE deliveries ADD COLUMN stated text;
