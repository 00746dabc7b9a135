//! Pages of records: whole or not at all, byte for byte, whatever the ids.

use crate::kit::{Kit, NOW, Record, connection, page_of};
use futures::StreamExt;
use proptest::prelude::*;
use satchel_store::{Page, RecordFilter, RecordIn, SavedPage, StoreError};

fn labs() -> RecordFilter {
    RecordFilter {
        connection_id: Some("ana".to_owned()),
        sections: vec!["labs".to_owned()],
        ..RecordFilter::default()
    }
}

#[tokio::test]
async fn a_page_and_the_cursor_behind_it_are_one() {
    let kit = Kit::new().await;
    let store = &kit.store;
    store
        .sync_steps_begin(
            "ana",
            "run-1",
            &["Observation".to_owned(), "Condition".to_owned()],
        )
        .await
        .unwrap();
    let record = Record::new("o-1", "Sodium", "");
    store
        .save_page(
            "ana",
            "Observation",
            page_of(&[record]),
            Some("https://ana.example/next"),
            NOW,
        )
        .await
        .unwrap();
    let steps = store.sync_steps_get("ana").await.unwrap();
    let seen: Vec<_> = steps
        .iter()
        .map(|step| (step.step_key.as_str(), step.cursor.as_deref(), step.records))
        .collect();
    assert_eq!(
        seen,
        [
            ("Observation", Some("https://ana.example/next"), 1),
            ("Condition", None, 0)
        ]
    );
}

#[tokio::test]
async fn no_page_is_half_stored() {
    let kit = Kit::new().await;
    kit.store
        .sync_steps_begin("ana", "run-1", &["Observation".to_owned()])
        .await
        .unwrap();
    kit.save(&[Record::new("o-1", "Sodium", "")]).await;
    // From here on the last record of the page is refused by the file itself.
    let mut raw = kit.raw().await;
    sqlx::query(
        "CREATE TRIGGER refuse AFTER INSERT ON records WHEN NEW.id = 'n-299'
         BEGIN SELECT RAISE(ABORT, 'refused'); END",
    )
    .execute(&mut raw)
    .await
    .unwrap();
    let many: Vec<Record> = (0..300)
        .map(|n| Record::new(&format!("n-{n}"), "Potassium", ""))
        .collect();
    let rows = page_of(&many);
    let refused = kit
        .store
        .save_page("ana", "Observation", rows, Some("next"), NOW)
        .await;
    assert!(matches!(refused, Err(StoreError::Sql(_))), "{refused:?}");
    assert_eq!(kit.store.record_count(None).await.unwrap(), 1);
    let found = kit
        .store
        .search("potassium", &Default::default(), 10)
        .await
        .unwrap();
    assert!(found.is_empty(), "no word of the page is findable");
    let step = &kit.store.sync_steps_get("ana").await.unwrap()[0];
    assert_eq!((step.cursor.as_deref(), step.records), (None, 1));
}

#[tokio::test]
async fn a_page_for_a_connection_that_is_gone_is_refused() {
    let kit = Kit::new().await;
    let record = Record::new("o-1", "Sodium", "");
    let refused = kit
        .store
        .save_page("gone", "Observation", page_of(&[record]), None, NOW)
        .await;
    assert!(matches!(refused, Err(StoreError::StateChanged)));
    assert_eq!(kit.store.record_count(None).await.unwrap(), 0);
}

