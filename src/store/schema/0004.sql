-- What a message says of its content, once it was opened: its media type, and its file name as
-- claimed.
ALTER TABLE message ADD COLUMN content_type TEXT;
ALTER TABLE message ADD COLUMN file_name TEXT;
