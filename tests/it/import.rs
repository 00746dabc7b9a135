//! Files of records from the disk.

use crate::bulk::stored;
use crate::world::{Setting, code, setting};
use flate2::Compression;
use flate2::write::GzEncoder;
use satchel_core::view::AccessAct;
use std::io::Write;
use std::path::PathBuf;

fn file(setting: &Setting, name: &str, text: &str) -> PathBuf {
    let path = setting.profile().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn f16_a_file_from_the_disk_is_read_line_by_line_and_odd_lines_are_told_by_number() {
    let setting = setting().await;
    let mixed = file(
        &setting,
        "mixed.ndjson",
        "\u{feff}{\"resourceType\":\"Patient\",\"id\":\"p\"}\r\n\r\n{\"resourceType\":\"Goal\",\r\n\
         {\"resourceType\":\"Goal\",\"id\":\"g\",\"description\":{\"text\":\"Walk\"}}",
    );
    let report = setting
        .engine
        .import_ndjson(&[mixed], "Old clinic")
        .await
        .unwrap();
    assert!(!report.complete);
    let errors = &report.report.errors;
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (errors[0].file.as_str(), errors[0].line),
        ("mixed.ndjson", Some(3))
    );
    let id = report.connection_id;
    assert_eq!(
        stored(&setting, &id, None).await,
        3,
        "what cannot be read is kept"
    );
    let more = file(
        &setting,
        "more.ndjson",
        "{\"resourceType\":\"Goal\",\"id\":\"h\"}\n",
    );
    let again = setting
        .engine
        .import_ndjson(&[more], "Old clinic")
        .await
        .unwrap();
    assert!(again.complete && again.connection_id == id);
    let log = setting.engine.access_log(2).await.unwrap();
    let told: Vec<_> = log
        .iter()
        .map(|one| (one.act, one.complete, one.records))
        .collect();
    assert_eq!(
        told,
        [
            (AccessAct::Imported, true, 1),
            (AccessAct::Imported, false, 2)
        ],
        "the newest first"
    );
    let page = file(&setting, "page.html", "<html>\n");
    let pretty = file(&setting, "pretty.json", &"  \"a\": 1,\n".repeat(30));
    let none = setting.profile().join("none.ndjson");
    for (path, wanted) in [
        (page, "import.unreadable"),
        (pretty, "import.unreadable"),
        (none, "directory.unreadable"),
    ] {
        let refused = setting.engine.import_ndjson(&[path], "Other").await;
        assert_eq!(code(refused), wanted);
    }
    // It is no server: nothing is asked of anybody, and it can be removed.
    setting.engine.probe(&id).await.unwrap();
    setting.engine.remove(&id).await.unwrap();
    assert_eq!(stored(&setting, &id, None).await, 0);
    setting.connect(setting.patient()).await;
}

#[tokio::test]
async fn f16_what_came_before_the_end_of_a_file_that_is_cut_short_stays() {
    let setting = setting().await;
    let mut seed = 1_u64;
    let mut line = |number: u32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{{\"resourceType\":\"Goal\",\"id\":\"{number}-{seed:x}\"}}\n")
    };
    let lines: String = (0..6_000).map(&mut line).collect();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(lines.as_bytes()).unwrap();
    let whole = gzip.finish().unwrap();
    let path = setting.profile().join("cut.ndjson.gz");
    std::fs::write(&path, &whole[..whole.len() * 9 / 10]).unwrap();
    let refused = setting.engine.import_ndjson(&[path], "Old clinic").await;
    assert_eq!(code(refused), "import.unreadable");
    let id = setting.engine.connections().await.unwrap()[0].id.clone();
    let kept = stored(&setting, &id, None).await;
    assert!((5_000..6_000).contains(&kept), "{kept} of 6,000");
}
