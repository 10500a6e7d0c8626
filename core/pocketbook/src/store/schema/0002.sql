-- Memberships that wait to be confirmed by another reading are few among many.
CREATE INDEX membership_pending ON membership (pending_to) WHERE pending_to IS NOT NULL;

-- Receipts of work that a restored server may have lost: sent along with it.
CREATE TABLE proof (
    first_mseq INTEGER PRIMARY KEY,
    last_mseq  INTEGER NOT NULL,
    row        TEXT NOT NULL
) STRICT;

-- Comparing with the server instead of reading all again.
ALTER TABLE scope ADD COLUMN compare TEXT;                       -- 'ask', or the spans that differ, JSON
ALTER TABLE scope ADD COLUMN verified INTEGER NOT NULL DEFAULT 0; -- when digests were last equal (wall ms)
ALTER TABLE scope ADD COLUMN rounds INTEGER NOT NULL DEFAULT 0;   -- how often it was compared since
