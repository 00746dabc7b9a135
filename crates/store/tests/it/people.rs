//! People with several connections: whose they are, what says the same, and what makes that stale.

use crate::kit::{Kit, Record, connection};
use satchel_store::{FactIn, GroupsPage, StoreError};

const ANA: (&str, &str, &str) = ("ana", "Observation", "o-1");

/// Two connections of one person, each with two records; the first two are a group.
async fn grouped() -> Kit {
    let kit = Kit::new().await;
    let mut rows = ["ana2", "ben"].map(connection);
    rows[0].patient_id = Some("p2".to_owned());
    rows[1].patient_id = Some("p3".to_owned());
    for row in &rows {
        kit.store.connection_insert(row).await.unwrap();
    }
    sqlx::query("UPDATE connections SET patient_id = 'p1' WHERE id = 'ana'")
        .execute(&mut kit.raw().await)
        .await
        .unwrap();
    for source in ["ana", "ana2", "ben"] {
        let dated = |id: &str, at| Record::new(id, "Sodium", "").dated(Some(at));
        kit.save_for(source, &[dated("o-1", 7), dated("o-2", 5)])
            .await;
    }
    join(&kit, "person").await.unwrap();
    group(&kit).await;
    kit
}

async fn join(kit: &Kit, id: &str) -> Result<(), StoreError> {
    let pairs = [("ana", "p1"), ("ana2", "p2")];
    let pairs = pairs.map(|(id, patient)| (id.to_owned(), patient.to_owned()));
    kit.store.people_join(id, &pairs).await
}

/// Reads everything that is unread, and groups the records `o-1`.
async fn group(kit: &Kit) {
    let (revision, _) = revision(kit).await;
    let unread = kit
        .store
        .facts_unread("person", &["labs".to_owned()])
        .await
        .unwrap();
    let read = kit.store.facts_read(&unread).await.unwrap();
    let facts: Vec<FactIn> = read
        .iter()
        .map(|row| FactIn {
            key: row.key,
            fact: row.json.clone().unwrap_or_default(),
            passing: false,
        })
        .collect();
    let put = kit.store.facts_put("person", revision, &facts).await;
    assert!(put.unwrap());
    let facts = kit.store.facts_list("person", i64::MIN, 100).await.unwrap();
    let same: Vec<i64> = facts
        .iter()
        .filter(|row| row.fact.as_ref().unwrap().contains("o-1"))
        .map(|row| row.key)
        .collect();
    let moved: Vec<_> = same.iter().map(|key| (*key, Some(same[0]))).collect();
    let put = kit.store.groups_put("person", revision, &moved).await;
    assert!(put.unwrap());
}

async fn revision(kit: &Kit) -> (i64, i64) {
    let found = kit.store.person_revision("person").await.unwrap();
    found.unwrap()
}

async fn page(kit: &Kit, offset: u64, limit: u64) -> GroupsPage {
    kit.store
        .person_records("person", Some("labs"), None, (offset, limit))
        .await
        .unwrap()
}

fn shown(page: &GroupsPage) -> Vec<(String, String, usize)> {
    let rows = page.rows.iter();
    rows.map(|group| {
        let row = &group.row;
        (
            row.connection_id.clone(),
            row.id.clone(),
            group.others.len(),
        )
    })
    .collect()
}

fn row(source: &str, id: &str, others: usize) -> (String, String, usize) {
    (source.to_owned(), id.to_owned(), others)
}

#[tokio::test]
async fn a_list_over_sources_is_in_one_order_counts_groups_once_and_nobody_else_is_in_it() {
    let kit = grouped().await;
    let all = page(&kit, 0, 10).await;
    assert_eq!(
        shown(&all),
        [
            row("ana", "o-1", 1),
            row("ana", "o-2", 0),
            row("ana2", "o-2", 0)
        ]
    );
    assert_eq!(all.total, 3);
    assert_eq!(all.rows[0].others[0].connection_id, "ana2");
    let second = page(&kit, 1, 1).await;
    assert_eq!(
        (shown(&second), second.total),
        (vec![row("ana", "o-2", 0)], 3)
    );
    let far = page(&kit, 30_000, 10).await;
    assert_eq!((shown(&far), far.total), (Vec::new(), 3));
    let counts = kit.store.person_counts("person").await.unwrap();
    assert_eq!(counts, [("labs".to_owned(), 3)]);
    let of_a_type = kit
        .store
        .person_records("person", None, Some("Observation"), (0, 10))
        .await;
    assert_eq!(of_a_type.unwrap(), all);
    let none = kit
        .store
        .person_records("nobody", Some("labs"), None, (0, 10))
        .await;
    assert_eq!(none.unwrap().total, 0);
}

