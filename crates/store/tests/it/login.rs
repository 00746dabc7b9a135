//! Connections, pending logins and tokens: what belongs together commits together.

use crate::kit::{Kit, Record, connection, pending, tokens};
use satchel_store::StoreError;

const LATER: &str = "2026-05-01T08:10:00Z";

#[tokio::test]
async fn a_pending_login_is_given_out_once() {
    let kit = Kit::new().await;
    kit.store.pending_put(&pending("h1", LATER)).await.unwrap();
    let (first, second) = tokio::join!(kit.store.pending_take("h1"), kit.store.pending_take("h1"));
    let given = [first.unwrap(), second.unwrap()];
    assert_eq!(given.iter().flatten().count(), 1);
    let taken = given.into_iter().flatten().next().unwrap();
    assert_eq!(taken, pending("h1", LATER));
    assert_eq!(kit.store.pending_take("unknown").await.unwrap(), None);
}

#[tokio::test]
async fn a_pending_login_lapses_at_its_time_whatever_the_offset_it_is_written_in() {
    let kit = Kit::new().await;
    kit.store
        .pending_put(&pending("h1", "2026-05-01T10:00:00+02:00"))
        .await
        .unwrap();
    let store = &kit.store;
    let none = store.pending_expire("2026-05-01T07:59:59Z").await.unwrap();
    assert_eq!(none, Vec::<String>::new());
    assert!(store.pending_for_connection("ana").await.unwrap().is_some());
    let lapsed = store.pending_expire("2026-05-01T08:00:00Z").await.unwrap();
    assert_eq!(lapsed, ["ana"]);
    assert_eq!(store.pending_take("h1").await.unwrap(), None);
}

#[tokio::test]
async fn a_pending_login_without_its_connection_is_refused() {
    let kit = Kit::new().await;
    let mut stray = pending("h1", LATER);
    "nobody".clone_into(&mut stray.connection_id);
    let refused = kit.store.pending_put(&stray).await;
    assert!(matches!(refused, Err(StoreError::StateChanged)));
}

#[tokio::test]
async fn tokens_and_the_state_commit_together_or_not_at_all() {
    let kit = Kit::new().await;
    let refused = kit
        .store
        .connection_connected("ana", "registering", &tokens("1"), Some("p-1"), None)
        .await;
    assert!(matches!(refused, Err(StoreError::StateChanged)));
    assert_eq!(kit.store.tokens_get("ana").await.unwrap(), None);

    kit.store
        .connection_connected(
            "ana",
            "signing_in",
            &tokens("1"),
            Some("p-1"),
            Some("Patient/p-1"),
        )
        .await
        .unwrap();
    let row = kit.store.connection_get("ana").await.unwrap().unwrap();
    assert_eq!(row.state, "connected");
    assert_eq!(row.patient_id.as_deref(), Some("p-1"));
    assert_eq!(row.fhir_user.as_deref(), Some("Patient/p-1"));
    assert_eq!(
        kit.store.tokens_get("ana").await.unwrap(),
        Some(tokens("1"))
    );
}

#[tokio::test]
async fn a_rotated_refresh_token_replaces_the_old_one() {
    let kit = Kit::new().await;
    kit.store.tokens_rotate("ana", &tokens("1")).await.unwrap();
    kit.store.tokens_rotate("ana", &tokens("2")).await.unwrap();
    assert_eq!(
        kit.store.tokens_get("ana").await.unwrap(),
        Some(tokens("2"))
    );
    let refused = kit.store.tokens_rotate("nobody", &tokens("3")).await;
    assert!(matches!(refused, Err(StoreError::StateChanged)));
}

#[tokio::test]
async fn when_access_ends_the_tokens_go_and_the_records_stay() {
    let kit = Kit::new().await;
    kit.store.tokens_rotate("ana", &tokens("1")).await.unwrap();
    kit.save(&[Record::new("o-1", "Sodium", "")]).await;
    kit.store
        .tokens_clear_with_state("ana", "access_lost", Some(r#"{"reason":"revoked"}"#))
        .await
        .unwrap();
    assert_eq!(kit.store.tokens_get("ana").await.unwrap(), None);
    let row = kit.store.connection_get("ana").await.unwrap().unwrap();
    assert_eq!(row.state, "access_lost");
    assert_eq!(kit.store.record_count(Some("ana")).await.unwrap(), 1);
}

#[tokio::test]
async fn a_state_moves_only_from_the_state_that_was_seen() {
    let kit = Kit::new().await;
    let store = &kit.store;
    let moved = store.connection_update_state("ana", "signing_in", "connected", None);
    moved.await.unwrap();
    let again = store.connection_update_state("ana", "signing_in", "connected", None);
    assert!(matches!(again.await, Err(StoreError::StateChanged)));
}

#[tokio::test]
async fn removing_a_connection_removes_all_that_belongs_to_it_and_nothing_else() {
    let kit = Kit::new().await;
    kit.store
        .connection_insert(&connection("ben"))
        .await
        .unwrap();
    kit.store.tokens_rotate("ana", &tokens("a")).await.unwrap();
    kit.store.tokens_rotate("ben", &tokens("b")).await.unwrap();
    kit.store.pending_put(&pending("h1", LATER)).await.unwrap();
    kit.save(&[Record::new("o-1", "Sodium", "serum")]).await;
    kit.save_for("ben", &[Record::new("o-1", "Sodium", "serum")])
        .await;

    kit.store.connection_remove("ana").await.unwrap();

    let left: Vec<String> = kit
        .store
        .connections_list()
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(left, ["ben"]);
    assert_eq!(kit.store.tokens_get("ana").await.unwrap(), None);
    assert_eq!(kit.store.pending_take("h1").await.unwrap(), None);
    let found = kit
        .store
        .search("sodium", &Default::default(), 10)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].row.connection_id, "ben");
    assert_eq!(
        kit.store.tokens_get("ben").await.unwrap(),
        Some(tokens("b"))
    );
}
