-- How often in a row the whole process died while a worker had the row.
ALTER TABLE work ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
