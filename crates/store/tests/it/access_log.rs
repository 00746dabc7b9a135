//! The access log: newest first, for two years, and after its connection is gone.

use crate::kit::Kit;
use satchel_store::AccessLogRow;

fn entry(at: &str, act: &str) -> AccessLogRow {
    AccessLogRow {
        at: at.to_owned(),
        server_name: Some("Clinic".to_owned()),
        host: Some("ana.example".to_owned()),
        act: act.to_owned(),
        types: "Condition,Observation".to_owned(),
        records: 7,
        outcome: "done".to_owned(),
    }
}

#[tokio::test]
async fn h14_the_log_is_read_newest_first_and_stays_when_the_connection_goes() {
    let kit = Kit::new().await;
    let since = "2025-01-01T00:00:00Z";
    for at in ["2026-05-01T08:00:00Z", "2026-05-02T08:00:00Z"] {
        let row = entry(at, "synced");
        kit.store.access_log_add(&row, since).await.unwrap();
    }
    kit.store.connection_remove("ana").await.unwrap();
    let rows = kit.store.access_log_list(since, 10).await.unwrap();
    assert_eq!(
        rows,
        [
            entry("2026-05-02T08:00:00Z", "synced"),
            entry("2026-05-01T08:00:00Z", "synced")
        ]
    );
    let one = kit.store.access_log_list(since, 1).await.unwrap();
    assert_eq!(one, [entry("2026-05-02T08:00:00Z", "synced")]);
}

#[tokio::test]
async fn h14_entries_from_before_the_given_day_are_neither_shown_nor_kept() {
    let kit = Kit::new().await;
    let old = entry("2024-01-01T00:00:00Z", "signedIn");
    kit.store
        .access_log_add(&old, "2022-01-01T00:00:00Z")
        .await
        .unwrap();
    let since = "2024-05-01T00:00:00Z";
    let shown = kit.store.access_log_list(since, 10).await.unwrap();
    assert_eq!(shown, [], "not shown, even before it is dropped");
    let new = entry("2026-05-01T00:00:00Z", "synced");
    kit.store.access_log_add(&new, since).await.unwrap();
    let all = kit.store.access_log_list("", 10).await.unwrap();
    assert_eq!(all, [new]);
}
