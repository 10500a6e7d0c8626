-- A phone that enrolled again goes on with what it began under another enrolment.
ALTER TABLE enrolments ADD COLUMN continues BLOB;                        -- that one
ALTER TABLE enrolments ADD COLUMN first_mseq INTEGER NOT NULL DEFAULT 0; -- lower numbers were its
