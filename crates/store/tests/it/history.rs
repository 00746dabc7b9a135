//! What a source changed is kept beside what it gives now; what it no longer gives is marked, not lost.

use crate::kit::{Kit, NOW, Record, page_of};
use std::collections::HashSet;

const LATER: &str = "2026-06-01T08:00:00Z";

fn sodium(value: &str) -> Record {
    Record::new("o-1", "Sodium", "").json(&format!(r#"{{"valueQuantity":{{"value":{value}}}}}"#))
}

async fn withdrawn(kit: &Kit) -> Vec<(String, Option<String>)> {
    let all = kit
        .store
        .records_list(&satchel_store::RecordFilter::default(), 0, 10)
        .await;
    let rows = all.unwrap().rows.into_iter();
    rows.map(|row| (row.id, row.withdrawn_at)).collect()
}

#[tokio::test]
async fn each_version_that_a_source_gave_is_kept() {
    let kit = Kit::new().await;
    for value in ["1.10", "1.1", "1.2"] {
        kit.save(&[sodium(value)]).await;
    }
    let old = kit.store.record_versions("ana", "Observation", "o-1").await;
    let values: Vec<String> = old
        .unwrap()
        .into_iter()
        .map(|version| version.json)
        .collect();
    assert_eq!(
        values,
        [
            r#"{"valueQuantity":{"value":1.1}}"#,
            r#"{"valueQuantity":{"value":1.10}}"#
        ],
        "the latest first, byte for byte"
    );
    assert_eq!(kit.store.record_count(None).await.unwrap(), 1);
}

#[tokio::test]
async fn what_a_source_no_longer_gives_is_marked_and_comes_back() {
    let kit = Kit::new().await;
    let (kept, lost) = (Record::new("kept", "a", ""), Record::new("lost", "b", ""));
    kit.save(&[kept.clone(), lost.clone()]).await;
    let given: HashSet<i64> = kit.save(&[kept]).await.keys.into_iter().collect();
    let marked = kit
        .store
        .withdraw_all_but("ana", "Observation", &given, LATER)
        .await;
    assert_eq!(marked.unwrap(), 1);
    let again = kit
        .store
        .withdraw_all_but("ana", "Observation", &given, LATER)
        .await;
    assert_eq!(again.unwrap(), 0, "once is enough");
    let other = kit
        .store
        .withdraw_all_but("ana", "Condition", &HashSet::new(), LATER)
        .await;
    assert_eq!(other.unwrap(), 0, "only of the type that was read");
    assert_eq!(
        withdrawn(&kit).await,
        [
            ("kept".to_owned(), None),
            ("lost".to_owned(), Some(LATER.to_owned()))
        ]
    );
    let saved = kit
        .store
        .save_page("ana", "s", page_of(&[lost]), None, NOW)
        .await
        .unwrap();
    assert_eq!(saved.unchanged, 1);
    assert!(withdrawn(&kit).await.iter().all(|(_, at)| at.is_none()));
}

#[tokio::test]
async fn counts_follow_a_record_into_another_section() {
    let kit = Kit::new().await;
    kit.save(&[sodium("1"), Record::new("o-2", "x", "")]).await;
    let mut moved = sodium("2");
    moved.index.section = "vitals".to_owned();
    kit.save(&[moved]).await;
    let counts = kit.store.section_counts("ana").await.unwrap();
    assert_eq!(counts, [("labs".to_owned(), 1), ("vitals".to_owned(), 1)]);
    assert_eq!(
        kit.store.type_counts(None).await.unwrap(),
        [("Observation".to_owned(), 2)]
    );
    kit.store.connection_remove("ana").await.unwrap();
    assert_eq!(kit.store.record_count(None).await.unwrap(), 0);
}
