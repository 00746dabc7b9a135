//! A resource in XML, made from its JSON (FHIR R4, json.html#xml and xml.html).

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::order::Context;
use super::tree::Node;

/// The media type of FHIR in XML.
pub(super) const FHIR_XML: &str = "application/fhir+xml; charset=utf-8";

const NAMESPACE: &str = "http://hl7.org/fhir";
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// What stands first in a resource and in an element that R4 does not know, in this order.
const FIRST: [&str; 8] = [
    "id",
    "meta",
    "implicitRules",
    "language",
    "text",
    "contained",
    "extension",
    "modifierExtension",
];

/// The elements whose value is a resource, which stands inside under the name of its type.
const HOLDERS: [&str; 3] = ["contained", "resource", "outcome"];

/// The document of a resource; `None` when the JSON is none.
pub(super) fn document(json: &str) -> Option<String> {
    let resource = Node::parse(json)?;
    let kind = kind_of(&resource)?;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    write_resource(&mut out, kind, &resource, true);
    Some(out)
}

fn kind_of(resource: &Node) -> Option<&str> {
    let kind = resource.get("resourceType")?.as_text()?;
    is_name(kind).then_some(kind)
}

fn write_resource(out: &mut String, kind: &str, resource: &Node, outermost: bool) {
    out.push('<');
    out.push_str(kind);
    if outermost {
        attribute(out, "xmlns", NAMESPACE);
    }
    out.push('>');
    let context = Context::of(kind);
    for (name, value) in in_order(resource, context) {
        if name != "resourceType" {
            write_member(out, resource, name, value, (context, true));
        }
    }
    close(out, kind);
}

/// The members in R4's order; of what R4 does not know, what stands first everywhere, then as they came.
fn in_order(object: &Node, context: Context) -> Vec<(&str, &Node)> {
    let members = object.members().unwrap_or_default();
    let rank = |name: &str| {
        let name = name.strip_prefix('_').unwrap_or(name);
        let first = || FIRST.iter().position(|first| *first == name);
        let place = context.child(name).map(|(place, _)| place);
        place.or_else(first).unwrap_or(usize::MAX)
    };
    let mut ordered: Vec<(&str, &Node)> = members
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    ordered.sort_by_key(|(name, _)| rank(name));
    ordered
}

/// One member of an object, with what its sibling `_name` adds to it; the last argument tells what the
/// object is, and whether it is a resource.
fn write_member(
    out: &mut String,
    parent: &Node,
    name: &str,
    value: &Node,
    (context, in_resource): (Context, bool),
) {
    let inside = |name: &str| {
        let child = context.child(name);
        child.map_or_else(|| Context::of(""), |(_, inside)| inside)
    };
    if let Some(plain) = name.strip_prefix('_') {
        // Written along with the value, unless there is none.
        if parent.get(plain).is_none() && is_name(plain) {
            write_values(out, plain, &Node::Null, Some(value), inside(plain));
        }
        return;
    }
    // In elements an id is an attribute; so is the url of an extension, which writes it itself.
    if !is_name(name) || (name == "id" && !in_resource) {
        return;
    }
    if name == "div"
        && let Node::Text(narrative) = value
    {
        out.push_str(&xhtml(narrative));
        return;
    }
    let sibling = parent.get(&format!("_{name}"));
    write_values(out, name, value, sibling, inside(name));
}

/// A value, or each of a list; nulls stand where only the sibling has something to say.
fn write_values(
    out: &mut String,
    name: &str,
    value: &Node,
    sibling: Option<&Node>,
    inside: Context,
) {
    let siblings = match sibling {
        Some(Node::List(items)) => items.as_slice(),
        _ => &[],
    };
    match value {
        Node::List(items) => {
            for position in 0..items.len().max(siblings.len()) {
                let item = items.get(position).unwrap_or(&Node::Null);
                write_values(out, name, item, siblings.get(position), inside);
            }
        }
        Node::Null if !siblings.is_empty() => {
            for one in siblings {
                write_values(out, name, &Node::Null, Some(one), inside);
            }
        }
        Node::Object(_) => write_object(out, name, value, inside),
        Node::Null => {
            if let Some(sibling @ Node::Object(_)) = sibling {
                write_primitive(out, name, None, Some(sibling));
            }
        }
        Node::Text(text) | Node::Literal(text) => write_primitive(out, name, Some(text), sibling),
    }
}

