-- Records take less room (compressed), what a source changed or no longer gives is kept, and lists
-- know their lengths without counting.
ALTER TABLE records RENAME TO records_before;
DROP INDEX records_identity;
DROP INDEX records_section;

CREATE TABLE records (
    key            INTEGER PRIMARY KEY,
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    resource_type  TEXT NOT NULL,
    id             TEXT NOT NULL,
    hash           BLOB NOT NULL,
    version_id     TEXT,
    last_updated   TEXT,
    fetched_at     TEXT NOT NULL,
    malformed      TEXT,
    section        TEXT NOT NULL,
    title          TEXT NOT NULL,
    code           TEXT,
    subtitle       TEXT,
    status         TEXT,
    date_start     TEXT,
    date_end       TEXT,
    date_sort      INTEGER,
    date_precision TEXT,
    value_text     TEXT,
    value_number   REAL,
    unit           TEXT,
    range_text     TEXT,
    flag           TEXT,
    subject        TEXT,
    performer      TEXT,
    withdrawn_at   TEXT,
    json           BLOB NOT NULL
) STRICT;

INSERT INTO records (key, connection_key, resource_type, id, hash, version_id, last_updated,
    fetched_at, malformed, section, title, code, subtitle, status, date_start, date_end, date_sort,
    date_precision, value_text, value_number, unit, range_text, flag, subject, json)
SELECT key, connection_key, resource_type, id, hash, version_id, last_updated,
    fetched_at, malformed, section, title, code, subtitle, status, date_start, date_end, date_sort,
    date_precision, value_text, value_number, unit, range_text, flag, subject, CAST(json AS BLOB)
FROM records_before;

DROP TABLE records_before;

CREATE UNIQUE INDEX records_identity ON records (connection_key, resource_type, id);
CREATE INDEX records_section ON records (connection_key, section, date_sort DESC, key);
CREATE INDEX records_withdrawn ON records (connection_key, withdrawn_at)
    WHERE withdrawn_at IS NOT NULL;

CREATE TABLE record_versions (
    key          INTEGER PRIMARY KEY,
    record_key   INTEGER NOT NULL REFERENCES records (key) ON DELETE CASCADE,
    version_id   TEXT,
    last_updated TEXT,
    fetched_at   TEXT NOT NULL,
    replaced_at  TEXT NOT NULL,
    json         BLOB NOT NULL
) STRICT;

CREATE INDEX record_versions_record ON record_versions (record_key);
CREATE INDEX record_versions_replaced ON record_versions (replaced_at);

CREATE TABLE record_counts (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    section        TEXT NOT NULL,
    resource_type  TEXT NOT NULL,
    records        INTEGER NOT NULL,
    PRIMARY KEY (connection_key, section, resource_type)
) STRICT, WITHOUT ROWID;

INSERT INTO record_counts (connection_key, section, resource_type, records)
SELECT connection_key, section, resource_type, count(*) FROM records
GROUP BY connection_key, section, resource_type;
