-- What the encrypted file holds, with the reason of each column. This page is read by people; the
-- file itself is made by migrations/. The test `schema` holds the two against each other.
-- Times are RFC 3339 text in UTC unless said otherwise. Rows of one connection go with it.

-- A server, a role, and the person whose records come from there.
CREATE TABLE connections (
    key            INTEGER PRIMARY KEY,   -- Short key for the tables below; never leaves the file.
    id             TEXT NOT NULL UNIQUE,  -- UUID; what the app and the command line call it.
    fhir_base      TEXT NOT NULL,         -- FHIR base URL, no slash at the end.
    server_name    TEXT NOT NULL,         -- Name to show.
    role           TEXT NOT NULL,         -- patient, provider or backend.
    state          TEXT NOT NULL,         -- Short name of the state of the connection (core: connection.rs).
    state_detail   TEXT,                  -- JSON of that state, when it carries more than its name.
    patient_id     TEXT,                  -- `patient` of the token answer: who is in context.
    fhir_user      TEXT,                  -- `fhirUser` of the verified id_token.
    created_at     TEXT NOT NULL,         -- When the person connected.
    last_synced_at TEXT,                  -- When the server was last really read; "as of" on the screen.
    last_sync      TEXT,                  -- JSON report of the last sync: per step complete, failed, refused.
    access         TEXT                   -- JSON beside the tokens: asked scopes, who signed in, how it is renewed (core: access.rs). No token.
) STRICT;

-- This installation as an OAuth client of one server (RFC 7591). No secret: those are in the keychain.
CREATE TABLE registrations (
    fhir_base               TEXT NOT NULL, -- FHIR base URL.
    role                    TEXT NOT NULL, -- A registration asks for the scopes of one role.
    client_id               TEXT NOT NULL, -- As the server named us.
    auth_method             TEXT NOT NULL, -- token_endpoint_auth_method that the server confirmed.
    redirect_uris           TEXT NOT NULL, -- JSON array, as registered.
    key_name                TEXT,          -- Name of the keychain entry of the private key or secret.
    key_alg                 TEXT,          -- ES384 or RS384.
    secret_expires_at       INTEGER,       -- Seconds since 1970; 0 is never (RFC 7591, 3.2.1).
    registration_client_uri TEXT,          -- Where the registration is managed (RFC 7592).
    created_at              TEXT NOT NULL, -- When it was made.
    origin                  TEXT NOT NULL DEFAULT 'dynamic', -- dynamic, or static: agreed on by hand.
    registered              TEXT,          -- JSON: what the server said that it holds, without secrets.
    unmanaged               INTEGER,       -- HTTP status with which the server refused to manage it.
    rotation                TEXT,          -- JSON: how far the exchange of the key has come.
    secret_since            TEXT,          -- When the secret in use was given, once it was renewed.
    PRIMARY KEY (fhir_base, role)
) STRICT, WITHOUT ROWID;

-- Registrations without a row above: on their way there when the program ended, or left at the server
-- when it could not be asked to delete them. The next start deletes them there.
CREATE TABLE loose_registrations (
    key_name  TEXT PRIMARY KEY, -- Name of the keychain entry that belongs to it.
    fhir_base TEXT NOT NULL,    -- At which server.
    role      TEXT NOT NULL,    -- In which role.
    client_id TEXT,             -- As the server named us, where the answer came.
    state     TEXT NOT NULL,    -- asking: on its way; unwanted: to delete; left: it stays at the server.
    since     TEXT NOT NULL     -- When that began.
) STRICT, WITHOUT ROWID;

-- The client of this installation alone, made after the sign-in of one person (vendor profiles).
CREATE TABLE installation_clients (
    connection_key INTEGER PRIMARY KEY REFERENCES connections (key) ON DELETE CASCADE, -- Whose sign-in.
    client_id      TEXT,         -- As the server named the installation; none when it refused.
    key_name       TEXT,         -- Name of the keychain entry of its private key.
    key_alg        TEXT,         -- ES384 or RS384.
    problem_code   TEXT,         -- Why there is none.
    created_at     TEXT NOT NULL -- When it was made or refused.
) STRICT;

