-- A list of everything by date needs no sorting.
CREATE INDEX records_dated ON records (connection_key, date_sort DESC, key);
