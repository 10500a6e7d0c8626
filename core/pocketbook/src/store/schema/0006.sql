-- What may have left this device is what has a number up to this one: entries go in order.
INSERT INTO meta (name, value)
SELECT 'sent', CAST(COALESCE(MAX(mseq), 0) AS TEXT) FROM authored
WHERE sent = 1 OR outcome IS NOT NULL;
ALTER TABLE authored DROP COLUMN sent;
