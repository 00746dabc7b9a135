-- What stands out is few: a list of it alone reads nothing else.
CREATE INDEX records_flagged ON records (connection_key, date_sort DESC, key, section)
    WHERE flag IS NOT NULL AND flag <> 'normal';
