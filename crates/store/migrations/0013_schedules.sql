-- When each source is synced by itself, and how the last attempt went.
CREATE TABLE schedules (
    connection_key INTEGER PRIMARY KEY REFERENCES connections (key) ON DELETE CASCADE,
    every          TEXT,
    attempted_at   TEXT,
    failures       INTEGER NOT NULL DEFAULT 0,
    asked_to_wait  INTEGER NOT NULL DEFAULT 0
) STRICT;
