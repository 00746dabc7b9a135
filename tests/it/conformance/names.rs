//! Which lines of the checklist a test names: `fn c33_c34_what_it_shows` in Rust,
//! `test("H4 what it shows", …)` in TypeScript.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Line of the checklist (`d8`; number 0 for a whole section) → names of tests of client and server.
pub(super) type Tests = BTreeMap<(char, u32), [Vec<String>; 2]>;

/// Folders with tests: of the client, and of the server.
const CLIENT: [&str; 8] = [
    "crates/smart",
    "crates/store",
    "crates/core",
    "crates/cli/tests",
    "src-tauri/src",
    "tests/it",
    "tests/ui",
    "ui/tests",
];
const SERVER: [&str; 1] = ["crates/mock"];

/// Every test in the repository that names a line.
pub(super) fn collect(root: &Path) -> Tests {
    let mut tests = Tests::new();
    for (side, folders) in [CLIENT.as_slice(), SERVER.as_slice()]
        .into_iter()
        .enumerate()
    {
        for folder in folders {
            let mut paths = Vec::new();
            files(&root.join(folder), &mut paths);
            paths.sort();
            for path in paths {
                let text = std::fs::read_to_string(&path).expect("a source file");
                let rust = path.extension().is_some_and(|extension| extension == "rs");
                let named = if rust {
                    in_rust(&text)
                } else {
                    in_script(&text)
                };
                for (line, words) in named {
                    let sides = tests.entry(line).or_default();
                    if !sides[side].contains(&words) {
                        sides[side].push(words);
                    }
                }
            }
        }
    }
    tests
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("a folder of the repository");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "node_modules" {
                files(&path, found);
            }
        } else if name.ends_with(".rs")
            || [".test.ts", ".test.tsx", ".test.mjs"]
                .iter()
                .any(|ending| name.ends_with(ending))
        {
            found.push(path);
        }
    }
}

/// `d8`, or `d` for the whole section; "a" is an article, so section A is named with a number only.
pub(super) fn line_of(word: &str) -> Option<(char, u32)> {
    let mut letters = word.chars();
    let section = letters.next()?;
    let number = match letters.as_str() {
        "" if section != 'a' => 0,
        digits => digits.parse().ok()?,
    };
    ('a'..='h').contains(&section).then_some((section, number))
}

/// The test functions of a Rust file.
fn in_rust(text: &str) -> Vec<((char, u32), String)> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if ["#[test]", "#[tokio::test", "#[rstest]"]
            .iter()
            .any(|attribute| line.starts_with(attribute))
        {
            is_test = true;
        }
        let Some(rest) = line
            .strip_prefix("async fn ")
            .or_else(|| line.strip_prefix("fn "))
        else {
            continue;
        };
        if std::mem::take(&mut is_test) {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            found.extend(lines_of(name.split('_'), line_of));
        }
    }
    found
}

/// The tests of a TypeScript or JavaScript file whose name stands in the line of the call.
fn in_script(text: &str) -> Vec<((char, u32), String)> {
    let upper = |word: &str| {
        let numbered = word.len() > 1 && word.starts_with(|c: char| c.is_ascii_uppercase());
        line_of(&word.to_ascii_lowercase()).filter(|_| numbered)
    };
    text.lines()
        .map(str::trim)
        .filter_map(|line| line.strip_prefix("test(").or(line.strip_prefix("it(")))
        .filter_map(|rest| {
            let quote = rest.chars().next().filter(|c| "\"'`".contains(*c))?;
            rest[1..].split(quote).next()
        })
        .flat_map(|name| lines_of(name.split(' '), upper))
        .collect()
}

/// A test may hold several lines: they stand first in its name.
fn lines_of<'a>(
    words: impl Iterator<Item = &'a str>,
    line_of: impl Fn(&str) -> Option<(char, u32)>,
) -> Vec<((char, u32), String)> {
    let mut lines = Vec::new();
    let mut rest = Vec::new();
    for word in words {
        match line_of(word).filter(|_| rest.is_empty()) {
            Some(line) => lines.push(line),
            None => rest.push(word),
        }
    }
    let words = rest.join(" ");
    lines
        .into_iter()
        .map(|line| (line, words.clone()))
        .collect()
}

#[test]
fn lines_are_read_off_the_names_of_tests() {
    let rust = "#[test]\nfn c33_c34_it_holds() {}\nfn d1_no_test() {}\n#[tokio::test]\nasync fn a_word() {}";
    assert_eq!(
        in_rust(rust),
        [
            (('c', 33), "it holds".to_owned()),
            (('c', 34), "it holds".to_owned())
        ]
    );
    let script =
        "test(\"H4 no token is in the window\", () => {\n  it('A list', x);\n test(`H5 C31 both`);";
    let found: Vec<_> = in_script(script)
        .into_iter()
        .map(|(line, _)| line)
        .collect();
    assert_eq!(found, [('h', 4), ('h', 5), ('c', 31)]);
}
