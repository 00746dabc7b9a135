//! What a line of a file is: a resource, an OperationOutcome, what was deleted, or nothing that can be
//! read (checklist F16, F18, F19, F21).

use super::ndjson::Line;
use crate::fhir::bundle::head;
use crate::fhir::bundle::{RawResource, SearchMode, is_subsetted};
use crate::fhir::outcome::OperationOutcome;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::borrow::Cow;

/// A line that could be read.
#[derive(Clone, Debug)]
pub enum BulkLine {
    /// A resource, byte for byte.
    Resource {
        /// The resource.
        resource: RawResource,
        /// It is tagged `SUBSETTED`: parts of it were left out.
        subsetted: bool,
    },
    /// What the server has to say.
    Outcome(OperationOutcome),
    /// The header of a block, where the output is organised in blocks (checklist F22).
    Header,
}

/// Why a line cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// Longer than can be held.
    #[error("the line is longer than 16 MB")]
    TooLong,
    /// Not UTF-8.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("the line is not JSON")]
    NotJson,
    /// JSON that ends too early, in a line whose end nobody has seen: the file was cut short.
    #[error("the file ends in the middle of a line")]
    CutShort,
    /// No resource.
    #[error("the line is not a resource")]
    NotAResource,
    /// A resource that cannot be filed.
    #[error("the resource has no id")]
    NoId,
    /// A resource of another type than the file's.
    #[error("the resource is of another type than the file")]
    OtherType,
}

/// Reads a line of a file whose lines are of type `expected`, where that is said.
///
/// # Errors
/// [`LineFault`].
pub fn read_line(line: &Line, expected: Option<&str>) -> Result<BulkLine, LineFault> {
    let bytes = line.bytes.as_deref().ok_or(LineFault::TooLong)?;
    let json = std::str::from_utf8(bytes).map_err(|_| LineFault::NotUtf8)?;
    if let Err(error) = serde_json::from_str::<IgnoredAny>(json) {
        let cut = line.unended && error.is_eof();
        return Err(if cut {
            LineFault::CutShort
        } else {
            LineFault::NotJson
        });
    }
    let head = head::read(json).ok_or(LineFault::NotAResource)?;
    let resource_type = filled(head.resource_type).ok_or(LineFault::NotAResource)?;
    match resource_type.as_str() {
        "OperationOutcome" => {
            let outcome = OperationOutcome::parse(json).ok_or(LineFault::NotAResource)?;
            return Ok(BulkLine::Outcome(outcome));
        }
        "Parameters" if expected.is_none() => return Ok(BulkLine::Header),
        _ => {}
    }
    if expected.is_some_and(|expected| expected != resource_type) {
        return Err(LineFault::OtherType);
    }
    Ok(BulkLine::Resource {
        resource: RawResource {
            id: filled(head.id).ok_or(LineFault::NoId)?,
            resource_type,
            version_id: head.version_id.map(Cow::into_owned),
            last_updated: head.last_updated.map(Cow::into_owned),
            full_url: None,
            mode: SearchMode::Match,
            json: json.to_owned(),
        },
        subsetted: is_subsetted(json),
    })
}

fn filled(text: Option<Cow<'_, str>>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// What a line of a `deleted` file says is no longer there (checklist F18).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletion {
    /// Type and id of each.
    pub deleted: Vec<(String, String)>,
    /// Entries that say something else, or nothing that can be read.
    pub unreadable: u64,
}

impl Deletion {
    /// Reads a transaction Bundle of deletions.
    ///
    /// # Errors
    /// [`LineFault`].
    pub fn read(line: &Line) -> Result<Self, LineFault> {
        let bytes = line.bytes.as_deref().ok_or(LineFault::TooLong)?;
        let bundle: Value = serde_json::from_slice(bytes).map_err(|error| {
            if line.unended && error.is_eof() {
                LineFault::CutShort
            } else {
                LineFault::NotJson
            }
        })?;
        if bundle.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
            return Err(LineFault::OtherType);
        }
        let mut deletion = Self::default();
        let entries = bundle.get("entry").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            match target(entry) {
                Some(target) => deletion.deleted.push(target),
                None => deletion.unreadable += 1,
            }
        }
        Ok(deletion)
    }
}

