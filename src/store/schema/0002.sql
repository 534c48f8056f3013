-- Where the answer to an inbound message goes by a request of our own (an asynchronous receipt);
-- NULL: it is given to the request that brought the message.
ALTER TABLE message ADD COLUMN answer_to TEXT;
