-- How much of a piece of work is recorded: a long reading goes on from there after a crash.
ALTER TABLE work ADD COLUMN done INTEGER NOT NULL DEFAULT 0;

-- A claim asks for some kinds: rows of the others are not walked over, however many wait.
DROP INDEX work_turn;
DROP INDEX work_due;
CREATE INDEX work_turn ON work (partner, kind, due, id);
CREATE INDEX work_due ON work (kind, due);