-- Tokens stand in this file, not in the keychain, so that a rotated refresh token commits with the
-- state that it belongs to.
CREATE TABLE tokens (
    connection_key INTEGER PRIMARY KEY REFERENCES connections (key) ON DELETE CASCADE, -- Whose they are.
    access_token   TEXT NOT NULL, -- Bearer token.
    refresh_token  TEXT,          -- None when the server gives none.
    expires_at     TEXT NOT NULL, -- End of the access token, by this machine's clock.
    scope          TEXT NOT NULL  -- As granted, not as asked.
) STRICT;

-- Logins on their way through the browser. Taken out, not read, by the first answer that fits.
CREATE TABLE pending_logins (
    state_hash        TEXT PRIMARY KEY, -- SHA-256 of `state` in hex: the value itself is not kept here.
    connection_key    INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- Who signs in.
    created_at        TEXT NOT NULL,    -- When the browser was opened.
    expires_at        TEXT NOT NULL,    -- After this it is given up.
    authorization_url TEXT NOT NULL,    -- To open the browser a second time.
    payload           TEXT NOT NULL     -- JSON: code_verifier, nonce, redirect URI, issuer, endpoints.
) STRICT, WITHOUT ROWID;

-- Where each step of the last sync stands, so that a run that was cut off goes on from there.
CREATE TABLE sync_steps (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- Whose sync.
    step_key       TEXT NOT NULL,      -- Search or read of the plan (core: sync/plan.rs).
    run_id         TEXT NOT NULL,      -- The run that it belongs to.
    position       INTEGER NOT NULL,   -- Order within the plan.
    state          TEXT NOT NULL,      -- running, done or failed.
    cursor         TEXT,               -- `next` link behind the last page that was stored.
    records        INTEGER NOT NULL DEFAULT 0, -- Records of the pages stored so far.
    problem_code   TEXT,               -- Why it failed.
    PRIMARY KEY (connection_key, step_key)
) STRICT, WITHOUT ROWID;

-- Records, and what lists need of them. `json` stands last: a list never reads it.
CREATE TABLE records (
    key            INTEGER PRIMARY KEY, -- Also the rowid in records_fts.
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- Source.
    resource_type  TEXT NOT NULL,   -- FHIR type.
    id             TEXT NOT NULL,   -- Logical id at the source; odd and long ones as they came.
    hash           BLOB NOT NULL,   -- SHA-256 of the bytes of `json`: unchanged records are left alone.
    version_id     TEXT,            -- meta.versionId.
    last_updated   TEXT,            -- meta.lastUpdated, as received.
    fetched_at     TEXT NOT NULL,   -- When this version came from the source.
    malformed      TEXT,            -- Why it could not be read as FHIR; it is kept raw all the same.
    section        TEXT NOT NULL,   -- Section of the chart.
    title          TEXT NOT NULL,   -- What it is, in words.
    code           TEXT,            -- system|code of the main code.
    subtitle       TEXT,            -- Second line of a list.
    status         TEXT,            -- Status in words.
    date_start     TEXT,            -- Clinical date as received, precision and all.
    date_end       TEXT,            -- End of a period as received.
    date_sort      INTEGER,         -- Milliseconds since 1970, to sort by only; null is unknown.
    date_precision TEXT,            -- year, month, day or instant.
    value_text     TEXT,            -- Value with unit, as shown.
    value_number   REAL,            -- Number for plotting; the text above is what counts.
    unit           TEXT,            -- Unit of that number.
    range_text     TEXT,            -- Reference range in words.
    flag           TEXT,            -- Interpretation: high, low, abnormal and others.
    subject        TEXT,            -- Reference to the patient, as received.
    performer      TEXT,            -- Who says so: performer, author, recorder, in words.
    withdrawn_at   TEXT,            -- When the source gave it no longer, or said that it deleted it; none while it is there.
    json           BLOB NOT NULL    -- The resource byte for byte as received; zstd where that is smaller (pack.rs).
) STRICT;

