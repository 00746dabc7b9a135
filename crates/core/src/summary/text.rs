//! One walk over a record for the search text and the references.

use serde_json::Value;

/// Text beyond this many bytes is not indexed.
const LIMIT: usize = 64 * 1024;
const DEPTH: usize = 40;

/// What the walk found.
pub(crate) struct Collected {
    pub(crate) text: String,
    pub(crate) references: Vec<String>,
}

/// Members that hold no words for people.
const NOT_WORDS: &[&str] = &[
    "resourceType",
    "id",
    "system",
    "url",
    "fullUrl",
    "profile",
    "data",
    "use",
    "lastUpdated",
    "versionId",
    "reference",
    "hash",
    "contentType",
    "implicitRules",
    "language",
    "status",
    "mode",
    "rank",
    "sequence",
    "linkId",
    "created",
    "issued",
    "recorded",
    "authoredOn",
    "source",
];

/// Collects the words that a person could search for, and every literal reference.
pub(crate) fn collect(value: &Value) -> Collected {
    let mut collected = Collected {
        text: String::new(),
        references: Vec::new(),
    };
    walk(value, "", 0, &mut collected);
    collected
}

fn walk(value: &Value, name: &str, depth: usize, out: &mut Collected) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("reference", Value::String(reference)) => keep_reference(reference, out),
                    ("url", Value::String(url)) if members.contains_key("contentType") => {
                        keep_reference(url, out);
                    }
                    ("div", Value::String(html)) => push(&plain_text(html), out),
                    (name, member) => walk(member, name, depth + 1, out),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(item, name, depth + 1, out);
            }
        }
        Value::String(text) if !NOT_WORDS.contains(&name) && !looks_like_a_date(text) => {
            push(text, out)
        }
        _ => {}
    }
}

fn keep_reference(reference: &str, out: &mut Collected) {
    if !reference.starts_with('#')
        && reference.len() < 2048
        && !out.references.iter().any(|r| r == reference)
    {
        out.references.push(reference.to_owned());
    }
}

fn looks_like_a_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[7] == b'-'
}

fn push(text: &str, out: &mut Collected) {
    if out.text.len() >= LIMIT {
        return;
    }
    for word in text.split_whitespace() {
        if out.text.len() + word.len() >= LIMIT {
            return;
        }
        if !out.text.is_empty() {
            out.text.push(' ');
        }
        out.text.push_str(word);
    }
    out.text.push_str(" ·");
}

/// The text of XHTML for searching; display sanitises on its own.
pub(crate) fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut inside_tag = false;
    for c in html.chars() {
        match c {
            '<' => {
                inside_tag = true;
                text.push(' ');
            }
            '>' if inside_tag => inside_tag = false,
            c if !inside_tag => text.push(c),
            _ => {}
        }
    }
    text.replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