fn target(entry: &Value) -> Option<(String, String)> {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    if !text("/request/method")?.eq_ignore_ascii_case("DELETE") {
        return None;
    }
    let mut parts = text("/request/url")?.trim_end_matches('/').rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    let good = super::request::is_type(kind) && !id.is_empty() && !id.contains(['?', '#']);
    good.then(|| (kind.to_owned(), id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(json: &str) -> Line {
        Line {
            number: 1,
            bytes: Some(json.as_bytes().to_vec()),
            unended: false,
        }
    }

    fn fault(json: &str) -> LineFault {
        read_line(&line(json), Some("Goal")).unwrap_err()
    }

    #[test]
    fn f16_each_line_that_cannot_be_read_says_why() {
        assert_eq!(fault("{\"resourceType\":\"Goal\""), LineFault::NotJson);
        assert_eq!(fault("[1]"), LineFault::NotAResource);
        assert_eq!(fault("{\"id\":\"1\"}"), LineFault::NotAResource);
        assert_eq!(fault("{\"resourceType\":\"Goal\"}"), LineFault::NoId);
        assert_eq!(
            fault("{\"resourceType\":\"Patient\",\"id\":\"1\"}"),
            LineFault::OtherType
        );
        let unended = Line {
            unended: true,
            ..line("{\"resourceType\":\"Go")
        };
        assert_eq!(read_line(&unended, None).unwrap_err(), LineFault::CutShort);
        let bytes = |bytes| Line { bytes, ..line("") };
        assert_eq!(
            read_line(&bytes(Some(vec![0xff])), None).unwrap_err(),
            LineFault::NotUtf8
        );
        assert_eq!(
            read_line(&bytes(None), None).unwrap_err(),
            LineFault::TooLong
        );
    }

    #[test]
    fn f21_f22_subsets_and_headers_are_known_as_such() {
        let subsetted = |json: &str| match read_line(&line(json), Some("Goal")).unwrap() {
            BulkLine::Resource { subsetted, .. } => subsetted,
            _ => panic!("no resource"),
        };
        assert!(subsetted(
            r#"{"resourceType":"Goal","id":"1","meta":{"tag":[{"code":"x"},{"code":"SUBSETTED"}]}}"#
        ));
        assert!(!subsetted(
            r#"{"resourceType":"Goal","id":"1","note":[{"text":"SUBSETTED"}]}"#
        ));
        let header = line(r#"{"resourceType":"Parameters","parameter":[{"name":"header"}]}"#);
        assert!(matches!(read_line(&header, None), Ok(BulkLine::Header)));
    }

    #[test]
    fn f18_deletions_are_read_and_nothing_else_is_taken_for_one() {
        let read = Deletion::read(&line(
            r#"{"resourceType":"Bundle","type":"transaction","entry":[
            {"request":{"method":"DELETE","url":"Patient/1"}},
            {"request":{"method":"DELETE","url":"https://ehr.example/fhir/Goal/2"}},
            {"request":{"method":"PUT","url":"Patient/3"}},{"request":{"method":"DELETE","url":"Patient?x=1"}},
            {"resource":{"resourceType":"Patient","id":"4"}}]}"#,
        ))
        .unwrap();
        let pair = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
        assert_eq!(read.deleted, [pair("Patient", "1"), pair("Goal", "2")]);
        assert_eq!(read.unreadable, 3);
        assert_eq!(
            Deletion::read(&line(r#"{"resourceType":"Patient"}"#)),
            Err(LineFault::OtherType)
        );
    }
}