CREATE UNIQUE INDEX records_identity ON records (connection_key, resource_type, id);
CREATE INDEX records_section ON records (connection_key, section, date_sort DESC, key);
CREATE INDEX records_dated ON records (connection_key, date_sort DESC, key);
CREATE INDEX records_flagged ON records (connection_key, date_sort DESC, key, section)
    WHERE flag IS NOT NULL AND flag <> 'normal';
CREATE INDEX records_withdrawn ON records (connection_key, withdrawn_at)
    WHERE withdrawn_at IS NOT NULL;

-- What stood in a record before its source changed it.
CREATE TABLE record_versions (
    key          INTEGER PRIMARY KEY, -- Order in which they were replaced.
    record_key   INTEGER NOT NULL REFERENCES records (key) ON DELETE CASCADE, -- The record as it is now.
    version_id   TEXT,          -- meta.versionId of the old version.
    last_updated TEXT,          -- meta.lastUpdated of the old version, as received.
    fetched_at   TEXT NOT NULL, -- When the old version came from the source.
    replaced_at  TEXT NOT NULL, -- When the next one came.
    json         BLOB NOT NULL  -- As in records.
) STRICT;

CREATE INDEX record_versions_record ON record_versions (record_key);
CREATE INDEX record_versions_replaced ON record_versions (replaced_at);

-- Which records a Provenance is about, so that the sources of a record are found without reading all.
CREATE TABLE provenance_targets (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- Source.
    target         INTEGER NOT NULL, -- Beginning of the SHA-256 of `Type/id` of what it is about.
    record_key     INTEGER NOT NULL, -- The Provenance.
    PRIMARY KEY (connection_key, target, record_key)
) STRICT, WITHOUT ROWID;

-- Records of which something is still to be read for the index: documents that came, or whose contents did
-- (noted where records are stored), or changed (by the triggers below); the targets of Provenance records
-- that an older version stored.
CREATE TABLE records_to_read (
    record_key INTEGER PRIMARY KEY REFERENCES records (key) ON DELETE CASCADE, -- Which.
    mark       INTEGER NOT NULL -- Random: tells whether it is to be read once more.
) STRICT;

-- The contents that a document refers to or holds, in their order.
CREATE TABLE attachments (
    key            INTEGER PRIMARY KEY, -- Never leaves the file.
    record_key     INTEGER NOT NULL REFERENCES records (key) ON DELETE CASCADE, -- The document.
    position       INTEGER NOT NULL,    -- Its place in the record.
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- Source.
    content_id     TEXT,                -- Id of the Binary that it is stored as; none when it is in the record.
    stated         TEXT NOT NULL,       -- Hash of what the record says of it: another one, and it is fetched again.
    text           BLOB                 -- Its text, where that is dear to read out again (PDF); as in records.
) STRICT;

CREATE UNIQUE INDEX attachments_record ON attachments (record_key, position);
CREATE INDEX attachments_content ON attachments (connection_key, content_id);

-- Contents that are referred to and not here, or not as they are now.
CREATE TABLE contents_missing (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- Source.
    id             TEXT NOT NULL,              -- Id of the Binary.
    size           INTEGER,                    -- Bytes, as far as it is known.
    state          TEXT NOT NULL,              -- waiting, failed, gone, refused, wrong or too_large.
    tries          INTEGER NOT NULL DEFAULT 0, -- How often it was asked for in vain.
    PRIMARY KEY (connection_key, id)
) STRICT, WITHOUT ROWID;

-- How many records there are, kept with each page, so that no list has to count.
CREATE TABLE record_counts (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- Source.
    section        TEXT NOT NULL,    -- Section of the chart.
    resource_type  TEXT NOT NULL,    -- FHIR type.
    records        INTEGER NOT NULL, -- How many.
    PRIMARY KEY (connection_key, section, resource_type)
) STRICT, WITHOUT ROWID;

-- Full-text index. Contentless: the words are findable, the text is not kept twice.
CREATE VIRTUAL TABLE records_fts USING fts5 (
    title, body,
    content = '', contentless_delete = 1, detail = column,
    tokenize = "unicode61 remove_diacritics 2"
);

