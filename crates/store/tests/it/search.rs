//! Search takes whatever a person types.

use crate::kit::{Kit, Record, connection};
use rstest::rstest;
use satchel_store::RecordFilter;

async fn ids(kit: &Kit, words: &str) -> Vec<String> {
    let hits = kit
        .store
        .search(words, &Default::default(), 20)
        .await
        .unwrap();
    hits.into_iter().map(|hit| hit.row.id).collect()
}

fn of(connection: &str) -> RecordFilter {
    RecordFilter {
        connection_id: Some(connection.to_owned()),
        ..RecordFilter::default()
    }
}

async fn chart() -> Kit {
    let kit = Kit::new().await;
    kit.save(&[
        Record::new("a1c", "Hemoglobin A1c", "diabetes control 4548-4"),
        Record::new("note", "Visit note", "talked about hemoglobin and the café"),
        Record::new("bp", "Blood pressure", "sitting, left arm"),
    ])
    .await;
    kit
}

#[tokio::test]
async fn words_are_found_by_their_beginning_and_a_title_weighs_more() {
    let kit = chart().await;
    assert_eq!(ids(&kit, "hemo").await, ["a1c", "note"]);
    assert_eq!(ids(&kit, "HEMOGLOBIN a1").await, ["a1c"]);
    assert_eq!(ids(&kit, "cafe").await, ["note"], "accents do not matter");
    assert_eq!(ids(&kit, "4548-4").await, ["a1c"]);
}

#[rstest]
#[case::empty("")]
#[case::spaces("   ")]
#[case::quotes("\"\"\"")]
#[case::operators("AND OR NOT NEAR")]
#[case::column("title:x")]
#[case::parentheses("((((")]
#[case::star("*")]
#[case::minus("-")]
#[case::sql("'; DROP TABLE records; --")]
#[case::nul("qq\0zz")]
#[case::emoji("👩‍⚕️")]
#[tokio::test]
async fn nothing_that_is_typed_is_an_error(#[case] words: &str) {
    let kit = chart().await;
    assert_eq!(ids(&kit, words).await, Vec::<String>::new());
    assert_eq!(kit.store.record_count(None).await.unwrap(), 3);
}

#[tokio::test]
async fn a_very_long_search_ends() {
    let kit = chart().await;
    assert!(
        ids(&kit, &"hemoglobin ".repeat(50_000))
            .await
            .contains(&"a1c".to_owned())
    );
}

#[tokio::test]
async fn a_search_can_stay_within_one_person() {
    let kit = chart().await;
    kit.store
        .connection_insert(&connection("ben"))
        .await
        .unwrap();
    kit.save_for("ben", &[Record::new("b-a1c", "Hemoglobin A1c", "")])
        .await;
    let hits = kit.store.search("a1c", &of("ben"), 20).await.unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].row.connection_id, "ben");
}

#[tokio::test]
async fn a_search_can_stay_within_one_kind() {
    let kit = chart().await;
    let kind = |name: &str| RecordFilter {
        resource_type: Some(name.to_owned()),
        ..RecordFilter::default()
    };
    let count = async |filter: RecordFilter| {
        let hits = kit.store.search("hemoglobin", &filter, 20).await;
        hits.unwrap().len()
    };
    assert_eq!(count(kind("Observation")).await, 2);
    assert_eq!(count(kind("Condition")).await, 0);
    let section = |name: &str| RecordFilter {
        sections: vec![name.to_owned()],
        ..RecordFilter::default()
    };
    assert_eq!(count(section("labs")).await, 2);
    assert_eq!(count(section("vitals")).await, 0);
}

/// More records than are ranked hold the word: those that have it in the title come first, and the newest
/// of them; also where others came later, of somebody else.
#[tokio::test]
async fn what_finds_nearly_everything_finds_titles_first_and_the_newest() {
    let kit = Kit::new().await;
    kit.store
        .connection_insert(&connection("ben"))
        .await
        .unwrap();
    let on_day = |id: &str, title: &str, day: i64| {
        Record::new(id, title, "seen in serum").dated(Some(day * 86_400_000))
    };
    let mut records = vec![
        on_day("old", "Serum sodium", 10),
        on_day("new", "Serum potassium", 900),
    ];
    records.extend((0..700).map(|day| on_day(&format!("other-{day}"), "A visit", day)));
    kit.save(&records).await;
    let others: Vec<Record> = (0..700)
        .map(|day| on_day(&format!("ben-{day}"), "Serum glucose", day))
        .collect();
    kit.save_for("ben", &others).await;
    let hits = kit.store.search("seru", &of("ana"), 4).await.unwrap();
    let found: Vec<&str> = hits.iter().map(|hit| hit.row.id.as_str()).collect();
    assert_eq!(found, ["new", "old", "other-699", "other-698"]);
    let whole = kit.store.search("serum", &of("ana"), 4).await.unwrap();
    let found: Vec<&str> = whole.iter().map(|hit| hit.row.id.as_str()).collect();
    assert_eq!(found, ["new", "old", "other-699", "other-698"]);
    let all = RecordFilter::default();
    let whole = kit.store.search("serum", &all, 3).await.unwrap();
    let found: Vec<&str> = whole.iter().map(|hit| hit.row.id.as_str()).collect();
    assert_eq!(found, ["ben-699", "ben-698", "ben-697"]);
    assert!(whole[0].json.contains("ben-699"), "{}", whole[0].json);
    assert_eq!(
        kit.store
            .search("seru", &Default::default(), 4)
            .await
            .unwrap()[0]
            .row
            .id,
        "ben-699"
    );
}
