//! Nothing secret, and nobody's health, in any plain file.

use crate::world::setting;
use std::path::Path;

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found)
        } else {
            found.push(path)
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[tokio::test]
async fn h1_h3_no_token_key_or_name_is_in_any_file_of_the_profile() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let name = setting
        .engine
        .connection(&id)
        .await
        .unwrap()
        .patient_name
        .unwrap();
    let key = setting
        .keychain()
        .get("database-key")
        .await
        .unwrap()
        .unwrap();
    let mut needles: Vec<Vec<u8>> = setting
        .mock
        .tokens()
        .into_iter()
        .map(String::into_bytes)
        .collect();
    assert!(needles.len() >= 2, "an access and a refresh token");
    needles.extend(
        name.split(' ')
            .filter(|word| word.len() > 3)
            .map(|word| word.as_bytes().to_vec()),
    );
    needles.push(key.to_vec());
    needles.push(
        key.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into_bytes(),
    );
    needles.push(b"SQLite format 3".to_vec());
    needles.push(b"resourceType".to_vec());
    let mut paths = Vec::new();
    files(setting.profile(), &mut paths);
    assert!(paths.iter().any(|path| path.ends_with("satchel.db")));
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        for needle in &needles {
            assert!(
                !contains(&bytes, needle),
                "{} holds {:?}",
                path.display(),
                String::from_utf8_lossy(needle)
            );
        }
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o600, "{} is private", path.display());
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn h3_the_folder_that_satchel_makes_is_its_owners_alone() {
    let parent = tempfile::tempdir().unwrap();
    let profile = parent.path().join("a").join("b");
    let engine = crate::world::engine(&profile).await;
    assert_eq!(mode(&profile), 0o700);
    let mut paths = Vec::new();
    files(&profile, &mut paths);
    assert!(paths.len() >= 3, "{paths:?}");
    for path in paths {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    engine.close().await;
}
