-- The first shape of the store. Migrations are only ever added; schema.sql explains each column.
CREATE TABLE connections (
    key            INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    fhir_base      TEXT NOT NULL,
    server_name    TEXT NOT NULL,
    role           TEXT NOT NULL,
    state          TEXT NOT NULL,
    state_detail   TEXT,
    patient_id     TEXT,
    fhir_user      TEXT,
    created_at     TEXT NOT NULL,
    last_synced_at TEXT,
    last_sync      TEXT
) STRICT;

CREATE TABLE registrations (
    fhir_base               TEXT NOT NULL,
    role                    TEXT NOT NULL,
    client_id               TEXT NOT NULL,
    auth_method             TEXT NOT NULL,
    redirect_uris           TEXT NOT NULL,
    key_name                TEXT,
    key_alg                 TEXT,
    secret_expires_at       INTEGER,
    registration_client_uri TEXT,
    created_at              TEXT NOT NULL,
    PRIMARY KEY (fhir_base, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    connection_key INTEGER PRIMARY KEY REFERENCES connections (key) ON DELETE CASCADE,
    access_token   TEXT NOT NULL,
    refresh_token  TEXT,
    expires_at     TEXT NOT NULL,
    scope          TEXT NOT NULL
) STRICT;

CREATE TABLE pending_logins (
    state_hash        TEXT PRIMARY KEY,
    connection_key    INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    created_at        TEXT NOT NULL,
    expires_at        TEXT NOT NULL,
    authorization_url TEXT NOT NULL,
    payload           TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sync_steps (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    step_key       TEXT NOT NULL,
    run_id         TEXT NOT NULL,
    position       INTEGER NOT NULL,
    state          TEXT NOT NULL,
    cursor         TEXT,
    records        INTEGER NOT NULL DEFAULT 0,
    problem_code   TEXT,
    PRIMARY KEY (connection_key, step_key)
) STRICT, WITHOUT ROWID;

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
    json           TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX records_identity ON records (connection_key, resource_type, id);
CREATE INDEX records_section ON records (connection_key, section, date_sort DESC, key);

CREATE VIRTUAL TABLE records_fts USING fts5 (
    title, body,
    content = '', contentless_delete = 1, detail = column,
    tokenize = "unicode61 remove_diacritics 2"
);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
