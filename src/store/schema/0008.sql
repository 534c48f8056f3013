-- What a partner file says of its server, where that differs from what is usual: how much waits for
-- it at once, and after how many misses in a row it is left in peace.
ALTER TABLE turn ADD COLUMN at_once INTEGER;
ALTER TABLE turn ADD COLUMN misses INTEGER;
