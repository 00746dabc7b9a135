//! docs/attacks.md: which attacks there are and what each ends in, read off the tests.
//! `UPDATE_ATTACKS=1 cargo test -p satchel --test it attacks` writes it anew.

use satchel_core::ProblemCode;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files of the folder that hold no attacks.
const NO_THEMES: [&str; 3] = ["mod", "rogue", "page"];

/// One attack: what it is called, and the problems that it ends in.
struct Attack {
    says: String,
    ends_in: BTreeSet<&'static str>,
}

struct Theme {
    title: String,
    attacks: Vec<Attack>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The problems whose codes stand in a text as literals.
fn codes_in(text: &str) -> BTreeSet<&'static str> {
    let all = ProblemCode::ALL.iter().map(|problem| problem.code());
    all.filter(|code| text.contains(&format!("\"{code}\"")))
        .collect()
}

/// `c31_a_link` and `with_a_host` make "a link with a host".
fn words(name: &str) -> String {
    let mut rest = name;
    while let Some((first, after)) = rest.split_once('_') {
        let mut letters = first.chars();
        let numbered = letters.next().is_some_and(|c| c.is_ascii_lowercase())
            && !letters.as_str().is_empty()
            && letters.all(|c| c.is_ascii_digit());
        if !numbered {
            break;
        }
        rest = after;
    }
    rest.replace('_', " ")
}

fn name_after<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    let rest = text.trim_start().strip_prefix(mark)?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
}

/// The pieces of a file that begin at the start of a line with an attribute or an item, and end with a
/// closing brace there.
fn pieces(text: &str) -> Vec<&str> {
    text.split("\n}\n").collect()
}

fn attacks_of(text: &str) -> Vec<Attack> {
    let helpers: Vec<(&str, BTreeSet<&'static str>)> = pieces(text)
        .into_iter()
        .filter(|piece| !piece.contains("#[tokio::test]") && !piece.contains("#[test]"))
        .filter_map(|piece| {
            let name = piece
                .lines()
                .find_map(|line| name_after(line, "async fn "))?;
            Some((name, codes_in(piece)))
        })
        .collect();
    let mut found = Vec::new();
    for piece in pieces(text) {
        let Some(at) = piece
            .find("#[rstest]")
            .or_else(|| piece.find("#[tokio::test]"))
        else {
            continue;
        };
        let piece = &piece[at..];
        let Some(body_at) = piece.find("\nasync fn ") else {
            continue;
        };
        let (head, body) = piece.split_at(body_at);
        let name = name_after(body, "async fn ").unwrap_or_default();
        let mut common = codes_in(body);
        for (helper, codes) in &helpers {
            if body.contains(&format!(" {helper}(")) {
                common.extend(codes);
            }
        }
        let cases: Vec<&str> = head.split("#[case::").skip(1).collect();
        if cases.is_empty() {
            found.push(Attack {
                says: words(name),
                ends_in: common,
            });
            continue;
        }
        for case in cases {
            let case_name = name_after(case, "").unwrap_or_default();
            let mut ends_in = codes_in(case);
            if ends_in.is_empty() {
                ends_in.clone_from(&common);
            }
            found.push(Attack {
                says: format!("{} {}", words(name), words(case_name)),
                ends_in,
            });
        }
    }
    found
}

fn themes() -> Vec<Theme> {
    let folder = root().join("tests/it/attacks");
    let entries = std::fs::read_dir(folder).expect("the folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let stem = |path: &Path| {
        path.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    paths.retain(|path| !NO_THEMES.contains(&stem(path).as_str()));
    let theme = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).expect("a source file");
        Theme {
            title: stem(path).replace('_', " "),
            attacks: attacks_of(&text),
        }
    };
    paths.iter().map(theme).collect()
}

fn page(themes: &[Theme]) -> String {
    let count: usize = themes.iter().map(|theme| theme.attacks.len()).sum();
    let mut page = format!(
        "# Attacks\n\n{count} attacks against the engine, each of which is a test with a name, in \
         `tests/it/attacks/`. They are made\nby a server that can lie about everything, by the mock \
         server's faults, and by other programs of the same\ncomputer. None succeeds. What an attack \
         ends in is the code of the problem that the person is shown; a dash\nsays that there is nothing \
         to be shown: the attack has no effect, and the test says so.\n\nThis page is read off the tests; \
         `tests/it/attacks/page.rs` keeps it true.\n"
    );
    for Theme { title, attacks } in themes {
        let mut letters = title.chars();
        let first: String = letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect();
        page.push_str(&format!(
            "\n## {first}{}\n\n| attack | ends in |\n| --- | --- |\n",
            letters.as_str()
        ));
        for Attack { says, ends_in } in attacks {
            let codes: Vec<String> = ends_in.iter().map(|code| format!("`{code}`")).collect();
            let codes = if codes.is_empty() {
                "–".to_owned()
            } else {
                codes.join(", ")
            };
            page.push_str(&format!("| {says} | {codes} |\n"));
        }
    }
    page
}

#[test]
fn the_page_lists_the_attacks_as_they_are_and_there_are_more_than_sixty() {
    let themes = themes();
    let page = page(&themes);
    let path = root().join("docs/attacks.md");
    if std::env::var_os("UPDATE_ATTACKS").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "run UPDATE_ATTACKS=1 tests/session.sh cargo test -p satchel --test it attacks"
    );
    let all = || themes.iter().flat_map(|theme| &theme.attacks);
    let told = all().filter(|attack| !attack.ends_in.is_empty()).count();
    assert!(told >= 60, "{told} of {} end in a problem", all().count());
    let names: BTreeSet<&str> = all().map(|attack| attack.says.as_str()).collect();
    assert_eq!(names.len(), all().count(), "each has a name of its own");
    assert!(themes.len() >= 12 && themes.iter().all(|theme| theme.attacks.len() > 1));
}
