-- A source that no longer gives a record and one that says it deleted it are marked in the same place.
UPDATE records SET withdrawn_at = (
    SELECT deleted_at FROM deleted_records AS gone
    WHERE gone.connection_key = records.connection_key
      AND gone.resource_type = records.resource_type AND gone.id = records.id
)
WHERE withdrawn_at IS NULL AND (connection_key, resource_type, id) IN
    (SELECT connection_key, resource_type, id FROM deleted_records);

DROP TABLE deleted_records;
