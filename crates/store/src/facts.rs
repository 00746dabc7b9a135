//! What records of people with several sources say, and which of them say the same.
//!
//! The groups are made by [`crate`]'s user from facts that it reads out of records; here they are kept.
//! Triggers take a group apart in the same transaction in which one of its records changes, and count
//! `revision` on, so that groups that were made meanwhile from what stood there before are not taken.

use crate::bound::as_json;
use crate::error::Result;
use crate::open::Store;
use crate::pack::unpack;
use sqlx::{Sqlite, Transaction};

/// A record that is to be read for what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadFactRow {
    /// Its key in the file.
    pub key: i64,
    /// Its source.
    pub connection_id: String,
    /// FHIR type.
    pub resource_type: String,
    /// Byte for byte as received; none of one that its source no longer gives, or that could not be read.
    pub json: Option<String>,
}

/// What was read out of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactIn {
    /// The record's key in the file.
    pub key: i64,
    /// What is compared; empty for one that is never the same as another.
    pub fact: String,
    /// It depends on another record: it is read anew the next time.
    pub passing: bool,
}

/// What a record says, as it was kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FactRow {
    /// The record's key in the file.
    pub key: i64,
    /// Its source.
    pub source: i64,
    /// What is compared.
    pub fact: Option<String>,
    /// `meta.lastUpdated`, as received.
    pub last_updated: Option<String>,
    /// The record that stands for its group.
    pub group_key: Option<i64>,
}

