//! All of the real FHIR data, loaded into the mock server, pulled and stored: counts and hashes equal
//! the source's. Runs where the folder is present.

use crate::world::setting_in;
use satchel_core::{ExportFormat, Keychain};
use satchel_mock::World;
use satchel_store::{DatabaseKey, Store};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

type Hashes = BTreeMap<(String, String), String>;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("SATCHEL_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    folder.is_dir().then_some(folder)
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Reads the folder on its own terms, not by the server's code.
fn read_source(folder: &Path, found: &mut Hashes) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            read_source(&path, found);
        } else if extension == "ndjson" {
            for line in std::fs::read_to_string(&path)
                .unwrap()
                .lines()
                .filter(|l| !l.trim().is_empty())
            {
                add(line, found);
            }
        } else if extension == "json" {
            add(std::fs::read_to_string(&path).unwrap().trim(), found);
        }
    }
}

fn add(text: &str, found: &mut Hashes) {
    #[derive(serde::Deserialize)]
    struct Bundle<'a> {
        #[serde(borrow, default)]
        entry: Vec<BTreeMap<&'a str, &'a RawValue>>,
    }
    let value: Value = serde_json::from_str(text).unwrap();
    match (value["resourceType"].as_str(), value["id"].as_str()) {
        (Some("Bundle"), _) => {
            let bundle: Bundle<'_> = serde_json::from_str(text).unwrap();
            for entry in bundle.entry {
                if let Some(resource) = entry.get("resource") {
                    add(resource.get(), found);
                }
            }
        }
        (Some(kind), Some(id)) => {
            // The same resource may stand in several files: the first one counts.
            found
                .entry((kind.to_owned(), id.to_owned()))
                .or_insert_with(|| hash(text));
        }
        _ => {}
    }
}

#[tokio::test]
async fn everything_in_the_folder_is_stored_byte_for_byte() {
    let Some(folder) = folder() else {
        println!("no shared data here: skipped");
        return;
    };
    let mut source = Hashes::new();
    read_source(&folder, &mut source);
    assert!(source.len() > 10_900, "{}", source.len());
    let setting = setting_in(World {
        patients: 0,
        load: Some(folder),
        ..World::default()
    })
    .await;
    let id = setting
        .engine
        .connect_backend(setting.mock.fhir_base())
        .await
        .unwrap();
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!(report.unreadable_records, 0);

    let profile = setting.profile().canonicalize().unwrap();
    let key = Keychain::new("org.satchel.desktop", &profile)
        .get("database-key")
        .await
        .unwrap()
        .unwrap();
    let key = DatabaseKey::from_bytes(key.as_slice().try_into().unwrap());
    let store = Store::open(&profile.join("satchel.db"), &key)
        .await
        .unwrap();
    let stored: Hashes = store
        .hashes(&id)
        .await
        .unwrap()
        .into_iter()
        .map(|(t, i, h)| ((t, i), h))
        .collect();
    let per_type = |hashes: &Hashes| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (kind, _) in hashes.keys() {
            *counts.entry(kind.clone()).or_default() += 1;
        }
        counts
    };
    assert_eq!(per_type(&stored), per_type(&source));
    for (key, wanted) in &source {
        assert_eq!(stored.get(key), Some(wanted), "{key:?}");
    }
    store.close().await;

    // And out again: the exported bytes are the received ones.
    let out = tempfile::tempdir().unwrap();
    setting
        .engine
        .export(Some(&id), ExportFormat::Ndjson, out.path())
        .await
        .unwrap();
    let mut exported = Hashes::new();
    for file in std::fs::read_dir(out.path()).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if path.extension().is_some_and(|e| e == "ndjson") {
            text.lines().for_each(|line| add(line, &mut exported));
        } else {
            add(&text, &mut exported);
        }
    }
    assert_eq!(exported.len(), source.len());
    let different = exported
        .iter()
        .filter(|(key, hash)| source.get(*key) != Some(hash))
        .count();
    assert_eq!(different, 0);
}

#[tokio::test]
async fn each_persons_own_chart_is_pulled_by_their_own_login() {
    let Some(folder) = folder() else {
        println!("no shared data here: skipped");
        return;
    };
    let charts: BTreeMap<String, u64> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("synthea/charts.json")).unwrap())
            .unwrap();
    let setting = setting_in(World {
        patients: 0,
        load: Some(folder.join("synthea")),
        ..World::default()
    })
    .await;
    for (patient, entries) in charts.iter().take(6) {
        let account = setting
            .mock
            .accounts()
            .iter()
            .find(|a| a.patient_ids == [patient.clone()])
            .unwrap()
            .clone();
        let id = setting.connect(&account).await;
        let report = setting.engine.sync(&id).await.unwrap();
        assert!(report.complete, "{report:?}");
        let count = setting.engine.connection(&id).await.unwrap().record_count;
        assert_eq!(count, *entries, "{patient}");
    }
}
