//! What changed since last time: told from what the server really gives, never from what could not be
//! asked.

use crate::world::{Setting, TurnedClock, setting_with_clock};
use satchel_core::view::{ChangesView, StepOutcome};
use satchel_mock::{Endpoint, FaultKind, PlannedFault, World};
use std::sync::Arc;

use satchel_store::{DatabaseKey, IndexIn, Page, RecordIn, Store};

/// A record that the server never gave, as if it had at the last sync.
async fn plant(setting: &Setting, connection: &str, resource_type: &str) {
    let key = setting.keychain().get("database-key").await.unwrap();
    let key = DatabaseKey::from_bytes(key.unwrap().as_slice().try_into().unwrap());
    let store = Store::open(&setting.profile().join("satchel.db"), &key)
        .await
        .unwrap();
    let record = RecordIn {
        resource_type: resource_type.to_owned(),
        id: "ghost".to_owned(),
        json: format!(r#"{{"resourceType":"{resource_type}","id":"ghost"}}"#),
        index: IndexIn {
            section: "problems".to_owned(),
            title: "Ghost".to_owned(),
            ..IndexIn::default()
        },
        ..RecordIn::default()
    };
    let page = Page::of(vec![record]);
    let saved = store.save_page(connection, "planted", page, None, "2026-01-01T00:00:00Z");
    assert_eq!(saved.await.unwrap().inserted, 1);
    store.close().await;
}

/// Everything is asked for again a week later (checklist G9).
const WEEK: u32 = 8 * 24 * 3600;

async fn two_people() -> (Setting, Arc<TurnedClock>) {
    let world = World {
        patients: 2,
        ..World::default()
    };
    setting_with_clock(world).await
}

fn titles(changes: &ChangesView) -> Vec<&str> {
    let rows = changes.withdrawn.iter();
    rows.map(|record| record.title.as_str()).collect()
}

#[tokio::test]
async fn g11_a_record_that_the_source_no_longer_gives_is_marked_and_kept() {
    let (setting, clock) = two_people().await;
    let id = setting.connect(setting.patient()).await;
    let first = setting.engine.sync(&id).await.unwrap();
    assert_eq!((first.had_records, first.withdrawn_records), (false, 0));
    let nothing = setting.engine.changes(&id).await.unwrap();
    assert!(nothing.since.is_none(), "the first sync brings everything");
    plant(&setting, &id, "Condition").await;
    setting.pass(&clock, WEEK);
    let second = setting.engine.sync(&id).await.unwrap();
    assert!(second.complete, "{second:?}");
    // In a week the server itself lets some records go, too.
    assert!(second.withdrawn_records >= 1, "{second:?}");
    let changes = setting.engine.changes(&id).await.unwrap();
    assert_eq!(changes.withdrawn.len() as u64, second.withdrawn_records);
    assert!(titles(&changes).contains(&"Ghost"));
    let kept = setting
        .engine
        .record_find("Condition", "ghost")
        .await
        .unwrap();
    assert!(kept.summary.withdrawn_at.is_some());
    let third = setting.engine.sync(&id).await.unwrap();
    assert_eq!(third.withdrawn_records, 0, "it is told once");
}

#[tokio::test]
async fn g11_nothing_is_missing_where_not_everything_could_be_read() {
    let (setting, clock) = two_people().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    plant(&setting, &id, "Condition").await;
    setting.pass(&clock, WEEK);
    // Every search fails, also when asked again.
    setting.mock.plan(&PlannedFault {
        endpoint: Endpoint::Fhir,
        fault: FaultKind::Status {
            status: 500,
            body: String::new(),
            content_type: String::new(),
        },
        after: 0,
        times: 1_000,
        client_id: None,
    });
    let broken = setting.engine.sync(&id).await.unwrap();
    assert!(!broken.complete);
    let failed = broken
        .steps
        .iter()
        .any(|step| step.outcome == StepOutcome::Failed);
    assert!(failed, "{broken:?}");
    assert_eq!(broken.withdrawn_records, 0);
    setting.mock.clear_faults();
    let whole = setting.engine.sync(&id).await.unwrap();
    assert!(whole.withdrawn_records >= 1, "now it can be told");
    let changes = setting.engine.changes(&id).await.unwrap();
    assert!(titles(&changes).contains(&"Ghost"));
}

#[tokio::test]
async fn g11_a_changed_record_tells_what_is_different_and_keeps_what_was() {
    let (setting, clock) = two_people().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let key = setting.keychain().get("database-key").await.unwrap();
    let key = DatabaseKey::from_bytes(key.unwrap().as_slice().try_into().unwrap());
    let store = Store::open(&setting.profile().join("satchel.db"), &key)
        .await
        .unwrap();
    let (kind, one, _) = store.hashes(&id).await.unwrap().into_iter().next().unwrap();
    let (_, now) = store.record_get(&id, &kind, &one).await.unwrap().unwrap();
    // What the server gave at the last sync was preliminary.
    let before = now.replacen('{', r#"{"planted":"preliminary","#, 1);
    let record = RecordIn {
        resource_type: kind.clone(),
        id: one.clone(),
        json: before,
        index: IndexIn {
            section: "other".to_owned(),
            title: "Before".to_owned(),
            ..IndexIn::default()
        },
        ..RecordIn::default()
    };
    let saved = store.save_page(
        &id,
        "planted",
        Page::of(vec![record]),
        None,
        "2026-01-01T00:00:00Z",
    );
    assert_eq!(saved.await.unwrap().updated, 1);
    store.close().await;

    setting.pass(&clock, WEEK);
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.changed_records >= 1, "{report:?}");
    let changes = setting.engine.changes(&id).await.unwrap();
    let is_it = |record: &satchel_core::view::RecordKey| {
        (&record.resource_type, &record.id) == (&kind, &one)
    };
    let changed = changes.changed.iter().find(|one| is_it(&one.record.key));
    let changed = changed.expect("the record that changed");
    let fields: Vec<_> = changed
        .fields
        .iter()
        .map(|field| {
            (
                field.path.as_str(),
                field.before.as_deref(),
                field.after.as_deref(),
            )
        })
        .collect();
    assert_eq!(fields, [("planted", Some("preliminary"), None)]);
}
