-- How a partner's server does: tries in a row that did not reach it, and until when it is not asked.
ALTER TABLE turn ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE turn ADD COLUMN shut INTEGER NOT NULL DEFAULT 0;
-- What is out to partners now is counted at each claim.
CREATE INDEX work_leased ON work (partner, kind) WHERE leased = 1;
