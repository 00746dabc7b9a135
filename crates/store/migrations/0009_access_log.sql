-- What was done with the person's records, for the person to read: no values, no names of people, no tokens.
CREATE TABLE access_log (
    key         INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    server_name TEXT,
    host        TEXT,
    act         TEXT NOT NULL,
    types       TEXT NOT NULL,
    records     INTEGER NOT NULL,
    outcome     TEXT NOT NULL
) STRICT;

CREATE INDEX access_log_at ON access_log (at);
