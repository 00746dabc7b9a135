-- Registrations that were typed in, that are managed, renewed and rotated; those that hang in the air;
-- and the clients of single installations.
ALTER TABLE registrations ADD COLUMN origin TEXT NOT NULL DEFAULT 'dynamic';
ALTER TABLE registrations ADD COLUMN registered TEXT;
ALTER TABLE registrations ADD COLUMN unmanaged INTEGER;
ALTER TABLE registrations ADD COLUMN rotation TEXT;
ALTER TABLE registrations ADD COLUMN secret_since TEXT;

CREATE TABLE loose_registrations (
    key_name  TEXT PRIMARY KEY,
    fhir_base TEXT NOT NULL,
    role      TEXT NOT NULL,
    client_id TEXT,
    state     TEXT NOT NULL,
    since     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE installation_clients (
    connection_key INTEGER PRIMARY KEY REFERENCES connections (key) ON DELETE CASCADE,
    client_id      TEXT,
    key_name       TEXT,
    key_alg        TEXT,
    problem_code   TEXT,
    created_at     TEXT NOT NULL
) STRICT;
