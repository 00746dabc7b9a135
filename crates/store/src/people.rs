//! People with several connections: which are theirs, and which are not.

use crate::error::{Result, StoreError};
use crate::open::Store;
use sqlx::{Sqlite, Transaction};

/// A person with several connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Opaque identifier.
    pub id: String,
    /// Their connections, the oldest first; two at least.
    pub connections: Vec<String>,
}

/// A connection of a person: only while its patient is the one that the person spoke of.
const THEIRS: &str =
    "FROM people JOIN person_connections ON person_connections.person_key = people.key
    JOIN connections ON connections.key = person_connections.connection_key
        AND connections.patient_id = person_connections.patient_id";

impl Store {
    /// All people with several connections.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn people_list(&self) -> Result<Vec<PersonRow>> {
        let sql = format!(
            "SELECT people.id, connections.id {THEIRS} ORDER BY people.key, connections.key"
        );
        let rows: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.readers)
            .await?;
        let mut people: Vec<PersonRow> = Vec::new();
        for (id, connection) in rows {
            match people.last_mut().filter(|person| person.id == id) {
                Some(person) => person.connections.push(connection),
                None => people.push(PersonRow {
                    id,
                    connections: vec![connection],
                }),
            }
        }
        people.retain(|person| person.connections.len() > 1);
        Ok(people)
    }

    /// These connections, with their patients, are of one person, `id`. People that they were of before
    /// are no more; what was said of them being apart is forgotten.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when one of the connections is gone or has another patient now;
    /// nothing is changed then.
    pub async fn people_join(&self, id: &str, connections: &[(String, String)]) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut keys = Vec::with_capacity(connections.len());
        for (connection, patient) in connections {
            let key: Option<i64> =
                sqlx::query_scalar("SELECT key FROM connections WHERE id = ? AND patient_id = ?")
                    .bind(connection)
                    .bind(patient)
                    .fetch_optional(&mut *transaction)
                    .await?;
            keys.push((key.ok_or(StoreError::StateChanged)?, patient));
        }
        let person: i64 = sqlx::query_scalar("INSERT INTO people (id) VALUES (?) RETURNING key")
            .bind(id)
            .fetch_one(&mut *transaction)
            .await?;
        for (key, _) in &keys {
            sqlx::query("DELETE FROM person_connections WHERE connection_key = ?")
                .bind(key)
                .execute(&mut *transaction)
                .await?;
        }
        for (key, patient) in &keys {
            sqlx::query(
                "INSERT INTO person_connections (connection_key, person_key, patient_id)
                 VALUES (?, ?, ?)",
            )
            .bind(key)
            .bind(person)
            .bind(patient)
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(
            "DELETE FROM connections_apart
             WHERE one IN (SELECT connection_key FROM person_connections WHERE person_key = ?1)
               AND other IN (SELECT connection_key FROM person_connections WHERE person_key = ?1)",
        )
        .bind(person)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A connection is of that person no more; it is kept apart from the others. Nothing happens to a
    /// connection that is of nobody.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn people_split(&self, connection_id: &str) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let others: Vec<String> = sqlx::query_scalar(
            "SELECT connections.id FROM person_connections AS mine
             JOIN person_connections AS theirs ON theirs.person_key = mine.person_key
             JOIN connections ON connections.key = theirs.connection_key
             WHERE mine.connection_key = (SELECT key FROM connections WHERE id = ?1)
               AND connections.id <> ?1",
        )
        .bind(connection_id)
        .fetch_all(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM person_connections
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)",
        )
        .bind(connection_id)
        .execute(&mut *transaction)
        .await?;
        for other in &others {
            keep_apart(&mut transaction, connection_id, other).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Two connections are not of one person.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn connections_keep_apart(&self, one: &str, other: &str) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        keep_apart(&mut transaction, one, other).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The pairs of connections that are kept apart.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn connections_apart(&self) -> Result<Vec<(String, String)>> {
        Ok(sqlx::query_as(
            "SELECT first.id, second.id FROM connections_apart
             JOIN connections AS first ON first.key = one
             JOIN connections AS second ON second.key = other",
        )
        .fetch_all(&self.readers)
        .await?)
    }
}

async fn keep_apart(
    transaction: &mut Transaction<'_, Sqlite>,
    one: &str,
    other: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT OR IGNORE INTO connections_apart (one, other)
         SELECT min(key), max(key) FROM connections WHERE id IN (?, ?) HAVING count(*) = 2",
    )
    .bind(one)
    .bind(other)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
