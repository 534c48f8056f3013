-- A list of the API in which others stand as well, the name by which a document stands in it, and as
-- what it was seen there. Who reads the list marks all whom it names.
ALTER TABLE submission ADD COLUMN list TEXT;
ALTER TABLE submission ADD COLUMN name TEXT;
ALTER TABLE submission ADD COLUMN seen TEXT;
CREATE INDEX submission_listed ON submission (list, name) WHERE list IS NOT NULL;

-- The queue as it is looked at: what is due first, whatever it is.
CREATE INDEX work_next ON work (due);
