//! Which records a Provenance is about. The index holds a number made of `Type/id`, not the text: it is
//! small, and who asks looks at the record itself, so that two with the same number do no harm. Rows of
//! targets that a later version no longer names stay, for the same reason.

use crate::bound::as_json;
use crate::error::Result;
use crate::open::Store;
use crate::pack::unpack;
use futures::StreamExt;
use rusqlite::{Transaction, params};
use sha2::{Digest, Sha256};

/// What [`Store::records_about`] asks; the primary key answers it.
pub(crate) const ABOUT: &str = "SELECT records.id, json FROM provenance_targets AS about
     CROSS JOIN records ON records.key = about.record_key
     WHERE about.connection_key = (SELECT key FROM connections WHERE id = ?)
       AND about.target = ? AND records.resource_type = 'Provenance' LIMIT ?";

/// The number of `Type/id`.
pub(crate) fn target_of(name: &str) -> i64 {
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Writes down what a record is about, in the transaction that stores it.
pub(crate) fn put(
    transaction: &Transaction<'_>,
    source: i64,
    key: i64,
    targets: &[i64],
) -> Result<()> {
    for target in targets {
        transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO provenance_targets (connection_key, target, record_key)
                 VALUES (?, ?, ?)",
            )?
            .execute(params![source, target, key])?;
    }
    Ok(())
}

impl Store {
    /// `(id, JSON)` of the Provenance records that may be about `Type/id`; byte for byte.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn records_about(
        &self,
        connection_id: &str,
        name: &str,
        limit: u32,
    ) -> Result<Vec<(String, String)>> {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(ABOUT)
            .bind(connection_id)
            .bind(target_of(name))
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter()
            .map(|(id, json)| Ok((id, unpack(json)?)))
            .collect()
    }

    /// Writes down what Provenance records are about that an older version stored: their keys and marks
    /// as [`Store::records_to_read`] gave them, and the `Type/id` of each target.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file; then nothing is written.
    pub async fn provenance_read(&self, read: &[(i64, i64, Vec<String>)]) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for (key, mark, targets) in read {
            for target in targets {
                sqlx::query(
                    "INSERT OR IGNORE INTO provenance_targets (connection_key, target, record_key)
                     SELECT connection_key, ?, key FROM records WHERE key = ?",
                )
                .bind(target_of(target))
                .bind(key)
                .execute(&mut *transaction)
                .await?;
            }
            sqlx::query("DELETE FROM records_to_read WHERE record_key = ? AND mark = ?")
                .bind(key)
                .bind(mark)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Records of these types of which something is still to be read, by their keys after `after`: at most
    /// `limit`, and no more than some megabytes.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn records_to_read(
        &self,
        connection_id: &str,
        types: &[&str],
        after: i64,
        limit: u32,
    ) -> Result<Vec<ToReadRow>> {
        let types = as_json(types)?;
        let mut rows = sqlx::query_as::<_, (i64, i64, String, String, Vec<u8>)>(
            "SELECT record_key, mark, resource_type, records.id, json FROM records_to_read
             CROSS JOIN records ON records.key = record_key
             WHERE record_key > ? AND connection_key = (SELECT key FROM connections WHERE id = ?)
               AND resource_type IN (SELECT value FROM json_each(?))
             ORDER BY record_key LIMIT ?",
        )
        .bind(after)
        .bind(connection_id)
        .bind(types)
        .bind(limit)
        .fetch(&self.readers);
        let mut found = Vec::new();
        let mut bytes = 0;
        while let Some(row) = rows.next().await {
            let (key, mark, resource_type, id, json) = row?;
            let json = unpack(json)?;
            bytes += json.len();
            found.push(ToReadRow {
                key,
                mark,
                resource_type,
                id,
                json,
            });
            if bytes > ENOUGH {
                break;
            }
        }
        Ok(found)
    }
}

/// Bytes of JSON that are read at a time.
const ENOUGH: usize = 8 * 1024 * 1024;

/// A record of which something is still to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToReadRow {
    /// Its key in the file.
    pub key: i64,
    /// Changes when it is to be read again meanwhile.
    pub mark: i64,
    /// FHIR type.
    pub resource_type: String,
    /// Logical id.
    pub id: String,
    /// Byte for byte as received.
    pub json: String,
}

#[cfg(test)]
mod tests {
    use super::{ABOUT, target_of};
    use crate::{ConnectionRow, DatabaseKey, IndexIn, Page, RecordIn, Store};
    use rusqlite::StatementStatus::VmStep;

    fn provenance(number: u32) -> RecordIn {
        RecordIn {
            resource_type: "Provenance".to_owned(),
            id: format!("v-{number}"),
            json: "{}".to_owned(),
            index: IndexIn {
                about: vec![format!("Observation/o-{number}")],
                ..IndexIn::default()
            },
            ..RecordIn::default()
        }
    }

    /// What is found for the first record, and how many steps SQLite's machine took for it.
    fn asked(path: &std::path::Path, key: &DatabaseKey) -> (usize, i32) {
        let file = rusqlite::Connection::open(path).unwrap();
        file.pragma_update(None, "key", key.raw_key().as_str())
            .unwrap();
        let mut statement = file.prepare(ABOUT).unwrap();
        let about = (target_of("Observation/o-0"), 50);
        let rows = statement.query_map(rusqlite::params!["ana", about.0, about.1], |row| {
            row.get::<_, String>(0)
        });
        let found = rows.unwrap().count();
        (found, statement.get_status(VmStep))
    }

    #[tokio::test]
    async fn who_says_so_takes_not_one_step_more_among_twenty_thousand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("satchel.db");
        let key = DatabaseKey::from_bytes([7; 32]);
        let store = Store::open(&path, &key).await.unwrap();
        let ana = ConnectionRow {
            id: "ana".to_owned(),
            ..ConnectionRow::default()
        };
        store.connection_insert(&ana).await.unwrap();
        let save = |page| store.save_page("ana", "Provenance", page, None, "t");
        save(Page::of((0..20).map(provenance).collect()))
            .await
            .unwrap();
        let among_few = asked(&path, &key);
        for thousand in 0..20 {
            let many = (20..1020).map(|one| provenance(thousand * 1000 + one));
            save(Page::of(many.collect())).await.unwrap();
        }
        assert_eq!(among_few.0, 1);
        assert_eq!(asked(&path, &key), among_few);
    }
}