-- Words inside of documents, with those of the record that they belong to. Contentless.
CREATE VIRTUAL TABLE attachments_fts USING fts5 (
    title, body, document,
    content = '', contentless_delete = 1, detail = column,
    tokenize = "unicode61 remove_diacritics 2"
);

-- A document or a content that changes is to be read again. On inserts stands no trigger: see ADR 3.
CREATE TRIGGER documents_changed AFTER UPDATE OF hash ON records
WHEN new.resource_type IN ('DocumentReference', 'DiagnosticReport', 'Media') BEGIN
    INSERT OR REPLACE INTO records_to_read (record_key, mark) VALUES (new.key, random());
END;

CREATE TRIGGER contents_changed AFTER UPDATE OF hash ON records WHEN new.resource_type = 'Binary' BEGIN
    INSERT OR REPLACE INTO records_to_read (record_key, mark)
    SELECT record_key, random() FROM attachments
    WHERE connection_key = new.connection_key AND content_id = new.id;
    DELETE FROM contents_missing WHERE connection_key = new.connection_key AND id = new.id;
END;

-- Choices of the person.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY, -- Which.
    value TEXT NOT NULL     -- Its value, as text or JSON.
) STRICT, WITHOUT ROWID;

-- Lists of servers: what a person imported, and what servers say of themselves.
CREATE TABLE directories (
    key         INTEGER PRIMARY KEY,   -- Short key for the brands; never leaves the file.
    id          TEXT NOT NULL UNIQUE,  -- UUID; what the app and the command line call it.
    source      TEXT NOT NULL UNIQUE,  -- URL of the bundle, or the name of the file; a second import replaces the first.
    linked_base TEXT,                  -- The server whose own brand this is; none for a list that was imported.
    etag        TEXT,                  -- ETag of the answer, for If-None-Match.
    published   TEXT,                  -- Bundle.timestamp.
    imported_at TEXT NOT NULL,         -- When it was last read.
    skipped     TEXT NOT NULL          -- JSON: what was left out, how often, by reason.
) STRICT;

-- One row for each brand and FHIR server that it names.
CREATE TABLE brands (
    key           INTEGER PRIMARY KEY, -- Row of the full-text index.
    directory_key INTEGER NOT NULL REFERENCES directories (key) ON DELETE CASCADE, -- Where it was listed.
    fhir_base     TEXT NOT NULL,       -- FHIR base URL, checked.
    linked        INTEGER NOT NULL,    -- 1 when the server itself names this brand: it wins over lists.
    name          TEXT NOT NULL,       -- Organization.name.
    place         TEXT,                -- City and state, to tell similar names apart.
    portal        TEXT,                -- The portal as its patients know it: name and host.
    logo          TEXT,                -- URL of the logo: https, or data.
    logo_license  TEXT                 -- Terms of the logo, to show beside it.
) STRICT;

CREATE INDEX brands_directory ON brands (directory_key);
CREATE INDEX brands_base ON brands (fhir_base);

-- Words of the brands: name with aliases, place with postal code, hosts of portal, website and server.
CREATE VIRTUAL TABLE brands_fts USING fts5 (
    name, place, site,
    content = '', contentless_delete = 1, detail = column, prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 2"
);

CREATE TRIGGER brands_forgotten AFTER DELETE ON brands BEGIN
    DELETE FROM brands_fts WHERE rowid = old.key;
END;

-- Logos that were fetched, so that they show without a network and are asked for once.
CREATE TABLE logos (
    source     TEXT PRIMARY KEY, -- URL that it came from.
    media_type TEXT,             -- Kind of picture; none when there was no usable one.
    bytes      BLOB,             -- The picture, checked.
    fetched_at TEXT NOT NULL     -- When it was asked for.
) STRICT;

-- Where a server's sign-in was when this installation registered there. Tokens go to no other place
-- before the person has said so.
CREATE TABLE server_origins (
    fhir_base    TEXT PRIMARY KEY, -- FHIR base URL.
    token        TEXT NOT NULL,    -- Origin of the token endpoint.
    registration TEXT              -- Origin of the registration endpoint; none where nobody registers.
) STRICT, WITHOUT ROWID;

