CREATE TABLE districts (
    district        INTEGER NOT NULL PRIMARY KEY,
    code            TEXT NOT NULL,
    name            TEXT NOT NULL,
    number_prefix   TEXT NOT NULL,              -- of official case numbers
    epoch           INTEGER NOT NULL,           -- the present history
    last            INTEGER NOT NULL,           -- the last commit given
    reserved        INTEGER NOT NULL,           -- numbers up to here are reserved, also beside
    time            INTEGER NOT NULL,           -- high-water mark: no commit is older
    journal_head    BLOB NOT NULL,              -- hash of the journal's last line
    durable         INTEGER NOT NULL            -- commits up to here are in a backup
) STRICT;

CREATE TABLE commits (
    district        INTEGER NOT NULL,
    number          INTEGER NOT NULL,
    time            INTEGER NOT NULL,
    tag             BLOB NOT NULL,              -- the journal's head after it, eight bytes
    PRIMARY KEY (district, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE lost_intervals (
    district        INTEGER NOT NULL,
    until           INTEGER NOT NULL,           -- the last commit that was lost
    after           INTEGER NOT NULL,           -- the last commit that survived
    PRIMARY KEY (district, until)
) STRICT, WITHOUT ROWID;

CREATE TABLE counters (
    district        INTEGER NOT NULL,
    name            TEXT NOT NULL,
    value           INTEGER NOT NULL,
    PRIMARY KEY (district, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE records (
    district        INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    id              BLOB NOT NULL CHECK (length(id) = 16),
    rev             INTEGER NOT NULL,           -- names these bytes for ever
    schema          INTEGER NOT NULL,
    deleted         INTEGER NOT NULL DEFAULT 0,
    body            TEXT,                       -- canonical JSON; of general kinds
    sealed          BLOB,                       -- suite, key id, nonce, sealed JSON; of sensitive kinds
    stamps          BLOB NOT NULL,              -- created, fields, elements, last schema; sealed like the body
    home            TEXT,                       -- the grid noted for it
    home_since      INTEGER NOT NULL,           -- ms from when on it was this grid; 0 since ever
    parent          BLOB,                       -- the record that it hangs on
    transition      BLOB,                       -- the mutation of its last transition
    unit            TEXT,                       -- the handling unit
    state           TEXT,                       -- columns of lists: see Kind::listing
    sort            TEXT,
    time            INTEGER,
    blind_id        BLOB,                       -- keyed hash of the identity number
    blind_phone     BLOB,                       -- keyed hash of the phone
    CHECK ((body IS NULL) <> (sealed IS NULL)),
    PRIMARY KEY (district, kind, id)
) STRICT;
CREATE INDEX records_by_parent ON records (district, parent) WHERE parent IS NOT NULL;
CREATE INDEX records_by_home ON records (district, kind, home, state, time, id) WHERE state IS NOT NULL;
CREATE INDEX records_by_unit ON records (district, kind, unit, state, time, id) WHERE unit IS NOT NULL;
CREATE INDEX records_by_blind_id ON records (district, blind_id) WHERE blind_id IS NOT NULL;
CREATE INDEX records_by_blind_phone ON records (district, blind_phone) WHERE blind_phone IS NOT NULL;

CREATE TABLE memberships (
    district        INTEGER NOT NULL,
    scope           TEXT NOT NULL,
    kind            TEXT NOT NULL,
    id              BLOB NOT NULL,
    seq             INTEGER NOT NULL,           -- the scope's latest number for this record
    rev             INTEGER NOT NULL,
    changed         INTEGER NOT NULL,           -- the commit that gave `seq`
    since           INTEGER NOT NULL,           -- the commit since which it is in
    gone            INTEGER,                    -- the commit that took it out
    gone_to         TEXT,                       -- the scope it went to
    tomb            INTEGER NOT NULL DEFAULT 0, -- gone because it was deleted
    PRIMARY KEY (district, scope, kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX memberships_by_seq ON memberships (district, scope, seq);
CREATE INDEX memberships_gone ON memberships (district, kind, id) WHERE gone IS NOT NULL;

CREATE TABLE heads (
    district        INTEGER NOT NULL,
    scope           TEXT NOT NULL,
    seq             INTEGER NOT NULL,
    floor           INTEGER NOT NULL,           -- older cursors can't be served by pages
    digest          BLOB NOT NULL,              -- XOR over (kind, id, rev) of all records in it
    count           INTEGER NOT NULL,
    PRIMARY KEY (district, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    district        INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    id              BLOB NOT NULL,              -- never to be used again
    fate            TEXT NOT NULL,              -- deleted or merged
    into_id         BLOB,
    number          INTEGER NOT NULL,           -- the commit that did it
    PRIMARY KEY (district, kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mids (
    district        INTEGER NOT NULL,
    mid             BLOB NOT NULL,              -- unique in a district
    enrolment       BLOB NOT NULL,
    mseq            INTEGER NOT NULL,
    checked         BLOB NOT NULL,              -- eight bytes of the hash of its content
    PRIMARY KEY (district, mid)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
    district        INTEGER NOT NULL,
    enrolment       BLOB NOT NULL,
    last_mseq       INTEGER NOT NULL,
    first_mseq      INTEGER NOT NULL,
    line            TEXT NOT NULL,              -- the row as it is sent
    PRIMARY KEY (district, enrolment, last_mseq)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    district        INTEGER NOT NULL,
    number          INTEGER NOT NULL,           -- the commit
    line            INTEGER NOT NULL,           -- place in the commit
    mid             BLOB NOT NULL,
    enrolment       BLOB NOT NULL,
    user            BLOB NOT NULL,
    kind            TEXT NOT NULL,
    id              BLOB NOT NULL,
    outcome         TEXT NOT NULL,
    value           BLOB,                       -- salt and content; an erasure takes it, the chain holds
    value_hash      BLOB NOT NULL,
    hash            BLOB NOT NULL,              -- over the line before and this one
    PRIMARY KEY (district, number, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE waits (
    district        INTEGER NOT NULL,
    target          BLOB NOT NULL,              -- a mutation in the tray, or an unknown record
    enrolment       BLOB NOT NULL,
    mseq            INTEGER NOT NULL,
    mid             BLOB NOT NULL,              -- the parked mutation that waits
    tray            TEXT NOT NULL,              -- the kind of its tray item
    PRIMARY KEY (district, target, enrolment, mseq, mid)
) STRICT, WITHOUT ROWID;

CREATE TABLE blobs (
    district        INTEGER NOT NULL,
    hash            BLOB NOT NULL,
    bytes           INTEGER NOT NULL,
    number          INTEGER NOT NULL,           -- the commit that noted it as stored
    PRIMARY KEY (district, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE blob_owners (
    district        INTEGER NOT NULL,
    hash            BLOB NOT NULL,
    enrolment       BLOB NOT NULL,              -- delivered all of its bytes
    PRIMARY KEY (district, hash, enrolment)
) STRICT, WITHOUT ROWID;

CREATE TABLE blob_refs (
    district        INTEGER NOT NULL,
    hash            BLOB NOT NULL,
    kind            TEXT NOT NULL,
    id              BLOB NOT NULL,
    enrolment       BLOB NOT NULL,              -- who referred to it
    PRIMARY KEY (district, hash, kind, id, enrolment)
) STRICT, WITHOUT ROWID;

CREATE TABLE blob_wants (
    district        INTEGER NOT NULL,
    enrolment       BLOB NOT NULL,              -- has referred to it
    hash            BLOB NOT NULL,              -- and the server lacks it
    PRIMARY KEY (district, enrolment, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_wants_by_hash ON blob_wants (district, hash);

CREATE TABLE units (
    district        INTEGER NOT NULL,
    unit            TEXT NOT NULL,
    level           TEXT NOT NULL,              -- district, street, community, grid, unit
    name            TEXT NOT NULL,
    parent          TEXT,
    extra           TEXT NOT NULL,              -- JSON: what a grid consists of, its middle
    PRIMARY KEY (district, unit)
) STRICT, WITHOUT ROWID;
CREATE INDEX units_by_parent ON units (district, parent);

CREATE TABLE users (
    district        INTEGER NOT NULL,
    user            BLOB NOT NULL,
    login           TEXT NOT NULL,
    name            TEXT NOT NULL,
    number          TEXT,                       -- staff number
    password        TEXT,                       -- argon2; none: no desk
    failures        INTEGER NOT NULL DEFAULT 0, -- wrong passwords in a row
    closed_until    INTEGER NOT NULL DEFAULT 0, -- no password is looked at before
    blocked         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (district, user)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_by_login ON users (district, login);

CREATE TABLE duties (
    district        INTEGER NOT NULL,
    user            BLOB NOT NULL,
    role            TEXT NOT NULL,
    unit            TEXT NOT NULL,
    since           INTEGER NOT NULL,
    until           INTEGER,
    PRIMARY KEY (district, user, role, unit, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolments (
    district        INTEGER NOT NULL,
    enrolment       BLOB NOT NULL,
    user            BLOB NOT NULL,
    station         TEXT NOT NULL,              -- phone, desk, system
    secret          BLOB NOT NULL,              -- hash of the secret or token
    device          TEXT NOT NULL,
    schema          INTEGER NOT NULL,
    enrolled_at     INTEGER NOT NULL,
    expires_at      INTEGER,                    -- of desk sessions
    revoked         INTEGER NOT NULL DEFAULT 0,
    received_mseq   INTEGER NOT NULL DEFAULT 0,
    last_from       INTEGER NOT NULL DEFAULT 0, -- its last mutation was not authored before
    synced_at       INTEGER,                    -- last exchange; none before the first
    pending         TEXT,                       -- what it said waits on it, JSON
    skew            INTEGER,                    -- its wall clock less ours
    PRIMARY KEY (district, enrolment)
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolments_by_user ON enrolments (district, user);
CREATE INDEX enrolments_by_secret ON enrolments (district, secret);

CREATE TABLE codes (
    district        INTEGER NOT NULL,
    code            BLOB NOT NULL,              -- hash of the one-time code
    user            BLOB NOT NULL,
    expires_at      INTEGER NOT NULL,
    enrolment       BLOB,                       -- what it was used for
    PRIMARY KEY (district, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE category_limits (
    district        INTEGER NOT NULL,
    category        TEXT NOT NULL,
    hours           INTEGER NOT NULL,           -- working hours that a case of it may take
    PRIMARY KEY (district, category)
) STRICT, WITHOUT ROWID;

CREATE TABLE book_parts (
    district        INTEGER NOT NULL,
    hash            BLOB NOT NULL,
    part            TEXT NOT NULL,
    unit            TEXT NOT NULL,              -- whose layer it belongs to
    bytes           INTEGER NOT NULL,
    PRIMARY KEY (district, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE book_manifests (
    district        INTEGER NOT NULL,
    unit            TEXT NOT NULL,              -- the community
    version         INTEGER NOT NULL,
    hash            BLOB NOT NULL,
    manifest        TEXT NOT NULL,              -- JSON, signed byte for byte
    key_id          INTEGER NOT NULL,
    signature       TEXT NOT NULL,
    published_at    INTEGER NOT NULL,
    PRIMARY KEY (district, unit, version)
) STRICT, WITHOUT ROWID;
