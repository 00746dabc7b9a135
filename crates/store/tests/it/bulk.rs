//! Exports are found again after a restart; what a source deleted is marked and comes back.

use crate::kit::{Kit, NOW, Record, page_of};
use satchel_store::{BulkFileRow, BulkJobRow, StoreError};

fn job(id: &str, state: &str) -> BulkJobRow {
    BulkJobRow {
        id: id.to_owned(),
        connection_id: "ana".to_owned(),
        scope: "{\"level\":\"Patient\"}".to_owned(),
        state: state.to_owned(),
        status_url: Some("https://ehr.example/jobs/secret".to_owned()),
        detail: "{}".to_owned(),
        created_at: NOW.to_owned(),
        changed_at: NOW.to_owned(),
        ..BulkJobRow::default()
    }
}

fn file(position: i64, url: &str) -> BulkFileRow {
    BulkFileRow {
        position,
        kind: "output".to_owned(),
        resource_type: Some("Goal".to_owned()),
        url: url.to_owned(),
        expected: Some(3),
        state: "waiting".to_owned(),
        report: None,
    }
}

#[tokio::test]
async fn an_export_is_kept_with_its_files_until_it_ends() {
    let kit = Kit::new().await;
    let store = &kit.store;
    let mut row = job("j1", "exporting");
    store.bulk_job_insert(&row).await.unwrap();
    row.state = "downloading".to_owned();
    let files = [
        file(0, "https://f.example/1"),
        file(1, "https://f.example/2"),
    ];
    store.bulk_files_put(&row, &files).await.unwrap();
    store.bulk_file_finish("j1", 0, "done", "{}").await.unwrap();
    // The server gave new addresses: what is done stays done.
    let again = [
        file(0, "https://f.example/3"),
        file(1, "https://f.example/4"),
    ];
    store.bulk_files_put(&row, &again).await.unwrap();
    let stored = store.bulk_files_get("j1").await.unwrap();
    assert_eq!(stored[0].state, "done");
    assert_eq!(stored[1].url, "https://f.example/4");
    assert_eq!(store.bulk_job_get("j1").await.unwrap(), Some(row.clone()));
    assert!(!format!("{row:?}{stored:?}").contains("example"));
    row.state = "done".to_owned();
    row.status_url = None;
    store.bulk_job_end(&row).await.unwrap();
    assert!(store.bulk_files_get("j1").await.unwrap().is_empty());
    let last = store.bulk_job_last("ana", &row.scope).await.unwrap();
    assert_eq!(last, Some(row));
    store.connection_remove("ana").await.unwrap();
    assert!(store.bulk_jobs_list(None).await.unwrap().is_empty());
    let gone = store.bulk_job_update(&job("j1", "done")).await;
    assert!(matches!(gone, Err(StoreError::StateChanged)));
}

#[tokio::test]
async fn only_an_export_that_was_done_wholly_is_the_last_of_its_scope() {
    let kit = Kit::new().await;
    for (id, state) in [("j1", "done"), ("j2", "partial"), ("j3", "cancelled")] {
        kit.store.bulk_job_insert(&job(id, state)).await.unwrap();
    }
    let scope = job("j1", "done").scope;
    let last = kit.store.bulk_job_last("ana", &scope).await.unwrap();
    assert_eq!(last.unwrap().id, "j1");
    assert!(
        kit.store
            .bulk_job_last("ana", "{}")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        kit.store.bulk_jobs_list(Some("ana")).await.unwrap().len(),
        3
    );
}

#[tokio::test]
async fn what_was_deleted_at_the_source_is_marked_and_stays() {
    let kit = Kit::new().await;
    kit.save(&[
        Record::new("o-1", "Sodium", ""),
        Record::new("o-2", "Iron", ""),
    ])
    .await;
    let pair = |id: &str| ("Observation".to_owned(), id.to_owned());
    let deleted = [pair("o-1"), pair("o-9")];
    let marks = async || {
        let wanted = [pair("o-1"), pair("o-2")];
        let found = kit.store.records_find("ana", &wanted);
        let mut rows = found.await.unwrap();
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        rows.into_iter()
            .map(|row| row.withdrawn_at)
            .collect::<Vec<_>>()
    };
    let marked = kit.store.records_withdraw("ana", &deleted, NOW).await;
    assert_eq!(marked.unwrap(), 1, "what is not here cannot be marked");
    assert_eq!(marks().await, [Some(NOW.to_owned()), None]);

    let newer =
        [Record::new("o-1", "Sodium", "").json(r#"{"resourceType":"Observation","old":1}"#)];
    let page = page_of(&newer).unless(|_| Ok(true));
    let saved = kit.store.save_page("ana", "s", page, None, NOW).await;
    assert_eq!(saved.unwrap().types[0].kept, 1);
    assert_eq!(marks().await, [None, None], "the source gives it again");
}

#[tokio::test]
async fn of_two_versions_the_one_stays_that_is_said_to_be_better() {
    let kit = Kit::new().await;
    let version = |id: &str, number: u8| {
        let json = format!(r#"{{"resourceType":"Observation","id":"{id}","n":{number}}}"#);
        Record::new(id, "Sodium", "").json(&json)
    };
    kit.save(&[
        version("kept", 2),
        version("replaced", 1),
        version("same", 1),
    ])
    .await;
    let page = page_of(&[
        version("kept", 1),
        version("replaced", 2),
        version("same", 1),
    ]);
    let page = page.unless(|meeting| {
        assert_ne!(meeting.id, "same", "of the same bytes nobody is asked");
        Ok(meeting.stored()?.contains(r#""n":2"#))
    });
    let saved = kit
        .store
        .save_page("ana", "s", page, None, NOW)
        .await
        .unwrap();
    assert_eq!((saved.updated, saved.unchanged), (1, 2));
    assert_eq!((saved.types[0].updated, saved.types[0].kept), (1, 1));
    for id in ["kept", "replaced"] {
        let stored = kit.store.record_get("ana", "Observation", id).await;
        let (_, json) = stored.unwrap().unwrap();
        assert_eq!(json, version(id, 2).json);
    }
}
