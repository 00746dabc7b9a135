-- Bulk exports that are under way or done, their files, and what a source says that it deleted.
CREATE TABLE bulk_jobs (
    key              INTEGER PRIMARY KEY,
    id               TEXT NOT NULL UNIQUE,
    connection_key   INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    scope            TEXT NOT NULL,
    state            TEXT NOT NULL,
    status_url       TEXT,
    transaction_time TEXT,
    detail           TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    changed_at       TEXT NOT NULL
) STRICT;

CREATE INDEX bulk_jobs_scope ON bulk_jobs (connection_key, scope, state);

CREATE TABLE bulk_files (
    job_key       INTEGER NOT NULL REFERENCES bulk_jobs (key) ON DELETE CASCADE,
    position      INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    resource_type TEXT,
    url           TEXT NOT NULL,
    expected      INTEGER,
    state         TEXT NOT NULL,
    report        TEXT,
    PRIMARY KEY (job_key, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE deleted_records (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    resource_type  TEXT NOT NULL,
    id             TEXT NOT NULL,
    deleted_at     TEXT NOT NULL,
    PRIMARY KEY (connection_key, resource_type, id)
) STRICT, WITHOUT ROWID;
