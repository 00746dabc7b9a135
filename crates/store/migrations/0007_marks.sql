-- Up to when each step of a sync is complete, so that the next one asks for what changed since.
CREATE TABLE sync_marks (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    step_key       TEXT NOT NULL,
    asked          TEXT NOT NULL,
    since          TEXT NOT NULL,
    whole_at       TEXT NOT NULL,
    found          INTEGER NOT NULL,
    PRIMARY KEY (connection_key, step_key)
) STRICT, WITHOUT ROWID;
