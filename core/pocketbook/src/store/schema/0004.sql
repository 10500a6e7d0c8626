-- Records that a scope names by rev alone and that are not here in that form: asked for singly.
CREATE TABLE want (
    scope INTEGER NOT NULL,
    kind  TEXT NOT NULL,
    id    BLOB NOT NULL CHECK (length(id) = 16),
    rev   INTEGER NOT NULL,
    PRIMARY KEY (kind, id, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX want_of ON want (scope);

-- Own work that travels without its content, which goes by the door of files.
CREATE TABLE later (
    mseq  INTEGER PRIMARY KEY,
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    bytes INTEGER NOT NULL,
    sent  INTEGER NOT NULL DEFAULT 0           -- bytes that the server has
) STRICT;
CREATE INDEX later_named ON later (hash);
