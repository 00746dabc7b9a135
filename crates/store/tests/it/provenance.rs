//! The Provenance of a record is found by what it is about.

use crate::kit::{Kit, NOW};
use satchel_store::{IndexIn, Page, RecordIn};

fn provenance(number: usize, about: &[String]) -> RecordIn {
    RecordIn {
        resource_type: "Provenance".to_owned(),
        id: format!("v-{number}"),
        json: format!(r#"{{"resourceType":"Provenance","id":"v-{number}","target":"{about:?}"}}"#),
        index: IndexIn {
            section: "other".to_owned(),
            title: "Provenance".to_owned(),
            about: about.to_vec(),
            ..IndexIn::default()
        },
        ..RecordIn::default()
    }
}

async fn save(kit: &Kit, records: Vec<RecordIn>) {
    let page = Page::of(records);
    let saved = kit.store.save_page("ana", "Provenance", page, None, NOW);
    saved.await.unwrap();
}

#[tokio::test]
async fn a_changed_provenance_is_found_by_what_it_is_about_now() {
    let kit = Kit::new().await;
    save(&kit, vec![provenance(1, &["Goal/g-1".to_owned()])]).await;
    let both = ["Goal/g-1".to_owned(), "Goal/g-2".to_owned()];
    save(&kit, vec![provenance(1, &both)]).await;
    for name in &both {
        let found = kit.store.records_about("ana", name, 5).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
    }
    assert!(
        kit.store
            .records_about("ben", "Goal/g-1", 5)
            .await
            .unwrap()
            .is_empty()
    );
}
