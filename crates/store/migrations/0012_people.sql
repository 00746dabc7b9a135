-- One person's records from several sources, side by side; the same fact from two of them is one row
-- of a list. Nothing of this costs a person with one source anything.
CREATE TABLE people (
    key      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL DEFAULT 1,
    grouped  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE person_connections (
    connection_key INTEGER PRIMARY KEY REFERENCES connections (key) ON DELETE CASCADE,
    person_key     INTEGER NOT NULL REFERENCES people (key) ON DELETE CASCADE,
    patient_id     TEXT NOT NULL
) STRICT;

CREATE INDEX person_connections_person ON person_connections (person_key);

CREATE TABLE connections_apart (
    one   INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    other INTEGER NOT NULL REFERENCES connections (key) ON DELETE CASCADE,
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX connections_apart_other ON connections_apart (other);

CREATE TABLE record_facts (
    record_key INTEGER PRIMARY KEY REFERENCES records (key) ON DELETE CASCADE,
    person_key INTEGER NOT NULL REFERENCES people (key) ON DELETE CASCADE,
    section    TEXT NOT NULL,
    fact       TEXT,
    group_key  INTEGER
) STRICT;

CREATE INDEX record_facts_group ON record_facts (group_key) WHERE group_key IS NOT NULL;
CREATE INDEX record_facts_hidden ON record_facts (person_key, section, group_key)
    WHERE group_key <> record_key;

CREATE TABLE records_apart (
    one   INTEGER NOT NULL REFERENCES records (key) ON DELETE CASCADE,
    other INTEGER NOT NULL REFERENCES records (key) ON DELETE CASCADE,
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_apart_other ON records_apart (other);

CREATE TRIGGER people_counts_made AFTER INSERT ON record_counts BEGIN
    UPDATE people SET revision = revision + 1 WHERE key =
        (SELECT person_key FROM person_connections WHERE connection_key = new.connection_key);
END;

CREATE TRIGGER people_counts_changed AFTER UPDATE ON record_counts BEGIN
    UPDATE people SET revision = revision + 1 WHERE key =
        (SELECT person_key FROM person_connections WHERE connection_key = new.connection_key);
END;

CREATE TRIGGER people_record_changed AFTER UPDATE OF hash, title, withdrawn_at ON records BEGIN
    UPDATE record_facts SET group_key = NULL WHERE group_key =
        (SELECT group_key FROM record_facts WHERE record_key = new.key);
    DELETE FROM record_facts WHERE record_key = new.key;
    UPDATE people SET revision = revision + 1 WHERE key =
        (SELECT person_key FROM person_connections WHERE connection_key = new.connection_key);
END;

CREATE TRIGGER people_connection_gone AFTER DELETE ON person_connections BEGIN
    DELETE FROM record_facts WHERE person_key = old.person_key;
    UPDATE people SET revision = revision + 1 WHERE key = old.person_key;
    DELETE FROM people WHERE key = old.person_key AND 2 >
        (SELECT count(*) FROM person_connections WHERE person_key = old.person_key);
END;
