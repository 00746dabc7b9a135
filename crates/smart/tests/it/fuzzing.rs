//! The fuzz targets without libFuzzer: over every input that is kept (`fuzz/seeds`, `fuzz/corpus`),
//! and over mutations of them. What `make fuzz` finds is kept there too, by name.

use crate::fuzz_targets::{bundle_page, callback_url, discovery_document, jwks_jwt, token_answer};
use proptest::prelude::*;
use proptest::sample::Index;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

/// What the inputs are made of, beside bytes.
const WORDS: [&str; 40] = [
    "\n%%\n",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "0",
    "-1",
    "1e308",
    "\\u0000",
    "\\u202e",
    "%00",
    "%26",
    "&state=",
    "&code=",
    "&iss=",
    "&error=",
    "#",
    "?",
    "@",
    "//",
    "..",
    "http://",
    "https://",
    "127.0.0.1",
    "[::1]",
    "localhost",
    "evil.example",
    ":443",
    "\u{feff}",
    "Bearer",
    "\"next\"",
    "\"resourceType\":",
    "\"sub\":\"ben\"",
    "\"alg\":\"none\"",
    "\r\n",
];

#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, Index),
    Remove(Index, usize),
    Repeat(Index, usize),
    Splice(Index, Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (place(), any::<Index>()).prop_map(|(at, word)| Change::Insert(at, word)),
        (place(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (place(), 1..80_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        (place(), any::<Index>(), 1..200_usize)
            .prop_map(|(at, from, length)| Change::Splice(at, from, length)),
    ]
}

fn changed(mut input: Vec<u8>, other: &[u8], changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let place = |at: &Index| at.index(input.len() + 1);
        let piece = |from: &[u8], start: usize, length: usize| {
            from[start..from.len().min(start + length)].to_vec()
        };
        let (start, end, put) = match change {
            Change::Set(at, byte) => {
                let at = place(at);
                (at, at + 1, vec![*byte])
            }
            Change::Insert(at, word) => {
                let word = WORDS[word.index(WORDS.len())].as_bytes();
                (place(at), place(at), word.to_vec())
            }
            Change::Remove(at, length) => (place(at), place(at) + length, Vec::new()),
            Change::Repeat(at, length) => (place(at), place(at), piece(&input, place(at), *length)),
            Change::Splice(at, from, length) => {
                let from = from.index(other.len() + 1);
                (place(at), place(at), piece(other, from, *length))
            }
        };
        let end = end.min(input.len());
        input.splice(start.min(end)..end, put);
    }
    input
}

/// Every kept input of a target, by the name of its file.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut all = Vec::new();
    for folder in ["seeds", "corpus"] {
        let folder = fuzz.join(folder).join(target);
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"))
        {
            let path = entry.unwrap().path();
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    all.sort();
    assert!(all.len() > 15, "{target} has inputs");
    all
}

fn holds(target: &str, run: fn(&[u8]) -> bool) {
    let kept = kept(target);
    let mut taken = 0;
    for (name, input) in &kept {
        match catch_unwind(AssertUnwindSafe(|| run(input))) {
            Ok(one) => taken += usize::from(one),
            Err(panic) => {
                eprintln!("{name} does not hold");
                resume_unwind(panic);
            }
        }
    }
    // A property of what is taken says nothing where nothing is.
    assert!(
        (4..kept.len()).contains(&taken),
        "{taken} of {} inputs are taken",
        kept.len()
    );
    let config = ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let inputs = (
        any::<Index>(),
        any::<Index>(),
        prop::collection::vec(change(), 1..8),
    );
    proptest!(config, |((one, other, changes) in inputs)| {
        let input = &kept[one.index(kept.len())].1;
        let other = &kept[other.index(kept.len())].1;
        run(&changed(input.clone(), other, &changes));
    });
}

#[test]
fn c4_c31_c33_c34_c37_any_callback_that_is_taken_is_the_one_that_was_waited_for() {
    holds("callback_url", callback_url::run);
}

#[test]
fn a7_a8_a19_a20_any_document_that_is_taken_names_protected_places_only() {
    holds("discovery_document", discovery_document::run);
}

#[test]
fn d30_d31_any_id_token_that_is_taken_was_signed_by_the_issuer_for_this_login() {
    holds("jwks_jwt", jwks_jwt::run);
}

#[test]
fn b21_b26_d12_d14_d34_any_answer_that_is_taken_is_whole_and_shows_no_secret() {
    holds("token_answer", token_answer::run);
}

#[test]
fn g3_g6_g8_any_page_keeps_every_entry_and_the_token_stays_at_its_server() {
    holds("bundle_page", bundle_page::run);
}
