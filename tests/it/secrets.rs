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
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("satchel.db"))
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} is private", path.display());
        }
    }
}
