-- Records that are old enough are kept at the desk only.
ALTER TABLE records ADD COLUMN archived INTEGER NOT NULL DEFAULT 0; -- in no scope, though it lies in a grid
CREATE INDEX records_to_archive ON records (district, kind, time, id) WHERE time IS NOT NULL AND archived = 0;
