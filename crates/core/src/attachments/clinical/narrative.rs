//! What a section says to people (HL7 CDA R2, 4.3.5 Section Narrative Block), as a closed set of shapes. An
//! element that is none of them becomes its text.

use super::tree::{Element, Node};
use crate::view::{NarrativeCell, NarrativeNode, NarrativeStyle};

/// What a cell covers at most.
const SPAN: u16 = 100;

/// The blocks and texts of an element.
pub(super) fn content_of(element: &Element) -> Vec<NarrativeNode> {
    let mut out = Vec::new();
    for child in &element.children {
        match child {
            Node::Text(text) => {
                // Spaces between two blocks are none of either.
                let between = out.last().is_none_or(is_block) && text.trim().is_empty();
                if !between {
                    out.push(NarrativeNode::Text { text: text.clone() });
                }
            }
            Node::Element(element) => add(element, &mut out),
        }
    }
    out
}

fn add(element: &Element, out: &mut Vec<NarrativeNode>) {
    match element.name.as_str() {
        "br" => out.push(NarrativeNode::Break),
        "paragraph" | "p" | "div" => {
            let children = content_of(element);
            if children.iter().any(is_block) {
                out.push(NarrativeNode::Group { children });
            } else if !children.is_empty() {
                out.push(NarrativeNode::Paragraph { children });
            }
        }
        "caption" => out.push(NarrativeNode::Paragraph {
            children: vec![styled(NarrativeStyle::Bold, content_of(element))],
        }),
        "list" | "ul" | "ol" => out.push(list(element)),
        "table" => out.push(table(element)),
        "content" | "span" => out.extend(content(element)),
        "linkHtml" | "a" => out.extend(content_of(element)),
        "renderMultiMedia" => out.push(NarrativeNode::Media {
            caption: caption(element),
        }),
        "b" | "strong" => out.push(styled(NarrativeStyle::Bold, content_of(element))),
        "i" | "em" => out.push(styled(NarrativeStyle::Italics, content_of(element))),
        "u" => out.push(styled(NarrativeStyle::Underline, content_of(element))),
        "sub" => out.push(styled(NarrativeStyle::Sub, content_of(element))),
        "sup" => out.push(styled(NarrativeStyle::Sup, content_of(element))),
        _ => {
            let inside = content_of(element);
            if !inside.is_empty() {
                out.push(space());
                out.extend(inside);
                out.push(space());
            }
        }
    }
}

fn space() -> NarrativeNode {
    NarrativeNode::Text {
        text: " ".to_owned(),
    }
}

fn styled(style: NarrativeStyle, children: Vec<NarrativeNode>) -> NarrativeNode {
    NarrativeNode::Styled { style, children }
}

fn is_block(node: &NarrativeNode) -> bool {
    match node {
        NarrativeNode::Text { .. } | NarrativeNode::Break | NarrativeNode::Media { .. } => false,
        NarrativeNode::Styled { children, .. } => children.iter().any(is_block),
        NarrativeNode::Paragraph { .. }
        | NarrativeNode::Group { .. }
        | NarrativeNode::List { .. }
        | NarrativeNode::Table { .. } => true,
    }
}

/// Text with the styles of its `styleCode`, and what a later version took back.
fn content(element: &Element) -> Vec<NarrativeNode> {
    let codes = element.attribute("styleCode").unwrap_or_default();
    let mut styles: Vec<NarrativeStyle> = Vec::new();
    for code in codes.split_whitespace() {
        let style = match code.to_ascii_lowercase().as_str() {
            "bold" => NarrativeStyle::Bold,
            "italics" | "emphasis" => NarrativeStyle::Italics,
            "underline" => NarrativeStyle::Underline,
            _ => continue,
        };
        if !styles.contains(&style) {
            styles.push(style);
        }
    }
    if element.attribute("revised") == Some("delete") {
        styles.push(NarrativeStyle::Struck);
    }
    let inside = content_of(element);
    styles
        .into_iter()
        .fold(inside, |inside, style| vec![styled(style, inside)])
}

/// The text of the caption of a list, a table or a picture, without blocks.
fn caption(element: &Element) -> Vec<NarrativeNode> {
    let caption = element.elements("caption").next().map(content_of);
    let mut caption = caption.unwrap_or_default();
    caption.retain(|node| !is_block(node));
    caption
}

fn list(element: &Element) -> NarrativeNode {
    let children = element.children.iter();
    let items = children.filter_map(|child| match child {
        Node::Element(item) if matches!(item.name.as_str(), "item" | "li") => {
            Some(content_of(item))
        }
        _ => None,
    });
    NarrativeNode::List {
        ordered: element.name == "ol" || element.attribute("listType") == Some("ordered"),
        caption: caption(element),
        items: items.collect(),
    }
}

fn table(element: &Element) -> NarrativeNode {
    let rows = |group: &str| -> Vec<Vec<NarrativeCell>> {
        let groups = element.elements(group);
        groups
            .flat_map(|group| group.elements("tr").map(row))
            .collect()
    };
    let mut body = rows("tbody");
    body.extend(element.elements("tr").map(row));
    body.extend(rows("tfoot"));
    NarrativeNode::Table {
        caption: caption(element),
        head: rows("thead"),
        body,
    }
}

fn row(element: &Element) -> Vec<NarrativeCell> {
    let children = element.children.iter();
    let cells = children.filter_map(|child| match child {
        Node::Element(cell) if matches!(cell.name.as_str(), "td" | "th") => Some(NarrativeCell {
            heading: cell.name == "th",
            columns: span(cell, "colspan"),
            rows: span(cell, "rowspan"),
            children: content_of(cell),
        }),
        _ => None,
    });
    cells.collect()
}

fn span(cell: &Element, name: &str) -> u16 {
    let stated: Option<u64> = cell
        .attribute(name)
        .and_then(|span| span.trim().parse().ok());
    let covered = stated.unwrap_or(1).clamp(1, u64::from(SPAN));
    u16::try_from(covered).unwrap_or(SPAN)
}