#[tokio::test]
async fn a_record_that_changes_is_in_no_group_at_once_and_is_read_again() {
    let kit = grouped().await;
    let before = revision(&kit).await;
    assert_eq!(before.0, before.1);
    kit.save_for("ana2", &[Record::new("o-1", "Sodium", "").json("{}")])
        .await;
    assert!(revision(&kit).await.0 > before.0);
    assert_eq!(page(&kit, 0, 10).await.total, 4, "no pass was needed");
    let unread = kit
        .store
        .facts_unread("person", &["labs".to_owned()])
        .await
        .unwrap();
    assert_eq!(unread.len(), 1);
    let late = kit.store.groups_put("person", before.0, &[]).await;
    assert!(
        !late.unwrap(),
        "groups of what stood there before are not taken"
    );
    let late = kit.store.facts_put("person", before.0, &[]).await;
    assert!(!late.unwrap());
}

#[tokio::test]
async fn new_records_make_groups_stale_and_those_of_other_people_do_not() {
    let kit = grouped().await;
    let before = revision(&kit).await;
    kit.save_for("ben", &[Record::new("o-3", "Sodium", "")])
        .await;
    kit.save_for("ana", &[Record::new("o-1", "Sodium", "").dated(Some(7))])
        .await;
    assert_eq!(revision(&kit).await, before, "the same bytes again");
    kit.save_for("ana", &[Record::new("o-3", "Sodium", "")])
        .await;
    assert!(revision(&kit).await.0 > before.0);
}

#[tokio::test]
async fn taken_apart_is_remembered_by_pairs_and_forgotten_on_demand() {
    let kit = grouped().await;
    assert_eq!(kit.store.group_of(ANA).await.unwrap().len(), 2);
    kit.store.group_apart(ANA).await.unwrap();
    assert_eq!(kit.store.group_of(ANA).await.unwrap().len(), 0);
    assert_eq!(page(&kit, 0, 10).await.total, 4);
    let others = kit.store.kept_apart_from(ANA).await.unwrap();
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].connection_id, "ana2");
    assert_eq!(kit.store.records_apart().await.unwrap().len(), 1);
    let before = revision(&kit).await;
    kit.store.group_together(ANA).await.unwrap();
    assert!(kit.store.records_apart().await.unwrap().is_empty());
    assert!(revision(&kit).await.0 > before.0);
}

#[tokio::test]
async fn nobody_stays_with_one_connection_and_a_removed_one_takes_its_groups_along() {
    for remove in [true, false] {
        let kit = grouped().await;
        match remove {
            true => kit.store.connection_remove("ana2").await.unwrap(),
            false => kit.store.people_split("ana2").await.unwrap(),
        }
        assert!(kit.store.people_list().await.unwrap().is_empty());
        assert_eq!(kit.store.person_revision("person").await.unwrap(), None);
        assert!(kit.store.group_of(ANA).await.unwrap().is_empty());
        let facts: i64 = sqlx::query_scalar("SELECT count(*) FROM record_facts")
            .fetch_one(&mut kit.raw().await)
            .await
            .unwrap();
        assert_eq!(facts, 0);
        assert_eq!(kit.store.record_count(Some("ana")).await.unwrap(), 2);
        let apart = kit.store.connections_apart().await.unwrap();
        assert_eq!(apart.len(), usize::from(!remove));
    }
}

#[tokio::test]
async fn a_connection_that_holds_another_patient_now_is_not_theirs() {
    let kit = grouped().await;
    sqlx::query("UPDATE connections SET patient_id = 'other' WHERE id = 'ana2'")
        .execute(&mut kit.raw().await)
        .await
        .unwrap();
    assert!(kit.store.people_list().await.unwrap().is_empty());
    let rows = page(&kit, 0, 10).await.rows;
    assert!(rows.iter().all(|group| group.row.connection_id == "ana"));
    let error = join(&kit, "again").await.unwrap_err();
    assert!(matches!(error, StoreError::StateChanged), "{error}");
}
