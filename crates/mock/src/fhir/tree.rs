//! JSON as it was written: members in their order, numbers digit by digit (FHIR R4, datatypes.html#decimal:
//! precision counts).

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep a resource may be nested; FHIR's own are far below.
const DEEPEST: usize = 100;

/// A value in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Null,
    /// A number or a truth value, as written.
    Literal(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Reads a document; `None` when it is no JSON, or nested beyond measure.
    pub(super) fn parse(json: &str) -> Option<Node> {
        read(json.trim(), 0)
    }

    pub(super) fn text(text: &str) -> Node {
        Node::Text(text.to_owned())
    }

    /// The member of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        let members = self.members()?;
        let mut named = members.iter().filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value)
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn members(&self) -> Option<&[(String, Node)]> {
        match self {
            Node::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Takes the member out.
    pub(super) fn remove(&mut self, name: &str) -> Option<Node> {
        let Node::Object(members) = self else {
            return None;
        };
        let position = members.iter().position(|(key, _)| key == name)?;
        Some(members.remove(position).1)
    }

    /// Puts the member in, in the place of one of that name.
    pub(super) fn set(&mut self, name: &str, value: Node) {
        let Node::Object(members) = self else { return };
        match members.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => members.push((name.to_owned(), value)),
        }
    }

    /// Calls `change` with every member, the outer ones first.
    pub(super) fn each_member(&mut self, change: &mut impl FnMut(&str, &mut Node)) {
        match self {
            Node::Object(members) => {
                for (name, value) in members {
                    change(name, value);
                    value.each_member(change);
                }
            }
            Node::List(items) => items.iter_mut().for_each(|item| item.each_member(change)),
            Node::Null | Node::Literal(_) | Node::Text(_) => {}
        }
    }

    /// As JSON without blanks.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Node::Null => out.push_str("null"),
            Node::Literal(literal) => out.push_str(literal),
            Node::Text(text) => out.push_str(&quoted(text)),
            Node::List(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    out.push_str(if position == 0 { "" } else { "," });
                    item.write(out);
                }
                out.push(']');
            }
            Node::Object(members) => {
                out.push('{');
                for (position, (name, value)) in members.iter().enumerate() {
                    out.push_str(if position == 0 { "" } else { "," });
                    out.push_str(&quoted(name));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn read(json: &str, depth: usize) -> Option<Node> {
    if depth > DEEPEST {
        return None;
    }
    match json.as_bytes().first()? {
        b'{' => {
            let members: Members<'_> = serde_json::from_str(json).ok()?;
            let read = |(name, value): (String, &RawValue)| {
                Some((name, read(value.get().trim(), depth + 1)?))
            };
            Some(Node::Object(
                members.0.into_iter().map(read).collect::<Option<_>>()?,
            ))
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let read = |item: &RawValue| read(item.get().trim(), depth + 1);
            Some(Node::List(
                items.into_iter().map(read).collect::<Option<_>>()?,
            ))
        }
        b'"' => serde_json::from_str(json).ok().map(Node::Text),
        b'n' => serde_json::from_str::<()>(json).ok().map(|()| Node::Null),
        _ => {
            let literal: &RawValue = serde_json::from_str(json).ok()?;
            Some(Node::Literal(literal.get().to_owned()))
        }
    }
}

/// The members of an object in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again_letter_by_letter() {
        for json in [
            r#"{"z":1.10,"a":[null,true,{"b":"\"\n\u0001ü"}],"z2":1e400,"e":{},"l":[]}"#,
            "[]",
            "-0.50",
            "null",
        ] {
            assert_eq!(Node::parse(json).unwrap().to_json(), json);
        }
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_not_read() {
        for bad in ["", "{", "nul", "{\"a\" 1}", "[1,]", "+1"] {
            assert_eq!(Node::parse(bad), None, "{bad}");
        }
        let deep = "[".repeat(50_000) + &"]".repeat(50_000);
        assert_eq!(Node::parse(&deep), None);
    }
}
