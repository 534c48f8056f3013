-- A quicker sum of a payload's file (XXH3, 64 bits), where one was found when it came.
ALTER TABLE payload ADD COLUMN sum INTEGER;
