-- Which records a Provenance is about, so that the sources of a record are found without reading all.
CREATE TABLE provenance_targets (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    target         INTEGER NOT NULL,
    record_key     INTEGER NOT NULL,
    PRIMARY KEY (connection_key, target, record_key)
) STRICT, WITHOUT ROWID;

-- Records of which something is still to be read for the index.
CREATE TABLE records_to_read (
    record_key INTEGER PRIMARY KEY REFERENCES records (key) ON DELETE CASCADE,
    mark       INTEGER NOT NULL
) STRICT;

INSERT INTO records_to_read (record_key, mark)
SELECT key, random() FROM records WHERE resource_type = 'Provenance';
