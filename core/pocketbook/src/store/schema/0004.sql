-- Records that a scope names by rev alone and that are not here in that form: asked for singly.
CREATE TABLE want (
    scope INTEGER NOT NULL,
    kind  TEXT NOT NULL,
    id    BLOB NOT NULL CHECK (length(id) = 16),
    rev   INTEGER NOT NULL,
    PRIMARY KEY (kind, id, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX want_of ON want (scope);
