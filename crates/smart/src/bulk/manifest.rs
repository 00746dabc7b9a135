//! The manifest of an export: which files there are (Bulk Data Access, "Response - Output Manifest").
//! Versions 2 and 3 list `error`, version 4 `outcome`; all are read with tolerance.

use super::error::BulkError;
use crate::text::plain;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use url::Url;

/// An address that is a secret itself: whoever knows it may get what is there. It prints as its origin.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CapabilityUrl(Url);

impl CapabilityUrl {
    /// Takes the address in.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// Reads it back from the encrypted database.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Url::parse(text).ok().map(Self)
    }

    /// The address in clear: for a request or the encrypted database, never for a log.
    #[must_use]
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for CapabilityUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/…", self.0.origin().ascii_serialization())
    }
}

/// Whether files are fetched with the access token (checklist F13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenRule {
    /// `requiresAccessToken` is true.
    Required,
    /// It is false: a token must not be sent.
    Forbidden,
    /// The member is missing. A token then goes to the FHIR server's own origin and nowhere else.
    #[default]
    NotSaid,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// The type of its lines; none where the output is organised in another way.
    pub resource_type: Option<String>,
    /// Where it is.
    pub url: CapabilityUrl,
    /// How many lines it has, where the server counts.
    pub count: Option<u64>,
}

/// The list of an export's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `transactionTime`, as it was written: the next `_since`.
    pub transaction_time: String,
    /// `requiresAccessToken`.
    pub token: TokenRule,
    /// `output`.
    pub output: Vec<ManifestFile>,
    /// `deleted`.
    pub deleted: Vec<ManifestFile>,
    /// `error` up to version 3, `outcome` in version 4.
    pub outcomes: Vec<ManifestFile>,
    /// `link` with the relation `next`: the rest of the manifest.
    pub next: Option<CapabilityUrl>,
    /// `outputOrganizedBy`: files hold several types, in blocks that begin with a header.
    pub organized_by: Option<String>,
    /// What was odd about it, for the report.
    pub warnings: Vec<String>,
}

impl Manifest {
    /// Reads a manifest that was found at `at`, against which relative addresses are resolved.
    ///
    /// # Errors
    /// [`BulkError::BadManifest`].
    pub fn parse(json: &[u8], at: &Url) -> Result<Self, BulkError> {
        let text = std::str::from_utf8(json).map_err(|_| BulkError::BadManifest("not UTF-8"))?;
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}').trim())
            .map_err(|_| BulkError::BadManifest("not JSON"))?;
        let time = value.get("transactionTime").and_then(Value::as_str);
        let time = time.ok_or(BulkError::BadManifest("no transactionTime"))?;
        if super::Instant::parse(time).is_err() {
            return Err(BulkError::BadManifest("transactionTime is no instant"));
        }
        let mut warnings = Vec::new();
        let mut files = |name: &str| files(&value, name, at, &mut warnings);
        let output = files("output")?;
        let deleted = files("deleted")?;
        let mut outcomes = files("error")?;
        outcomes.extend(files("outcome")?);
        let token = match value.get("requiresAccessToken") {
            Some(Value::Bool(true)) => TokenRule::Required,
            Some(Value::Bool(false)) => TokenRule::Forbidden,
            _ => TokenRule::NotSaid,
        };
        if token == TokenRule::NotSaid {
            warnings.push("the manifest has no requiresAccessToken".to_owned());
        }
        let next = list(&value, "link")
            .find(|link| link.get("relation").and_then(Value::as_str) == Some("next"))
            .and_then(|link| link.get("url")?.as_str())
            .and_then(|url| at.join(url).ok())
            .map(CapabilityUrl);
        let organized = value.get("outputOrganizedBy").and_then(Value::as_str);
        Ok(Self {
            transaction_time: time.to_owned(),
            token,
            output,
            deleted,
            outcomes,
            next,
            organized_by: organized.map(|text| plain(text, 100)),
            warnings,
        })
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let list = value.get(name).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// A list that is missing is empty; a file without an address makes the manifest unusable, as nobody
/// could say afterwards that all was fetched.
fn files(
    value: &Value,
    name: &str,
    at: &Url,
    warnings: &mut Vec<String>,
) -> Result<Vec<ManifestFile>, BulkError> {
    match value.get(name) {
        Some(Value::Array(_)) => {}
        None | Some(Value::Null) if name == "output" => {
            warnings.push("the manifest has no output".to_owned());
        }
        None | Some(Value::Null) => {}
        Some(_) => return Err(BulkError::BadManifest("a list of files is no list")),
    }
    let mut files = Vec::new();
    for file in list(value, name) {
        let text = file.get("url").and_then(Value::as_str);
        let text = text.ok_or(BulkError::BadManifest("a file has no url"))?;
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(_) => {
                warnings.push("the address of a file is not absolute".to_owned());
                let joined = at.join(text);
                joined.map_err(|_| BulkError::BadManifest("the url of a file is none"))?
            }
        };
        let resource_type = file.get("type").and_then(Value::as_str);
        files.push(ManifestFile {
            resource_type: resource_type.map(|text| plain(text, 64)),
            url: CapabilityUrl(url),
            count: file.get("count").and_then(Value::as_u64),
        });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Url {
        Url::parse("https://ehr.example/jobs/secret-1").unwrap()
    }

    fn manifest(json: &str) -> Result<Manifest, BulkError> {
        Manifest::parse(json.as_bytes(), &at())
    }

    #[test]
    fn f12_manifests_of_versions_2_and_3() {
        let read = manifest(
            r#"{"transactionTime":"2026-01-01T00:00:00.5+02:00","request":"https://ehr.example/fhir/$export",
            "requiresAccessToken":true,"output":[{"type":"Patient","url":"https://ehr.example/f/1","count":3},
            {"type":"Goal","url":"https://ehr.example/f/2"}],
            "deleted":[{"type":"Bundle","url":"https://ehr.example/f/3"}],
            "error":[{"type":"OperationOutcome","url":"https://ehr.example/f/4"}],"extension":{"x":1}}"#,
        )
        .unwrap();
        assert_eq!(read.transaction_time, "2026-01-01T00:00:00.5+02:00");
        assert_eq!(read.token, TokenRule::Required);
        assert_eq!(
            (read.output.len(), read.deleted.len(), read.outcomes.len()),
            (2, 1, 1)
        );
        assert_eq!(
            (read.output[0].count, read.output[1].count),
            (Some(3), None)
        );
        assert!(read.warnings.is_empty());
    }

