-- Which files of a record are still missing.
CREATE INDEX blob_refs_by_record ON blob_refs (district, kind, id);
