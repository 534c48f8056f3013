-- Times are microseconds since 1970-01-01T00:00:00Z; ids are the 16 bytes of a UUID; digests are
-- the 32 bytes of a SHA-256; `seq` is the order of insertion. States are the words of state.rs.

CREATE TABLE payload (
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    size   INTEGER NOT NULL,
    bytes  BLOB                       -- NULL: in the payload folder, under its digest
) STRICT;

CREATE TABLE message (
    seq            INTEGER PRIMARY KEY,
    id             BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    direction      TEXT NOT NULL,
    partner        TEXT NOT NULL,
    transport      TEXT NOT NULL,
    our_id         TEXT NOT NULL,
    partner_id     TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    state          TEXT NOT NULL,
    mic            TEXT,
    headers        TEXT NOT NULL,     -- JSON, [[name, value] ...]
    body           BLOB NOT NULL REFERENCES payload (digest),
    content        BLOB REFERENCES payload (digest),
    answer_status  INTEGER,
    answer_headers TEXT,
    answer_body    BLOB,
    resend_of      BLOB REFERENCES message (id),
    note           TEXT NOT NULL,
    created        INTEGER NOT NULL,
    updated        INTEGER NOT NULL
) STRICT;
CREATE INDEX message_key ON message (message_id, partner_id, our_id);
CREATE INDEX message_content ON message (content, partner) WHERE direction = 'inbound';
CREATE INDEX message_state ON message (direction, state);

-- Who may not come twice. Only accepted messages stand here: a refused one occupies nothing.
CREATE TABLE dedupe (
    our_id     TEXT NOT NULL,
    partner_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    message    BLOB NOT NULL REFERENCES message (id),
    PRIMARY KEY (our_id, partner_id, message_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE interchange (
    seq          INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    direction    TEXT NOT NULL,
    partner      TEXT NOT NULL,
    message      BLOB REFERENCES message (id),
    pair         TEXT NOT NULL,
    control      TEXT NOT NULL,
    epoch        INTEGER NOT NULL,    -- how often the pair's numbers have wrapped
    payload      BLOB REFERENCES payload (digest),
    duplicate_of BLOB REFERENCES interchange (id),
    verdict      TEXT NOT NULL,
    created      INTEGER NOT NULL
) STRICT;
CREATE INDEX interchange_message ON interchange (message);
CREATE INDEX interchange_control ON interchange (pair, control, partner) WHERE direction = 'inbound';
CREATE UNIQUE INDEX interchange_number ON interchange (pair, control, epoch) WHERE direction = 'outbound';

CREATE TABLE document (
    seq           INTEGER PRIMARY KEY,
    id            BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    direction     TEXT NOT NULL,
    partner       TEXT NOT NULL,
    interchange   BLOB REFERENCES interchange (id),
    kind          TEXT NOT NULL,
    set_id        TEXT NOT NULL,
    number        TEXT NOT NULL,
    key           TEXT,
    group_control TEXT,
    set_control   TEXT,
    state         TEXT NOT NULL,
    note          TEXT NOT NULL,
    created       INTEGER NOT NULL,
    updated       INTEGER NOT NULL,
    content       TEXT NOT NULL,      -- JSON; last, so that lists need not read past it
    findings      TEXT NOT NULL       -- JSON
) STRICT;
CREATE INDEX document_interchange ON document (interchange);
CREATE INDEX document_group ON document (group_control, partner) WHERE direction = 'outbound';
CREATE INDEX document_state ON document (direction, state);
CREATE UNIQUE INDEX document_key ON document (partner, key) WHERE key IS NOT NULL;

-- The queue holds only what is still to do. A leased row is due when its lease ends.
CREATE TABLE work (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    partner TEXT NOT NULL,
    due     INTEGER NOT NULL,
    leased  INTEGER NOT NULL,         -- 1 while a worker has it
    attempt INTEGER NOT NULL,         -- the fencing token
    deaths  INTEGER NOT NULL,         -- leases in a row that ended without a word
    error   TEXT,
    queued  INTEGER NOT NULL,
    UNIQUE (subject, kind)
) STRICT;
CREATE INDEX work_turn ON work (partner, due, id);
CREATE INDEX work_due ON work (due);

-- Whose turn it is: the partner served longest ago comes first.
CREATE TABLE turn (
    partner TEXT PRIMARY KEY,
    served  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX turn_served ON turn (served, partner);

CREATE TABLE counter (
    pair   TEXT NOT NULL,
    kind   TEXT NOT NULL,             -- 'interchange' (ISA13) or 'group' (GS06)
    epoch  INTEGER NOT NULL,
    number INTEGER NOT NULL,          -- the last one used
    PRIMARY KEY (pair, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    subject BLOB NOT NULL,
    what    TEXT NOT NULL,
    detail  TEXT NOT NULL
) STRICT;
CREATE INDEX event_subject ON event (subject);
CREATE TRIGGER event_is_append_only_u BEFORE UPDATE ON event BEGIN
    SELECT RAISE(ABORT, 'events are only ever added');
END;
CREATE TRIGGER event_is_append_only_d BEFORE DELETE ON event BEGIN
    SELECT RAISE(ABORT, 'events are only ever added');
END;
