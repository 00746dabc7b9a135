//! Directories of servers: searched by what people know, replaced as a whole, fast when large.

use crate::kit::{Kit, NOW};
use satchel_store::{BrandIn, DirectoryRow, LogoRow, OriginsRow};
use std::time::{Duration, Instant};

fn directory(id: &str, source: &str) -> DirectoryRow {
    DirectoryRow {
        id: id.to_owned(),
        source: source.to_owned(),
        linked_base: None,
        etag: Some("W/\"1\"".to_owned()),
        published: None,
        imported_at: NOW.to_owned(),
        skipped: "{}".to_owned(),
    }
}

fn brand(base: &str, name: &str, place: &str, site: &str) -> BrandIn {
    BrandIn {
        fhir_base: base.to_owned(),
        name: name.to_owned(),
        place: Some(place.to_owned()),
        name_words: name.to_owned(),
        place_words: place.to_owned(),
        site_words: site.to_owned(),
        ..BrandIn::default()
    }
}

async fn names(kit: &Kit, words: &str) -> Vec<String> {
    let found = kit.store.brands_search(words, 50).await.unwrap();
    found.into_iter().map(|row| row.name).collect()
}

fn two() -> Vec<BrandIn> {
    vec![
        brand(
            "https://a.example/r4",
            "Lakes Health Åland",
            "Duluth MN 55802",
            "my.lakes.example",
        ),
        brand(
            "https://b.example/r4",
            "Hills Clinic",
            "Ely MN 55731",
            "mychart.hills.example",
        ),
    ]
}

#[tokio::test]
async fn servers_are_found_by_name_place_zip_and_portal() {
    let kit = Kit::new().await;
    kit.store
        .directory_put(&directory("d", "https://dir.example"), &two())
        .await
        .unwrap();
    for (words, expected) in [
        ("lak hea", vec!["Lakes Health Åland"]),
        ("aland", vec!["Lakes Health Åland"]),
        ("55731", vec!["Hills Clinic"]),
        ("mychart.hills.example", vec!["Hills Clinic"]),
        ("clinic duluth", vec![]),
        ("\" OR * NEAR(", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(names(&kit, words).await, expected, "{words}");
    }
    assert_eq!(names(&kit, "mn").await.len(), 2);
}

#[tokio::test]
async fn a_second_import_replaces_the_first_and_removal_leaves_nothing() {
    let kit = Kit::new().await;
    kit.store
        .directory_put(&directory("d", "https://dir.example"), &two())
        .await
        .unwrap();
    let again = directory("other", "https://dir.example");
    let id = kit.store.directory_put(&again, &two()[..1]).await.unwrap();
    assert_eq!(id, "d", "the identifier stays");
    assert_eq!(names(&kit, "mn").await, ["Lakes Health Åland"]);
    let listed = kit.store.directories_list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].1, 1);
    assert!(kit.store.directory_remove("d").await.unwrap());
    assert!(!kit.store.directory_remove("d").await.unwrap());
    assert!(names(&kit, "mn").await.is_empty());
    let mut raw = kit.raw().await;
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM brands_fts WHERE brands_fts MATCH 'mn'")
            .fetch_one(&mut raw)
            .await
            .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a26_the_brand_that_the_server_names_wins_over_lists_and_duplicates_are_one() {
    let kit = Kit::new().await;
    let base = "https://a.example/r4";
    let mut listed = brand(base, "LAKES HLTH INC", "MN", "lakes.example");
    listed.logo = Some("https://wrong.example/l.png".into());
    for source in ["https://one.example", "https://two.example"] {
        kit.store
            .directory_put(&directory(source, source), std::slice::from_ref(&listed))
            .await
            .unwrap();
    }
    assert_eq!(
        names(&kit, "lakes").await,
        ["LAKES HLTH INC"],
        "listed twice, one server"
    );
    let own = DirectoryRow {
        linked_base: Some(base.into()),
        ..directory("own", "https://a.example/brands")
    };
    let brand = brand(base, "Lakes Health", "Duluth, MN", "lakes.example");
    kit.store.directory_put(&own, &[brand]).await.unwrap();
    let found = kit.store.brands_search("inc", 50).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, "Lakes Health");
    assert_eq!(found[0].logo, None, "not the picture of the list");
    assert_eq!(
        kit.store.brand_of(base).await.unwrap().unwrap().name,
        "Lakes Health"
    );
}

#[tokio::test]
async fn fifty_thousand_brands_are_searched_at_once() {
    const PLACES: [&str; 8] = [
        "Duluth", "Ely", "Austin", "Boston", "Denver", "Salem", "Reno", "Mobile",
    ];
    const KINDS: [&str; 5] = [
        "Health System",
        "Family Clinic",
        "Hospital",
        "Medical Group",
        "Pediatrics",
    ];
    let kit = Kit::new().await;
    let brands: Vec<BrandIn> = (0..50_000_usize)
        .map(|index| {
            let place = PLACES[index % 8];
            let name = format!("{place} {} {index}", KINDS[index % 5]);
            brand(
                &format!("https://fhir{index}.example/r4"),
                &name,
                &format!("{place} {:05}", index % 9000),
                &format!("portal{index}.{}.example", place.to_lowercase()),
            )
        })
        .collect();
    let start = Instant::now();
    kit.store
        .directory_put(&directory("d", "file:large"), &brands)
        .await
        .unwrap();
    eprintln!("50,000 brands stored in {:?}", start.elapsed());
    let mut slowest = Duration::ZERO;
    for words in [
        "d",
        "du",
        "health",
        "austin clinic",
        "00042",
        "portal31337",
        "h e",
        "denver medical group 4",
    ] {
        let start = Instant::now();
        let found = kit.store.brands_search(words, 50).await.unwrap();
        eprintln!("{words:25} {:3} in {:?}", found.len(), start.elapsed());
        assert!(!found.is_empty(), "{words}");
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[tokio::test]
async fn a27_logos_and_a23_origins_are_kept() {
    let kit = Kit::new().await;
    let logo = LogoRow {
        media_type: Some("image/png".into()),
        bytes: Some(vec![1, 2, 3]),
        fetched_at: NOW.into(),
    };
    kit.store
        .logo_put("https://a.example/l.png", &logo)
        .await
        .unwrap();
    assert_eq!(
        kit.store.logo_get("https://a.example/l.png").await.unwrap(),
        Some(logo)
    );
    assert_eq!(
        kit.store.logo_get("https://b.example/l.png").await.unwrap(),
        None
    );
    let origins = OriginsRow {
        token: "https://a.example".into(),
        registration: None,
    };
    kit.store
        .origins_put("https://a.example/r4", &origins)
        .await
        .unwrap();
    assert_eq!(
        kit.store.origins_get("https://a.example/r4").await.unwrap(),
        Some(origins)
    );
}
