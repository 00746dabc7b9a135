-- Who stores a record notes itself what is to be read of it: a trigger on every insert made each of them
-- several times slower, documents or not.
DROP TRIGGER documents_came;
DROP TRIGGER contents_came;