fn write_object(out: &mut String, name: &str, object: &Node, context: Context) {
    out.push('<');
    out.push_str(name);
    if let (true, Some(kind)) = (HOLDERS.contains(&name), kind_of(object)) {
        out.push('>');
        write_resource(out, kind, object, false);
        close(out, name);
        return;
    }
    let is_extension = name == "extension" || name == "modifierExtension";
    if let Some(id) = object.get("id").and_then(Node::as_text) {
        attribute(out, "id", id);
    }
    if let (true, Some(url)) = (is_extension, object.get("url").and_then(Node::as_text)) {
        attribute(out, "url", url);
    }
    out.push('>');
    for (member, value) in in_order(object, context) {
        if !(is_extension && member == "url") {
            write_member(out, object, member, value, (context, false));
        }
    }
    close(out, name);
}

fn write_primitive(out: &mut String, name: &str, value: Option<&str>, sibling: Option<&Node>) {
    out.push('<');
    out.push_str(name);
    if let Some(id) = sibling
        .and_then(|one| one.get("id"))
        .and_then(Node::as_text)
    {
        attribute(out, "id", id);
    }
    if let Some(value) = value {
        attribute(out, "value", value);
    }
    match sibling.and_then(|one| one.get("extension")) {
        Some(extensions) => {
            out.push('>');
            write_values(out, "extension", extensions, None, Context::of("Extension"));
            close(out, name);
        }
        None => out.push_str("/>"),
    }
}

fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(out, value);
    out.push('"');
}

fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Text of an attribute or an element. What XML cannot hold (XML 1.0 §2.2) becomes U+FFFD.
fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            letter if is_xml(letter) => out.push(letter),
            _ => out.push('\u{fffd}'),
        }
    }
}

/// Whether an element may be called so. FHIR's names are letters and digits.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A narrative as it is; one that is no XHTML is shown as text.
fn xhtml(narrative: &str) -> String {
    let narrative = narrative.trim().replace("&nbsp;", "&#160;");
    match opening(&narrative) {
        Some(Opening::Complete) => narrative,
        Some(Opening::WithoutNamespace) => {
            format!("<div xmlns=\"{XHTML}\"{}", &narrative["<div".len()..])
        }
        None => {
            let mut out = format!("<div xmlns=\"{XHTML}\">");
            escape(&mut out, &narrative);
            out.push_str("</div>");
            out
        }
    }
}

enum Opening {
    Complete,
    WithoutNamespace,
}

/// How a narrative that is one well-formed `div` begins.
fn opening(narrative: &str) -> Option<Opening> {
    if !narrative.chars().all(is_xml) {
        return None;
    }
    let mut reader = Reader::from_str(narrative);
    reader.config_mut().check_comments = true;
    let (mut depth, mut begins) = (0_usize, None);
    loop {
        let event = reader.read_event().ok()?;
        let outside = depth == 0;
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                let namespace = has_namespace(tag)?;
                if outside {
                    let first = begins.is_none() && tag.name().as_ref() == "div";
                    begins = Some(match (first, namespace) {
                        (false, _) => return None,
                        (true, true) => Opening::Complete,
                        (true, false) => Opening::WithoutNamespace,
                    });
                }
                depth += usize::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => depth = depth.checked_sub(1)?,
            Event::Eof if outside => return begins,
            Event::GeneralRef(ref reference) if !outside => {
                let named = ["amp", "lt", "gt", "quot", "apos"].contains(&reference.as_ref());
                let numbered = reference.resolve_char_ref().ok().flatten();
                if !named && !numbered.is_some_and(is_xml) {
                    return None;
                }
            }
            Event::Text(_) | Event::CData(_) | Event::Comment(_) if !outside => {}
            _ => return None,
        }
    }
}

/// Whether XML may hold the letter (XML 1.0 §2.2).
fn is_xml(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => true,
        letter => letter >= ' ' && !matches!(letter, '\u{fffe}' | '\u{ffff}'),
    }
}

/// Whether a tag has an `xmlns`; `None` when it is not well-formed, or has names of other namespaces.
fn has_namespace(tag: &BytesStart<'_>) -> Option<bool> {
    let mut found = false;
    for attribute in tag.attributes() {
        let attribute = attribute.ok()?;
        let (name, value) = (attribute.key.as_ref(), attribute.value.as_ref());
        let foreign = name.contains(':') && !name.starts_with("xml:");
        if foreign
            || value.contains('<')
            || attribute.normalized_value(XmlVersion::Implicit1_0).is_err()
        {
            return None;
        }
        found |= name == "xmlns";
    }
    (!tag.name().as_ref().contains(':')).then_some(found)
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
