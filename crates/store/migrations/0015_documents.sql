-- Words inside of documents are found, and what is missing of contents is known.
INSERT OR IGNORE INTO records_to_read (record_key, mark)
SELECT key, random() FROM records
WHERE resource_type IN ('DocumentReference', 'DiagnosticReport', 'Media');

-- The contents that a document refers to or holds, in their order.
CREATE TABLE attachments (
    key            INTEGER PRIMARY KEY,
    record_key     INTEGER NOT NULL REFERENCES records (key) ON DELETE CASCADE,
    position       INTEGER NOT NULL,
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    content_id     TEXT,
    stated         TEXT NOT NULL,
    text           BLOB
) STRICT;

CREATE UNIQUE INDEX attachments_record ON attachments (record_key, position);
CREATE INDEX attachments_content ON attachments (connection_key, content_id);

-- Contents that are referred to and not here, or not as they are now.
CREATE TABLE contents_missing (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    id             TEXT NOT NULL,
    size           INTEGER,
    state          TEXT NOT NULL,
    tries          INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (connection_key, id)
) STRICT, WITHOUT ROWID;

-- Words inside of documents, with those of the record that they belong to. Contentless.
CREATE VIRTUAL TABLE attachments_fts USING fts5 (
    title, body, document,
    content = '', contentless_delete = 1, detail = column,
    tokenize = "unicode61 remove_diacritics 2"
);

CREATE TRIGGER documents_came AFTER INSERT ON records
WHEN new.resource_type IN ('DocumentReference', 'DiagnosticReport', 'Media') BEGIN
    INSERT OR REPLACE INTO records_to_read (record_key, mark) VALUES (new.key, random());
END;

CREATE TRIGGER documents_changed AFTER UPDATE OF hash ON records
WHEN new.resource_type IN ('DocumentReference', 'DiagnosticReport', 'Media') BEGIN
    INSERT OR REPLACE INTO records_to_read (record_key, mark) VALUES (new.key, random());
END;

CREATE TRIGGER contents_came AFTER INSERT ON records WHEN new.resource_type = 'Binary' BEGIN
    INSERT OR REPLACE INTO records_to_read (record_key, mark)
    SELECT record_key, random() FROM attachments
    WHERE connection_key = new.connection_key AND content_id = new.id;
    DELETE FROM contents_missing WHERE connection_key = new.connection_key AND id = new.id;
END;

CREATE TRIGGER contents_changed AFTER UPDATE OF hash ON records WHEN new.resource_type = 'Binary' BEGIN
    INSERT OR REPLACE INTO records_to_read (record_key, mark)
    SELECT record_key, random() FROM attachments
    WHERE connection_key = new.connection_key AND content_id = new.id;
    DELETE FROM contents_missing WHERE connection_key = new.connection_key AND id = new.id;
END;
