//! XML as a tree that fits into memory, whatever the XML is: no entity but the five of XML and numbers, nothing
//! from outside, no more than so deep and so many.

use super::super::markup::entity;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// What is deeper becomes the text of what it is in.
const DEPTH: usize = 80;
/// Elements and texts.
const NODES: usize = 60_000;
/// Bytes of text.
const TEXT: usize = 2_000_000;
/// Elements that are for programs, or would run in one; they are left out with all that they hold.
const UNREAD: &[&str] = &["entry", "templateId", "script", "style"];
/// Attributes that are read.
const READ: &[&str] = &[
    "value",
    "nullFlavor",
    "displayName",
    "listType",
    "styleCode",
    "revised",
    "colspan",
    "rowspan",
    "representation",
];
/// Elements in which spaces mean nothing.
const NO_TEXT: &[&str] = &[
    "ClinicalDocument",
    "component",
    "structuredBody",
    "section",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "list",
];

pub(super) enum Node {
    Element(Element),
    Text(String),
}

pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(&'static str, String)>,
    pub(super) children: Vec<Node>,
}

impl Element {
    fn new(tag: &BytesStart<'_>) -> Self {
        let given = tag.html_attributes().flatten();
        let attributes = given.filter_map(|attribute| {
            let name = READ
                .iter()
                .find(|name| **name == attribute.key.as_ref())
                .copied()?;
            Some((name, attribute.value.into_owned()))
        });
        Self {
            name: local(tag.name().as_ref()).to_owned(),
            attributes: attributes.collect(),
            children: Vec::new(),
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn elements<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a Self> + use<'a, 'n> {
        self.children.iter().filter_map(move |child| match child {
            Node::Element(element) if element.name == name => Some(element),
            _ => None,
        })
    }

    /// The first at the end of this path.
    pub(super) fn at<'a>(&'a self, path: &[&str]) -> Option<&'a Self> {
        match path {
            [] => Some(self),
            [name, rest @ ..] => self.elements(name).find_map(|child| child.at(rest)),
        }
    }

    /// All of its text, in one line.
    pub(super) fn words(&self) -> Option<String> {
        let mut text = String::new();
        self.gather(&mut text);
        let words: Vec<&str> = text.split_whitespace().collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    fn gather(&self, into: &mut String) {
        for child in &self.children {
            match child {
                Node::Text(text) => into.push_str(text),
                Node::Element(element) => {
                    into.push(' ');
                    element.gather(into);
                    into.push(' ');
                }
            }
        }
    }
}

/// Whose elements are looked for: the root's name and its namespace.
pub(super) struct Root {
    pub(super) name: &'static str,
    pub(super) namespace: &'static str,
}

/// The tree, and whether it was cut; `None` where the root is another, or the XML is broken.
pub(super) fn read(xml: &str, root: &Root) -> Option<(Element, bool)> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().allow_dangling_amp = true;
    let mut tree = Tree::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                if tree.open.is_empty() && !is_root(&tag, root) {
                    return None;
                }
                tree.start(&tag);
            }
            Event::Empty(tag) => {
                if tree.open.is_empty() {
                    return None;
                }
                tree.start(&tag);
                tree.end();
            }
            Event::End(_) => {
                if let Some(whole) = tree.end() {
                    return Some((whole, false));
                }
            }
            Event::Text(text) => tree.text(&text),
            Event::CData(text) => tree.text(&text),
            Event::GeneralRef(name) => tree.text(&entity(&name)),
            Event::Eof => return None,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        if tree.nodes > NODES || tree.bytes > TEXT {
            return tree.close().map(|part| (part, true));
        }
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn is_root(tag: &BytesStart<'_>, root: &Root) -> bool {
    let name = tag.name();
    let declared = match name.as_ref().split_once(':') {
        Some((prefix, _)) => format!("xmlns:{prefix}"),
        None => "xmlns".to_owned(),
    };
    let mut attributes = tag.html_attributes().flatten();
    local(name.as_ref()) == root.name
        && attributes.any(|one| one.key.as_ref() == declared && one.value == root.namespace)
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    /// Open elements inside of one that is left out.
    unread: usize,
    /// Open elements that are too deep.
    deep: usize,
    nodes: usize,
    bytes: usize,
}

impl Tree {
    fn start(&mut self, tag: &BytesStart<'_>) {
        if self.unread > 0 || UNREAD.contains(&local(tag.name().as_ref())) {
            self.unread += 1;
        } else if self.open.len() >= DEPTH {
            self.deep += 1;
            self.text(" ");
        } else {
            self.nodes += 1;
            self.open.push(Element::new(tag));
        }
    }

    /// The root, when it was the last that was open.
    fn end(&mut self) -> Option<Element> {
        if self.unread > 0 {
            self.unread -= 1;
            return None;
        }
        if self.deep > 0 {
            self.deep -= 1;
            self.text(" ");
            return None;
        }
        let ended = self.open.pop()?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(ended)),
            None => return Some(ended),
        }
        None
    }

    fn text(&mut self, text: &str) {
        let Some(parent) = self.open.last_mut().filter(|_| self.unread == 0) else {
            return;
        };
        let blank = text.chars().all(char::is_whitespace);
        if blank && NO_TEXT.contains(&parent.name.as_str()) {
            return;
        }
        if let Some(Node::Text(before)) = parent.children.last_mut() {
            let length = before.len();
            collapse(text, before);
            self.bytes += before.len() - length;
        } else if !text.is_empty() {
            let mut first = String::new();
            collapse(text, &mut first);
            self.bytes += first.len();
            self.nodes += 1;
            parent.children.push(Node::Text(first));
        }
    }

    /// Ends what is open.
    fn close(mut self) -> Option<Element> {
        (self.unread, self.deep) = (0, 0);
        while !self.open.is_empty() {
            if let Some(root) = self.end() {
                return Some(root);
            }
        }
        None
    }
}

/// Spaces and lines become one space.
fn collapse(text: &str, into: &mut String) {
    for letter in text.chars() {
        if !letter.is_whitespace() || letter == '\u{a0}' {
            into.push(letter);
        } else if !into.ends_with(' ') {
            into.push(' ');
        }
    }
}
