//! docs/conformance.md: each line of the protocol checklist with the tests that hold it, or with the
//! reason why there is none. `UPDATE_CONFORMANCE=1 cargo test -p satchel --test it conformance` writes
//! the page anew and drops the reasons of lines that have a test by now.
//!
//! How to close a line: give a test its number (`fn g10_…`, or `test("G10 …")`), and run that command.

mod names;

use names::{Tests, collect, line_of};
use std::collections::BTreeMap;
use std::path::Path;

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
const SIDES: [&str; 2] = ["client", "server"];
const CHECKLIST: &str = "tests/it/conformance/checklist.tsv";
const REASONS: &str = "tests/it/conformance/open.tsv";
/// Where the checklist itself is, beside the repository, for those who have it.
const SOURCE: &str = "../shared/design/protocol.md";

/// A line of the checklist: whom it asks (`C`, `M`, `CM`, or `later`), and what it is about.
struct Line {
    asks: String,
    title: String,
}

type Checklist = BTreeMap<(char, u32), Line>;
/// (line, side) → why it is open.
type Reasons = BTreeMap<((char, u32), usize), String>;

impl Line {
    /// A line that is put off asks the client for a reason.
    fn asks(&self, side: usize) -> bool {
        match self.asks.as_str() {
            "later" => side == 0,
            asks => asks.contains(['C', 'M'][side]),
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn name((section, number): (char, u32)) -> String {
    format!("{}{number}", section.to_ascii_uppercase())
}

fn parse_name(name: &str) -> (char, u32) {
    line_of(&name.to_ascii_lowercase()).unwrap_or_else(|| panic!("{name} is no line"))
}

/// The rows of a table, without its head.
fn rows(file: &str) -> Vec<[String; 3]> {
    let text = std::fs::read_to_string(root().join(file)).expect("a table");
    text.lines()
        .skip(1)
        .map(|row| {
            let cells: Vec<String> = row.split('\t').map(str::to_owned).collect();
            cells
                .try_into()
                .unwrap_or_else(|_| panic!("{file}: three cells in {row:?}"))
        })
        .collect()
}

fn checklist() -> Checklist {
    rows(CHECKLIST)
        .into_iter()
        .map(|[line, asks, title]| (parse_name(&line), Line { asks, title }))
        .collect()
}

fn reasons() -> Reasons {
    rows(REASONS)
        .into_iter()
        .map(|[line, side, reason]| {
            let side = SIDES.iter().position(|known| *known == side);
            assert!(!reason.trim().is_empty(), "{line} has an empty reason");
            ((parse_name(&line), side.expect("client or server")), reason)
        })
        .collect()
}

fn has_test(tests: &Tests, line: (char, u32), side: usize) -> bool {
    tests
        .get(&line)
        .is_some_and(|sides| !sides[side].is_empty())
}

fn page(checklist: &Checklist, tests: &Tests, reasons: &Reasons) -> String {
    let mut page = "# Conformance\n\nEach line of the protocol checklist (sections A to H) with the tests that hold it, read off the\nnames of the tests; `tests/it/conformance` keeps this page true. \"Open\" comes with its reason; a dash\nmeans that the line asks nothing of that side. \"All\" stands for tests of a whole section.\n".to_owned();
    for (section, title) in SECTIONS {
        page.push_str(&format!(
            "\n## {}. {title}\n\n| line | what it is about | the client (Satchel) | the server (satchel-mock) |\n| --- | --- | --- | --- |\n",
            section.to_ascii_uppercase()
        ));
        if let Some([client, server]) = tests.get(&(section, 0)) {
            page.push_str(&format!(
                "| all | | {} | {} |\n",
                client.join("; "),
                server.join("; ")
            ));
        }
        for (line, about) in checklist.range((section, 1)..=(section, u32::MAX)) {
            let cell = |side: usize| match (tests.get(line), reasons.get(&(*line, side))) {
                (Some(sides), _) if !sides[side].is_empty() => sides[side].join("; "),
                (_, Some(reason)) => format!("*Open: {reason}*"),
                _ => "–".to_owned(),
            };
            page.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                name(*line),
                about.title,
                cell(0),
                cell(1)
            ));
        }
    }
    page
}

#[test]
fn every_line_of_the_checklist_has_a_test_or_a_reason() {
    let (checklist, tests) = (checklist(), collect(root()));
    let mut reasons = reasons();
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        reasons.retain(|(line, side), _| !has_test(&tests, *line, *side));
        write_reasons(&reasons);
        let page = page(&checklist, &tests, &reasons);
        std::fs::write(root().join("docs/conformance.md"), page).expect("written");
    }
    let mut wrong = Vec::new();
    for (line, about) in &checklist {
        for (side, side_name) in SIDES.into_iter().enumerate() {
            let held = has_test(&tests, *line, side);
            let excused = reasons.contains_key(&(*line, side));
            let what = match (about.asks(side), held, excused) {
                (true, false, false) => "has neither a test nor a reason",
                (_, true, true) => "has a reason although it has a test",
                (false, _, true) => "has a reason although it asks nothing here",
                _ => continue,
            };
            wrong.push(format!("{} {side_name}: {what}", name(*line)));
        }
    }
    let unknown = tests.keys().chain(reasons.keys().map(|(line, _)| line));
    for line in unknown.filter(|line| line.1 != 0 && !checklist.contains_key(line)) {
        wrong.push(format!("{} is not in the checklist", name(*line)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let stored = std::fs::read_to_string(root().join("docs/conformance.md")).unwrap_or_default();
    assert!(
        stored == page(&checklist, &tests, &reasons),
        "run UPDATE_CONFORMANCE=1 cargo test -p satchel --test it conformance"
    );
}

fn write_reasons(reasons: &Reasons) {
    let mut text = "line\tside\treason\n".to_owned();
    for ((line, side), reason) in reasons {
        text.push_str(&format!("{}\t{}\t{reason}\n", name(*line), SIDES[*side]));
    }
    std::fs::write(root().join(REASONS), text).expect("written");
}

/// Titles are our own words; numbers and tags are the checklist's.
#[test]
fn the_table_has_the_lines_and_tags_of_the_checklist() {
    let Ok(source) = std::fs::read_to_string(root().join(SOURCE)) else {
        return;
    };
    let mut theirs = BTreeMap::new();
    for row in source.lines() {
        let mut words = row.split(' ');
        let first = words.next().unwrap_or_default();
        let numbered = first.len() > 1 && first.starts_with(|c: char| ('A'..='H').contains(&c));
        let Some(line) = line_of(&first.to_ascii_lowercase()).filter(|_| numbered) else {
            continue;
        };
        let tag = words.next().filter(|word| word.starts_with('['));
        let letters = |tag: &str| tag.chars().filter(char::is_ascii_uppercase).collect();
        theirs.insert(line, tag.map_or("later".to_owned(), letters));
    }
    let ours: BTreeMap<_, _> = checklist()
        .into_iter()
        .map(|(line, about)| (line, about.asks))
        .collect();
    assert_eq!(ours, theirs);
}
