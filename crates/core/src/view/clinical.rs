//! A clinical document (HL7 CDA R2, such as C-CDA): what of it is for reading.

use serde::Serialize;
use ts_rs::TS;

/// A document with its sections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClinicalDocumentView {
    /// What it is called.
    pub title: Option<String>,
    /// When it was written, as FHIR writes dates; as received, when it is none.
    pub date: Option<String>,
    /// Whom it is about.
    pub patient: Option<String>,
    /// Who wrote it: people, organizations, programs.
    pub authors: Vec<String>,
    /// Who keeps it.
    pub custodian: Option<String>,
    /// Its sections, in its own order.
    pub sections: Vec<ClinicalSectionView>,
    /// There is more than is handed over.
    pub cut: bool,
}

/// A section, and those inside of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClinicalSectionView {
    /// What it is called.
    pub title: Option<String>,
    /// Why it holds nothing, in words, where the document says so.
    pub absent: Option<String>,
    /// What was written for people.
    pub content: Vec<NarrativeNode>,
    /// Sections inside of it.
    pub sections: Vec<ClinicalSectionView>,
}

/// A part of what was written for people: a closed set, of text and its shape. No address, no style of
/// its own, nothing that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum NarrativeNode {
    /// Text as it is.
    Text {
        /// The text.
        text: String,
    },
    /// A new line.
    Break,
    /// Text that looks otherwise.
    Styled {
        /// How.
        style: NarrativeStyle,
        /// What.
        children: Vec<NarrativeNode>,
    },
    /// A paragraph: text, and no other block.
    Paragraph {
        /// What it holds.
        children: Vec<NarrativeNode>,
    },
    /// Blocks that belong together.
    Group {
        /// The blocks.
        children: Vec<NarrativeNode>,
    },
    /// A list.
    List {
        /// It is numbered.
        ordered: bool,
        /// What is written above it.
        caption: Vec<NarrativeNode>,
        /// Its items.
        items: Vec<Vec<NarrativeNode>>,
    },
    /// A table.
    Table {
        /// What is written above it.
        caption: Vec<NarrativeNode>,
        /// The rows of its head.
        head: Vec<Vec<NarrativeCell>>,
        /// The other rows.
        body: Vec<Vec<NarrativeCell>>,
    },
    /// A picture or another file that the document refers to; it is not shown.
    Media {
        /// What is written below it.
        caption: Vec<NarrativeNode>,
    },
}

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum NarrativeStyle {
    /// Important.
    Bold,
    /// Stressed.
    Italics,
    /// Underlined.
    Underline,
    /// Taken back in a later version.
    Struck,
    /// Below the line.
    Sub,
    /// Above the line.
    Sup,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NarrativeCell {
    /// It names a row or a column.
    pub heading: bool,
    /// How many columns it covers.
    pub columns: u16,
    /// How many rows it covers.
    pub rows: u16,
    /// What it holds.
    pub children: Vec<NarrativeNode>,
}