#[tokio::test]
async fn the_same_bytes_are_left_alone_and_new_bytes_replace_the_old() {
    let kit = Kit::new().await;
    let old = Record::new("o-1", "Sodium", "serum").json(r#"{"valueQuantity":{"value":1.10}}"#);
    let new =
        Record::new("o-1", "Sodium corrected", "plasma").json(r#"{"valueQuantity":{"value":1.1}}"#);
    let did = |saved: &SavedPage| (saved.inserted, saved.updated, saved.unchanged);
    let first = kit.save(std::slice::from_ref(&old)).await;
    assert_eq!(did(&first), (1, 0, 0));
    assert_eq!(did(&kit.save(&[old]).await), (0, 0, 1));
    let changed = kit.save(&[new]).await;
    assert_eq!(did(&changed), (0, 1, 0));
    assert_eq!(first.keys, changed.keys, "it keeps its row");
    let (row, json) = kit
        .store
        .record_get("ana", "Observation", "o-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.title, "Sodium corrected");
    assert_eq!(json, r#"{"valueQuantity":{"value":1.1}}"#);
    assert!(
        kit.store
            .search("serum", &Default::default(), 10)
            .await
            .unwrap()
            .is_empty(),
        "the old words are gone"
    );
    assert_eq!(
        kit.store
            .search("plasma", &Default::default(), 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_record_twice_in_one_page_is_stored_once() {
    let kit = Kit::new().await;
    let (first, last) = (
        Record::new("o-1", "First", ""),
        Record::new("o-1", "Last", "").json("{}"),
    );
    let saved = kit.save(&[first, last]).await;
    assert_eq!(saved.inserted, 1);
    let (row, _) = kit
        .store
        .record_get("ana", "Observation", "o-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.title, "Last");
}

#[tokio::test]
async fn the_same_id_at_two_sources_is_two_records() {
    let kit = Kit::new().await;
    kit.store
        .connection_insert(&connection("ben"))
        .await
        .unwrap();
    kit.save(&[Record::new("o-1", "Of Ana", "")]).await;
    kit.save_for("ben", &[Record::new("o-1", "Of Ben", "")])
        .await;
    let (row, _) = kit
        .store
        .record_get("ben", "Observation", "o-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.title, "Of Ben");
    assert_eq!(kit.store.record_count(Some("ana")).await.unwrap(), 1);
}

#[tokio::test]
async fn newest_first_and_the_unknown_dates_last() {
    let kit = Kit::new().await;
    kit.save(&[
        Record::new("unknown", "d", "").dated(None),
        Record::new("old", "a", "").dated(Some(-5_000)),
        Record::new("new", "b", "").dated(Some(7_000)),
        Record::new("epoch", "c", "").dated(Some(0)),
    ])
    .await;
    let page = kit.store.records_list(&labs(), 0, 10).await.unwrap();
    let order: Vec<&str> = page.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(order, ["new", "epoch", "old", "unknown"]);
}

#[tokio::test]
async fn a_long_list_is_read_in_windows_that_cover_it_once() {
    let kit = Kit::new().await;
    let many: Vec<Record> = (0..523)
        .map(|n| Record::new(&format!("o-{n}"), "Sodium", "").dated(Some(n % 7)))
        .collect();
    kit.save(&many).await;
    let mut seen = std::collections::BTreeSet::new();
    for offset in (0..600).step_by(100) {
        let page = kit.store.records_list(&labs(), offset, 100).await.unwrap();
        assert_eq!(page.total, 523);
        for row in page.rows {
            assert!(seen.insert(row.id.clone()), "{} twice", row.id);
        }
    }
    assert_eq!(seen.len(), 523);
    assert_eq!(
        kit.store.section_counts("ana").await.unwrap(),
        [("labs".to_owned(), 523)]
    );
}

#[tokio::test]
async fn an_export_gives_every_record_byte_for_byte() {
    let kit = Kit::new().await;
    let odd = "{ \"b\" : 1.0,\t\"a\":\"\\u00e9é\",\r\n \"id\":\"x\" }";
    kit.save(&[Record::new("x", "t", "").json(odd)]).await;
    let all: Vec<_> = kit.store.export(None).map(Result::unwrap).collect().await;
    assert_eq!(
        all,
        [("Observation".to_owned(), "x".to_owned(), odd.to_owned())]
    );
}

#[tokio::test]
async fn a_malformed_record_is_kept_and_says_so() {
    let kit = Kit::new().await;
    let record = Record::new("bad", "Cannot be read", "").json(r#"{"resourceType":7}"#);
    let row = RecordIn {
        malformed: Some("resourceType is no text".to_owned()),
        ..record.row()
    };
    kit.store
        .save_page("ana", "s", Page::of(vec![row]), None, NOW)
        .await
        .unwrap();
    let (row, json) = kit
        .store
        .record_get("ana", "Observation", "bad")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.malformed.as_deref(), Some("resourceType is no text"));
    assert_eq!(json, r#"{"resourceType":7}"#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_id_and_any_text_come_back_as_they_went_in(
        rows in proptest::collection::btree_map("\\PC{1,90}", "\\PC{0,200}", 1..8)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let kit = Kit::new().await;
            let records: Vec<Record> = rows.iter()
                .map(|(id, text)| Record::new(id, text, text).json(text))
                .collect();
            kit.save(&records).await;
            for (id, text) in &rows {
                let (row, json) = kit.store.record_get("ana", "Observation", id).await.unwrap().unwrap();
                assert_eq!((&row.id, &row.title, &json), (id, text, text));
            }
        });
    }
}
