//! Directories of servers and their search; logos; where each server's sign-in was.

use crate::error::Result;
use crate::open::Store;
use crate::search::expression_of;
use sqlx::Row;

/// A list of servers.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DirectoryRow {
    /// Opaque identifier.
    pub id: String,
    /// URL of the bundle or name of the file.
    pub source: String,
    /// The server whose own brand this is.
    pub linked_base: Option<String>,
    /// `ETag` of the answer.
    pub etag: Option<String>,
    /// `Bundle.timestamp`.
    pub published: Option<String>,
    /// RFC 3339.
    pub imported_at: String,
    /// What was left out, JSON.
    pub skipped: String,
}

/// A brand and one FHIR server of it, to store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandIn {
    /// FHIR base URL.
    pub fhir_base: String,
    /// Name to show.
    pub name: String,
    /// City and state.
    pub place: Option<String>,
    /// Portal to show.
    pub portal: Option<String>,
    /// URL of the logo.
    pub logo: Option<String>,
    /// Terms of the logo.
    pub logo_license: Option<String>,
    /// Words of the name and the aliases.
    pub name_words: String,
    /// Words of the places.
    pub place_words: String,
    /// Hosts.
    pub site_words: String,
}

/// A stored brand.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct BrandRow {
    /// FHIR base URL.
    pub fhir_base: String,
    /// Whether the server itself names it.
    pub linked: bool,
    /// Name to show.
    pub name: String,
    /// City and state.
    pub place: Option<String>,
    /// Portal to show.
    pub portal: Option<String>,
    /// URL of the logo.
    pub logo: Option<String>,
    /// Terms of the logo.
    pub logo_license: Option<String>,
}

/// A logo that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LogoRow {
    /// Kind of picture; none when there is no usable one.
    pub media_type: Option<String>,
    /// The picture.
    pub bytes: Option<Vec<u8>>,
    /// RFC 3339.
    pub fetched_at: String,
}

/// Origins of a server's sign-in.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OriginsRow {
    /// Of the token endpoint.
    pub token: String,
    /// Of the registration endpoint.
    pub registration: Option<String>,
}

/// How many more rows are looked at than are asked for, so that duplicates leave enough.
const SPARE: u32 = 8;

