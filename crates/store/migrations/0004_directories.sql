-- Directories of servers, the pictures that go with them, and where each server's sign-in was.
CREATE TABLE directories (
    key         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    source      TEXT NOT NULL UNIQUE,
    linked_base TEXT,
    etag        TEXT,
    published   TEXT,
    imported_at TEXT NOT NULL,
    skipped     TEXT NOT NULL
) STRICT;

CREATE TABLE brands (
    key           INTEGER PRIMARY KEY,
    directory_key INTEGER NOT NULL REFERENCES directories (key) ON DELETE CASCADE,
    fhir_base     TEXT NOT NULL,
    linked        INTEGER NOT NULL,
    name          TEXT NOT NULL,
    place         TEXT,
    portal        TEXT,
    logo          TEXT,
    logo_license  TEXT
) STRICT;

CREATE INDEX brands_directory ON brands (directory_key);
CREATE INDEX brands_base ON brands (fhir_base);

CREATE VIRTUAL TABLE brands_fts USING fts5 (
    name, place, site,
    content = '', contentless_delete = 1, detail = column, prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 2"
);

CREATE TRIGGER brands_forgotten AFTER DELETE ON brands BEGIN
    DELETE FROM brands_fts WHERE rowid = old.key;
END;

CREATE TABLE logos (
    source     TEXT PRIMARY KEY,
    media_type TEXT,
    bytes      BLOB,
    fetched_at TEXT NOT NULL
) STRICT;

CREATE TABLE server_origins (
    fhir_base    TEXT PRIMARY KEY,
    token        TEXT NOT NULL,
    registration TEXT
) STRICT, WITHOUT ROWID;