-- What was done with the person's records, for the person to read. It belongs to no connection: entries
-- of one that was removed stay. No value of a record, no name of a person, no identifier, no token.
CREATE TABLE access_log (
    key         INTEGER PRIMARY KEY, -- Order of events.
    at          TEXT NOT NULL,       -- When; entries of more than two years ago are dropped.
    server_name TEXT,                -- Server, as it was named then; none when it was all of them.
    host        TEXT,                -- Its host, which tells servers of one name apart.
    act         TEXT NOT NULL,       -- What was done (core: view/access_log.rs).
    types       TEXT NOT NULL,       -- FHIR types, with commas between; empty where it is not about records.
    records     INTEGER NOT NULL,    -- How many records were received, written or removed.
    outcome     TEXT NOT NULL        -- done, partly, or the code of the problem.
) STRICT;

CREATE INDEX access_log_at ON access_log (at);

-- Up to when each step of a sync is complete, so that the next one asks for what changed since.
CREATE TABLE sync_marks (
    connection_key INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- Whose sync.
    step_key       TEXT NOT NULL,    -- Search or read of the plan.
    asked          TEXT NOT NULL,    -- Hash of what was asked with which scopes: another question begins anew.
    since          TEXT NOT NULL,    -- When the first page of the last complete run came, by the server's clock.
    whole_at       TEXT NOT NULL,    -- When everything was last asked for, by this machine's clock.
    found          INTEGER NOT NULL, -- Records since then: 0 is none at the server.
    PRIMARY KEY (connection_key, step_key)
) STRICT, WITHOUT ROWID;

-- Bulk exports: under way, so that a restart goes on with them, or done.
CREATE TABLE bulk_jobs (
    key              INTEGER PRIMARY KEY,  -- Short key for the files; never leaves the file.
    id               TEXT NOT NULL UNIQUE, -- UUID; what the app and the command line call it.
    connection_key   INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- Whose it is.
    scope            TEXT NOT NULL,        -- JSON: what is exported, without _since; equal for exports that follow each other.
    state            TEXT NOT NULL,        -- exporting, downloading, done, partial, failed or cancelled.
    status_url       TEXT,                 -- Where the server is asked on. A secret; gone once it is not needed.
    transaction_time TEXT,                 -- transactionTime as it was written: the next _since, once all is done.
    detail           TEXT NOT NULL,        -- JSON: the requests, how far they are, and the report.
    created_at       TEXT NOT NULL,        -- When it was asked for.
    changed_at       TEXT NOT NULL         -- When it last moved on.
) STRICT;

CREATE INDEX bulk_jobs_scope ON bulk_jobs (connection_key, scope, state);

-- Files of an export that is being fetched.
CREATE TABLE bulk_files (
    job_key       INTEGER NOT NULL REFERENCES bulk_jobs (key) ON DELETE CASCADE, -- Of which export.
    position      INTEGER NOT NULL, -- Its place in the manifest.
    kind          TEXT NOT NULL,    -- output, deleted or outcome.
    resource_type TEXT,             -- Type of its lines, where the manifest says it.
    url           TEXT NOT NULL,    -- Where it is. A secret; gone with the row once the export is done.
    expected      INTEGER,          -- How many lines the manifest announces.
    state         TEXT NOT NULL,    -- waiting, done or failed.
    report        TEXT,             -- JSON: what was in it.
    PRIMARY KEY (job_key, position)
) STRICT, WITHOUT ROWID;

-- When each source is synced by itself, and how the last attempt went, by whichever process it was made.
CREATE TABLE schedules (
    connection_key INTEGER PRIMARY KEY REFERENCES connections (key) ON DELETE CASCADE, -- Which source.
    every          TEXT,                       -- How often, as the person chose (core: schedule/every.rs); none: the default.
    attempted_at   TEXT,                       -- When the last attempt ended, by this machine's clock.
    failures       INTEGER NOT NULL DEFAULT 0, -- How many attempts failed in a row.
    asked_to_wait  INTEGER NOT NULL DEFAULT 0  -- Seconds that the server asked to wait after it (Retry-After).
) STRICT;

