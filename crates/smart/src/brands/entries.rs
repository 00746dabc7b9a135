//! One pass over a Bundle: of each entry only what a brand is made of is held.

use crate::text::plain;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// Entries beyond this many are left out.
const MAX_ENTRIES: usize = 400_000;

/// A resource with what it is referred to by.
pub(super) struct Entry {
    pub(super) full_url: Option<String>,
    pub(super) resource: Value,
}

/// The Bundle's members; of its entries only what a brand is made of is held.
#[derive(Default)]
pub(super) struct Members {
    pub(super) resource_type: Option<String>,
    pub(super) timestamp: Option<String>,
    pub(super) organizations: Vec<Entry>,
    pub(super) endpoints: Vec<Entry>,
    pub(super) others: u64,
    pub(super) too_many: u64,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with a list of entries")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "resourceType" => {
                    members.resource_type = map.next_value::<Value>()?.as_str().map(str::to_owned)
                }
                "timestamp" => {
                    let value = map.next_value::<Value>()?;
                    members.timestamp = value.as_str().map(|text| plain(text, 40));
                }
                "entry" => {
                    let list: Entries = map.next_value()?;
                    let Entries(found) = list;
                    members.organizations = found.organizations;
                    members.endpoints = found.endpoints;
                    members.others = found.others;
                    members.too_many = found.too_many;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
    }
}

struct Entries(Members);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
        let mut found = Members::default();
        let mut count = 0_usize;
        // One entry at a time: what is not needed of it is gone before the next.
        while let Some(mut entry) = list.next_element::<Value>()? {
            count += 1;
            if count > MAX_ENTRIES {
                found.too_many += 1;
                continue;
            }
            let full_url = entry
                .get("fullUrl")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let resource = entry
                .get_mut("resource")
                .map(Value::take)
                .unwrap_or_default();
            let kind = resource.get("resourceType").and_then(Value::as_str);
            match kind {
                Some("Organization") => found.organizations.push(Entry {
                    full_url,
                    resource: slim(resource),
                }),
                Some("Endpoint") => found.endpoints.push(Entry { full_url, resource }),
                _ => found.others += 1,
            }
        }
        Ok(Entries(found))
    }
}

/// Without the narrative, which is most of some bundles.
fn slim(mut resource: Value) -> Value {
    if let Some(members) = resource.as_object_mut() {
        members.remove("text");
        members.remove("meta");
    }
    resource
}
