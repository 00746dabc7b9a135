//! schema.sql is the page that people read; it must be what the migrations really make.

use crate::kit::Kit;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../schema.sql");

/// `sqlite_schema` by name, without comments and with single spaces.
async fn shape(database: &mut SqliteConnection) -> BTreeMap<String, String> {
    let rows: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT name, sql FROM sqlite_schema
         WHERE name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'",
    )
    .fetch_all(database)
    .await
    .unwrap();
    rows.into_iter()
        .map(|(name, sql)| (name, plain(&sql.unwrap_or_default())))
        .collect()
}

fn plain(sql: &str) -> String {
    let code: Vec<&str> = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect();
    let mut text = code.join(" ");
    for sign in ["(", ")", ","] {
        text = text.replace(sign, &format!(" {sign} "));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_schema_page_is_what_the_migrations_make() {
    let kit = Kit::new().await;
    kit.store.close().await;
    let mut real = kit.raw().await;
    let mut page = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(PAGE))
        .execute(&mut page)
        .await
        .unwrap();
    let (real, page) = (shape(&mut real).await, shape(&mut page).await);
    assert!(real.contains_key("records"), "the real schema was read");
    assert_eq!(page, real);
}

#[test]
fn every_column_has_its_reason_beside_it() {
    let columns = PAGE.lines().filter(|line| {
        line.starts_with("    ")
            && [" TEXT", " INTEGER", " REAL", " BLOB"]
                .iter()
                .any(|kind| line.contains(kind))
    });
    let bare: Vec<&str> = columns.filter(|line| !line.contains("-- ")).collect();
    assert!(bare.is_empty(), "without a comment: {bare:#?}");
}
