-- What a bridge to an API keeps by name: how full its buckets are, until when it has polled, when its
-- token ends. Never a token.
CREATE TABLE bridge (
    name    TEXT PRIMARY KEY,
    value   TEXT NOT NULL,            -- JSON
    updated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was last seen of an order at an API: an order that is seen again as it was makes no document.
CREATE TABLE observation (
    account TEXT NOT NULL,
    number  TEXT NOT NULL,
    changed TEXT NOT NULL,            -- the API's own date of the change
    content TEXT NOT NULL,            -- the canonical document (JSON)
    updated INTEGER NOT NULL,
    PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;

-- A document on its way into an API: kept before each request and after it, so that no crash makes
-- a second POST.
CREATE TABLE submission (
    document       BLOB PRIMARY KEY REFERENCES document (id),
    account        TEXT NOT NULL,
    operation      TEXT NOT NULL,
    stage          TEXT NOT NULL,
    transaction_id TEXT,
    detail         TEXT NOT NULL,     -- JSON
    updated        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_transaction ON submission (transaction_id) WHERE transaction_id IS NOT NULL;
