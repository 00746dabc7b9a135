//! docs/conformance.md: which line of the protocol checklist is held by which test, read off the names
//! of the tests. `UPDATE_CONFORMANCE=1 cargo test -p satchel --test it conformance` writes it anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const SECTIONS: [(char, &str); 8] = [
    ('a', "Discovery"),
    ('b', "Registration"),
    ('c', "Authorization"),
    ('d', "Tokens, id_token, refresh, revocation"),
    ('e', "Backend services"),
    ('f', "Bulk Data"),
    ('g', "FHIR"),
    ('h', "What is stored, and where"),
];

/// Folders with tests: of the client, and of the server.
const CLIENT: [&str; 4] = [
    "crates/smart",
    "crates/core/src",
    "crates/cli/tests",
    "tests/it",
];
const SERVER: [&str; 1] = ["crates/mock"];

/// Line of the checklist (`d8`, or `d` for a whole section) → names of tests.
type Lines = BTreeMap<(char, u32), [Vec<String>; 2]>;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("a folder of the repository");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `d8`, or `d` for the whole section; "a" is an article, so section A is named with a number only.
fn checklist_line(word: &str) -> Option<(char, u32)> {
    let mut letters = word.chars();
    let section = letters.next()?;
    let known = SECTIONS.iter().any(|(known, _)| *known == section);
    let number = match letters.as_str() {
        "" if section != 'a' => 0,
        digits => digits.parse().ok()?,
    };
    known.then_some((section, number))
}

/// The names of the test functions in a file, of those that name a line or a section.
fn named_tests(text: &str) -> Vec<(char, u32, String)> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]")
            || line.starts_with("#[tokio::test")
            || line.starts_with("#[rstest]")
        {
            is_test = true;
        }
        let Some(rest) = line
            .strip_prefix("async fn ")
            .or_else(|| line.strip_prefix("fn "))
        else {
            continue;
        };
        if !std::mem::take(&mut is_test) {
            continue;
        }
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        // A test may hold several lines: c33_c34_what_it_shows.
        let mut lines = Vec::new();
        let mut words = name.as_str();
        while let Some((line, rest)) = words.split_once('_') {
            let Some(read) = checklist_line(line) else {
                break;
            };
            lines.push(read);
            words = rest;
        }
        let words = words.replace('_', " ");
        found.extend(
            lines
                .into_iter()
                .map(|(section, number)| (section, number, words.clone())),
        );
    }
    found
}

fn collect(root: &Path) -> Lines {
    let mut lines = Lines::new();
    for (side, folders) in [CLIENT.as_slice(), SERVER.as_slice()]
        .into_iter()
        .enumerate()
    {
        for folder in folders {
            let mut paths = Vec::new();
            files(&root.join(folder), &mut paths);
            paths.sort();
            for path in paths {
                let text = std::fs::read_to_string(path).expect("a source file");
                for (section, number, words) in named_tests(&text) {
                    let sides = lines.entry((section, number)).or_default();
                    if !sides[side].contains(&words) {
                        sides[side].push(words);
                    }
                }
            }
        }
    }
    lines
}

fn page(lines: &Lines) -> String {
    let mut page = "# Conformance\n\nWhich line of the protocol checklist (sections A to H) is held by which test, read off the names\nof the tests; `tests/it/conformance.rs` keeps this page true. A line that is not here has no test of\nits own yet. \"All\" stands for tests of a whole section.\n".to_owned();
    for (section, title) in SECTIONS {
        page.push_str(&format!(
            "\n## {}. {title}\n\n",
            section.to_ascii_uppercase()
        ));
        page.push_str(
            "| line | the client (Satchel) | the server (satchel-mock) |\n| --- | --- | --- |\n",
        );
        for ((_, number), [client, server]) in
            lines.iter().filter(|((found, _), _)| *found == section)
        {
            let line = match number {
                0 => "all".to_owned(),
                number => format!("{}{number}", section.to_ascii_uppercase()),
            };
            page.push_str(&format!(
                "| {line} | {} | {} |\n",
                client.join("; "),
                server.join("; ")
            ));
        }
    }
    page
}

#[test]
fn the_conformance_page_is_what_the_tests_are_called() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = page(&collect(root));
    let path = root.join("docs/conformance.md");
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "run UPDATE_CONFORMANCE=1 cargo test -p satchel --test it conformance"
    );
    assert!(page.lines().filter(|line| line.starts_with("| ")).count() > 80);
}