    #[test]
    fn f12_f22_manifests_of_version_4_with_the_link_to_the_next() {
        let read = manifest(
            r#"{"transactionTime":"2026-01-01T00:00:00Z","requiresAccessToken":false,
            "outputOrganizedBy":"Patient","outputFormat":"application/fhir+ndjson",
            "output":[{"url":"https://files.example/1","fileSize":12,"continuesInFile":"https://files.example/2"}],
            "outcome":[{"url":"https://files.example/o"}],"extension":[{"url":"x"}],
            "link":[{"relation":"self","url":"x"},{"relation":"next","url":"https://ehr.example/jobs/secret-1/2"}]}"#,
        )
        .unwrap();
        assert_eq!(read.token, TokenRule::Forbidden);
        assert_eq!(read.organized_by.as_deref(), Some("Patient"));
        assert_eq!(read.output[0].resource_type, None);
        assert_eq!(read.outcomes.len(), 1);
        assert_eq!(
            read.next.as_ref().unwrap().expose().path(),
            "/jobs/secret-1/2"
        );
    }

    #[test]
    fn f12_what_cannot_be_used_is_refused_and_what_can_be_is_not() {
        for bad in [
            "<html>",
            "[]",
            "{}",
            r#"{"transactionTime":"yesterday","output":[]}"#,
            r#"{"transactionTime":"2026-01-01T00:00:00Z","output":{"type":"Patient"}}"#,
            r#"{"transactionTime":"2026-01-01T00:00:00Z","output":[{"type":"Patient"}]}"#,
        ] {
            assert!(
                matches!(manifest(bad), Err(BulkError::BadManifest(_))),
                "{bad}"
            );
        }
        let odd = manifest(
            "\u{feff}{\"transactionTime\":\"2026-01-01T00:00:00Z\",\"output\":[{\"type\":\"Goal\",\"url\":\"../f/1\"}]}",
        )
        .unwrap();
        assert_eq!(odd.token, TokenRule::NotSaid);
        assert_eq!(
            odd.output[0].url.expose().as_str(),
            "https://ehr.example/f/1"
        );
        assert_eq!(odd.warnings.len(), 2);
    }

    #[test]
    fn f11_addresses_of_exports_and_files_are_never_printed() {
        let url = CapabilityUrl::new(at());
        assert_eq!(format!("{url:?}"), "https://ehr.example/…");
    }
}
