//! Clinical documents (HL7 CDA Release 2, of which C-CDA is one): who wrote what about whom, and the sections
//! with what is written in them for people. What is in them for programs is not read.

mod narrative;
mod tree;

use crate::summary::words;
use crate::view::{ClinicalDocumentView, ClinicalSectionView};
use tree::{Element, Root};

const ROOT: Root = Root {
    name: "ClinicalDocument",
    namespace: "urn:hl7-org:v3",
};
/// Of a section that holds nothing, when no other reason is given.
pub(crate) const NO_INFORMATION: &str = "No information";
/// Authors that are named.
const AUTHORS: usize = 10;
/// Sections that are handed over, those inside of others counted.
const SECTIONS: usize = 500;

/// The document, when this is one and is whole.
pub(super) fn read(xml: &str) -> Option<ClinicalDocumentView> {
    // Most that is not one is told without reading it.
    memchr::memmem::find(xml.as_bytes(), ROOT.name.as_bytes())?;
    let (document, cut) = tree::read(xml, &ROOT)?;
    let mut authors: Vec<String> = Vec::new();
    for author in document.elements("author").filter_map(author) {
        if authors.len() < AUTHORS && !authors.contains(&author) {
            authors.push(author);
        }
    }
    let custodian = [
        "custodian",
        "assignedCustodian",
        "representedCustodianOrganization",
        "name",
    ];
    let body = document.at(&["component"]);
    let unstructured = body.and_then(|body| body.at(&["nonXMLBody", "text"]));
    let mut left = SECTIONS;
    let mut sections = sections_of(&document, &mut left);
    match unstructured {
        Some(text) => sections.extend(plain_body(text)),
        // Not where they should be: what it says is left to its text.
        None if sections.is_empty() => return None,
        None => {}
    }
    Some(ClinicalDocumentView {
        title: document.at(&["title"]).and_then(Element::words),
        date: document
            .at(&["effectiveTime"])
            .and_then(|time| time.attribute("value"))
            .map(fhir_date),
        patient: document
            .at(&["recordTarget", "patientRole", "patient", "name"])
            .and_then(Element::words),
        authors,
        custodian: document.at(&custodian).and_then(Element::words),
        sections,
        cut: cut || left == 0,
    })
}

/// A person, else the organization, else the program.
fn author(author: &Element) -> Option<String> {
    let assigned = author.at(&["assignedAuthor"])?;
    let name = |path: &[&str]| assigned.at(path).and_then(Element::words);
    name(&["assignedPerson", "name"])
        .or_else(|| name(&["representedOrganization", "name"]))
        .or_else(|| name(&["assignedAuthoringDevice", "softwareName"]))
}

/// The sections in the components of this, no more than are left; those of a structured body count as the
/// document's own.
fn sections_of(parent: &Element, left: &mut usize) -> Vec<ClinicalSectionView> {
    let mut sections = Vec::new();
    for component in parent.elements("component") {
        for inner in component.elements("section") {
            if *left > 0 {
                *left -= 1;
                sections.push(section(inner, left));
            }
        }
        for body in component.elements("structuredBody") {
            sections.extend(sections_of(body, left));
        }
    }
    sections
}

fn section(section: &Element, left: &mut usize) -> ClinicalSectionView {
    let title = section.at(&["title"]).and_then(Element::words);
    let code = || section.at(&["code"])?.attribute("displayName");
    ClinicalSectionView {
        title: title.or_else(|| code().map(str::to_owned)),
        absent: section
            .attribute("nullFlavor")
            .map(|reason| absent_words(reason).to_owned()),
        content: section
            .at(&["text"])
            .map(narrative::content_of)
            .unwrap_or_default(),
        sections: sections_of(section, left),
    }
}

/// A body that is no XML, where it is text and no file.
fn plain_body(text: &Element) -> Option<ClinicalSectionView> {
    if text.attribute("representation") == Some("B64") {
        return None;
    }
    Some(ClinicalSectionView {
        content: narrative::content_of(text),
        ..ClinicalSectionView::default()
    })
}

/// Why there is nothing (HL7 Version 3, NullFlavor).
fn absent_words(null_flavor: &str) -> &'static str {
    match null_flavor {
        "UNK" => words::NOT_KNOWN,
        "ASKU" => words::absent_words("asked-unknown"),
        "NAV" => words::absent_words("temp-unknown"),
        "NASK" => words::absent_words("not-asked"),
        "MSK" => words::absent_words("masked"),
        "NA" => words::absent_words("not-applicable"),
        _ => NO_INFORMATION,
    }
}

/// A point in time of HL7 Version 3 (`20261120150400.000-0600`) as FHIR writes it.
fn fhir_date(given: &str) -> String {
    dashed(given.trim()).unwrap_or_else(|| given.to_owned())
}

fn dashed(given: &str) -> Option<String> {
    let (time, zone) = match given.find(['+', '-']) {
        Some(at) => given.split_at_checked(at)?,
        None => (given, ""),
    };
    let digits = time.split('.').next()?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to);
    let mut date = part(0, 4)?.to_owned();
    for (from, to) in [(4, 6), (6, 8)] {
        if let Some(part) = part(from, to) {
            date.push('-');
            date.push_str(part);
        }
    }
    let (Some(hour), Some(minute)) = (part(8, 10), part(10, 12)) else {
        return Some(date);
    };
    let second = part(12, 14).unwrap_or("00");
    date.push_str(&format!("T{hour}:{minute}:{second}"));
    if let (Some(hours), Some(minutes)) = (zone.get(..3), zone.get(3..5)) {
        date.push_str(&format!("{hours}:{minutes}"));
    }
    Some(date)
}

#[cfg(test)]
mod tests;