-- People whose records come from several connections, because the person said so. Those with one
-- connection are not here.
CREATE TABLE people (
    key      INTEGER PRIMARY KEY,        -- Short key for the tables below; never leaves the file.
    id       TEXT NOT NULL UNIQUE,       -- UUID; what the app and the command line call them.
    revision INTEGER NOT NULL DEFAULT 1, -- Counts the changes to their records, by the triggers below.
    grouped  INTEGER NOT NULL DEFAULT 0  -- The revision for which the groups of record_facts were made.
) STRICT;

-- Which connections are theirs: two at least.
CREATE TABLE person_connections (
    connection_key INTEGER PRIMARY KEY REFERENCES connections (key) ON DELETE CASCADE, -- One is of one person.
    person_key     INTEGER NOT NULL REFERENCES people (key) ON DELETE CASCADE, -- Whose it is.
    patient_id     TEXT NOT NULL -- The patient of the connection when the person said so: of any other it does not hold.
) STRICT;

CREATE INDEX person_connections_person ON person_connections (person_key);

-- Connections that the person said are not of one person, so that it is not proposed again.
CREATE TABLE connections_apart (
    one   INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- The one with the lower key.
    other INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE, -- The other one.
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX connections_apart_other ON connections_apart (other);

-- Records of people with several sources: what each says, and which say the same (core: sources/).
CREATE TABLE record_facts (
    record_key INTEGER PRIMARY KEY REFERENCES records (key) ON DELETE CASCADE, -- Which record.
    person_key INTEGER NOT NULL REFERENCES people (key) ON DELETE CASCADE, -- Whose it is.
    section    TEXT NOT NULL, -- As in records, to count without reading them.
    fact       TEXT,          -- What is compared; null where it depends on another record and is made anew.
    group_key  INTEGER        -- The record that stands in lists for all that say the same; null for those alone.
) STRICT;

CREATE INDEX record_facts_group ON record_facts (group_key) WHERE group_key IS NOT NULL;
CREATE INDEX record_facts_hidden ON record_facts (person_key, section, group_key)
    WHERE group_key <> record_key;

-- Records that the person said are not the same.
CREATE TABLE records_apart (
    one   INTEGER NOT NULL REFERENCES records (key) ON DELETE CASCADE, -- The one with the lower key.
    other INTEGER NOT NULL REFERENCES records (key) ON DELETE CASCADE, -- The other one.
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_apart_other ON records_apart (other);

-- What makes groups stale. A page of records is counted once, so these cost nothing for each record.
CREATE TRIGGER people_counts_made AFTER INSERT ON record_counts BEGIN
    UPDATE people SET revision = revision + 1 WHERE key =
        (SELECT person_key FROM person_connections WHERE connection_key = new.connection_key);
END;

CREATE TRIGGER people_counts_changed AFTER UPDATE ON record_counts BEGIN
    UPDATE people SET revision = revision + 1 WHERE key =
        (SELECT person_key FROM person_connections WHERE connection_key = new.connection_key);
END;

-- A record that changed is in no group any more, in the same transaction: nothing stands for it that
-- may now say something else.
CREATE TRIGGER people_record_changed AFTER UPDATE OF hash, title, withdrawn_at ON records BEGIN
    UPDATE record_facts SET group_key = NULL WHERE group_key =
        (SELECT group_key FROM record_facts WHERE record_key = new.key);
    DELETE FROM record_facts WHERE record_key = new.key;
    UPDATE people SET revision = revision + 1 WHERE key =
        (SELECT person_key FROM person_connections WHERE connection_key = new.connection_key);
END;

-- A connection that goes takes all groups of its person apart; nobody stays with one connection.
CREATE TRIGGER people_connection_gone AFTER DELETE ON person_connections BEGIN
    DELETE FROM record_facts WHERE person_key = old.person_key;
    UPDATE people SET revision = revision + 1 WHERE key = old.person_key;
    DELETE FROM people WHERE key = old.person_key AND 2 >
        (SELECT count(*) FROM person_connections WHERE person_key = old.person_key);
END;
