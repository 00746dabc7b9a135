//! Reading a directory of FHIR files, keeping every resource's bytes.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Incoming;
use crate::world::MockError;

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "resourceType")]
    resource_type: Option<String>,
}

#[derive(Deserialize)]
struct BundleFile<'a> {
    #[serde(borrow, default)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
}

/// All resources of the `*.json` files (a resource, or a bundle of them) and `*.ndjson` files (a
/// resource per line) in `directory` and below, in the order of the file names. JSON that is no
/// resource is left alone.
///
/// # Errors
/// When something cannot be read, or is not JSON.
pub(crate) fn read_directory(directory: &Path) -> Result<Vec<Incoming>, MockError> {
    let mut files = Vec::new();
    collect(directory, &mut files)?;
    files.sort();
    let mut found = Vec::new();
    for path in files {
        let lines = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => false,
            Some("ndjson") => true,
            _ => continue,
        };
        let text = fs::read_to_string(&path).map_err(|source| read_error(&path, source))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let read = if lines {
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .try_for_each(|line| add(line, &mut found))
        } else {
            add(text.trim(), &mut found)
        };
        read.map_err(|source| MockError::NotJson {
            path: path.clone(),
            source,
        })?;
    }
    Ok(found)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), MockError> {
    let entries = fs::read_dir(directory).map_err(|source| read_error(directory, source))?;
    for entry in entries {
        let path = entry
            .map_err(|source| read_error(directory, source))?
            .path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn read_error(path: &Path, source: std::io::Error) -> MockError {
    MockError::Read {
        path: path.to_owned(),
        source,
    }
}

/// Adds the resource in `text`, or those of the bundle in `text`.
fn add(text: &str, found: &mut Vec<Incoming>) -> Result<(), serde_json::Error> {
    let whole: &RawValue = serde_json::from_str(text)?;
    if !whole.get().starts_with('{') {
        return Ok(());
    }
    let kind = serde_json::from_str::<Head>(text).ok();
    match kind.and_then(|head| head.resource_type).as_deref() {
        None => {}
        Some("Bundle") => {
            let bundle: BundleFile<'_> = serde_json::from_str(text)?;
            for entry in bundle.entry {
                if let Some(resource) = entry.resource {
                    found.push(incoming(resource.get()));
                }
            }
        }
        Some(_) => found.push(incoming(text)),
    }
    Ok(())
}

fn incoming(json: &str) -> Incoming {
    Incoming {
        json: json.to_owned(),
        patient: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_bundles_and_lines_are_read_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("below");
        fs::create_dir(&below).unwrap();
        let write = |path: PathBuf, text: &str| fs::write(path, text).unwrap();
        write(
            directory.path().join("a.json"),
            "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\": {\"id\" : \"1\",\n\"resourceType\":\"Patient\"} },{}]}\n",
        );
        write(
            below.join("b.ndjson"),
            "{\"resourceType\":\"Patient\", \"id\":\"2\"}\n\n{\"id\":\"3\",\"resourceType\":\"Patient\"}\n",
        );
        write(
            directory.path().join("c.json"),
            "{\"resourceType\":\"Patient\",\"id\":\"4\"}",
        );
        write(directory.path().join("charts.json"), "[{\"chart\":1}]");
        write(directory.path().join("notes.json"), "{\"chart\":1}");
        write(directory.path().join("notes.txt"), "not ours");
        let found: Vec<String> = read_directory(directory.path())
            .unwrap()
            .into_iter()
            .map(|item| item.json)
            .collect();
        assert_eq!(
            found,
            [
                "{\"id\" : \"1\",\n\"resourceType\":\"Patient\"}",
                "{\"resourceType\":\"Patient\", \"id\":\"2\"}",
                "{\"id\":\"3\",\"resourceType\":\"Patient\"}",
                "{\"resourceType\":\"Patient\",\"id\":\"4\"}",
            ]
        );
    }

    #[test]
    fn a_file_that_is_no_json_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("broken.json"), "{").unwrap();
        let error = read_directory(directory.path()).unwrap_err();
        assert!(error.to_string().contains("broken.json"));
    }
}
