//! Every word of the engine that reaches a screen, for whoever shows it in another language.
//!
//! What has a code is under its code (`problem.login.denied`, `section.labs`). What is kept with a record in
//! words is under those words (`said.Yes`): the rows of a chart are written when a record comes, long before
//! anybody chooses a language. What a source says in its own words is in neither.

use crate::chart::{self, all_sections, word_of};
use crate::problem::ProblemCode;
use crate::summary::{section_title, types, words};
use crate::sync::{prepare, report};
use crate::{
    attachments::{Missing, clinical},
    document, patient, presets,
};
use std::collections::BTreeMap;

/// Each name, and its words in English.
#[must_use]
pub fn english() -> BTreeMap<String, String> {
    let mut english = BTreeMap::new();
    let mut put = |name: String, words: &str| english.insert(name, words.to_owned());
    for problem in ProblemCode::ALL {
        put(format!("problem.{}", problem.code()), problem.message());
        let advice = format!("problem.{}.advice", problem.code());
        put(advice, problem.advice());
    }
    for section in all_sections() {
        put(
            format!("section.{}", word_of(section)),
            section_title(section),
        );
    }
    for (outcome, text) in chart::NOTES {
        put(format!("note.{}", word_of(outcome)), text);
    }
    put("note.more".to_owned(), chart::MAY_BE_MORE);
    for (id, title, help) in presets::words() {
        put(format!("preset.{id}"), &title);
        put(format!("preset.{id}.help"), &help);
    }
    for text in said() {
        put(format!("said.{text}"), text);
    }
    english
}

/// What is said in words alone.
fn said() -> impl Iterator<Item = &'static str> {
    let tables = [
        words::PLAIN_NAMES,
        words::ABSENT,
        types::CLASSES,
        types::MEDIA,
        report::STEP_NAMES,
        patient::GENDERS,
        patient::IDENTIFIERS,
    ];
    let single = [
        words::OTHER_RECORD,
        words::NOT_KNOWN,
        words::YES,
        words::NO,
        types::PICTURE,
        types::HIGH_RISK,
        types::LOW_RISK,
        types::REPORTED,
        report::OTHER_RECORDS,
        chart::ALL_KINDS,
        patient::NO_NAME,
        patient::NO_DATE,
        clinical::NO_INFORMATION,
        document::OTHER_SIZE,
        document::OTHER_CHECKSUM,
        prepare::UNREADABLE,
        prepare::KEPT_AS_RECEIVED,
    ];
    let named = tables.into_iter().flatten().map(|(_, text)| *text);
    let missing = Missing::ALL.map(|(missing, _)| missing.sentence());
    named.chain(single).chain(missing)
}
