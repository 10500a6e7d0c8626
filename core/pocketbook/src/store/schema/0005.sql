-- What an entry builds on is looked for by the record's id alone: its children are of other kinds.
DROP INDEX authored_overlaid;
CREATE INDEX authored_overlaid ON authored (id, kind) WHERE overlaid = 1;
-- Few among many: work whose record has left, and work that is settled and not yet seen.
CREATE INDEX authored_sealed ON authored (kind, id) WHERE overlaid = -1;
CREATE INDEX authored_settled ON authored (mseq) WHERE overlaid = 1 AND outcome IS NOT NULL;
