-- The device's tables. Ids are the sixteen bytes of a UUID; times are integer ms UTC.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Mirror and view in one: a clean record is stored once.
CREATE TABLE record (
    key    INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL,
    id     BLOB NOT NULL CHECK (length(id) = 16),
    -- Mirror: the body as the server sent it; NULL while the record is known from own work only.
    rev    INTEGER,
    schema INTEGER NOT NULL,
    asof   INTEGER NOT NULL DEFAULT 0,     -- the commit at which that body was read
    body   TEXT CHECK ((body IS NULL) = (rev IS NULL)),
    -- View: what is shown where own work or a tray item lies over the body; NULL: the body itself.
    shown  TEXT,
    hidden INTEGER NOT NULL DEFAULT 0,     -- taken away by own work that the server has not judged
    mark   INTEGER NOT NULL DEFAULT 0,     -- bits: see store/view.rs
    under  TEXT NOT NULL DEFAULT '',       -- what it is listed under: a record's id, or its grid
    sort   TEXT NOT NULL DEFAULT ''        -- and how
) STRICT;
CREATE UNIQUE INDEX record_named ON record (kind, id);
CREATE INDEX record_listed ON record (kind, under, sort, id);

CREATE TABLE scope (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    cursor      TEXT,                      -- pages go on from here; NULL: first sync not finished
    lowest      TEXT,                      -- first sync: cursor of its first frame
    resume_kind TEXT,                      -- first sync: the last key applied
    resume_id   BLOB,
    through     INTEGER NOT NULL DEFAULT 0,
    caught_up   INTEGER NOT NULL DEFAULT 0,
    total       INTEGER NOT NULL DEFAULT 0 -- records of the scope, as the server counted
) STRICT;

CREATE TABLE membership (
    scope      INTEGER NOT NULL,
    key        INTEGER NOT NULL,
    pending_to INTEGER,                    -- left for a held scope that is not yet read so far
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_of ON membership (key);

-- Deletions heard of while a first sync is under way: older frames must not bring them back.
CREATE TABLE tomb (
    kind TEXT NOT NULL,
    id   BLOB NOT NULL,
    rev  INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Own work: the outbox while there is no receipt, the journal afterwards.
CREATE TABLE authored (
    mseq       INTEGER PRIMARY KEY,
    mid        BLOB NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    id         BLOB NOT NULL,
    about_kind TEXT,                       -- a decision also changes the record that it is about
    about_id   BLOB,
    frozen     TEXT NOT NULL,
    authored   INTEGER NOT NULL,
    sent       INTEGER NOT NULL DEFAULT 0, -- set in a transaction before the request leaves
    outcome    TEXT,                       -- NULL: waits
    reason     TEXT,
    "commit"   INTEGER,
    overlaid   INTEGER NOT NULL DEFAULT 1  -- still lies over the mirror
) STRICT;
CREATE INDEX authored_waiting ON authored (mseq) WHERE outcome IS NULL;
CREATE INDEX authored_overlaid ON authored (kind, id) WHERE overlaid = 1;
CREATE INDEX authored_about ON authored (about_kind, about_id) WHERE overlaid = 1 AND about_kind IS NOT NULL;

-- Receipts as they came: proof for a server that was restored.
CREATE TABLE receipt (
    first_mseq INTEGER PRIMARY KEY,
    last_mseq  INTEGER NOT NULL,
    "commit"   INTEGER NOT NULL,
    row        TEXT NOT NULL
) STRICT;

-- Bodies that a restored server may lack; filled when a new epoch is adopted.
CREATE TABLE witness (
    kind   TEXT NOT NULL,
    id     BLOB NOT NULL,
    rev    INTEGER NOT NULL,
    schema INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (kind, id, rev)
) STRICT, WITHOUT ROWID;

-- Begun and not yet handed in; holds no mseq.
CREATE TABLE draft (
    id      BLOB PRIMARY KEY,              -- the record's future id
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,
    updated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Photos and files of own work, and those fetched from the server.
CREATE TABLE blob (
    hash     BLOB PRIMARY KEY CHECK (length(hash) = 32),
    kind     TEXT NOT NULL,                -- the record or draft that it belongs to
    id       BLOB NOT NULL,
    bytes    INTEGER NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('draft', 'waiting', 'stored', 'failed', 'fetched')),
    sent     INTEGER NOT NULL DEFAULT 0,   -- bytes that the server has
    "commit" INTEGER,                      -- that noted it as stored
    taken    INTEGER NOT NULL,
    reason   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_waiting ON blob (taken) WHERE state = 'waiting';
CREATE INDEX blob_of ON blob (kind, id);

-- The pocket book.
CREATE TABLE book (
    unit     TEXT PRIMARY KEY,
    version  INTEGER NOT NULL,
    manifest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE book_part (
    hash  BLOB PRIMARY KEY,
    part  TEXT NOT NULL,
    title TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE article (
    hash  BLOB NOT NULL REFERENCES book_part (hash) ON DELETE CASCADE,
    n     INTEGER NOT NULL,
    id    TEXT NOT NULL,
    title TEXT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (hash, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_named ON article (id);

-- "Why did it vanish?": what was taken from this device, and why.
CREATE TABLE trace (
    n    INTEGER PRIMARY KEY,
    at   INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id   BLOB NOT NULL,
    what TEXT NOT NULL
) STRICT;