impl Store {
    /// Keeps a directory with its brands; an older one of the same source is replaced, in one
    /// transaction. Gives its identifier, which stays when it is replaced.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn directory_put(&self, row: &DirectoryRow, brands: &[BrandIn]) -> Result<String> {
        let mut transaction = self.writer.begin().await?;
        let before: Option<String> =
            sqlx::query_scalar("SELECT id FROM directories WHERE source = ?")
                .bind(&row.source)
                .fetch_optional(&mut *transaction)
                .await?;
        sqlx::query("DELETE FROM directories WHERE source = ?")
            .bind(&row.source)
            .execute(&mut *transaction)
            .await?;
        let id = before.unwrap_or_else(|| row.id.clone());
        let directory = sqlx::query(
            "INSERT INTO directories (id, source, linked_base, etag, published, imported_at, skipped)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&id)
        .bind(&row.source)
        .bind(&row.linked_base)
        .bind(&row.etag)
        .bind(&row.published)
        .bind(&row.imported_at)
        .bind(&row.skipped)
        .execute(&mut *transaction)
        .await?
        .last_insert_rowid();
        for brand in brands {
            let key = sqlx::query(
                "INSERT INTO brands (directory_key, fhir_base, linked, name, place, portal, logo,
                     logo_license)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(directory)
            .bind(&brand.fhir_base)
            .bind(row.linked_base.is_some())
            .bind(&brand.name)
            .bind(&brand.place)
            .bind(&brand.portal)
            .bind(&brand.logo)
            .bind(&brand.logo_license)
            .execute(&mut *transaction)
            .await?
            .last_insert_rowid();
            sqlx::query("INSERT INTO brands_fts (rowid, name, place, site) VALUES (?, ?, ?, ?)")
                .bind(key)
                .bind(&brand.name_words)
                .bind(&brand.place_words)
                .bind(&brand.site_words)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(id)
    }

    /// All directories, with how many brands each has.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn directories_list(&self) -> Result<Vec<(DirectoryRow, u64)>> {
        let rows = sqlx::query(
            "SELECT id, source, linked_base, etag, published, imported_at, skipped,
                 (SELECT count(*) FROM brands WHERE directory_key = directories.key) AS brands
             FROM directories ORDER BY key",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let brands: i64 = row.try_get("brands")?;
                let directory = sqlx::FromRow::from_row(row)?;
                Ok((directory, u64::try_from(brands).unwrap_or(0)))
            })
            .collect()
    }

    /// The directory of a source.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn directory_get(&self, source: &str) -> Result<Option<DirectoryRow>> {
        Ok(sqlx::query_as(
            "SELECT id, source, linked_base, etag, published, imported_at, skipped
             FROM directories WHERE source = ?",
        )
        .bind(source)
        .fetch_optional(&self.readers)
        .await?)
    }

    /// Notes that a directory was looked at and had not changed.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn directory_seen(&self, source: &str, now: &str) -> Result<()> {
        sqlx::query("UPDATE directories SET imported_at = ? WHERE source = ?")
            .bind(now)
            .bind(source)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Forgets a directory; whether there was one.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn directory_remove(&self, id: &str) -> Result<bool> {
        let done = sqlx::query("DELETE FROM directories WHERE id = ?")
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Servers whose brand has every word, best first, one for each FHIR server: the brand that the
    /// server names itself where it does, else the one that fits best.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file; never because of what was typed.
    pub async fn brands_search(&self, words: &str, limit: u32) -> Result<Vec<BrandRow>> {
        let Some(expression) = expression_of(words) else {
            return Ok(Vec::new());
        };
        let found: Vec<BrandRow> = sqlx::query_as(
            "SELECT b.fhir_base, coalesce(l.linked, b.linked) AS linked,
                 coalesce(l.name, b.name) AS name, coalesce(l.place, b.place) AS place,
                 coalesce(l.portal, b.portal) AS portal,
                 iif(l.key IS NULL, b.logo, l.logo) AS logo,
                 iif(l.key IS NULL, b.logo_license, l.logo_license) AS logo_license
             FROM (SELECT rowid AS key, bm25(brands_fts, 10.0, 3.0, 4.0) AS rank FROM brands_fts
                   WHERE brands_fts MATCH ?1 ORDER BY rank LIMIT ?2) AS hit
             JOIN brands AS b ON b.key = hit.key
             LEFT JOIN brands AS l ON l.fhir_base = b.fhir_base AND l.linked = 1
             ORDER BY hit.rank, b.key",
        )
        .bind(expression)
        .bind(i64::from(limit.saturating_mul(SPARE)))
        .fetch_all(&self.readers)
        .await?;
        let mut seen = std::collections::HashSet::new();
        Ok(found
            .into_iter()
            .filter(|row| seen.insert(row.fhir_base.clone()))
            .take(limit as usize)
            .collect())
    }

    /// The brand to show for a FHIR server: its own, else the first that was listed.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn brand_of(&self, fhir_base: &str) -> Result<Option<BrandRow>> {
        Ok(sqlx::query_as(
            "SELECT fhir_base, linked, name, place, portal, logo, logo_license FROM brands
             WHERE fhir_base = ? ORDER BY linked DESC, key LIMIT 1",
        )
        .bind(fhir_base)
        .fetch_optional(&self.readers)
        .await?)
    }

    /// A logo that was asked for before.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn logo_get(&self, source: &str) -> Result<Option<LogoRow>> {
        Ok(
            sqlx::query_as("SELECT media_type, bytes, fetched_at FROM logos WHERE source = ?")
                .bind(source)
                .fetch_optional(&self.readers)
                .await?,
        )
    }

    /// Keeps a logo, or that there is none.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn logo_put(&self, source: &str, row: &LogoRow) -> Result<()> {
        sqlx::query(
            "INSERT OR REPLACE INTO logos (source, media_type, bytes, fetched_at)
             VALUES (?, ?, ?, ?)",
        )
        .bind(source)
        .bind(&row.media_type)
        .bind(&row.bytes)
        .bind(&row.fetched_at)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Where a server's sign-in was.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn origins_get(&self, fhir_base: &str) -> Result<Option<OriginsRow>> {
        Ok(
            sqlx::query_as("SELECT token, registration FROM server_origins WHERE fhir_base = ?")
                .bind(fhir_base)
                .fetch_optional(&self.readers)
                .await?,
        )
    }

    /// Keeps where a server's sign-in is.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn origins_put(&self, fhir_base: &str, row: &OriginsRow) -> Result<()> {
        sqlx::query(
            "INSERT OR REPLACE INTO server_origins (fhir_base, token, registration)
             VALUES (?, ?, ?)",
        )
        .bind(fhir_base)
        .bind(&row.token)
        .bind(&row.registration)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
