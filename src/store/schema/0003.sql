-- How much of a piece of work is recorded: a long reading goes on from there after a crash.
ALTER TABLE work ADD COLUMN done INTEGER NOT NULL DEFAULT 0;
