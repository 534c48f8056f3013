-- When a certificate was last at work between a partner and us: who still uses the old one.
CREATE TABLE seen (
    partner     TEXT NOT NULL,
    purpose     TEXT NOT NULL,        -- 'verify', 'decrypt', 'tls'
    fingerprint TEXT NOT NULL,        -- SHA-256 of the certificate, in hex
    at          INTEGER NOT NULL,
    PRIMARY KEY (partner, purpose, fingerprint)
) STRICT, WITHOUT ROWID;
