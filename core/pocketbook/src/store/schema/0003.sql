-- Photos of others: their thumbnails come with the records, their masters when somebody looks.
ALTER TABLE blob ADD COLUMN ask_at INTEGER; -- when a missing thumbnail is asked for (wall ms)
CREATE INDEX blob_to_ask ON blob (ask_at) WHERE ask_at IS NOT NULL;
UPDATE blob SET reason = 'away' WHERE reason = 'room';