impl Store {
    /// How often the records of a person changed, and for which of these states the groups were made.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn person_revision(&self, person_id: &str) -> Result<Option<(i64, i64)>> {
        Ok(
            sqlx::query_as("SELECT revision, grouped FROM people WHERE id = ?")
                .bind(person_id)
                .fetch_optional(&self.readers)
                .await?,
        )
    }

    /// The keys of a person's records, in these sections, that were not read yet, in their order.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn facts_unread(&self, person_id: &str, sections: &[String]) -> Result<Vec<i64>> {
        // Only indexes are read: of a person whose records are known this stays cheap.
        Ok(sqlx::query_scalar(
            "SELECT found.key FROM person_connections
             JOIN json_each(?2) AS wanted
             JOIN records AS found ON found.connection_key = person_connections.connection_key
                 AND found.section = wanted.value
             WHERE person_key = (SELECT key FROM people WHERE id = ?1)
                 AND NOT EXISTS (SELECT 1 FROM record_facts
                     WHERE record_key = found.key AND fact IS NOT NULL)
             ORDER BY found.key",
        )
        .bind(person_id)
        .bind(as_json(sections)?)
        .fetch_all(&self.readers)
        .await?)
    }

    /// Records by their keys, to be read for what they say.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn facts_read(&self, keys: &[i64]) -> Result<Vec<UnreadFactRow>> {
        let rows: Vec<(i64, String, String, Option<Vec<u8>>)> = sqlx::query_as(
            "SELECT records.key, connections.id, resource_type,
                 CASE WHEN withdrawn_at IS NULL AND malformed IS NULL THEN records.json END
             FROM json_each(?) AS wanted JOIN records ON records.key = wanted.value
             JOIN connections ON connections.key = records.connection_key",
        )
        .bind(as_json(keys)?)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(key, connection_id, resource_type, json)| {
                Ok(UnreadFactRow {
                    key,
                    connection_id,
                    resource_type,
                    json: json.map(unpack).transpose()?,
                })
            })
            .collect()
    }

    /// Keeps what was read; `false`, and nothing is kept, when the person's records changed since
    /// `revision`.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn facts_put(
        &self,
        person_id: &str,
        revision: i64,
        facts: &[FactIn],
    ) -> Result<bool> {
        let rows: Vec<(i64, Option<&str>)> = facts
            .iter()
            .map(|one| (one.key, (!one.passing).then_some(one.fact.as_str())))
            .collect();
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let Some(person) = unchanged(&mut transaction, person_id, revision).await? else {
            return Ok(false);
        };
        sqlx::query(
            "INSERT INTO record_facts (record_key, person_key, section, fact)
             SELECT records.key, ?1, section, value ->> 1
             FROM json_each(?2) JOIN records ON records.key = value ->> 0
             WHERE true ON CONFLICT (record_key) DO UPDATE SET fact = excluded.fact",
        )
        .bind(person)
        .bind(as_json(&rows)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// What the records of a person say, as far as it was kept, with the group that each is in: those
    /// with a key above `after`, in the order of their keys.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn facts_list(
        &self,
        person_id: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<FactRow>> {
        Ok(sqlx::query_as(
            "SELECT records.key AS key, connection_key AS source, fact, last_updated, group_key
             FROM record_facts JOIN records ON records.key = record_key
             WHERE person_key = (SELECT key FROM people WHERE id = ?)
                 AND (fact IS NULL OR fact <> '') AND record_key > ?
             ORDER BY record_key LIMIT ?",
        )
        .bind(person_id)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?)
    }

    /// Moves records into the group of another, or out of any; `false`, and nothing is moved, when the
    /// person's records changed since `revision`. Afterwards the groups are those of that revision.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn groups_put(
        &self,
        person_id: &str,
        revision: i64,
        moved: &[(i64, Option<i64>)],
    ) -> Result<bool> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let Some(person) = unchanged(&mut transaction, person_id, revision).await? else {
            return Ok(false);
        };
        sqlx::query(
            "UPDATE record_facts SET group_key = wanted.value ->> 1 FROM json_each(?) AS wanted
             WHERE record_key = wanted.value ->> 0",
        )
        .bind(as_json(moved)?)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE people SET grouped = ? WHERE key = ?")
            .bind(revision)
            .bind(person)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The pairs of records that the person keeps apart, by their keys in the file.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn records_apart(&self) -> Result<Vec<(i64, i64)>> {
        Ok(sqlx::query_as("SELECT one, other FROM records_apart")
            .fetch_all(&self.readers)
            .await?)
    }

    /// The records of the group that this one is in are kept apart from each other, and the group is no
    /// more. Nothing happens to a record that is in none.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn group_apart(
        &self,
        (connection_id, resource_type, id): Identity<'_>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let members: Vec<i64> = sqlx::query_scalar(
            "SELECT record_key FROM record_facts WHERE group_key = (
                 SELECT group_key FROM record_facts JOIN records ON records.key = record_key
                 WHERE connection_key = (SELECT key FROM connections WHERE id = ?)
                     AND resource_type = ? AND records.id = ?)",
        )
        .bind(connection_id)
        .bind(resource_type)
        .bind(id)
        .fetch_all(&mut *transaction)
        .await?;
        let members = as_json(&members)?;
        sqlx::query(
            "INSERT OR IGNORE INTO records_apart (one, other)
             SELECT first.value, second.value FROM json_each(?1) AS first
             JOIN json_each(?1) AS second ON first.value < second.value",
        )
        .bind(&members)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE record_facts SET group_key = NULL
             WHERE record_key IN (SELECT value FROM json_each(?))",
        )
        .bind(&members)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets that this record, and those that it is kept apart from, are kept apart; their person's
    /// groups are stale then.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn group_together(
        &self,
        (connection_id, resource_type, id): Identity<'_>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let pairs: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT one, other FROM records JOIN records_apart ON records.key IN (one, other)
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)
                 AND resource_type = ? AND records.id = ?",
        )
        .bind(connection_id)
        .bind(resource_type)
        .bind(id)
        .fetch_all(&mut *transaction)
        .await?;
        let all: Vec<i64> = pairs
            .iter()
            .flat_map(|(one, other)| [*one, *other])
            .collect();
        sqlx::query(
            "DELETE FROM records_apart WHERE one IN (SELECT value FROM json_each(?1))
                 AND other IN (SELECT value FROM json_each(?1))",
        )
        .bind(as_json(&all)?)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE people SET revision = revision + 1 WHERE key = (
                 SELECT person_key FROM person_connections
                 WHERE connection_key = (SELECT key FROM connections WHERE id = ?))",
        )
        .bind(connection_id)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// A record by source, type and id.
pub type Identity<'a> = (&'a str, &'a str, &'a str);

/// The person's key, if nothing changed since that revision.
async fn unchanged(
    transaction: &mut Transaction<'_, Sqlite>,
    person_id: &str,
    revision: i64,
) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar("SELECT key FROM people WHERE id = ? AND revision = ?")
            .bind(person_id)
            .bind(revision)
            .fetch_optional(&mut **transaction)
            .await?,
    )
}
