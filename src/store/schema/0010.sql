-- How often in a row the whole process died while a worker had the row.
ALTER TABLE work ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
-- Tells whether the disk gives back the document that was stored (XXH3, 64 bits, over its kind, its
-- number and its content); NULL where it was stored before this column.
ALTER TABLE document ADD COLUMN sum INTEGER;
