//! docs/failure-modes.md: each failure mode that was reported of real servers, with the tests that play it.
//! `UPDATE_FAILURE_MODES=1 cargo test -p satchel --test it failure_modes` writes the page anew.
//!
//! How to add one: a row in `modes.tsv`, and a test whose name begins with its number (`fn w12_…`); other
//! tests that play it stand in the row's last cell, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const MODES: &str = "tests/it/wild/modes.tsv";
const PAGE: &str = "docs/failure-modes.md";
/// Folders with tests.
const FOLDERS: [&str; 3] = ["tests/it", "crates", "src-tauri/src"];

struct Mode {
    section: String,
    says: String,
    /// Tests that are named elsewhere.
    also: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn modes() -> BTreeMap<u32, Mode> {
    let text = std::fs::read_to_string(root().join(MODES)).expect("the table");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [number, section, says, also] = cells[..] else {
            panic!("four cells in {line:?}");
        };
        let number = number
            .strip_prefix('W')
            .and_then(|digits| digits.parse().ok());
        let mode = Mode {
            section: section.to_owned(),
            says: says.to_owned(),
            also: also
                .split(' ')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        (
            number.unwrap_or_else(|| panic!("no number in {line:?}")),
            mode,
        )
    };
    text.lines().skip(1).map(row).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("a folder");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names of the test functions of a file.
fn tests_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        is_test |= ["#[test]", "#[tokio::test", "#[rstest"]
            .iter()
            .any(|attribute| line.starts_with(attribute));
        let rest = line
            .strip_prefix("async fn ")
            .or_else(|| line.strip_prefix("fn "));
        let Some(rest) = rest.filter(|_| is_test) else {
            continue;
        };
        is_test = false;
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        found.push(name);
    }
    found
}

/// Every test in the repository.
fn all_tests() -> BTreeSet<String> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        files(&root().join(folder), &mut paths);
    }
    paths
        .iter()
        .flat_map(|path| tests_in(&std::fs::read_to_string(path).expect("a source file")))
        .collect()
}

/// The numbers that a name begins with, and the words behind them.
fn numbers_of(name: &str) -> (Vec<u32>, String) {
    let mut words = name.split('_').peekable();
    let mut numbers = Vec::new();
    let number = |word: &&str| {
        word.strip_prefix('w')
            .and_then(|digits| digits.parse().ok())
    };
    while let Some(found) = words.peek().and_then(number) {
        numbers.push(found);
        words.next();
    }
    (numbers, words.collect::<Vec<_>>().join(" "))
}

/// Number → what the tests say.
fn played(modes: &BTreeMap<u32, Mode>, tests: &BTreeSet<String>) -> BTreeMap<u32, Vec<String>> {
    let mut played: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for test in tests {
        let (numbers, words) = numbers_of(test);
        for number in numbers {
            played.entry(number).or_default().push(words.clone());
        }
    }
    for (number, mode) in modes {
        let all = played.entry(*number).or_default();
        all.extend(mode.also.iter().map(|name| format!("`{name}`")));
    }
    played
}

fn page(modes: &BTreeMap<u32, Mode>, played: &BTreeMap<u32, Vec<String>>) -> String {
    let mut page = "# Failure modes in the wild\n\nWhat was reported in public of real servers and has to be borne by a client, with the tests that play it:\nthe engine against the mock server with a vendor's habits or a fault. Tests in words are `w…` in\n`tests/it/wild`; the others are named as they are. `tests/it/wild/page.rs` keeps this page true.\n".to_owned();
    let mut section = "";
    for (number, mode) in modes {
        if section != mode.section {
            section = &mode.section;
            page.push_str(&format!(
                "\n## {section}\n\n| mode | what servers do | tests |\n| --- | --- | --- |\n"
            ));
        }
        let tests = played.get(number).map(|tests| tests.join("; "));
        page.push_str(&format!(
            "| W{number} | {} | {} |\n",
            mode.says,
            tests.unwrap_or_default()
        ));
    }
    page
}

#[test]
fn failure_modes_have_tests_and_the_page_lists_them() {
    let (modes, tests) = (modes(), all_tests());
    let played = played(&modes, &tests);
    let page = page(&modes, &played);
    if std::env::var_os("UPDATE_FAILURE_MODES").is_some() {
        std::fs::write(root().join(PAGE), &page).expect("written");
    }
    let mut wrong = Vec::new();
    for number in 1..=u32::try_from(modes.len()).expect("few") {
        if !modes.contains_key(&number) {
            wrong.push(format!("W{number} is not in the table"));
        }
    }
    for (number, tests) in &played {
        match modes.contains_key(number) {
            false => wrong.push(format!("W{number} is a test and not in the table")),
            true if tests.is_empty() => wrong.push(format!("W{number} has no test")),
            true => {}
        }
    }
    let named = modes.values().flat_map(|mode| &mode.also);
    for name in named.filter(|name| !tests.contains(*name)) {
        wrong.push(format!("there is no test {name}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let stored = std::fs::read_to_string(root().join(PAGE)).unwrap_or_default();
    assert!(
        stored == page,
        "run UPDATE_FAILURE_MODES=1 cargo test -p satchel --test it failure_modes"
    );
}

#[test]
fn a_test_plays_the_modes_whose_numbers_its_name_begins_with() {
    let (numbers, words) = numbers_of("w3_w12_what_w4_shows");
    assert_eq!((numbers, words.as_str()), (vec![3, 12], "what w4 shows"));
    assert_eq!(numbers_of("what_it_shows").0, Vec::<u32>::new());
    let text = "#[tokio::test]\nasync fn w1_a() {}\nfn w2_no_test() {}\n#[test]\nfn w3_b() {}";
    assert_eq!(tests_in(text), ["w1_a", "w3_b"]);
}
