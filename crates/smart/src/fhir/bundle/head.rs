//! Type, id and meta of a resource, read without looking at the rest.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What a resource needs to be filed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) resource_type: Option<Cow<'a, str>>,
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) version_id: Option<Cow<'a, str>>,
    pub(crate) last_updated: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "versionId")]
    version_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "lastUpdated")]
    last_updated: Option<&'a RawValue>,
}

/// Reads the head of a resource whose JSON is known to be well formed. `None` when it is not an
/// object. Members of the wrong kind count as absent.
pub(crate) fn read(json: &str) -> Option<Head<'_>> {
    let mut state = State::default();
    let mut reader = serde_json::Deserializer::from_str(json);
    let read_to_the_end = (&mut state).deserialize(&mut reader).is_ok();
    // Once all is found the reader is stopped by an error, to save the rest of the scan.
    (read_to_the_end || state.is_complete()).then_some(state.head)
}

#[derive(Default)]
struct State<'a> {
    head: Head<'a>,
    seen_type: bool,
    seen_id: bool,
    seen_meta: bool,
}

impl State<'_> {
    fn is_complete(&self) -> bool {
        self.seen_type && self.seen_id && self.seen_meta
    }
}

impl<'de> DeserializeSeed<'de> for &mut State<'de> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut State<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
            match name.as_ref() {
                "resourceType" => {
                    self.head.resource_type = text(map.next_value()?);
                    self.seen_type = true;
                }
                "id" => {
                    self.head.id = text(map.next_value()?);
                    self.seen_id = true;
                }
                "meta" => {
                    let raw: &RawValue = map.next_value()?;
                    if let Ok(meta) = serde_json::from_str::<Meta<'de>>(raw.get()) {
                        self.head.version_id = meta.version_id.and_then(text);
                        self.head.last_updated = meta.last_updated.and_then(text);
                    }
                    self.seen_meta = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if self.is_complete() {
                return Err(A::Error::custom("complete"));
            }
        }
        Ok(())
    }
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get())
        .ok()
        .map(|Text(text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_any_order_and_only_at_the_top() {
        let head = read(
            r#"{"contained":[{"resourceType":"X","id":"inner","meta":{"versionId":"9"}}],
                "meta":{"profile":["p"],"lastUpdated":"2020-01-01T00:00:00Z","versionId":"3"},
                "id":"a\u002d1","resourceType":"Goal","text":{"div":"<div/>"}}"#,
        )
        .unwrap();
        assert_eq!(head.resource_type.as_deref(), Some("Goal"));
        assert_eq!(head.id.as_deref(), Some("a-1"));
        assert_eq!(head.version_id.as_deref(), Some("3"));
        assert_eq!(head.last_updated.as_deref(), Some("2020-01-01T00:00:00Z"));
    }

    #[test]
    fn wrong_kinds_count_as_absent() {
        let head = read(r#"{"resourceType":["Goal"],"id":7,"meta":"none"}"#).unwrap();
        assert_eq!(head, Head::default());
        let head =
            read(r#"{"resourceType":"Goal","id":"1","meta":{"versionId":4,"lastUpdated":null}}"#)
                .unwrap();
        assert_eq!((head.version_id, head.last_updated), (None, None));
        for other in ["[]", "7", "null", "\"x\""] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
